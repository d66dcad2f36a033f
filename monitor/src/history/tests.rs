use super::*;

const KINDS: [Kind; 3] = [Kind::Counter, Kind::Level, Kind::Level];
const COUNTER: usize = 0;
const LEVEL: usize = 1;
const NEVER: usize = 2;
const SECOND: Duration = Duration::from_secs(1);
const PLENTY: usize = usize::MAX;

/// `subjects` subjects for so many seconds: a counter of a million a second, a level that goes from 0 to 9 and again, and what is
/// never measured.
fn history(subjects: u32, seconds: u64, limit: usize) -> History<u32> {
    let mut history = History::new(KINDS.to_vec(), &USUAL, limit);
    for second in 0..seconds {
        let row = [Some(second as f64 * 1e6), Some((second % 10) as f64), None];
        history.push(second, (0..subjects).map(|subject| (subject, &row[..])));
    }
    history
}

#[test]
fn the_last_minutes_are_there_by_the_second() {
    let history = history(1, 300, PLENTY);
    let points = history.points(&0, COUNTER, 100, 200, SECOND);
    assert_eq!(points.len(), 101);
    assert!(points.iter().all(|point| point.value == Some(point.at as f64 * 1e6)));
    assert!(history.points(&0, NEVER, 0, 300, SECOND).iter().all(|point| point.value.is_none()));
    assert!(history.points(&1, COUNTER, 0, 300, SECOND).is_empty(), "nobody");
}

#[test]
fn the_last_hours_are_there_by_ten_seconds_and_the_day_by_the_minute() {
    let history = history(1, 3 * 3600, PLENTY);
    let now = 3 * 3600;
    // Counters with the last value of a step, levels with its mean.
    let hour_ago = history.points(&0, COUNTER, now - 3600, now - 3540, SECOND);
    assert_eq!(hour_ago.len(), 7);
    assert!(hour_ago.iter().all(|point| point.value == Some((point.at + 9) as f64 * 1e6)));
    let levels = history.points(&0, LEVEL, now - 3600, now - 3540, SECOND);
    assert!(levels.iter().all(|point| point.value == Some(4.5)));
    let at_first = history.points(&0, COUNTER, 0, 600, SECOND);
    assert_eq!(at_first.len(), 11);
    assert_eq!(at_first[1], Point { at: 60, value: Some(119e6) });
    // Asked for by the minute.
    assert_eq!(history.points(&0, COUNTER, now - 300, now, Duration::from_mins(1)).len(), 4);
}

#[test]
fn what_is_too_old_is_forgotten() {
    let history = history(1, 2 * 3600, PLENTY);
    let from = history.points(&0, COUNTER, 0, 7200, SECOND)[0].at;
    assert_eq!(from, 0);
    let fine = &history.subjects[&0][0];
    let begins_at = fine.begins_at().unwrap();
    assert!((7200 - 600 - 60..=7200 - 600).contains(&begins_at), "{begins_at}");
}

#[test]
fn bytes_are_bounded_and_the_finest_go_first() {
    let whole = history(20, 1800, PLENTY);
    let limit = whole.bytes() * 2 / 3;
    let bounded = history(20, 1800, limit);
    assert!(bounded.bytes() <= limit, "{} of {limit}", bounded.bytes());
    assert_eq!(bounded.points(&0, COUNTER, 0, 1800, Duration::from_secs(10)).len(), 179);
    let fine = |history: &History<u32>| history.subjects[&0][0].points(COUNTER, Kind::Counter).len();
    assert!(fine(&bounded) < fine(&whole));
}

#[test]
fn who_is_gone_is_forgotten_after_the_longest_span() {
    let mut history = history(2, 100, PLENTY);
    let row = [Some(1.0), None, None];
    history.push(50_000, [(1, &row[..])]);
    assert_eq!(history.subjects().count(), 2, "a day has not passed");
    history.push(100_000, [(1, &row[..])]);
    assert_eq!(history.subjects().collect::<Vec<_>>(), [&1]);
}

#[test]
fn a_clock_that_is_set_back_costs_its_time_only() {
    let mut history = history(1, 100, PLENTY);
    let row = [Some(5.0), None, None];
    history.push(50, [(0, &row[..])]);
    history.push(101, [(0, &row[..])]);
    history.push(102, [(0, &row[..])]);
    let points = history.points(&0, COUNTER, 0, 200, SECOND);
    assert_eq!(points.len(), 101, "one second is missing");
    assert!(points.is_sorted_by_key(|point| point.at));
}

#[test]
fn a_row_of_another_length_is_not_taken() {
    let mut history = history(1, 10, PLENTY);
    history.push(10, [(7, &[Some(1.0)][..])]);
    assert_eq!(history.subjects().count(), 1);
}
