//! Snapshots as lines of JSON, handed on piece by piece: a line of hundreds of containers is megabytes, which would leave the
//! CPU's caches and have to come back.
//!
//! Most containers are idle most of the time. What a snapshot shares with the one before ([`Shared`](crate::model::Shared)) is
//! not encoded again: its text is kept from the second time on that it is written.

use std::{collections::HashMap, io, sync::Arc};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    escape::escaped_json,
    sink::{Drain, SinkError, Target},
};
use crate::model::{
    Audit, Cgroup, CgroupEntry, CgroupKind, Container, Coverage, Host, Measurements, Snapshot, member::ToJson,
};

/// Of what is handed on at a time; no more than a cache holds, no less than a pipe takes at once by default.
const PIECE: usize = 1 << 16;

/// Writes a snapshot a line (NDJSON: RFC 8259 values, newline-delimited).
pub struct Lines {
    pieces: Pieces,
    /// What was written last of each container and each other cgroup, by the cgroup's id.
    written: HashMap<u64, Row>,
    scratch: Vec<u8>,
}

type Row = Vec<Written>;

/// A part of a snapshot that was written.
struct Written {
    part: Arc<dyn ToJson>,
    /// Its JSON, if it was written more than once.
    text: Option<Box<[u8]>>,
}

/// The members of a [`Snapshot`] before its containers.
#[derive(Serialize)]
struct Begin<'a> {
    schema_version: u32,
    taken_at: Timestamp,
    window_ns: u64,
    host: &'a Host,
}

/// Those after its cgroups.
#[derive(Serialize)]
struct End<'a> {
    audit: &'a Audit,
    coverage: &'a Coverage,
}

/// The members of a [`CgroupEntry`] before its measurements.
#[derive(Serialize)]
struct CgroupHead<'a> {
    cgroup: &'a Cgroup,
    kind: Option<CgroupKind>,
    name: Option<&'a str>,
    counting_since: Timestamp,
}

impl Lines {
    /// Lines that go there.
    #[must_use]
    pub fn new(target: Target) -> Self {
        let pieces = Pieces { target, piece: Vec::with_capacity(PIECE) };
        Self { pieces, written: HashMap::new(), scratch: Vec::new() }
    }

    /// As `serde_json` would have it. Objects are written by their parts; what encloses these is put around them here.
    fn write_line(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let Snapshot { schema_version, taken_at, window_ns, host, containers, cgroups, audit, coverage } =
            snapshot;
        let begin =
            Begin { schema_version: *schema_version, taken_at: *taken_at, window_ns: *window_ns, host };
        encode(&begin, &mut self.scratch);
        self.pieces.write_all(open_end(&self.scratch))?;
        let mut before = std::mem::take(&mut self.written);
        let mut last = |id: &u64| before.remove(id).unwrap_or_default();
        self.pieces.write_all(b",\"containers\":[")?;
        for (number, Container { about, measurements }) in containers.iter().enumerate() {
            self.write_separator(number)?;
            let mut row = last(&about.cgroup.id);
            let head = text(&mut row, 0, about.handle(), &mut self.scratch);
            self.pieces.write_all(open_end(head))?;
            self.write_groups(about.cgroup.id, row, 1, measurements)?;
        }
        self.pieces.write_all(b"],\"cgroups\":[")?;
        for (number, entry) in cgroups.iter().enumerate() {
            let CgroupEntry { cgroup, kind, name, counting_since, measurements } = entry;
            self.write_separator(number)?;
            let (kind, name, counting_since) = (*kind, name.as_deref(), *counting_since);
            encode(&CgroupHead { cgroup, kind, name, counting_since }, &mut self.scratch);
            self.pieces.write_all(open_end(&self.scratch))?;
            self.write_groups(cgroup.id, last(&cgroup.id), 0, measurements)?;
        }
        self.pieces.write_all(b"],")?;
        encode(&End { audit, coverage }, &mut self.scratch);
        self.pieces.write_all(self.scratch.get(1..).unwrap_or_default())?;
        self.pieces.write_all(b"\n")?;
        self.pieces.flush()?;
        self.pieces.target.end_window()
    }

    fn write_separator(&mut self, number: usize) -> io::Result<()> {
        if number == 0 { Ok(()) } else { self.pieces.write_all(b",") }
    }

    /// Writes the groups as the last members of an object. `row` is what was written last, these groups from `first` on.
    fn write_groups(
        &mut self,
        cgroup: u64,
        mut row: Row,
        first: usize,
        measurements: &Measurements,
    ) -> io::Result<()> {
        for (place, (name, group)) in measurements.groups().into_iter().enumerate() {
            self.pieces.write_all(b",\"")?;
            self.pieces.write_all(name.as_bytes())?;
            self.pieces.write_all(b"\":")?;
            self.pieces.write_all(text(&mut row, first + place, group, &mut self.scratch))?;
        }
        self.written.insert(cgroup, row);
        self.pieces.write_all(b"}")
    }
}

/// Replaces the text by the JSON of a part.
fn encode(part: &dyn ToJson, text: &mut Vec<u8>) {
    text.clear();
    part.put_json(text);
    if let Some(escaped) = escaped_json(text) {
        *text = escaped.into_bytes();
    }
}

/// The JSON of a part, which is kept in its place of the row if the same part is there already.
fn text<'a>(row: &'a mut Row, place: usize, part: Arc<dyn ToJson>, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    if !row.get(place).is_some_and(|last| Arc::ptr_eq(&last.part, &part)) {
        encode(&*part, scratch);
        let written = Written { part, text: None };
        match row.get_mut(place) {
            Some(last) => *last = written,
            None => row.push(written),
        }
        return scratch;
    }
    let encoded = || {
        encode(&*part, scratch);
        scratch.as_slice().into()
    };
    row.get_mut(place).map(|last| &**last.text.get_or_insert_with(encoded)).unwrap_or_default()
}

/// An object without its closing brace.
fn open_end(object: &[u8]) -> &[u8] {
    object.strip_suffix(b"}").unwrap_or(object)
}

/// Where the pieces go.
struct Pieces {
    target: Target,
    piece: Vec<u8>,
}

impl Pieces {
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.piece.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        self.piece.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.target.write_part(&self.piece);
        self.piece.clear();
        written
    }
}

impl Drain<Snapshot> for Lines {
    fn take(&mut self, snapshot: &Arc<Snapshot>) -> Result<(), SinkError> {
        self.write_line(snapshot).map_err(|error| self.pieces.target.failed(error))
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bytes::BytesMut;

    use super::*;
    use crate::{model::testing, output::json};

    #[test]
    fn pieces_add_up_to_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut lines = Lines::new(Target::file(&path).unwrap());
        let short = testing::snapshot(1, vec![]);
        let long = testing::snapshot(2, vec![testing::container("a"); 100]);
        for snapshot in [&short, &long] {
            lines.take(&Arc::new(snapshot.clone())).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.len() > 2 * PIECE, "{}", text.len());
        let read: Vec<Snapshot> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, [short, long]);
    }

    #[test]
    fn what_is_kept_is_written_as_if_it_were_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut lines = Lines::new(Target::file(&path).unwrap());
        let mut snapshot = testing::snapshot(1, vec![testing::container("a"), testing::container("b")]);
        snapshot.containers[1].cgroup.id = 2;
        let (cgroup, measurements) = (Cgroup { id: 3, path: None }, Measurements::default());
        let counting_since = Timestamp::UNIX_EPOCH;
        snapshot.cgroups = vec![CgroupEntry { cgroup, kind: None, name: None, counting_since, measurements }];
        let changes: [fn(&mut Snapshot); 6] = [
            |_| {},
            |_| {},
            |snapshot| snapshot.containers[0].measurements.scheduler.migrations_total = Some(7),
            |snapshot| snapshot.containers[1].name = Some("\u{9b}2J".to_owned()),
            |snapshot| snapshot.cgroups[0].measurements.pids.current = Some(7),
            |snapshot| drop(snapshot.containers.remove(0)),
        ];
        let mut expected = BytesMut::new();
        for change in changes {
            change(&mut snapshot);
            lines.take(&Arc::new(snapshot.clone())).unwrap();
            json::encode_line(&snapshot, &mut expected);
        }
        let kept = |id: &u64| lines.written[id].iter().filter(|part| part.text.is_some()).count();
        assert_eq!(lines.written.len(), 2, "what is gone is forgotten");
        assert_eq!([kept(&2), kept(&3)], [13, 12]);
        assert_eq!(fs::read(&path).unwrap(), expected);
    }
}
