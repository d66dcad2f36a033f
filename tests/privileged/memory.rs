//! Shortages of memory, by containers that have less than they use.

use integration_tests::{
    container::{Container, Image},
    events::Events,
    monitor::Monitor,
    snapshot::Memory,
};

/// 137: what a shell and Docker make of SIGKILL.
const KILLED: i32 = 137;

#[test]
fn an_oom_kill_is_told_once_with_its_victim() {
    let (mut monitor, mut events) = (Monitor::start(), Events::start(&[]));
    let limits = ["--memory=32m", "--memory-swap=32m"];
    let hungry = ["faults", "--threads", "8", "--pages", "100000"];
    let mut container = Container::start_with(&Image::import(), &limits, &hungry);
    let pid: u32 = container.inspect("{{.State.Pid}}").parse().expect("a process id");
    let id = container.id().to_owned();
    container.workload().go();
    assert_eq!(container.workload().wait_end().code(), Some(KILLED));
    events.wait_for("container_died", &id);
    events.catch_up();

    let kills = events.of("oom_kill", &id);
    assert_eq!(kills.len(), 1, "{kills:#?}");
    assert_eq!((&kills[0]["pid"], &kills[0]["comm"]), (&pid.into(), &"workload".into()));
    assert_eq!(kills[0]["container"]["name"], container.name());
    let exits = events.of("exit", &id);
    let exits: Vec<_> = exits.iter().filter(|event| event["pid"] == pid).collect();
    assert_eq!(exits.len(), 1, "{exits:#?}");
    assert_eq!((&exits[0]["exit_code"], &exits[0]["signal"]), (&KILLED.into(), &9.into()));
    let deaths = events.of("container_died", &id);
    assert_eq!(deaths.len(), 1, "{deaths:#?}");
    assert_eq!(deaths[0]["exit_code"], KILLED);

    let ended = monitor.wait_for("the end of the container", |snapshot| {
        let container = snapshot.find(&id)?;
        container.is_exited().then(|| container.clone())
    });
    assert_eq!(ended.exit_code, Some(KILLED.into()));
    assert_eq!(ended.measured.memory.oom_victims_total, Some(1));
    let _all = events.end();
}

#[test]
fn reclaim_is_told_of_those_who_had_to_do_it() {
    let mut monitor = Monitor::start();
    let image = Image::import();
    let neighbour = Container::start_with(&image, &["--memory=64m"], &["hog"]);
    let read = ["read", "--file", "/file", "--mib", "96"];
    let mut reader = Container::start_with(&image, &["--memory=24m"], &read);
    let memory = |monitor: &mut Monitor, container: &Container| -> Memory {
        monitor.next_snapshot().container(container.id()).measured.memory.clone()
    };
    let before = memory(&mut monitor, &reader);
    reader.workload().go();
    let _done = reader.workload().wait_done();
    let after = memory(&mut monitor, &reader);
    let grown =
        |read: fn(&Memory) -> Option<u64>| read(&after).expect("counted") - read(&before).expect("counted");
    // 72 MiB have to go again, and the kernel frees them in pieces of 32 to some hundred pages.
    let reclaims = grown(|memory| memory.limit_reclaims_total);
    assert!((50..5000).contains(&reclaims), "{reclaims} times");
    let ns = grown(|memory| memory.limit_reclaim_ns_total);
    assert!(ns > reclaims * 1000 && ns < 60_000_000_000, "{ns} ns in {reclaims} times");
    if reader.places().file("memory.events").is_some() {
        // The kernel counts there what it calls right before it reclaims; v1 counts each attempt to charge.
        assert_eq!(reclaims, grown(|memory| memory.limit_hits_total));
    }
    assert_eq!(after.oom_victims_total, Some(0));
    let untouched = memory(&mut monitor, &neighbour);
    assert_eq!((untouched.limit_reclaims_total, untouched.limit_reclaim_ns_total), (Some(0), Some(0)));
    assert!(reader.exit(0).success());
}
