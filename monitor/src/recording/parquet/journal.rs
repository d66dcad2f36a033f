//! What stands after each row group's data and says where that row group is, for files whose end is missing.
//!
//! An entry is a footer of this one row group, compressed, its length and a magic. The format allows what no footer tells
//! of between row groups, and other readers do not look at it. Entries are found from the end of the file: the last whole one by
//! its magic, each before it at the beginning of the row group after it.

use std::{fs::File, io, os::unix::fs::FileExt};

use parquet::{
    errors::Result,
    file::metadata::{ParquetMetaDataReader, RowGroupMetaData},
    schema::types::SchemaDescPtr,
};

use super::MAGIC as FILE_MAGIC;

const MAGIC: [u8; 8] = *b"MonJrnl1";
/// Bytes of the length and the magic.
const END: usize = size_of::<u32>() + MAGIC.len();
const LEVEL: i32 = 3;
/// More than the entry of any recording takes: what claims to be larger is none.
const LARGEST: usize = 16 << 20;
/// How much is searched for the magic at once.
const PIECE: u64 = 1 << 20;

/// The entry of a row group.
pub(super) fn entry(schema: &SchemaDescPtr, group: &RowGroupMetaData) -> Result<Vec<u8>> {
    let footer = super::footer(schema, std::slice::from_ref(group))?;
    let mut entry = zstd::bulk::compress(&footer, LEVEL)?;
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
    entry.extend(length.to_le_bytes());
    entry.extend(MAGIC);
    Ok(entry)
}

/// The row groups that are whole, in the order of the file, with the schema.
pub(super) fn recover(file: &File) -> io::Result<Option<(SchemaDescPtr, Vec<RowGroupMetaData>)>> {
    let mut groups = Vec::new();
    let mut schema = None;
    let mut end = file.metadata()?.len();
    while let Some(at) = last_magic(file, end)? {
        end = at;
        let Some((descriptor, group, start)) = read_entry(file, at)? else { continue };
        schema = Some(descriptor);
        groups.push(group);
        let mut next = start;
        while next > FILE_MAGIC.len() as u64 {
            // Entries are one after the other from here on.
            let Some(at) = next.checked_sub(MAGIC.len() as u64) else { break };
            let Some((_, group, start)) = read_entry(file, at)?.filter(|(_, _, start)| *start < next) else {
                break;
            };
            groups.push(group);
            next = start;
        }
        break;
    }
    groups.reverse();
    Ok(schema.map(|schema| (schema, groups)))
}

/// Where the last magic begins that ends at or before `end`.
fn last_magic(file: &File, mut end: u64) -> io::Result<Option<u64>> {
    let size = MAGIC.len() as u64;
    while end >= size {
        let from = end.saturating_sub(PIECE);
        let mut piece = vec![0; usize::try_from(end - from).unwrap_or_default()];
        file.read_exact_at(&mut piece, from)?;
        if let Some(at) = piece.windows(MAGIC.len()).rposition(|window| window == MAGIC) {
            return Ok(Some(from + at as u64));
        }
        if from == 0 {
            return Ok(None);
        }
        // A magic may lie across the two pieces.
        end = from + size - 1;
    }
    Ok(None)
}

/// The entry whose magic begins at `at`, and where its row group begins.
fn read_entry(file: &File, at: u64) -> io::Result<Option<(SchemaDescPtr, RowGroupMetaData, u64)>> {
    let mut end = [0; END];
    let Some(length_at) = at.checked_sub(size_of::<u32>() as u64) else { return Ok(None) };
    file.read_exact_at(&mut end, length_at)?;
    let [a, b, c, d, magic @ ..] = end;
    let length = u32::from_le_bytes([a, b, c, d]);
    let Some(begin) = length_at.checked_sub(length.into()).filter(|_| magic == MAGIC) else {
        return Ok(None);
    };
    let Ok(length) = usize::try_from(length) else { return Ok(None) };
    if length > LARGEST {
        return Ok(None);
    }
    let mut entry = vec![0; length];
    file.read_exact_at(&mut entry, begin)?;
    let Ok(footer) = zstd::bulk::decompress(&entry, LARGEST) else { return Ok(None) };
    let Ok(metadata) = super::guarded(|| ParquetMetaDataReader::decode_metadata(&footer)) else {
        return Ok(None);
    };
    let start = metadata.row_groups().first().and_then(start_of).filter(|start| *start < begin);
    let Some((group, start)) = metadata.row_groups().first().cloned().zip(start) else { return Ok(None) };
    Ok(Some((metadata.file_metadata().schema_descr_ptr(), group, start)))
}

/// Where a row group's data begins.
fn start_of(group: &RowGroupMetaData) -> Option<u64> {
    group.columns().iter().map(|column| column.byte_range().0).min()
}
