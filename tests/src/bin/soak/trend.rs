//! Whether a quantity stays where it is: a straight line through its samples.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use integration_tests::truth;

/// A quantity over time.
#[derive(Debug, Default)]
pub(crate) struct Trend {
    /// Seconds since the beginning, and the value.
    samples: Vec<(f64, f64)>,
}

/// The straight line that fits best (least squares).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    /// The value on average.
    pub(crate) mean: f64,
    /// Growth in an hour.
    pub(crate) per_hour: f64,
    /// Growth from the first sample to the last.
    pub(crate) growth: f64,
}

impl Trend {
    pub(crate) fn add(&mut self, at: Duration, value: u64) {
        self.samples.push((at.as_secs_f64(), value as f64));
    }

    pub(crate) fn last(&self) -> Option<f64> {
        self.samples.last().map(|(_, value)| *value)
    }

    /// Through the samples taken after the warm-up; `None` where there are fewer than two.
    pub(crate) fn line(&self, warm_up: Duration) -> Option<Line> {
        let samples: Vec<_> = self.samples.iter().filter(|(at, _)| *at >= warm_up.as_secs_f64()).collect();
        let (first, last) = (samples.first()?.0, samples.last()?.0);
        let count = samples.len() as f64;
        let (times, values): (f64, f64) =
            samples.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let (time, mean) = (times / count, values / count);
        let (mut both, mut square) = (0.0, 0.0);
        for (at, value) in samples {
            both += (at - time) * (value - mean);
            square += (at - time) * (at - time);
        }
        let slope = (square > 0.0).then(|| both / square)?;
        Some(Line { mean, per_hour: 3600.0 * slope, growth: slope * (last - first) })
    }
}

/// Resident memory of a process in KiB: `VmRSS`, or the part `RssAnon` that no file and no eBPF map backs.
pub(crate) fn resident_kib(pid: u32, part: &str) -> u64 {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {path}: {error}"));
    truth::field(&text.replace(" kB", ""), part)
}

/// Descriptors that a process has open, by what they are: the folder of a file, else a kind such as `socket`.
pub(crate) fn open_files(pid: u32) -> BTreeMap<String, u64> {
    let path = format!("/proc/{pid}/fd");
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("list {path}: {error}"));
    let mut kinds = BTreeMap::new();
    // One that was closed meanwhile leads nowhere.
    for place in entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()) {
        *kinds.entry(kind(&place)).or_default() += 1;
    }
    kinds
}

fn kind(place: &Path) -> String {
    let text = place.to_string_lossy();
    match place.parent() {
        Some(folder) if place.is_absolute() => folder.to_string_lossy().into_owned(),
        // As in `socket:[12345]`.
        _ => text.split_once(":[").map_or(text.as_ref(), |(kind, _)| kind).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_again() {
        let mut trend = Trend::default();
        for second in 0..100 {
            let warm = if second < 10 { 0 } else { 1000 + second };
            trend.add(Duration::from_secs(second), warm);
        }
        let line = trend.line(Duration::from_secs(10)).unwrap();
        assert!((line.per_hour - 3600.0).abs() < 1e-6, "{line:?}");
        assert!((line.growth - 89.0).abs() < 1e-6, "{line:?}");
        assert_eq!(trend.line(Duration::from_secs(99)), None);
    }

    #[test]
    fn descriptors_are_told_by_what_they_are() {
        let kinds =
            ["/sys/fs/cgroup/docker/cpu.stat", "socket:[123]", "anon_inode:bpf-map"].map(Path::new).map(kind);
        assert_eq!(kinds, ["/sys/fs/cgroup/docker", "socket", "anon_inode:bpf-map"]);
    }
}
