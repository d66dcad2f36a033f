//! Waits are blamed on who had the CPU, or on the quota, and the parts add up to the wait.

use std::fs;

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::{Container, Image, unique},
    monitor::Monitor,
    snapshot::{Interference, Measurements},
};

/// Of a wait, this much is to be blamed on its cause.
const SHARE: f64 = 0.95;

/// A cgroup whose containers get so large a share of the CPUs that the rest of the machine, which may be busy with other
/// things, leaves no mark.
fn favoured() -> (Cgroup, String) {
    let name = unique("monitor-favoured");
    let cgroup = Cgroup::make(&Places::roots(), &name);
    let (file, share) = match cgroup.places().file("cpu.shares") {
        Some(file) => (file, "262144"),
        None => (cgroup.places().file("cpu.weight").expect("a CPU controller"), "10000"),
    };
    fs::write(&file, share).unwrap_or_else(|error| panic!("write {}: {error}", file.display()));
    (cgroup, format!("/{name}"))
}

/// What was measured of a container before and after its workload did its work.
fn measured_work(monitor: &mut Monitor, container: &mut Container) -> (Measurements, Measurements) {
    let before = monitor.next_snapshot().container(container.id()).measured.clone();
    container.workload().go();
    let _done = container.workload().wait_done();
    let after = monitor.next_snapshot().container(container.id()).measured.clone();
    (before, after)
}

/// The parts that grew between two looks at a container.
fn growth(before: &Measurements, after: &Measurements) -> Vec<Interference> {
    let earlier = before.interference.as_deref().expect("interference is measured");
    let before_of = |part: &Interference| {
        earlier
            .iter()
            .find(|one| one.source == part.source && one.id == part.id)
            .map_or(0, |one| one.wait_ns_total)
    };
    let later = after.interference.as_deref().expect("interference is measured");
    later
        .iter()
        .map(|part| Interference { wait_ns_total: part.wait_ns_total - before_of(part), ..part.clone() })
        .collect()
}

fn sum(parts: &[Interference]) -> u64 {
    parts.iter().map(|part| part.wait_ns_total).sum()
}

/// Within one per cent.
fn assert_adds_up(measured: &Measurements) {
    let waited = measured.scheduler.runq_wait_ns_total.expect("waits are measured");
    let parts = sum(measured.interference.as_deref().expect("interference is measured"));
    assert!(parts.abs_diff(waited) * 100 <= waited, "the parts are {parts} ns of {waited} ns");
}

fn share(parts: &[Interference], is_cause: impl Fn(&Interference) -> bool) -> f64 {
    let blamed: u64 = parts.iter().filter(|part| is_cause(part)).map(|part| part.wait_ns_total).sum();
    blamed as f64 / sum(parts) as f64
}

#[test]
fn a_victim_s_wait_is_blamed_on_the_hog_beside_it() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let (_cgroup, parent) = favoured();
    let create = ["--cgroup-parent", &parent];
    let mut hog = Container::start_with(&image, &create, &["hog", "--cpus", "0"]);
    let mut victim = Container::start_with(&image, &create, &["spin", "--ms", "1000", "--cpus", "0"]);
    hog.workload().go();
    let (before, after) = measured_work(&mut monitor, &mut victim);
    hog.workload().stop();
    let _done = hog.workload().wait_done();

    let parts = growth(&before, &after);
    eprintln!("{parts:#?}");
    assert!(sum(&parts) > 200_000_000, "the victim waited only {} ns", sum(&parts));
    let of_hog = share(&parts, |part| part.id.as_deref() == Some(hog.id()));
    assert!(of_hog >= SHARE, "{of_hog:.3} of the wait is blamed on the hog: {parts:?}");
    let named = parts.iter().find(|part| part.id.as_deref() == Some(hog.id())).expect("the hog's part");
    assert_eq!((named.source.as_str(), named.name.as_deref()), ("container", Some(hog.name())));
    assert!(named.preemptions_total > 0, "the hog never took the CPU from the victim");
    assert_adds_up(&after);
    assert!(victim.exit(0).success() && hog.exit(0).success());
}

#[test]
fn a_sleeper_s_wait_is_blamed_on_the_hog_beside_it() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let (_cgroup, parent) = favoured();
    let create = ["--cgroup-parent", &parent];
    let mut hog = Container::start_with(&image, &create, &["hog", "--cpus", "0"]);
    // So few shares that it does not preempt the hog each time that it wakes up: then it would hardly wait at all.
    let create = [&create[..], &["--cpu-shares", "16"]].concat();
    let mut victim = Container::start_with(&image, &create, &["switch", "--blocks", "500", "--cpus", "0"]);
    hog.workload().go();
    let (before, after) = measured_work(&mut monitor, &mut victim);
    hog.workload().stop();
    let _done = hog.workload().wait_done();

    let parts = growth(&before, &after);
    eprintln!("{parts:#?}");
    let of_hog = share(&parts, |part| part.id.as_deref() == Some(hog.id()));
    assert!(of_hog >= SHARE, "{of_hog:.3} of the wait is blamed on the hog: {parts:?}");
    assert_adds_up(&after);
    assert!(victim.exit(0).success() && hog.exit(0).success());
}

#[test]
fn a_wait_without_a_neighbour_is_blamed_on_the_quota() {
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let (_cgroup, parent) = favoured();
    let create = ["--cgroup-parent", &parent, "--cpu-quota", "10000", "--cpu-period", "100000"];
    // Long enough for the one throttling to weigh little that may fall to another CPU before the thread is pinned.
    let mut victim = Container::start_with(&image, &create, &["spin", "--ms", "4000", "--cpus", "0"]);
    let (before, after) = measured_work(&mut monitor, &mut victim);

    let parts = growth(&before, &after);
    eprintln!("{parts:#?}");
    assert!(sum(&parts) > 1_000_000_000, "the victim waited only {} ns", sum(&parts));
    let of_quota = share(&parts, |part| part.source == "quota");
    assert!(of_quota >= SHARE, "{of_quota:.3} of the wait is blamed on the quota: {parts:?}");
    assert_adds_up(&after);
    assert!(victim.exit(0).success());
}
