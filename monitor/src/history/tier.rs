//! One resolution of one subject: a block that is being packed, and those before it.

use std::{collections::VecDeque, time::Duration};

use super::{
    Point, Resolution, Value,
    column::{Kind, Packer, unpack},
};

/// Rows of a block.
const BLOCK: u64 = 60;

/// The rows of one subject, a step apart.
#[derive(Debug)]
pub(super) struct Tier {
    /// In seconds.
    step: u64,
    span: u64,
    sealed: VecDeque<Block>,
    open: Option<Open>,
    /// The step that is not over yet.
    current: Option<Current>,
}

/// Rows that are packed; one after the other a step apart.
#[derive(Debug)]
struct Block {
    begins_at: u64,
    rows: u64,
    /// The columns one after the other, and where each ends.
    bytes: Box<[u8]>,
    ends: Box<[u32]>,
}

#[derive(Debug)]
struct Open {
    begins_at: u64,
    rows: u64,
    columns: Vec<Packer>,
}

#[derive(Debug)]
struct Current {
    begins_at: u64,
    /// Of counters the last value, of levels the sum and how many there are.
    values: Vec<(f64, u32)>,
}

impl Tier {
    pub(super) fn new(resolution: Resolution) -> Self {
        let step = resolution.step.as_secs().max(1);
        Self { step, span: resolution.span.as_secs(), sealed: VecDeque::new(), open: None, current: None }
    }

    pub(super) fn step(&self) -> Duration {
        Duration::from_secs(self.step)
    }

    /// Takes a row. One of a step that is over is not taken: a clock was set back.
    pub(super) fn push(&mut self, at: u64, row: &[Value], kinds: &[Kind]) {
        let begins_at = at - at % self.step;
        match &self.current {
            Some(current) if current.begins_at > begins_at => return,
            Some(current) if current.begins_at < begins_at => self.end_step(kinds),
            _ => {}
        }
        let current =
            self.current.get_or_insert_with(|| Current { begins_at, values: vec![(0.0, 0); kinds.len()] });
        for ((value, kind), (sum, count)) in row.iter().zip(kinds).zip(&mut current.values) {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            match kind {
                Kind::Counter => (*sum, *count) = (value, 1),
                Kind::Level => (*sum, *count) = (*sum + value, *count + 1),
            }
        }
    }

    /// Packs the step that is over.
    fn end_step(&mut self, kinds: &[Kind]) {
        let Some(current) = self.current.take() else { return };
        let expected = self.open.as_ref().map(|open| open.begins_at + open.rows * self.step);
        let is_next = expected.is_none_or(|expected| expected == current.begins_at);
        if !is_next || self.open.as_ref().is_some_and(|open| open.rows == BLOCK) {
            self.seal();
        }
        let open = self.open.get_or_insert_with(|| Open {
            begins_at: current.begins_at,
            rows: 0,
            columns: vec![Packer::default(); kinds.len()],
        });
        for ((column, kind), (sum, count)) in open.columns.iter_mut().zip(kinds).zip(current.values) {
            column.push(*kind, (count > 0).then(|| sum / f64::from(count)));
        }
        open.rows += 1;
    }

    fn seal(&mut self) {
        let Some(open) = self.open.take() else { return };
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(open.columns.len());
        for column in open.columns {
            bytes.extend(column.finish());
            // A block of sixty rows is far from 4 GiB.
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        self.sealed.push_back(Block {
            begins_at: open.begins_at,
            rows: open.rows,
            bytes: bytes.into(),
            ends: ends.into(),
        });
    }

    /// Forgets blocks that ended before the span that ends at `now`. A subject that has not been told of for a whole step is
    /// packed, so that it can be forgotten too.
    pub(super) fn forget_before(&mut self, now: u64, kinds: &[Kind]) {
        let is_over = |current: &Current| current.begins_at + 2 * self.step <= now;
        if self.current.as_ref().is_some_and(is_over) {
            self.end_step(kinds);
        }
        let keep_from = now.saturating_sub(self.span);
        let step = self.step;
        let is_old = |begins_at: u64, rows: u64| begins_at + rows * step <= keep_from;
        while self.sealed.front().is_some_and(|block| is_old(block.begins_at, block.rows)) {
            self.sealed.pop_front();
        }
        if self.open.as_ref().is_some_and(|open| is_old(open.begins_at, open.rows)) {
            self.open = None;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.open.is_none() && self.current.is_none()
    }

    pub(super) fn has_sealed(&self) -> bool {
        !self.sealed.is_empty()
    }

    /// When the oldest row that is packed began.
    pub(super) fn begins_at(&self) -> Option<u64> {
        let open = self.open.as_ref().map(|open| open.begins_at);
        self.sealed.front().map(|block| block.begins_at).or(open)
    }

    /// Forgets the oldest block and says how many bytes it took.
    pub(super) fn forget_oldest(&mut self) -> usize {
        self.sealed.pop_front().map_or(0, |block| block.size())
    }

    pub(super) fn bytes(&self) -> usize {
        let open = self.open.iter().flat_map(|open| &open.columns).map(Packer::bytes).sum::<usize>();
        let current =
            self.current.as_ref().map_or(0, |current| current.values.len() * size_of::<(f64, u32)>());
        self.sealed.iter().map(Block::size).sum::<usize>() + open + current
    }

    /// All rows of a column that are packed.
    pub(super) fn points(&self, column: usize, kind: Kind) -> Vec<Point> {
        let sealed = self.sealed.iter().map(|block| (block.begins_at, unpack(kind, block.column(column))));
        let open = self.open.as_ref().and_then(|open| {
            Some((open.begins_at, unpack(kind, &open.columns.get(column)?.clone().finish())))
        });
        sealed
            .chain(open)
            .flat_map(|(begins_at, values)| {
                let times = (0..).map(move |row: u64| begins_at + row * self.step);
                times.zip(values).map(|(at, value)| Point { at, value })
            })
            .collect()
    }
}

impl Block {
    fn column(&self, number: usize) -> &[u8] {
        let end = |number: usize| self.ends.get(number).and_then(|end| usize::try_from(*end).ok());
        let from = number.checked_sub(1).map_or(Some(0), end);
        from.zip(end(number)).and_then(|(from, to)| self.bytes.get(from..to)).unwrap_or_default()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + self.ends.len() * size_of::<u32>()
    }
}
