use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::{
    ContainerState, Latency, LatencyBucket,
    testing::{container, snapshot},
};

/// A full minute, which every stretch of time begins with.
const START: i64 = 1_800_000_000;
const PLENTY: usize = usize::MAX;
const SWITCHES: &str = "scheduler.voluntary_switches_total";
const CORES: &str = "cpu.usage_cores";
const TASKS: &str = "pids.current";
const LATENCY: &str = "scheduler.runq_latency";

fn usual() -> Resolutions {
    let parsed: Result<Vec<Resolution>, _> = "1s=10m,10s=2h,1m=24h".split(',').map(str::parse).collect();
    Resolutions::new(parsed.unwrap()).unwrap()
}

/// What `containers` containers called `0`, `1`, ... did up to this second: a thousand switches a second more for each, as many
/// tasks as the last digit of the second, and ten waits of about a millisecond.
fn taken(second: i64, containers: u64) -> Snapshot {
    let all = (0..containers).map(|number| {
        let mut one = container(&number.to_string());
        let elapsed = u64::try_from(second - START).unwrap();
        one.measurements.scheduler.voluntary_switches_total = Some(1000 * (number + 1) * elapsed);
        one.measurements.cpu.usage_cores = Some(0.25);
        one.measurements.pids.current = Some(elapsed % 10);
        let bucket = LatencyBucket { from_ns: 1 << 20, to_ns: Some(5 << 18), count: 10 };
        one.measurements.scheduler.runq_latency =
            Some(Latency { count: 10, buckets: vec![bucket], ..Latency::default() });
        one
    });
    // A little after the second, as ticks are.
    let mut snapshot = snapshot(second, all.collect());
    snapshot.taken_at = Timestamp::from_millisecond(second * 1000 + 250).unwrap();
    snapshot
}

fn history(containers: u64, seconds: i64, limit: usize) -> History {
    let mut history = History::new(&usual(), limit);
    for second in START..START + seconds {
        history.push(&taken(second, containers));
    }
    history
}

/// What is found of one container in steps of so many seconds: the beginning, the step and the folds of a name.
fn read(history: &History, id: &str, from: i64, to: i64, step: i64, name: &str) -> (i64, i64, Vec<Fold>) {
    let number = history.subjects.number(SubjectKind::Container, id).unwrap();
    let grid = history.grid(from * 1000, to * 1000, step * 1000);
    let view = history.view(&[number], grid);
    let found = view.read(&[number], &[name.to_owned()], &[]).remove(0).folds.remove(0);
    (grid.begins_at, grid.step_ms, found)
}

fn growth(folds: &[Fold]) -> u64 {
    folds.iter().filter_map(Fold::growth).sum()
}

#[test]
fn the_last_minutes_are_there_as_they_were() {
    let history = history(2, 300, PLENTY);
    let (_, step, folds) = read(&history, "1", START, START + 299, 1, SWITCHES);
    assert_eq!((step, folds.len()), (1000, 300));
    assert_eq!(folds[0].growth(), None, "nothing is known before the first");
    assert!(folds[1..].iter().all(|fold| fold.growth() == Some(2000) && fold.mean() == Some(2000.0)));
    let (_, _, tasks) = read(&history, "1", START, START + 299, 1, TASKS);
    assert_eq!(tasks[57].mean(), Some(7.0));
}

#[test]
fn jitter_makes_no_gaps() {
    let mut history = History::new(&usual(), PLENTY);
    for second in START..START + 100 {
        let mut snapshot = taken(second, 1);
        // About the full second.
        let jitter = if second % 2 == 0 { -15 } else { 15 };
        snapshot.taken_at = Timestamp::from_millisecond(second * 1000 + jitter).unwrap();
        history.push(&snapshot);
    }
    let (_, _, folds) = read(&history, "0", START + 1, START + 99, 1, SWITCHES);
    assert!(folds.iter().skip(1).all(|fold| fold.growth() == Some(1000)), "{folds:?}");
}

#[test]
fn older_times_are_there_in_coarser_steps() {
    let history = history(1, 3 * 3600, PLENTY);
    let now = START + 3 * 3600 - 1;
    let (begins_at, step, folds) = read(&history, "0", now - 3600, now, 1, SWITCHES);
    assert_eq!((begins_at % 10_000, step), (0, 10_000));
    assert!(folds.iter().all(|fold| fold.growth() == Some(10_000)), "also the last minutes");
    let (_, step, folds) = read(&history, "0", START, now, 10, SWITCHES);
    assert_eq!((step, folds.len()), (60_000, 180));
    assert_eq!(growth(&folds), 1000 * (3 * 3600 - 1));
    let (_, _, tasks) = read(&history, "0", now - 3600, now, 60, TASKS);
    let middle = tasks[tasks.len() / 2];
    assert_eq!((middle.mean(), middle.min(), middle.max()), (Some(4.5), Some(0.0), Some(9.0)));
    let (_, _, cores) = read(&history, "0", START, now, 60, CORES);
    assert!(cores.iter().all(|fold| fold.mean() == Some(0.25)));
}

#[test]
fn distributions_add_up() {
    let history = history(1, 1800, PLENTY);
    let count = |step: i64, from: i64| {
        let grid = history.grid(from * 1000, (START + 1799) * 1000, step * 1000);
        let view = history.view(&[1], grid);
        let found = view.read(&[1], &[], &[LATENCY.to_owned()]).remove(0).counts.remove(0);
        let counts = found.iter().flatten();
        counts.flat_map(|counts| counts.counts).sum::<u64>()
    };
    assert_eq!(count(1, START + 1790), 10 * 10);
    assert_eq!(count(10, START), 10 * 1800);
    assert_eq!(count(60, START), 10 * 1800);
}

#[test]
fn bytes_are_bounded_and_each_resolution_loses_its_oldest() {
    let whole = history(20, 4000, PLENTY);
    let limit = whole.measured_bytes() * 2 / 3;
    let bounded = history(20, 4000, limit);
    assert!(bounded.measured_bytes() <= limit);
    assert!(bounded.figures().dropped_rows_total > 0);
    assert_eq!(whole.figures().dropped_rows_total, 0);
    let first = |history: &History, level: usize| history.tiers[level].first_at().unwrap();
    assert!(first(&bounded, 0) > first(&whole, 0));
    let now = START + 3999;
    assert_eq!(growth(&read(&bounded, "3", now - 60, now, 1, SWITCHES).2) % 4000, 0);
    let empty = history(20, 100, 1);
    let (least, most) = (empty.measured_bytes(), whole.measured_bytes());
    assert!(least < most / 8, "even without room for anything: {least} of {most}");
}

#[test]
fn who_has_ended_stays_until_its_rows_go() {
    let mut history = history(2, 100, PLENTY);
    let mut last = taken(START + 100, 2);
    last.containers[1].state = ContainerState::Exited;
    last.containers[1].exit_code = Some(137);
    last.containers[1].labels.insert("com.docker.compose.project".to_owned(), "shop".to_owned());
    history.push(&last);
    let mut after = last.clone();
    for second in START + 101..START + 3700 {
        after.taken_at = Timestamp::from_second(second).unwrap();
        history.push(&after);
        after.containers.truncate(1);
    }
    let ended = history.subjects().find(|(_, subject)| subject.id == "1").unwrap().1;
    assert_eq!((ended.state, ended.exit_code), (Some(ContainerState::Exited), Some(137)));
    assert_eq!(ended.project.as_deref(), Some("shop"));
    assert_eq!(ended.last_seen_at.as_second(), START + 100);
    let (_, _, folds) = read(&history, "1", START, START + 200, 10, SWITCHES);
    assert_eq!(growth(&folds), 2000 * 100);
    assert_eq!(folds.last().unwrap().mean(), None, "it is not there any more");
    for second in (START + 90_000..START + 95_000).step_by(30) {
        after.taken_at = Timestamp::from_second(second).unwrap();
        history.push(&after);
    }
    assert!(history.subjects().all(|(_, subject)| subject.id != "1"));
}

#[test]
fn a_clock_that_is_set_back_costs_its_time_only() {
    let mut history = history(1, 100, PLENTY);
    history.push(&taken(START + 50, 1));
    history.push(&taken(START + 101, 1));
    assert_eq!(history.figures().late_snapshots_total, 1);
    assert_eq!(growth(&read(&history, "0", START, START + 101, 1, SWITCHES).2), 101_000);
}

#[test]
fn a_count_that_begins_again_has_no_growth() {
    let mut history = history(1, 100, PLENTY);
    for second in START + 100..START + 200 {
        let mut again = taken(second, 1);
        // More than before, so that only this tells.
        again.containers[0].counting_since = Timestamp::from_second(START + 50).unwrap();
        history.push(&again);
    }
    let folds = read(&history, "0", START, START + 199, 1, SWITCHES).2;
    assert_eq!(folds[100].growth(), None);
    assert_eq!(growth(&folds), 1000 * (99 + 99));
    let folds = read(&history, "0", START, START + 199, 10, SWITCHES).2;
    assert_eq!(growth(&folds), 1000 * (99 + 99));
}

#[test]
fn who_is_born_grows_from_nothing_in_every_resolution() {
    let mut history = history(1, 30, PLENTY);
    for second in START + 30..START + 120 {
        let mut snapshot = taken(second, 1);
        if second < START + 35 {
            let mut born = container("born");
            born.counting_since = Timestamp::from_millisecond((START + 29) * 1000 + 900).unwrap();
            let elapsed = u64::try_from(second - START - 29).unwrap();
            born.measurements.scheduler.voluntary_switches_total = Some(100 * elapsed);
            snapshot.containers.push(born);
        }
        history.push(&snapshot);
    }
    for step in [1, 10, 60] {
        let folds = read(&history, "born", START, START + 119, step, SWITCHES).2;
        assert_eq!(growth(&folds), 500, "step {step}");
    }
}

fn restored(folder: &std::path::Path, now: i64) -> History {
    let folder = disk::Folder::open(folder).unwrap();
    let mut history = History::new(&usual(), PLENTY);
    history.restore(&folder, now * 1000).unwrap();
    history
}

/// Writes what is whole, as it becomes so.
fn write_changes(history: &mut History, folder: &disk::Folder) {
    let Changes { sealed, forgotten } = history.take_changes();
    for name in forgotten {
        folder.forget(&name);
    }
    for sealed in sealed {
        folder.write(&sealed).unwrap();
    }
}

#[test]
fn what_was_written_comes_back() {
    let place = tempfile::tempdir().unwrap();
    let mut history = history(3, 1000, PLENTY);
    history.finish();
    let folder = disk::Folder::open(place.path()).unwrap();
    write_changes(&mut history, &folder);
    let other = disk::Folder::open(place.path()).unwrap_err();
    assert!(matches!(other, disk::DiskError::InUse { .. }));
    drop(folder);
    let back = restored(place.path(), START + 1000);
    for step in [1, 10, 60] {
        let now = START + 999;
        for from in [START, now - 300] {
            let (before, after) =
                (read(&history, "2", from, now, step, SWITCHES), read(&back, "2", from, now, step, SWITCHES));
            assert_eq!(before, after, "step {step} from {from}");
        }
    }
    let subjects = |history: &History| history.subjects().map(|(_, one)| one.clone()).collect::<Vec<_>>();
    assert_eq!(subjects(&history), subjects(&back));
}

#[test]
fn a_killed_writer_costs_the_last_minute_at_most() {
    let place = tempfile::tempdir().unwrap();
    let mut history = history(2, 2000, PLENTY);
    let folder = disk::Folder::open(place.path()).unwrap();
    write_changes(&mut history, &folder);
    drop(folder);
    let back = restored(place.path(), START + 2000);
    let begin_of_last_minute = 2000 / 60 * 60;
    for step in [10, 60] {
        let (_, _, folds) = read(&back, "0", START, START + 1999, step, SWITCHES);
        assert_eq!(growth(&folds), 1000 * (begin_of_last_minute - 1), "step {step}");
    }
}

#[test]
fn a_file_that_is_cut_short_is_read_to_its_last_whole_part() {
    let place = tempfile::tempdir().unwrap();
    let folder = disk::Folder::open(place.path()).unwrap();
    // Enough for more than one part.
    let mut history = history(400, 59, PLENTY);
    history.finish();
    let finest = history.take_changes().sealed.remove(0);
    folder.write(&finest).unwrap();
    let path = place.path().join(format!("{}.segment", finest.name));
    let whole = std::fs::read(&path).unwrap();
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    for share in 0..=20 {
        let length = whole.len() * share / 20;
        std::fs::write(&path, &whole[..length]).unwrap();
        let mut back = History::new(&usual(), PLENTY);
        back.restore(&folder, START * 1000 + 60_000).unwrap();
        let there = back.tiers[0].sealed.front().map_or(0, |segment| segment.members.len());
        found.insert(length, there);
        std::fs::write(&path, &whole).unwrap();
    }
    let counts: Vec<usize> = found.values().copied().collect();
    assert!(counts.is_sorted() && counts[0] == 0, "{counts:?}");
    assert_eq!(counts.last(), Some(&401), "{counts:?}");
    assert!(counts.iter().any(|count| (1..401).contains(count)), "{counts:?}");
}

#[test]
fn a_number_that_nobody_was_given_is_not_taken_in() {
    let mut history = history(1, 1, PLENTY);
    let (_, known) = history.subjects.iter().last().unwrap();
    let other = Subject { id: "other".to_owned(), ..known.clone() };
    assert!(!history.subjects.restore(Number::MAX, &other));
    assert!(history.subjects.restore(7, &other));
    history.push(&taken(START + 1, 3));
    assert_eq!(history.subjects.number(SubjectKind::Container, "2"), Some(9));
}

#[test]
fn files_of_another_kind_are_not_read() {
    let place = tempfile::tempdir().unwrap();
    for (name, text) in
        [("1s-5.segment", "MONHIST\u{9}x"), ("10s-5.segment", ""), ("60s-1.part", "x"), ("note", "x")]
    {
        std::fs::write(place.path().join(name), text).unwrap();
    }
    assert_eq!(restored(place.path(), START).subjects().count(), 0);
    let left = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut left: Vec<_> = left.collect();
    left.sort();
    assert_eq!(left, ["lock", "note"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn growth_adds_up_however_it_is_asked_for(
        gaps in proptest::collection::vec((1_i64..8000, 0_u64..5000), 2..400),
        step in prop_oneof![Just(1_i64), Just(7), Just(10), Just(60), Just(300)],
    ) {
        let mut history = History::new(&usual(), PLENTY);
        let (mut at, mut total) = (START * 1000, 0);
        for (gap, grown) in &gaps {
            at += gap;
            total += grown;
            let mut one = container("x");
            one.measurements.scheduler.voluntary_switches_total = Some(total);
            let mut snapshot = snapshot(START, vec![one]);
            snapshot.taken_at = Timestamp::from_millisecond(at).unwrap();
            history.push(&snapshot);
        }
        let (_, _, folds) = read(&history, "x", START, at / 1000 + 1, step, SWITCHES);
        prop_assert_eq!(growth(&folds), total - gaps[0].1);
    }
}
