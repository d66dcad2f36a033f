//! Distributions as columns of blocks over a logarithmic axis.

use std::collections::BTreeMap;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{BOLD, DRAWN, FAINT, WARNING, put, put_right, split_bottom, split_top, width};
use crate::{
    model::{Latency, LatencyBucket},
    tui::units::duration,
};

/// Lines that one takes: its title, its columns, its axis.
pub(super) const LINES: u16 = 5;

/// How often each duration was seen, over several windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Merged {
    /// Buckets in their order, by their lower bounds.
    buckets: BTreeMap<u64, LatencyBucket>,
    count: u64,
}

impl Merged {
    /// Adds a window's.
    pub(super) fn add(&mut self, latency: &Latency) {
        for bucket in &latency.buckets {
            let sum = self.buckets.entry(bucket.from_ns).or_insert(LatencyBucket { count: 0, ..*bucket });
            sum.count += bucket.count;
            self.count += bucket.count;
        }
    }

    /// Whether nothing was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The duration that a share of all were no longer than, by linear interpolation within its bucket.
    fn quantile(&self, share: f64) -> Option<f64> {
        let rank = share * self.count as f64;
        let mut below = 0.0;
        for bucket in self.buckets.values().filter(|bucket| bucket.count > 0) {
            let count = bucket.count as f64;
            if below + count >= rank {
                let width = end(bucket) - bucket.from_ns as f64;
                return Some(bucket.from_ns as f64 + width * ((rank - below) / count).clamp(0.0, 1.0));
            }
            below += count;
        }
        None
    }

    /// How many fall into each column of an axis from one duration to another.
    fn spread(&self, axis: Axis, width: u16) -> Vec<f64> {
        let mut columns = vec![0.0; usize::from(width)];
        for bucket in self.buckets.values() {
            let (from, to) = (axis.place(bucket.from_ns as f64, width), axis.place(end(bucket), width));
            let each = bucket.count as f64 / (to - from).max(1e-9);
            for (column, sum) in columns.iter_mut().enumerate() {
                let within = (to.min(column as f64 + 1.0) - from.max(column as f64)).max(0.0);
                *sum += each * within;
            }
        }
        columns
    }
}

/// Where a bucket ends; the last one ends nowhere, and is taken to be as wide as it is far.
fn end(bucket: &LatencyBucket) -> f64 {
    bucket.to_ns.map_or(bucket.from_ns as f64 * 2.0, |to| to as f64)
}

/// A logarithmic axis. Shorter than its beginning is at its beginning.
#[derive(Clone, Copy, Debug)]
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn of(merged: &Merged) -> Option<Self> {
        let mut used = merged.buckets.values().filter(|bucket| bucket.count > 0);
        let first = used.next()?;
        let to = end(used.next_back().unwrap_or(first));
        // The first bucket begins at 0, which has no logarithm.
        let from = (first.from_ns as f64).max(end(first) / 4.0);
        Some(Self { from, to: to.max(from * 2.0) })
    }

    /// Columns from the left.
    fn place(self, ns: f64, width: u16) -> f64 {
        (ns.max(self.from) / self.from).log2() / (self.to / self.from).log2() * f64::from(width)
    }

    /// What is in the middle.
    fn middle(self) -> f64 {
        (self.from * self.to).sqrt()
    }
}

/// Draws one; what is above the 99th percentile stands out.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, title: &str, merged: &Merged) {
    let (head, body) = split_top(area, 1);
    put(buffer, head, title, BOLD);
    let Some(axis) = Axis::of(merged) else { return };
    let p99 = merged.quantile(0.99).unwrap_or(f64::MAX);
    let room = usize::from(head.width).saturating_sub(width(title) + 1);
    put_right(buffer, head, &quantiles(merged, axis, room), FAINT);
    let (columns, below) = split_bottom(body, 1);
    draw_columns(buffer, columns, &merged.spread(axis, area.width), axis.place(p99, area.width));
    put(buffer, below, &duration(axis.from), FAINT);
    let middle = Rect { width: below.width / 2 + 4, ..below };
    put_right(buffer, middle, &duration(axis.middle()), FAINT);
    put_right(buffer, below, &duration(axis.to), FAINT);
}

/// As many of them as there is room for.
fn quantiles(merged: &Merged, axis: Axis, room: usize) -> String {
    let quantile =
        |name: &str, share| format!("{name} {}", merged.quantile(share).map(duration).unwrap_or_default());
    let (p50, p99) = (quantile("p50", 0.5), quantile("p99", 0.99));
    let all = format!("{p50} · {p99} · max {}", duration(axis.to));
    let fits = |text: &String| width(text) <= room;
    [all, format!("{p50} · {p99}"), p99].into_iter().find(fits).unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and eight a line")]
fn draw_columns(buffer: &mut Buffer, area: Rect, counts: &[f64], p99: f64) {
    const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let most = counts.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return;
    }
    for (column, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
        // What is there is seen, however little it is.
        let eighths = ((count / most * f64::from(area.height) * 8.0).round() as usize).max(1);
        let style = if column as f64 >= p99.floor() { WARNING } else { DRAWN };
        for line in 0..usize::from(area.height) {
            let filled = eighths.saturating_sub(line * 8).min(8);
            let x = area.x.saturating_add(super::columns(column));
            let y = area.bottom().saturating_sub(super::columns(line + 1));
            if let (Some(symbol), true) = (EIGHTHS.get(filled), filled > 0) {
                put(buffer, Rect { x, y, width: 1, height: 1 }, symbol, style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(buckets: &[(u64, Option<u64>, u64)]) -> Latency {
        let buckets = buckets.iter().map(|(from_ns, to_ns, count)| LatencyBucket {
            from_ns: *from_ns,
            to_ns: *to_ns,
            count: *count,
        });
        Latency { buckets: buckets.collect(), ..Latency::default() }
    }

    #[test]
    fn windows_add_up() {
        let mut merged = Merged::default();
        assert!(merged.is_empty() && merged.quantile(0.5).is_none() && Axis::of(&merged).is_none());
        merged.add(&latency(&[(0, Some(1024), 90), (1024, Some(2048), 5)]));
        merged.add(&latency(&[(1024, Some(2048), 4), (1 << 20, None, 1)]));
        assert_eq!(merged.quantile(0.45), Some(512.0));
        assert_eq!(merged.quantile(0.99), Some(2048.0));
        let axis = Axis::of(&merged).unwrap();
        assert_eq!((axis.from, axis.to), (256.0, 2_097_152.0));
        let spread = merged.spread(axis, 13);
        assert!((spread.iter().sum::<f64>() - 100.0).abs() < 1e-6, "{spread:?}");
        assert!((spread[12] - 1.0).abs() < 1e-6 && (spread[2] - 9.0).abs() < 1e-6, "{spread:?}");
    }

    #[test]
    fn the_greatest_fills_all_lines_and_the_least_is_seen() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 2));
        draw_columns(&mut buffer, Rect::new(0, 0, 3, 2), &[1000.0, 0.0, 1.0], 2.0);
        let text: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text, "█  █ ▁");
    }
}
