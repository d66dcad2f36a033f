//! Who a container is: with Docker, without it, and when it changes.

use std::os::unix::fs::symlink;

use integration_tests::{
    container::{Container, Image, docker_output, docker_socket, unique},
    monitor::Monitor,
    snapshot::Container as Shown,
};

#[test]
fn name_image_labels_and_times_are_docker_s() {
    let image = Image::import();
    let mut monitor = Monitor::start();
    let create = ["--label", "colour=blue", "--label", "empty="];
    let container = Container::start_with(&image, &create, &["hog"]);
    let shown = named(&mut monitor, container.id());
    assert_eq!(shown.short_id, container.id()[..12]);
    assert_eq!(shown.name.as_deref(), Some(container.name()));
    assert_eq!(shown.image.as_deref(), Some(image.name()));
    assert_eq!(shown.runtime, "docker");
    assert_eq!(shown.state, "running");
    assert_eq!(shown.exit_code, None);
    assert_eq!(shown.labels.get("colour").map(String::as_str), Some("blue"));
    assert_eq!(shown.labels.get("empty").map(String::as_str), Some(""));
    assert!(container.places().has_id(shown.cgroup.id), "{:?} is none of its cgroups", shown.cgroup);
    assert!(shown.cgroup.path.expect("a path").contains(container.id()));
    let created_at: jiff::Timestamp = container.inspect("{{.Created}}").parse().expect("a time");
    let shown_at = shown.created_at.expect("a time");
    assert!(shown_at.duration_since(created_at).abs() < jiff::SignedDuration::from_secs(2));
    // The times of what was there before are known as well.
    let mut late = Monitor::start();
    let started_at: jiff::Timestamp = container.inspect("{{.State.StartedAt}}").parse().expect("a time");
    late.wait_for("the start time", |snapshot| {
        let shown = snapshot.find(container.id())?;
        (shown.name.as_deref() == Some(container.name()) && shown.started_at == Some(started_at))
            .then_some(())
    });
}

/// Its entry, once Docker has told its name.
fn named(monitor: &mut Monitor, id: &str) -> Shown {
    monitor.wait_for("a name", |snapshot| snapshot.find(id).filter(|shown| shown.name.is_some()).cloned())
}

#[test]
fn without_docker_a_container_is_known_by_its_id() {
    let mut container = Container::start(&["switch", "--blocks", "100"]);
    let mut monitor = Monitor::start_with(&["--docker-host", "unix:///nonexistent/docker.sock"]);
    let snapshot = monitor.next_snapshot();
    let shown = snapshot.container(container.id());
    assert_eq!(shown.name, None);
    assert_eq!(shown.image, None);
    assert_eq!(shown.state, "running");
    let source = snapshot.coverage.sources.get("docker").expect("docker among the sources");
    assert_eq!(source.state, "unavailable");
    let reason = source.reason.as_deref().expect("a reason");
    assert!(reason.contains("/nonexistent/docker.sock"), "{reason}");

    container.workload().go();
    let _done = container.workload().wait_done();
    let switches =
        monitor.next_snapshot().container(container.id()).measured.scheduler.voluntary_switches_total;
    assert!(switches.expect("switches") >= 100);
    assert!(container.exit(0).success());
    monitor.wait_for("its end", |snapshot| snapshot.find(container.id())?.is_exited().then_some(()));
}

#[test]
fn a_name_arrives_when_docker_does() {
    let container = Container::start(&["hog"]);
    let folder = tempfile::tempdir().expect("make a folder");
    let socket = folder.path().join("docker.sock");
    let mut monitor = Monitor::start_with(&["--docker-host", &format!("unix://{}", socket.display())]);
    let snapshot = monitor.next_snapshot();
    assert_eq!(snapshot.container(container.id()).name, None);
    symlink(docker_socket(), &socket).expect("link the socket");
    let shown = named(&mut monitor, container.id());
    assert_eq!(shown.name.as_deref(), Some(container.name()));
    assert_eq!(monitor.next_snapshot().coverage.sources["docker"].state, "ok");
}

#[test]
fn a_new_name_and_a_pause_are_shown() {
    let container = Container::start(&["hog"]);
    let mut monitor = Monitor::start();
    named(&mut monitor, container.id());
    let name = unique("monitor-test-renamed");
    let _printed = docker_output(&["rename", container.id(), &name]);
    monitor.wait_for("the new name", |snapshot| {
        (snapshot.find(container.id())?.name.as_ref() == Some(&name)).then_some(())
    });
    for (action, state) in [("pause", "paused"), ("unpause", "running")] {
        container.docker(&[action]);
        monitor.wait_for(state, |snapshot| (snapshot.find(container.id())?.state == state).then_some(()));
    }
}

#[test]
fn a_signal_s_end_has_its_exit_code() {
    let image = Image::import();
    let mut monitor = Monitor::start();
    // The first process of a pid namespace ignores SIGTERM unless it handles it, or an init passes it on.
    let stopped = Container::start_with(&image, &["--init"], &["hog"]);
    let killed = Container::start_with(&image, &[], &["hog"]);
    stopped.docker(&["stop"]);
    killed.docker(&["kill"]);
    for (container, code) in [(&stopped, 143), (&killed, 137)] {
        let shown = monitor.wait_for("an exit code", |snapshot| {
            snapshot.find(container.id()).filter(|shown| shown.exit_code.is_some()).cloned()
        });
        assert!(shown.is_exited());
        assert_eq!(shown.exit_code, Some(code));
        assert!(shown.finished_at.expect("an end") > shown.created_at.expect("a beginning"));
    }
}

#[test]
fn a_restarted_container_is_a_new_series() {
    let image = Image::import();
    let mut monitor = Monitor::start_with(&["--keep-ended", "1m"]);
    let mut container = Container::start_with(&image, &[], &["switch", "--blocks", "5000"]);
    container.workload().go();
    let _done = container.workload().wait_done();
    let first = named(&mut monitor, container.id());
    assert_eq!(container.exit(7).code(), Some(7));
    container.restart();
    let id = container.id().to_owned();
    let second = monitor.wait_for("a second series", |snapshot| {
        snapshot.series(&id).find(|shown| shown.cgroup.id != first.cgroup.id && !shown.is_exited()).cloned()
    });
    assert_eq!(second.name.as_deref(), Some(container.name()));
    assert!(second.counting_since > first.counting_since);
    let switches = |shown: &Shown| shown.measured.scheduler.voluntary_switches_total.expect("switches");
    assert!(switches(&second) < 5000, "the second series went on from the first: {}", switches(&second));
    let ended = monitor.next_snapshot();
    let ended = ended.series(&id).find(|shown| shown.cgroup.id == first.cgroup.id).expect("the first series");
    assert!(ended.is_exited());
    assert!(switches(ended) >= 5000);
}
