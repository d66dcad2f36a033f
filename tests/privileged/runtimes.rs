//! Containers of other runtimes than Docker: each started for real, beside Docker's own.

use integration_tests::{
    cgroup::{self, Cgroup, Places},
    container::{Container, Image, unique},
    containerd::Containerd,
    cri::{Pod, PodName},
    lxc::Lxc,
    monitor::{Monitor, command},
    podman::Podman,
    snapshot::{Container as Shown, Snapshot},
};
use serde_json::Value;

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
    assert!(shown.image.as_deref().expect("an image").ends_with(image.name()));
    assert_eq!(shown.labels.get("colour").map(String::as_str), Some("blue"));
    assert!(!shown.labels.contains_key("containerExitCode") && !shown.labels.contains_key("podId"));
    assert!(shown.cgroup.path.as_deref().expect("a path").starts_with("/libpod_parent/libpod-"));

    let only = ["stream", "--format", "ndjson", "--count", "1", "--container", &early, "--runtime"];
    let output = command(&only).arg(podman.runtime()).output().expect("run monitor");
    let only = Snapshot::parse(&String::from_utf8(output.stdout).expect("UTF-8"));
    assert_eq!(only.containers.iter().map(|one| &one.id).collect::<Vec<_>>(), [&shown.id]);

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
    let output =
        command(&["inspect", &early, "--format", "json", "--no-docker", "--runtime", &socket]).output();
    let output = output.expect("run monitor");
    let inspection: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (inspection["id"].as_str(), inspection["name"].as_str()),
        (Some(shown.id.as_str()), Some(early.as_str()))
    );
    assert_eq!(inspection["runtime"], "containerd");

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
    let short: Vec<String> = (0..10).map(|number| format!("{short}-{number}")).collect();
    for name in &short {
        containerd.run_alone(&image, name, &["sleep", "--ms", "1", "--unattended", "5"]);
    }
    for name in &short {
        assert_eq!(wait_for_state(&mut monitor, name, "exited").exit_code, Some(5), "{name}");
    }
    let switches = |shown: &Shown| shown.measured.scheduler.voluntary_switches_total.expect("switches");
    let ended = monitor.wait_for("its exit code", |snapshot| {
        named(snapshot, &late).filter(|shown| shown.exit_code.is_some()).cloned()
    });
    assert_eq!(ended.exit_code, Some(7));
    assert!(switches(&ended) >= 1000, "{}", switches(&ended));
    assert_source(&monitor.next_snapshot(), "containerd", "ok");
}

/// Kubernetes' containers, as the kubelet makes them: by containerd's own API and by CRI the same is told of them.
#[test]
fn a_pod_s_containers_have_the_pod_s_names() {
    const UID: &str = "1c0a7a3e-5b5c-4d5e-9f0e-3a7d2a9f6b11";
    let image = Image::import_with(&[
        "--change",
        r#"CMD ["/workload", "sleep", "--ms", "600000", "--unattended", "0"]"#,
    ]);
    let containerd = Containerd::start(&format!("docker.io/library/{}", image.name()));
    let image = containerd.load("k8s.io", &image);
    let top = unique("monitor-test");
    let parent = format!("/{top}/kubepods/pod{UID}");
    let name = PodName { name: "web-0", namespace: "shop", uid: UID, cgroup_parent: &parent };
    let command = ["/workload", "sleep", "--ms", "600000", "--unattended", "0"];
    let pod = Pod::run(&containerd.socket(), name, "nginx", &image, &command);
    let sockets = ["containerd", "cri"].map(|api| format!("{api}={}", containerd.socket().display()));
    for socket in &sockets {
        let mut monitor = Monitor::start_with(&["--no-docker", "--runtime", socket]);
        let shown = monitor.wait_for("the name", |snapshot| {
            snapshot.find(pod.container()).filter(|shown| shown.name.is_some()).cloned()
        });
        assert_eq!(
            (shown.name.as_deref(), shown.runtime.as_str()),
            (Some("nginx"), "containerd"),
            "{socket}"
        );
        assert_eq!(shown.image.as_deref(), Some(image.as_str()), "{socket}");
        let of_pod = shown.pod.expect("a pod");
        assert_eq!((of_pod.uid.as_str(), of_pod.name.as_deref()), (UID, Some("web-0")), "{socket}");
        assert_eq!(of_pod.namespace.as_deref(), Some("shop"), "{socket}");
        let snapshot = monitor.next_snapshot();
        let sandbox = snapshot.container(pod.sandbox());
        assert_eq!(sandbox.name.as_deref(), Some("POD"), "{socket}");
        assert_eq!(sandbox.pod.as_ref().and_then(|pod| pod.name.as_deref()), Some("web-0"), "{socket}");
    }
    let mut monitor = Monitor::start_with(&["--no-docker", "--runtime", &sockets[1], "--keep-ended", "1m"]);
    monitor.wait_for("the name", |snapshot| snapshot.find(pod.container())?.name.clone());
    pod.stop_container();
    let ended = monitor.wait_for("its exit code", |snapshot| {
        snapshot.find(pod.container()).filter(|shown| shown.exit_code.is_some()).cloned()
    });
    assert_eq!(ended.exit_code, Some(137), "the first process of a pid namespace ignores SIGTERM");
    drop(pod);
    cgroup::remove_empty(&top);
}

#[test]
fn lxc_s_containers_are_known_by_their_path() {
    let mut monitor = Monitor::start();
    let name = {
        let lxc = Lxc::start(&["sleep", "--ms", "60000", "--unattended", "0"]);
        let shown = wait_for_state(&mut monitor, lxc.name(), "running");
        assert_eq!((shown.runtime.as_str(), shown.id.as_str()), ("lxc", lxc.name()));
        assert_eq!(shown.cgroup.path.as_deref(), Some(format!("/lxc.payload.{}", lxc.name()).as_str()));
        assert!(shown.measured.scheduler.voluntary_switches_total.expect("switches") > 0);
        lxc.name().to_owned()
    };
    wait_for_state(&mut monitor, &name, "exited");
}

/// Made by hand as systemd names them, since systemd need not run here.
#[test]
fn units_pods_and_machines_have_kinds_and_names() {
    const UID: &str = "1c0a7a3e-5b5c-4d5e-9f0e-3a7d2a9f6b11";
    let top = Cgroup::make(&Places::roots(), &(unique("monitor-test") + ".slice"));
    let unit = Cgroup::make(top.places(), "web.service");
    let plain = Cgroup::make(unit.places(), "part");
    let machines = Cgroup::make(top.places(), "machine.slice");
    let machine = Cgroup::make(machines.places(), "systemd-nspawn@deb\\x2done.service");
    let pods = Cgroup::make(top.places(), "kubepods");
    let pod = Cgroup::make(pods.places(), &format!("pod{UID}"));
    let snapshot = Monitor::start().next_snapshot();
    let shown = |cgroup: &Cgroup| {
        let entry = snapshot.cgroups.iter().find(|entry| cgroup.places().has_id(entry.cgroup.id));
        let entry = entry.expect("an entry");
        (entry.kind.clone().expect("a kind"), entry.name.clone().expect("a name"))
    };
    for (cgroup, kind, name) in
        [(&unit, "service", "web.service"), (&plain, "cgroup", "part"), (&pod, "pod", UID)]
    {
        assert_eq!(shown(cgroup), (kind.to_owned(), name.to_owned()));
    }
    assert_eq!(shown(&top).0, "slice");
    let nspawn = named(&snapshot, "deb-one").expect("the machine");
    assert_eq!((nspawn.runtime.as_str(), nspawn.id.as_str()), ("systemd-nspawn", "deb-one"));
    assert!(machine.places().has_id(nspawn.cgroup.id));
}

#[test]
fn a_runtime_that_goes_and_comes_costs_only_names_meanwhile() {
    let image = Image::import();
    let mut podman = Podman::start();
    podman.load(&image);
    let (name, _workload) = podman.run(&image, &[], &["sleep", "--ms", "1"]);
    let mut monitor = Monitor::start_with(&["--runtime", &podman.runtime()]);
    let id = wait_for_state(&mut monitor, &name, "running").id;
    podman.without_service(|| {
        monitor.wait_for("the loss", |snapshot| {
            (snapshot.coverage.sources["podman"].state == "unavailable").then_some(())
        });
        let snapshot = monitor.next_snapshot();
        assert_eq!(snapshot.container(&id).name.as_deref(), Some(name.as_str()), "what was told stays");
        assert_eq!(snapshot.container(&id).state, "running");
    });
    monitor
        .wait_for("it again", |snapshot| (snapshot.coverage.sources["podman"].state == "ok").then_some(()));
    let (late, _workload) = podman.run(&image, &[], &["sleep", "--ms", "1"]);
    wait_for_state(&mut monitor, &late, "running");
}

#[test]
fn doctor_has_a_line_for_each_runtime_that_was_named() {
    let podman = Podman::start();
    let runtimes = [podman.runtime(), "containerd=/nonexistent/c.sock".to_owned()];
    let arguments =
        ["doctor", "--format", "json", "--no-docker", "--runtime", &runtimes[0], "--runtime", &runtimes[1]];
    let output = command(&arguments).output().expect("run monitor");
    assert!(output.status.success(), "no runtime is vital");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let checks = report["checks"].as_array().or(report.as_array()).expect("checks");
    let check = |subject| checks.iter().find(|check| check["subject"] == subject);
    assert_eq!(check("docker"), None);
    assert_eq!(check("podman").expect("a line")["answer"], "yes");
    let lost = check("containerd").expect("a line");
    assert_eq!(lost["answer"], "no");
    assert!(lost["finding"].as_str().expect("a finding").contains("/nonexistent/c.sock"), "{lost}");
    assert!(lost["advice"].as_str().expect("an advice").contains("--runtime"), "{lost}");
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
