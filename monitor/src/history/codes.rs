//! Tallies: what is counted in steps and adds up. How often each duration was seen, and how long whom was waited for.

use monitor_common::histogram::{BUCKETS, bucket};

use super::{layout::Layout, pack::Tally, segment::Number};
use crate::model::{
    Distribution, Interference, InterferenceSource, Latency, Measurements, Span, catalog::distributions,
};

/// From here on codes are of waits, below of durations.
const WAITS: u64 = 1 << 40;
/// Waits for block devices, not for CPUs.
const BLOCK: u64 = 1 << 36;
const SOURCE_SHIFT: u32 = 32;

/// The distributions that are kept, and their columns.
pub(super) struct Spreads(Vec<(&'static Distribution, usize)>);

impl Spreads {
    pub(super) fn of(layout: &Layout) -> Self {
        let place = |spread: &Distribution| layout.place(&format!("{}.{}", spread.group, spread.name));
        let of_windows = distributions().filter(|spread| spread.span == Span::Window);
        Self(of_windows.filter_map(|spread| Some((spread, place(spread)?))).collect())
    }

    /// Everything that adds up, in the order of codes.
    pub(super) fn tallies(
        &self,
        measured: &Measurements,
        window_s: f64,
        number_of: impl Fn(&str) -> Option<Number>,
        tallies: &mut Vec<Tally>,
    ) {
        tallies.clear();
        for (spread, column) in &self.0 {
            tallies.extend(
                (spread.get)(measured).into_iter().flat_map(|latency| latency_tallies(*column, latency)),
            );
        }
        let cpu = measured.interference.iter().flatten().map(|part| (0, cpu_wait(part)));
        let block = measured.block_interference.iter().flatten();
        let block = block.map(|part| (BLOCK, (part.source, part.id.as_deref(), part.wait_ns_per_second)));
        for (resource, (source, id, rate)) in cpu.chain(block) {
            let waited = whole(rate.unwrap_or_default() * window_s);
            if waited > 0 {
                let culprit = id.and_then(&number_of).map_or(0, u64::from);
                tallies.push((WAITS | resource | source_code(source) << SOURCE_SHIFT | culprit, waited));
            }
        }
        tallies.sort_unstable_by_key(|(code, _)| *code);
        tallies.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            is_same
        });
    }
}

fn cpu_wait(part: &Interference) -> (InterferenceSource, Option<&str>, Option<f64>) {
    (part.source, part.id.as_deref(), part.wait_ns_per_second)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` ends at the bounds")]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// A bucket is told by its first one of the finest scale, and whether it is as wide as two of these.
fn latency_tallies(column: usize, latency: &Latency) -> impl Iterator<Item = Tally> {
    latency.buckets.iter().map(move |one| {
        let first = bucket(one.from_ns);
        let is_wide = one.to_ns.is_some_and(|to| bucket(to) > first + 1);
        ((column as u64) << 8 | (first as u64) << 1 | u64::from(is_wide), one.count)
    })
}

/// Buckets of a distribution, by its first one of the finest scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How often.
    pub counts: [u64; BUCKETS],
    /// Whether any of them was as wide as two.
    pub has_wide: bool,
}

impl Default for Counts {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], has_wide: false }
    }
}

impl Counts {
    /// Adds the tallies of a column.
    pub(super) fn add(&mut self, column: usize, tallies: &[Tally]) {
        let of_column = tallies.iter().filter(|(code, _)| *code < WAITS && code >> 8 == column as u64);
        for (code, count) in of_column {
            let place = usize::try_from(code >> 1 & 0x7f).ok().and_then(|first| self.counts.get_mut(first));
            if let Some(place) = place {
                *place = place.saturating_add(*count);
                self.has_wide |= code & 1 == 1;
            }
        }
    }
}

/// The code of the bucket, as wide as two, that a bucket lies in. Others as they are.
pub(super) fn widened(code: u64) -> u64 {
    let first = code >> 1 & 0x7f;
    if code >= WAITS || first == 0 {
        return code;
    }
    let first = first.div_ceil(2) * 2 - 1;
    code >> 8 << 8 | first << 1 | 1
}

/// Whom or what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Culprit {
    /// Whether for a block device, else for a CPU.
    pub is_block: bool,
    source: u64,
    /// The container.
    pub subject: Option<Number>,
}

/// In the order of their codes.
const SOURCES: [InterferenceSource; 6] = [
    InterferenceSource::Own,
    InterferenceSource::Container,
    InterferenceSource::System,
    InterferenceSource::Quota,
    InterferenceSource::Wakeup,
    InterferenceSource::Unknown,
];

fn source_code(source: InterferenceSource) -> u64 {
    SOURCES.iter().position(|one| *one == source).map_or(0, |place| place as u64)
}

impl Culprit {
    /// What kind of culprit.
    #[must_use]
    pub fn source(&self) -> InterferenceSource {
        let place = usize::try_from(self.source).ok();
        place.and_then(|place| SOURCES.get(place)).copied().unwrap_or(InterferenceSource::Unknown)
    }

    /// The culprit of a tally; `None` of durations.
    pub(super) fn of(code: u64) -> Option<Self> {
        let rest = code.checked_sub(WAITS)?;
        let subject = Number::try_from(rest & u64::from(Number::MAX)).ok().filter(|number| *number > 0);
        Some(Self { is_block: rest & BLOCK != 0, source: rest >> SOURCE_SHIFT & 0xf, subject })
    }
}

#[cfg(test)]
mod tests {
    use monitor_common::histogram::{COARSE, FINE};

    use super::*;
    use crate::model::LatencyBucket;

    #[test]
    fn buckets_are_counted_and_widened() {
        let bucket = |from_ns, to_ns, count| LatencyBucket { from_ns, to_ns, count };
        let buckets =
            vec![bucket(0, Some(1024), 1), bucket(1280, Some(1536), 2), bucket(1536, Some(2048), 4)];
        let latency = Latency { buckets, ..Latency::default() };
        let tallies: Vec<Tally> = latency_tallies(3, &latency).collect();
        let mut counts = Counts::default();
        counts.add(3, &tallies);
        counts.add(2, &tallies);
        assert_eq!((&counts.counts[..4], counts.has_wide), (&[1, 0, 2, 4][..], true));
        let wide: Vec<Tally> = tallies.iter().map(|(code, count)| (widened(*code), *count)).collect();
        let mut counts = Counts::default();
        counts.add(3, &wide);
        assert_eq!(&counts.counts[..4], &[1, 2, 0, 4]);
    }

    #[test]
    fn a_wide_bucket_is_one_of_the_coarse_scale() {
        for first in 1..93_u64 {
            let wide = usize::try_from(widened(first << 1) >> 1).unwrap();
            assert_eq!(FINE.lower_bound(wide), COARSE.lower_bound(wide.div_ceil(2)));
            assert!(wide <= usize::try_from(first).unwrap());
        }
    }

    #[test]
    fn culprits_come_back() {
        let mut measured = Measurements::default();
        let part = |source, id: Option<&str>, rate| Interference {
            source,
            id: id.map(str::to_owned),
            name: None,
            wait_ns_total: 0,
            wait_ns_per_second: rate,
            waits_total: 0,
            preemptions_total: 0,
        };
        *measured.interference = Some(vec![
            part(InterferenceSource::Unknown, None, None),
            part(InterferenceSource::Container, Some("b"), Some(3.0)),
            part(InterferenceSource::Quota, None, Some(5.0)),
            part(InterferenceSource::Quota, None, Some(1.0)),
        ]);
        let layout = super::super::layout::measured().layout;
        let mut found = Vec::new();
        Spreads::of(&layout).tallies(&measured, 2.0, |id| (id == "b").then_some(7), &mut found);
        let culprits: Vec<_> = found
            .iter()
            .map(|(code, waited)| {
                let culprit = Culprit::of(*code).unwrap();
                (culprit.source(), culprit.subject, culprit.is_block, *waited)
            })
            .collect();
        assert_eq!(
            culprits,
            [
                (InterferenceSource::Container, Some(7), false, 6),
                (InterferenceSource::Quota, None, false, 12)
            ]
        );
        assert_eq!(widened(found[0].0), found[0].0);
    }
}
