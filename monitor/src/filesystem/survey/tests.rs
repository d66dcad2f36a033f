use std::{fs, path::Path, process::Command, sync::atomic::Ordering};

use tempfile::TempDir;

use super::*;
use crate::filesystem::walk::Root;
use crate::runtime::storage::{LogPlace, Storage, VolumeKind};

const MINUTE: Duration = Duration::from_mins(1);

fn subject(container: u64, storage: Storage) -> Subject {
    let logs = storage.log.clone().map(LogPlace::File);
    Subject {
        container: CgroupId(container),
        cgroup: "/nonexistent".into(),
        storage: Some(Arc::new(storage)),
        logs,
        is_new: false,
        ran: Arc::default(),
    }
}

fn with_layer(container: u64, layer: &Path) -> Subject {
    subject(container, Storage { layer: Some(layer.to_owned()), ..Storage::default() })
}

fn tree_of_files(files: usize) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for number in 0..files {
        fs::write(root.path().join(number.to_string()), "x").unwrap();
    }
    root
}

fn du(path: &Path) -> u64 {
    let output = Command::new("du").args(["-s", "-x", "--block-size=1"]).arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

fn worker(interval: Duration) -> Worker {
    Worker::new(Arc::default(), interval)
}

/// What is due, whatever rest is to be taken.
fn take_due(worker: &mut Worker) -> Option<Task> {
    let now = Instant::now();
    (worker.rest_until, worker.walk_rest_until) = (now, now);
    worker.take_due(now)
}

/// Carries out all that is due, whatever rest is to be taken, and returns what was measured.
fn carry_out_due(worker: &mut Worker) -> Vec<Arc<Target>> {
    let mut measured = Vec::new();
    loop {
        match take_due(worker) {
            Some(Task::AskSpace) => {}
            Some(task) => {
                if let Task::Measure(target) = &task {
                    measured.push(Arc::clone(target));
                }
                worker.carry_out(task);
            }
            None => return measured,
        }
    }
}

fn usage_of(worker: &Worker, container: u64) -> Arc<ContainerUsage> {
    Arc::clone(&worker.shared.mail().told.containers[&CgroupId(container)])
}

#[test]
fn a_walk_takes_a_tenth_of_the_time_and_not_too_many_entries() {
    let millis = Duration::from_millis;
    assert_eq!(pause_after(millis(10), 1), millis(90));
    assert_eq!(pause_after(Duration::ZERO, ENTRIES_PER_SECOND), Duration::from_secs(1));
    assert_eq!(pause_after(millis(1), ENTRIES_PER_SECOND / 10), millis(99));
}

#[test]
fn the_bounds_are_kept() {
    let root = tree_of_files(4000);
    let shared = Shared::default();
    let mut budget = Budget::new(&shared);
    let began = Instant::now();
    let found = Root::open(root.path()).unwrap().walk(&mut budget).unwrap();
    let (elapsed, busy) = (began.elapsed(), budget.total());
    assert_eq!(found.inodes, 4001);
    // The last batch has no pause after it.
    let paced = Duration::from_secs(1) * (4000 - BATCH) / ENTRIES_PER_SECOND;
    assert!(elapsed >= paced, "{elapsed:?} for 4 000 entries");
    assert!(elapsed >= busy * 8, "{busy:?} of {elapsed:?}");
}

#[test]
fn a_walk_ends_with_the_surveyor() {
    let root = tree_of_files(usize::try_from(BATCH).unwrap() + 1);
    let shared = Shared::default();
    shared.mail().is_ended = true;
    let ended = Root::open(root.path()).unwrap().walk(&mut Budget::new(&shared));
    assert!(matches!(ended, Err(WalkError::Stopped)));
    assert!(shared.wait(None).is_none());
}

#[test]
fn a_rest_follows_each_walk_and_none_a_log() {
    let root = tree_of_files(50);
    let log = root.path().join("0");
    let storage = Storage { layer: Some(root.path().to_owned()), log: Some(log), volumes: Vec::new() };
    let mut worker = worker(MINUTE);
    worker.watch(subject(1, storage));
    worker.queue.retain(|Reverse((_, task))| *task != Task::AskSpace);
    let look = take_due(&mut worker).unwrap();
    let began = Instant::now();
    worker.carry_out(look);
    assert!(worker.rest_until >= began + began.elapsed() / 2, "looking takes its rest too");
    let log = take_due(&mut worker).unwrap();
    assert!(matches!(&log, Task::Measure(target) if !target.may_be_walked()), "what is cheap goes first");
    let before = worker.walk_rest_until;
    worker.carry_out(log);
    assert_eq!(worker.walk_rest_until, before);
    let Some(Task::Measure(target)) = take_due(&mut worker) else { panic!("nothing is due") };
    worker.measure(&target);
    let measured = worker.trees[&target].last.clone().unwrap();
    let rest = worker.walk_rest_until.saturating_duration_since(Instant::now());
    let busy = Duration::from_nanos(measured.busy_ns);
    assert!(rest > busy * (REST - 20), "{rest:?} after {busy:?}");
    let next = worker.trees[&target].due.saturating_duration_since(before);
    assert!(next >= MINUTE, "{next:?}");
    let soon = Instant::now() + CHEAP_EVERY;
    assert!(worker.take_due(soon).is_some(), "the log does not wait for it");
}

#[test]
fn a_tree_that_is_shared_is_walked_once() {
    let root = tree_of_files(3);
    let volume = VolumeMount {
        kind: VolumeKind::Volume,
        name: Some("v".to_owned()),
        source: root.path().to_owned(),
        destination: "/data".to_owned(),
    };
    let storage = Storage { volumes: vec![volume], ..Storage::default() };
    let mut worker = worker(MINUTE);
    worker.watch(subject(1, storage.clone()));
    worker.watch(subject(2, storage));
    assert_eq!(carry_out_due(&mut worker).len(), 1);
    for container in [1, 2] {
        let usage = usage_of(&worker, container);
        let [volume] = usage.volumes.as_deref().unwrap() else { panic!("{usage:?}") };
        assert_eq!(volume.tree.measured.as_ref().unwrap().bytes, du(root.path()));
    }
    worker.forget(CgroupId(1));
    assert_eq!(worker.trees.len(), 1);
    worker.forget(CgroupId(2));
    assert!(worker.trees.is_empty());
}

#[test]
fn what_a_runtime_tells_later_is_taken_up() {
    let (root, other) = (tree_of_files(3), tree_of_files(5));
    let mut worker = worker(MINUTE);
    worker.watch(with_layer(1, root.path()));
    assert_eq!(carry_out_due(&mut worker).len(), 1);
    worker.watch(subject(
        1,
        Storage {
            layer: Some(other.path().to_owned()),
            log: Some(root.path().join("0")),
            ..Storage::default()
        },
    ));
    assert_eq!(carry_out_due(&mut worker).len(), 2);
    let usage = usage_of(&worker, 1);
    assert_eq!(usage.layer.as_ref().unwrap().measured.as_ref().unwrap().inodes, 6);
    assert_eq!(usage.logs.as_ref().unwrap().measured.as_ref().unwrap().inodes, 1);
    assert_eq!(worker.trees.len(), 2, "the old layer is nobody's");
}

#[test]
fn a_tree_whose_containers_do_not_run_is_measured_at_every_tenth_turn() {
    let root = tree_of_files(3);
    let mut worker = worker(Duration::ZERO);
    let (first, second) = (with_layer(1, root.path()), with_layer(2, root.path()));
    worker.watch(first.clone());
    worker.watch(second.clone());
    assert_eq!(carry_out_due(&mut worker).len(), 1);
    let target = Arc::clone(worker.trees.keys().next().unwrap());
    let mut measured_at = || {
        worker.measure_in_turn(&target);
        worker.trees[&target].last.clone().unwrap().monotonic_ns
    };
    let mut looks = |turns: usize| {
        let mut last = measured_at();
        let is_new = |now: u64| std::mem::replace(&mut last, now) != now;
        (0..turns).map(|_| measured_at()).map(is_new).filter(|is_new| *is_new).count()
    };
    // The turn before the first one that counts was the second look after it ran.
    assert_eq!(looks(9), 0);
    assert_eq!(looks(40), 4);
    first.ran.fetch_add(1, Ordering::Relaxed);
    assert_eq!(looks(9), 1, "once more when it may have written what it had in hand");
    second.ran.fetch_add(1, Ordering::Relaxed);
    assert_eq!(looks(9), 1);
}

#[test]
fn a_tree_that_cannot_be_opened_is_told_as_long_as_it_is_wanted() {
    let mut worker = worker(MINUTE);
    worker.watch(with_layer(1, Path::new("/nonexistent")));
    assert_eq!(carry_out_due(&mut worker).len(), 1);
    let health = worker.shared.mail().told.health.clone();
    assert_eq!(health.failing, 1);
    assert!(health.reason.unwrap().contains("open /nonexistent"));
    assert_eq!(usage_of(&worker, 1).layer.as_ref().unwrap().measured, None);
    worker.forget(CgroupId(1));
    assert!(worker.failing.is_empty());
}

#[test]
fn a_container_without_a_layer_is_looked_at_a_few_times() {
    let mut worker = worker(MINUTE);
    worker.watch(subject(1, Storage::default()));
    for try_number in 1..=TRIES {
        worker.look(CgroupId(1));
        assert_eq!(worker.containers[&CgroupId(1)].tries, try_number);
    }
    worker.look(CgroupId(1));
    assert_eq!(worker.shared.mail().told.health.without_layer, 1);
    worker.forget(CgroupId(1));
    assert!(worker.without_layer.is_empty());
}

#[test]
fn the_thread_measures_by_itself_and_tells_once() {
    let root = tree_of_files(10);
    let surveyor = Surveyor::start(MINUTE).unwrap();
    surveyor.watch(with_layer(1, root.path()));
    let deadline = Instant::now() + Duration::from_secs(20);
    let (mut layer, mut mounted) = (None, None);
    while layer.is_none() || mounted.is_none() {
        assert!(Instant::now() < deadline, "nothing was told");
        let told = surveyor.take();
        layer = layer.or_else(|| told.containers.get(&CgroupId(1))?.layer.as_ref()?.measured.clone());
        mounted = mounted.or(told.filesystems);
        thread::sleep(Duration::from_millis(5));
    }
    let layer = layer.unwrap();
    assert_eq!((layer.bytes, layer.inodes, layer.method), (du(root.path()), 11, Method::Walk));
    assert!(layer.space.unwrap().capacity_bytes > 0);
    assert!(surveyor.take().containers.is_empty());
}
