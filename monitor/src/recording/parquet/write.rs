//! Snapshots to row groups.

use std::{
    fs::File,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    errors::{ParquetError, Result},
    file::{
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
        writer::SerializedFileWriter,
    },
    schema::types::{ColumnPath, SchemaDescPtr},
};

use super::{descriptor, footer, journal, leaf, schema, tail::Tail};
use crate::{
    model::Snapshot,
    recording::columns::{ROW, Row, TAKEN_AT, Type, columns},
};

/// Rows that are held in memory at most: some kilobytes each.
const MOST_ROWS: usize = 4096;

/// Writes a recording.
pub(in crate::recording) struct ParquetWriter {
    writer: SerializedFileWriter<Vec<u8>>,
    schema: SchemaDescPtr,
    tail: Tail,
    pending: Vec<Arc<Snapshot>>,
    pending_rows: usize,
    flush_every: Duration,
    flushed_at: Instant,
}

impl ParquetWriter {
    /// Begins a recording in an empty file.
    pub(in crate::recording) fn create(file: File, flush_every: Duration) -> Result<Self> {
        let schema = schema()?;
        let mut writer = SerializedFileWriter::new(Vec::new(), Arc::clone(&schema), properties())?;
        let schema = descriptor(schema);
        let head = take_written(&mut writer)?;
        let tail = Tail::create(file, &head, footer(&schema, &[])?)?;
        let flushed_at = Instant::now();
        Ok(Self { writer, schema, tail, pending: Vec::new(), pending_rows: 0, flush_every, flushed_at })
    }

    /// Takes a snapshot; writes a row group where it is time, or where there are many rows.
    pub(in crate::recording) fn write(&mut self, snapshot: Arc<Snapshot>) -> Result<()> {
        self.pending_rows += Row::all(&snapshot).count();
        self.pending.push(snapshot);
        if self.pending_rows < MOST_ROWS && self.flushed_at.elapsed() < self.flush_every {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what is held, and leaves a file without room for more.
    pub(in crate::recording) fn finish(&mut self) -> Result<()> {
        self.flush()?;
        Ok(self.tail.finish()?)
    }

    /// Where the data of whole row groups ends.
    #[cfg(test)]
    pub(in crate::recording) fn data_end(&self) -> u64 {
        self.tail.data_end()
    }

    /// Writes what is held as a row group. Where that fails it is given up, and the file has what it had before.
    fn flush(&mut self) -> Result<()> {
        let snapshots = std::mem::take(&mut self.pending);
        self.pending_rows = 0;
        self.flushed_at = Instant::now();
        if snapshots.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<Row<'_>> = snapshots.iter().flat_map(|snapshot| Row::all(snapshot)).collect();
        rows.sort_by_key(Row::key);
        self.write_group(&rows)?;
        let groups = self.writer.flushed_row_groups();
        let last =
            groups.last().ok_or_else(|| ParquetError::General("no row group was written".to_owned()))?;
        let entry = journal::entry(&self.schema, last)?;
        let footer = footer(&self.schema, groups)?;
        self.writer.write_all(&entry)?;
        let data = take_written(&mut self.writer)?;
        Ok(self.tail.append(&data, footer)?)
    }

    fn write_group(&mut self, rows: &[Row<'_>]) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for column in columns() {
            for leaf in leaf::encode(column.type_, rows.iter().map(|row| (column.read)(row))) {
                let mut writer = group
                    .next_column()?
                    .ok_or_else(|| ParquetError::General(format!("no leaf for {}", column.name)))?;
                leaf.write(&mut writer, column.type_)?;
                writer.close()?;
            }
        }
        group.close()?;
        Ok(())
    }
}

/// What was written since the last call. The writer counts on as if it were still there.
fn take_written(writer: &mut SerializedFileWriter<Vec<u8>>) -> io::Result<Vec<u8>> {
    writer.flush()?;
    Ok(std::mem::take(writer.inner_mut()))
}

/// Rows of one subject are beside each other, so that differences are small, and most are 0.
fn properties() -> WriterPropertiesPtr {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    for column in columns() {
        let path = ColumnPath::new(vec![column.name.clone()]);
        match column.type_ {
            Type::Time | Type::Unsigned | Type::Signed => {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
            }
            Type::Real | Type::Text | Type::Json | Type::Numbers | Type::Buckets => {}
        }
        // For readers that pass over row groups.
        if [TAKEN_AT, ROW].contains(&column.name.as_str()) {
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
        }
    }
    Arc::new(properties.build())
}
