//! The rows of all subjects over one stretch of time: one that grows, and those that are whole and compressed.

use std::{collections::BTreeMap, io};

use serde::{Deserialize, Serialize};
use zstd::{bulk::Compressor, zstd_safe::CParameter};

use super::{
    layout::{FOLDED, Layout, Layouts},
    pack::{Tally, Unpacker, pack},
};

/// Subjects by the order in which they were met; the machine is 0.
pub type Number = u32;
/// The machine.
pub(super) const HOST: Number = 0;

/// What is compressed at once, so that one subject's rows are found without decompressing everybody's.
const CHUNK_BYTES: usize = 64 << 10;
/// More bytes than a chunk ever has, however many rows a subject has in it.
const MOST_CHUNK_BYTES: usize = 64 << 20;
const LEVEL: i32 = 3;

impl Layouts {
    /// That of a subject.
    pub(super) fn of(&self, subject: Number) -> &Layout {
        if subject == HOST { &self.host } else { &self.measured }
    }
}

/// A segment that grows.
#[derive(Debug)]
pub(super) struct Open {
    /// When its stretch of time begins.
    pub(super) begins_at: i64,
    /// When each row was. The first is what came before the segment, which counters of the finest rows grow from.
    pub(super) times: Vec<i64>,
    stride: usize,
    series: BTreeMap<Number, Growing>,
    bytes: usize,
}

/// The rows of one subject.
#[derive(Debug, Default)]
struct Growing {
    bytes: Vec<u8>,
    /// The last row.
    row: usize,
}

impl Open {
    /// One that goes on where another one ended. Folded rows say themselves how much counters grew.
    pub(super) fn after(before: Option<&Self>, begins_at: i64, stride: usize, layouts: &Layouts) -> Self {
        let at = before.and_then(|before| before.times.last()).copied().unwrap_or(i64::MIN);
        let mut open = Self { begins_at, times: vec![at], stride, series: BTreeMap::new(), bytes: 0 };
        let there = before.filter(|_| stride != FOLDED).into_iter().flat_map(|before| {
            let last = before.times.len().saturating_sub(1);
            before.series.iter().filter(move |(_, series)| series.row == last && last > 0)
        });
        for (number, series) in there {
            let forms = layouts.of(*number).forms(stride);
            let words = Unpacker::new(&series.bytes, forms).last();
            open.put(*number, 0, &mut vec![None; words.len()], &words, &[], layouts);
        }
        open
    }

    /// Appends a row of a subject, and makes `before`, which is [`Open::last`], hold it.
    pub(super) fn put(
        &mut self,
        subject: Number,
        row: usize,
        before: &mut [Option<u64>],
        words: &[Option<u64>],
        tallies: &[Tally],
        layouts: &Layouts,
    ) {
        let series = self.series.entry(subject).or_default();
        let size = series.bytes.capacity();
        let gap = row.saturating_sub(series.row);
        pack(&mut series.bytes, layouts.of(subject).forms(self.stride), before, gap as u64, words, tallies);
        series.row = row;
        self.bytes += series.bytes.capacity() - size;
    }

    /// Whether it is known when a row was: of the one before the first it may not be.
    pub(super) fn is_time_known(&self, row: usize) -> bool {
        self.times.get(row).is_some_and(|at| *at > i64::MIN)
    }

    /// The last words of a subject.
    pub(super) fn last(&self, subject: Number, layouts: &Layouts) -> Vec<Option<u64>> {
        let bytes = self.series.get(&subject).map_or(&[][..], |series| &series.bytes);
        Unpacker::new(bytes, layouts.of(subject).forms(self.stride)).last()
    }

    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.series.len() * size_of::<(Number, Growing)>() + self.times.len() * size_of::<i64>()
    }

    /// The subjects in it.
    pub(super) fn subjects(&self) -> impl Iterator<Item = Number> {
        self.series.keys().copied()
    }

    /// Whether it has rows besides what came before.
    pub(super) fn has_rows(&self) -> bool {
        self.times.len() > 1
    }

    /// A copy of what it has of some subjects, for reading.
    pub(super) fn copy(&self, wanted: &[Number], layouts: &Layouts) -> Segment {
        let wanted = wanted.iter().filter_map(|number| Some((*number, self.series.get(number)?)));
        self.segment(wanted, layouts, |bytes| Ok(Chunk::Plain(bytes.into()))).unwrap_or_default()
    }

    /// The whole of it, compressed.
    pub(super) fn seal(&self, layouts: &Layouts) -> io::Result<Segment> {
        let mut compressor = Compressor::new(LEVEL)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true))?;
        let all = self.series.iter().map(|(number, series)| (*number, series));
        self.segment(all, layouts, |bytes| {
            Ok(Chunk::Packed { size: bytes.len(), bytes: compressor.compress(bytes)?.into() })
        })
    }

    fn segment<'s>(
        &self,
        series: impl Iterator<Item = (Number, &'s Growing)>,
        layouts: &Layouts,
        mut chunk: impl FnMut(&[u8]) -> io::Result<Chunk>,
    ) -> io::Result<Segment> {
        let (mut members, mut chunks, mut pending) = (Vec::new(), Vec::new(), Vec::new());
        for (subject, Growing { bytes, row: _ }) in series {
            if pending.len() + bytes.len() > CHUNK_BYTES && !pending.is_empty() {
                chunks.push(chunk(&pending)?);
                pending.clear();
            }
            members.push(Member { subject, chunk: chunks.len(), from: pending.len(), length: bytes.len() });
            pending.extend_from_slice(bytes);
        }
        if !pending.is_empty() {
            chunks.push(chunk(&pending)?);
        }
        Ok(Segment {
            begins_at: self.begins_at,
            stride: self.stride,
            times: self.times.as_slice().into(),
            layouts: Some(layouts.clone()),
            members: members.into(),
            chunks,
        })
    }
}

/// A segment that changes no more.
#[derive(Debug, Default)]
pub(super) struct Segment {
    pub(super) begins_at: i64,
    pub(super) stride: usize,
    pub(super) times: Box<[i64]>,
    /// Those that it was written with; none only of an empty one.
    pub(super) layouts: Option<Layouts>,
    pub(super) members: Box<[Member]>,
    pub(super) chunks: Vec<Chunk>,
}

/// Where the rows of a subject are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) subject: Number,
    pub(super) chunk: usize,
    pub(super) from: usize,
    pub(super) length: usize,
}

/// The rows of some subjects.
#[derive(Debug)]
pub(super) enum Chunk {
    Plain(Box<[u8]>),
    /// A zstd frame with a checksum.
    Packed {
        size: usize,
        bytes: Box<[u8]>,
    },
}

impl Chunk {
    /// Its bytes, decompressed; an error where they are not those that were compressed.
    pub(super) fn unpacked(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(bytes) => Ok(bytes.to_vec()),
            Self::Packed { size, .. } if *size > MOST_CHUNK_BYTES => Err(io::ErrorKind::InvalidData.into()),
            Self::Packed { size, bytes } => zstd::bulk::decompress(bytes, *size),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Plain(bytes) | Self::Packed { bytes, .. } => bytes.len(),
        }
    }
}

impl Segment {
    /// When its first row was; `None` without rows.
    pub(super) fn first_at(&self) -> Option<i64> {
        self.times.get(1).copied()
    }

    /// When its last row was.
    pub(super) fn last_at(&self) -> Option<i64> {
        self.times.last().copied().filter(|_| self.times.len() > 1)
    }

    /// Whether its rows are folded from finer ones.
    pub(super) fn is_folded(&self) -> bool {
        self.stride == FOLDED
    }

    /// What it takes.
    pub(super) fn bytes(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| chunk.len() + size_of::<Chunk>()).sum::<usize>();
        chunks
            + self.members.len() * size_of::<Member>()
            + self.times.len() * size_of::<i64>()
            + size_of::<Self>()
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { segment: self, chunk: None }
    }
}

/// Finds rows in a segment; fastest for subjects in the order of their numbers.
pub(super) struct Reader<'s> {
    segment: &'s Segment,
    /// The chunk that was decompressed last.
    chunk: Option<(usize, Vec<u8>)>,
}

impl Reader<'_> {
    /// The packed rows of a subject; `None` where there are none, or they cannot be read.
    pub(super) fn rows(&mut self, subject: Number) -> Option<&[u8]> {
        let place = self.segment.members.binary_search_by_key(&subject, |member| member.subject).ok()?;
        let Member { chunk, from, length, .. } = *self.segment.members.get(place)?;
        if self.chunk.as_ref().is_none_or(|(number, _)| *number != chunk) {
            let bytes = self.segment.chunks.get(chunk)?.unpacked().ok()?;
            self.chunk = Some((chunk, bytes));
        }
        let (_, bytes) = self.chunk.as_ref()?;
        bytes.get(from..from.checked_add(length)?)
    }
}
