//! Containers of other runtimes than Docker: each started for real, beside Docker's own.

use integration_tests::{
    container::{Container, Image, unique},
    containerd::Containerd,
    monitor::Monitor,
    podman::Podman,
    snapshot::{Container as Shown, Snapshot},
};

/// The one entry of this name.
fn named<'s>(snapshot: &'s Snapshot, name: &str) -> Option<&'s Shown> {
    let mut named = snapshot.containers.iter().filter(|shown| shown.name.as_deref() == Some(name));
    let shown = named.next();
    assert!(named.next().is_none(), "{name} is listed more than once");
    shown
}

/// Waits until a container of this name is in this state.
fn wait_for_state(monitor: &mut Monitor, name: &str, state: &str) -> Shown {
    monitor.wait_for(&format!("{name} {state}"), |snapshot| {
        named(snapshot, name).filter(|shown| shown.state == state).cloned()
    })
}

fn assert_source(snapshot: &Snapshot, name: &str, state: &str) {
    let source = snapshot.coverage.sources.get(name).unwrap_or_else(|| panic!("{name} among the sources"));
    assert_eq!(source.state, state, "{name}: {:?}", source.reason);
}

#[test]
fn podman_s_containers_are_known_like_docker_s_and_beside_them() {
    let image = Image::import();
    let podman = Podman::start();
    podman.load(&image);
    let docker_s = Container::start_with(&image, &[], &["sleep", "--ms", "1"]);
    let (early, _early_workload) = podman.run(&image, &["--label", "colour=blue"], &["sleep", "--ms", "1"]);
    let mut monitor = Monitor::start_with(&["--runtime", &podman.runtime(), "--keep-ended", "1m"]);
    let shown = wait_for_state(&mut monitor, &early, "running");
    assert_eq!(shown.runtime, "podman");
    assert_eq!(shown.id, podman.output(&["inspect", "--format", "{{.Id}}", &early]));
    assert!(shown.image.expect("an image").ends_with(image.name()));
    assert_eq!(shown.labels.get("colour").map(String::as_str), Some("blue"));
    assert!(!shown.labels.contains_key("containerExitCode") && !shown.labels.contains_key("podId"));
    assert!(shown.cgroup.path.expect("a path").starts_with("/libpod_parent/libpod-"));

    let (late, mut workload) = podman.run(&image, &[], &["switch", "--blocks", "1000"]);
    workload.go();
    let _done = workload.wait_done();
    let _printed = podman.output(&["pause", &late]);
    wait_for_state(&mut monitor, &late, "paused");
    let _printed = podman.output(&["unpause", &late]);
    wait_for_state(&mut monitor, &late, "running");
    assert_eq!(workload.exit(7).code(), Some(7));
    let ended = wait_for_state(&mut monitor, &late, "exited");
    assert_eq!(ended.exit_code, Some(7));
    let switches = ended.measured.scheduler.voluntary_switches_total.expect("switches");
    assert!(switches >= 1000, "{switches}");

    let short = unique("monitor-test-podman");
    podman.run_alone(&image, &["--name", &short], &["sleep", "--ms", "1", "--unattended", "5"]);
    assert_eq!(wait_for_state(&mut monitor, &short, "exited").exit_code, Some(5));

    let snapshot = monitor.next_snapshot();
    assert_source(&snapshot, "docker", "ok");
    assert_source(&snapshot, "podman", "ok");
    assert_eq!(snapshot.container(docker_s.id()).name.as_deref(), Some(docker_s.name()));
    assert_eq!(snapshot.container(docker_s.id()).runtime, "docker");
}

#[test]
fn containerd_s_containers_are_joined_though_their_path_does_not_tell() {
    let image = Image::import();
    let containerd = Containerd::start("none");
    let image = containerd.load(containerd.namespace(), &image);
    let (early, late, short) = (unique("early"), unique("late"), unique("short"));
    let _early_workload =
        containerd.run(&image, &early, &["--label", "colour=blue"], &["sleep", "--ms", "1"]);
    let socket = format!("containerd={}", containerd.socket().display());
    let mut monitor = Monitor::start_with(&["--runtime", &socket, "--keep-ended", "1m"]);
    let shown = wait_for_state(&mut monitor, &early, "running");
    assert_eq!(shown.runtime, "containerd");
    assert_eq!(shown.id, format!("{}/{early}", containerd.namespace()));
    assert_eq!(shown.cgroup.path.as_deref(), Some(format!("/{}", shown.id).as_str()));
    assert_eq!(shown.image.as_deref(), Some(image.as_str()));
    assert_eq!(shown.labels.get("colour").map(String::as_str), Some("blue"));
    assert!(monitor.next_snapshot().cgroup(shown.cgroup.id).is_none(), "it is shown once, as a container");

    let mut workload = containerd.run(&image, &late, &[], &["switch", "--blocks", "1000"]);
    workload.go();
    let _done = workload.wait_done();
    let _printed = containerd.output(&["task", "pause", &late]);
    wait_for_state(&mut monitor, &late, "paused");
    let _printed = containerd.output(&["task", "resume", &late]);
    // The end of what is executed in it is not its own.
    let exec =
        ["task", "exec", "--exec-id", "x", &late, "/workload", "sleep", "--ms", "1", "--unattended", "0"];
    let _printed = containerd.output(&exec);
    wait_for_state(&mut monitor, &late, "running");
    assert_eq!(workload.exit(7).code(), Some(7));
    let _printed = containerd.output(&["container", "list"]);
    containerd.run_alone(&image, &short, &["sleep", "--ms", "1", "--unattended", "5"]);
    assert_eq!(wait_for_state(&mut monitor, &short, "exited").exit_code, Some(5));
    let switches = |shown: &Shown| shown.measured.scheduler.voluntary_switches_total.expect("switches");
    let ended = monitor.wait_for("its exit code", |snapshot| {
        named(snapshot, &late).filter(|shown| shown.exit_code.is_some()).cloned()
    });
    assert_eq!(ended.exit_code, Some(7));
    assert!(switches(&ended) >= 1000, "{}", switches(&ended));
    assert_source(&monitor.next_snapshot(), "containerd", "ok");
}

#[test]
fn a_runtime_that_goes_and_comes_costs_only_its_names() {
    let image = Image::import();
    let mut monitor;
    let (name, id);
    {
        let podman = Podman::start();
        podman.load(&image);
        let started = podman.run(&image, &[], &["sleep", "--ms", "1"]);
        name = started.0.clone();
        monitor = Monitor::start_with(&["--runtime", &podman.runtime()]);
        id = wait_for_state(&mut monitor, &name, "running").id;
        podman.stop_service();
        monitor.wait_for("the loss", |snapshot| {
            (snapshot.coverage.sources["podman"].state == "unavailable").then_some(())
        });
        let snapshot = monitor.next_snapshot();
        assert_eq!(snapshot.container(&id).name.as_deref(), Some(name.as_str()), "what was told stays");
        drop(started);
    }
    monitor.wait_for("its end", |snapshot| snapshot.find(&id)?.is_exited().then_some(()));
}

#[test]
fn nobody_is_asked_where_nobody_is_to_be() {
    let container = Container::start(&["sleep", "--ms", "1"]);
    let mut monitor = Monitor::start_with(&["--no-runtimes"]);
    let snapshot = monitor.next_snapshot();
    assert_eq!(snapshot.container(container.id()).name, None);
    for source in ["docker", "podman", "containerd", "cri-o"] {
        assert!(!snapshot.coverage.sources.contains_key(source), "{source}");
    }
}
