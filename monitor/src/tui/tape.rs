//! The snapshots that can be stepped through: what was measured lately or read of a recording, bounded in bytes.

use std::{collections::VecDeque, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::model::{Container, ContainerState, Snapshot, catalog};

/// A row of snapshots in the order of time, and which of them is shown.
#[derive(Debug)]
pub struct Tape {
    frames: VecDeque<Frame>,
    bytes: usize,
    limit: usize,
    shown: usize,
}

#[derive(Debug)]
struct Frame {
    snapshot: Arc<Snapshot>,
    bytes: usize,
}

impl Tape {
    /// An empty one that takes so many bytes at most, or its last snapshot where that is larger.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { frames: VecDeque::new(), bytes: 0, limit, shown: 0 }
    }

    /// Adds what was measured just now. The oldest are forgotten, and where what is shown is the oldest, those after it: it
    /// stays for as long as it is shown.
    pub fn push(&mut self, snapshot: Arc<Snapshot>) {
        self.add(snapshot);
        self.forget_before();
        // Not what came just now.
        while self.bytes > self.limit && self.frames.len() > self.shown + 2 {
            let Some(skipped) = self.frames.remove(self.shown + 1) else { return };
            self.bytes -= skipped.bytes;
        }
    }

    /// Adds what comes next in a recording, of which nothing is skipped.
    pub(super) fn append(&mut self, snapshots: Vec<Arc<Snapshot>>) {
        for snapshot in snapshots {
            self.add(snapshot);
        }
        self.forget_before();
    }

    /// Forgets everything, and takes these instead, one of which is shown.
    pub(super) fn replace(&mut self, snapshots: Vec<Arc<Snapshot>>, shown: usize) {
        self.frames.clear();
        self.bytes = 0;
        self.shown = 0;
        for snapshot in snapshots {
            self.add(snapshot);
        }
        self.shown = shown.min(self.frames.len().saturating_sub(1));
        self.forget_before();
    }

    fn add(&mut self, snapshot: Arc<Snapshot>) {
        let bytes = footprint(&snapshot);
        self.bytes += bytes;
        self.frames.push_back(Frame { snapshot, bytes });
    }

    /// Forgets the oldest, down to the one that is shown.
    fn forget_before(&mut self) {
        while self.bytes > self.limit && self.shown > 0 {
            let Some(oldest) = self.frames.pop_front() else { return };
            self.bytes -= oldest.bytes;
            self.shown -= 1;
        }
    }

    /// All of them, in the order of time.
    #[must_use]
    pub fn into_snapshots(self) -> Vec<Arc<Snapshot>> {
        self.frames.into_iter().map(|frame| frame.snapshot).collect()
    }

    /// Whether there is room for more to come.
    pub(super) fn has_room(&self) -> bool {
        let ahead: usize =
            self.frames.range(self.shown.min(self.frames.len())..).map(|frame| frame.bytes).sum();
        ahead < self.limit / 2
    }

    /// What is shown.
    pub(super) fn shown(&self) -> Option<&Arc<Snapshot>> {
        self.frames.get(self.shown).map(|frame| &frame.snapshot)
    }

    /// What was before it.
    pub(super) fn before(&self) -> Option<&Arc<Snapshot>> {
        self.frames.get(self.shown.checked_sub(1)?).map(|frame| &frame.snapshot)
    }

    /// What comes after it.
    pub(super) fn after(&self) -> Option<&Arc<Snapshot>> {
        self.frames.get(self.shown + 1).map(|frame| &frame.snapshot)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// How many come after the one that is shown.
    pub(super) fn ahead(&self) -> usize {
        self.frames.len().saturating_sub(self.shown + 1)
    }

    /// When the first one and the last one that are kept were taken.
    pub(super) fn ends(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.frames.front()?.snapshot.taken_at;
        Some((first, self.frames.back()?.snapshot.taken_at))
    }

    /// Shows the one so many after, before where negative, as far as there are any; how many are missing.
    pub(super) fn step(&mut self, by: i64) -> u64 {
        let (shown, last) = (self.shown, self.frames.len().saturating_sub(1));
        let wanted = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
        self.shown =
            if by < 0 { shown.saturating_sub(wanted) } else { shown.saturating_add(wanted).min(last) };
        by.unsigned_abs() - self.shown.abs_diff(shown) as u64
    }

    /// Shows the last one.
    pub fn show_last(&mut self) {
        self.shown = self.frames.len().saturating_sub(1);
        self.forget_before();
    }

    /// Shows the last one that was taken at a time or before; whether the time is within what is kept.
    pub(super) fn seek(&mut self, time: Timestamp) -> bool {
        let later = self.frames.partition_point(|frame| frame.snapshot.taken_at <= time);
        self.shown = later.saturating_sub(1);
        later > 0 && later < self.frames.len()
    }

    /// Those of so long a time up to the one that is shown, and this, in the order of time.
    pub(super) fn lately(&self, span: SignedDuration) -> impl Iterator<Item = &Arc<Snapshot>> {
        let until = self.shown().map_or(Timestamp::MIN, |snapshot| snapshot.taken_at);
        let from = until.checked_sub(span).unwrap_or(Timestamp::MIN);
        let up_to = self.frames.len().min(self.shown + 1);
        let begin = self.frames.partition_point(|frame| frame.snapshot.taken_at <= from).min(up_to);
        self.frames.range(begin..up_to).map(|frame| &frame.snapshot)
    }

    /// One container over such a time; `None` where it was not there.
    pub(super) fn track<'a>(
        &'a self,
        id: &'a str,
        span: SignedDuration,
    ) -> impl Iterator<Item = (Timestamp, Option<&'a Container>)> {
        // It stands where it stood, most often.
        let mut place = 0;
        self.lately(span).map(move |snapshot| {
            let containers = &snapshot.containers;
            let goes_on = |container: &&Container| container.state != ContainerState::Exited;
            let is_it = |container: &&Container| container.id == id;
            let found = containers.get(place).filter(is_it).filter(goes_on).or_else(|| {
                let runs = containers.iter().enumerate().filter(|(_, one)| one.id == id);
                let (latest, found) = runs.max_by_key(|(_, run)| run.precedence())?;
                place = latest;
                Some(found)
            });
            (snapshot.taken_at, found)
        })
    }
}

/// About how many bytes a snapshot takes: what it is made of, and the longer of what that points to.
fn footprint(snapshot: &Snapshot) -> usize {
    let fixed = size_of::<Snapshot>() + snapshot.coverage.probes.len() * size_of::<crate::model::Probe>();
    fixed + snapshot.containers.iter().map(footprint_of).sum::<usize>()
}

fn footprint_of(container: &Container) -> usize {
    let measured = &container.measurements;
    let buckets: usize = catalog::distributions()
        .filter_map(|distribution| (distribution.get)(measured))
        .map(|latency| size_of_val(latency.buckets.as_slice()))
        .sum();
    let labels: usize = container.labels.iter().map(|(key, value)| key.len() + value.len() + 64).sum();
    let blamed = measured.interference.as_ref().map_or(0, |parts| size_of_val(parts.as_slice()))
        + measured.block_interference.as_ref().map_or(0, |parts| size_of_val(parts.as_slice()));
    let by_cpu = measured.scheduler.on_cpu_ns_by_cpu.as_ref().map_or(0, |cpus| size_of_val(cpus.as_slice()));
    let devices = measured.block_io.devices.as_ref().map_or(0, |devices| size_of_val(devices.as_slice()));
    let path = container.cgroup.path.as_ref().map_or(0, String::len);
    // Names, the image and the ids of those to blame are short.
    size_of::<Container>() + buckets + labels + blamed + by_cpu + devices + path + 512
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{container, snapshot};

    fn tape(limit: usize, seconds: std::ops::Range<i64>) -> Tape {
        let mut tape = Tape::new(limit);
        for second in seconds {
            tape.push(Arc::new(snapshot(second, vec![container("web")])));
            tape.show_last();
        }
        tape
    }

    fn at(tape: &Tape) -> i64 {
        tape.shown().unwrap().taken_at.as_second()
    }

    #[test]
    fn it_steps_as_far_as_there_is_anything() {
        let mut tape = tape(usize::MAX, 0..10);
        assert_eq!((at(&tape), tape.ahead()), (9, 0));
        assert_eq!((tape.step(-3), at(&tape), tape.ahead()), (0, 6, 3));
        assert_eq!((tape.step(5), at(&tape)), (2, 9));
        assert_eq!((tape.step(-100), at(&tape)), (91, 0));
        assert!(tape.before().is_none());
        assert!(tape.seek(Timestamp::from_millisecond(4700).unwrap()));
        assert_eq!(at(&tape), 4);
        assert!(!tape.seek(Timestamp::from_second(90).unwrap()));
        assert_eq!(at(&tape), 9);
    }

    #[test]
    fn the_oldest_go_first_and_what_is_shown_stays() {
        let one = footprint(&snapshot(0, vec![container("web")]));
        let mut tape = tape(one * 4, 0..10);
        assert_eq!((tape.len(), at(&tape)), (4, 9));
        tape.step(-3);
        for second in 10..20 {
            tape.push(Arc::new(snapshot(second, vec![container("web")])));
        }
        assert_eq!((at(&tape), tape.len()), (6, 4));
        assert_eq!(
            tape.after().map(|next| next.taken_at.as_second()),
            Some(17),
            "what came after it was skipped"
        );
        tape.show_last();
        assert_eq!((at(&tape), tape.len()), (19, 4));
        tape.append((20..30).map(|second| Arc::new(snapshot(second, vec![container("web")]))).collect());
        assert_eq!((at(&tape), tape.len(), tape.ahead()), (19, 11, 10), "nothing of a recording is skipped");
        assert!(!tape.has_room());
    }

    #[test]
    fn what_was_lately_ends_with_what_is_shown() {
        let mut tape = tape(usize::MAX, 0..10);
        tape.step(-2);
        let seconds: Vec<i64> =
            tape.lately(SignedDuration::from_secs(3)).map(|one| one.taken_at.as_second()).collect();
        assert_eq!(seconds, [5, 6, 7]);
        assert_eq!(
            tape.track("web", SignedDuration::from_secs(3)).filter(|(_, one)| one.is_some()).count(),
            3
        );
        assert_eq!(
            tape.track("no", SignedDuration::from_secs(3)).filter(|(_, one)| one.is_some()).count(),
            0
        );
    }
}
