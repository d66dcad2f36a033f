//! Percentiles over the last minute, hour and day, as far as snapshots are kept.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{info::Stats, v2::cpu_inst};

/// `summary` of v2.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DerivedStats {
    timestamp: Timestamp,
    latest_usage: InstantUsage,
    minute_usage: Usage,
    hour_usage: Usage,
    day_usage: Usage,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct InstantUsage {
    /// Thousandths of a CPU.
    cpu: Option<u64>,
    /// The working set.
    memory: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Usage {
    /// How much of the time there are readings of.
    percent_complete: u8,
    cpu: Percentiles,
    memory: Percentiles,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Percentiles {
    /// Whether there is any; else the others are 0.
    present: bool,
    mean: u64,
    std: u64,
    max: u64,
    fifty: u64,
    ninety: u64,
    ninetyfive: u64,
    /// How many readings.
    count: u64,
}

/// One moment's use.
#[derive(Clone, Copy, Debug)]
struct Point {
    at: Timestamp,
    cpu: Option<u64>,
    memory: Option<u64>,
}

/// From readings, the oldest first.
pub(super) fn summary(stats: &[Stats]) -> Option<DerivedStats> {
    let points: Vec<Point> = std::iter::once(None)
        .chain(stats.iter().map(Some))
        .zip(stats)
        .map(|(before, now)| Point {
            at: now.timestamp,
            cpu: before
                .and_then(|before| cpu_inst(before, now)?.total())
                .map(|billionths| billionths / 1_000_000),
            memory: now.memory.working_set,
        })
        .collect();
    let last = points.last()?;
    Some(DerivedStats {
        timestamp: last.at,
        latest_usage: InstantUsage { cpu: last.cpu, memory: last.memory },
        minute_usage: usage(&points, last.at, SignedDuration::from_mins(1)),
        hour_usage: usage(&points, last.at, SignedDuration::from_hours(1)),
        day_usage: usage(&points, last.at, SignedDuration::from_hours(24)),
    })
}

fn usage(points: &[Point], end: Timestamp, period: SignedDuration) -> Usage {
    let within: Vec<&Point> = points.iter().filter(|point| end.duration_since(point.at) <= period).collect();
    let covered = within.first().map_or(SignedDuration::ZERO, |first| end.duration_since(first.at));
    let percent = covered.as_secs_f64() / period.as_secs_f64() * 100.0;
    Usage {
        percent_complete: percent_of(percent),
        cpu: percentiles(within.iter().filter_map(|point| point.cpu).collect()),
        memory: percentiles(within.iter().filter_map(|point| point.memory).collect()),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
fn percent_of(percent: f64) -> u8 {
    percent.clamp(0.0, 100.0).round() as u8
}

/// The smallest that so many are not above.
fn percentiles(mut values: Vec<u64>) -> Percentiles {
    values.sort_unstable();
    let Some(max) = values.last().copied() else { return Percentiles::default() };
    let length = values.len();
    let at = |percent: usize| {
        let rank = (length * percent).div_ceil(100).max(1);
        values.get(rank - 1).copied().unwrap_or(max)
    };
    let mean = values.iter().map(|value| *value as f64).sum::<f64>() / length as f64;
    let variance = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum::<f64>() / length as f64;
    Percentiles {
        present: true,
        mean: whole(mean),
        std: whole(variance.sqrt()),
        max,
        fifty: at(50),
        ninety: at(90),
        ninetyfive: at(95),
        count: length.try_into().unwrap_or(u64::MAX),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "neither negative nor near 2^64")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cadvisor::testing::stats;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let found = percentiles((1..=100).collect());
        assert_eq!((found.fifty, found.ninety, found.ninetyfive, found.max), (50, 90, 95, 100));
        assert_eq!((found.mean, found.std, found.count), (51, 29, 100));
        assert_eq!(percentiles(vec![7]).fifty, 7);
        assert!(!percentiles(vec![]).present);
    }

    #[test]
    fn a_period_is_as_complete_as_what_is_kept() {
        // One CPU in the first second, a quarter of one in the others.
        let readings: Vec<Stats> = (0..=30)
            .map(|second| {
                let ns = if second == 0 { 0 } else { 1_000_000_000 + (second - 1) * 250_000_000 };
                stats(i64::try_from(second).unwrap(), ns)
            })
            .collect();
        let summary = summary(&readings).unwrap();
        assert_eq!(summary.latest_usage.cpu, Some(250));
        assert_eq!(summary.latest_usage.memory, Some(3072));
        assert_eq!(summary.minute_usage.percent_complete, 50);
        assert_eq!(summary.minute_usage.cpu.max, 1000);
        assert_eq!(summary.minute_usage.cpu.fifty, 250);
        assert_eq!(summary.minute_usage.cpu.count, 30);
        assert_eq!(summary.hour_usage.percent_complete, 1);
        assert_eq!(summary.day_usage.percent_complete, 0);
    }

    #[test]
    fn nothing_has_no_summary() {
        assert!(summary(&[]).is_none());
    }
}
