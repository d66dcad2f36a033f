//! Promises of what reads recordings: [`crate::fuzzing`].
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use std::{
    fs::File,
    io::Write as _,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rustix::fs::{MemfdFlags, memfd_create};

use super::{Recording, Table, columns};
use crate::{fuzzing::made, model::Snapshot};

/// Snapshots that are read of one input: how they are read does not change after so many.
const MOST: usize = 16;

/// A recording of lines; where it does not begin as a frame of zstd does, its text, which is packed in one.
pub(crate) fn ndjson(input: &[u8]) {
    if input.starts_with(&super::ndjson::MAGIC) {
        made(snapshots(input));
        return;
    }
    let frame = zstd::bulk::compress(input, 1).unwrap();
    let read = snapshots(&frame);
    let mut lines = input.split(|byte| *byte == b'\n');
    for snapshot in &read {
        let line: Snapshot = serde_json::from_slice(lines.next().unwrap()).unwrap();
        assert_eq!(line, *snapshot);
    }
    if !read.is_empty() {
        with_file(&frame, |path| {
            made(Table::open(path, |done, all| assert!(done <= all)).map(|table| read_table(&table)));
        });
    }
}

/// A recording of columns.
pub(crate) fn parquet(input: &[u8]) {
    made(snapshots(input));
    with_file(input, |path| {
        let Ok(mut recording) = Recording::open(path) else { return };
        if recording.skip_to(Timestamp::from_second(1_800_000_000).unwrap()).is_ok() {
            recording.take(MOST).for_each(made);
        }
    });
    with_file(input, |path| made(Table::open(path, |_, _| {}).map(|table| read_table(&table))));
}

/// The first snapshots, to the first that cannot be read.
fn snapshots(file: &[u8]) -> Vec<Snapshot> {
    with_file(file, |path| {
        let recording = Recording::open(path).into_iter().flatten();
        recording.map_while(Result::ok).take(MOST).collect()
    })
}

fn read_table(table: &Table) {
    for group in 0..table.groups().min(MOST) {
        made(table.rows(group));
        for column in columns::columns() {
            made(table.numbers(group, &column.name));
        }
    }
}

/// A file in memory with these bytes.
fn with_file<T>(bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    let mut file = File::from(memfd_create("recording", MemfdFlags::CLOEXEC).unwrap());
    file.write_all(bytes).unwrap();
    read(&PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())))
}
