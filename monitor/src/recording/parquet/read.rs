//! Row groups to snapshots, or to single columns.

use std::{collections::HashMap, fs::File, sync::Arc};

use parquet::{
    errors::{ParquetError, Result},
    file::{
        metadata::{ParquetMetaDataReader, RowGroupMetaData, page_index::RowGroupPageIndex},
        properties::{ReaderProperties, ReaderPropertiesPtr},
        serialized_reader::SerializedRowGroupReader,
    },
    schema::types::SchemaDescPtr,
};

use super::{guarded, journal, leaf};
use crate::recording::columns::{Cell, Column, columns};

/// Reads a recording.
pub(in crate::recording) struct ParquetReader {
    file: Arc<File>,
    /// The leaves of each column of the file.
    leaves: HashMap<String, Vec<usize>>,
    groups: Vec<RowGroupMetaData>,
    properties: ReaderPropertiesPtr,
    is_cut: bool,
}

impl ParquetReader {
    /// Opens a file; one whose end is missing, to the last whole row group.
    pub(in crate::recording) fn open(file: File) -> Result<Self> {
        let (schema, groups, is_cut) = match guarded(|| ParquetMetaDataReader::new().parse_and_finish(&file))
        {
            Ok(metadata) => {
                (metadata.file_metadata().schema_descr_ptr(), metadata.row_groups().to_vec(), false)
            }
            Err(error) => {
                let (schema, groups) = journal::recover(&file)?.ok_or(error)?;
                (schema, groups, true)
            }
        };
        Ok(Self {
            file: Arc::new(file),
            leaves: leaves_of(&schema),
            groups,
            properties: Arc::new(ReaderProperties::builder().build()),
            is_cut,
        })
    }

    /// Whether the end of the file is missing.
    pub(in crate::recording) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// How many row groups there are.
    pub(in crate::recording) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// All rows of a row group, each with the values that are not null by their column.
    pub(in crate::recording) fn rows(
        &self,
        group: usize,
    ) -> Result<Vec<Vec<(&'static Column, Cell<'static>)>>> {
        let mut rows = Vec::new();
        for column in columns() {
            let Some(cells) = self.cells(group, column)? else { continue };
            rows.resize_with(rows.len().max(cells.len()), Vec::new);
            for (row, cell) in rows.iter_mut().zip(cells) {
                if cell != Cell::Null {
                    row.push((column, cell));
                }
            }
        }
        Ok(rows)
    }

    /// One column of a row group; `None` where the file lacks it.
    pub(in crate::recording) fn cells(
        &self,
        group: usize,
        column: &Column,
    ) -> Result<Option<Vec<Cell<'static>>>> {
        let Some(indices) = self.leaves.get(&column.name) else { return Ok(None) };
        let Some(metadata) = self.groups.get(group) else { return Ok(None) };
        let read = guarded(|| {
            let reader = SerializedRowGroupReader::new(
                Arc::clone(&self.file),
                metadata,
                RowGroupPageIndex::new(group, None),
                Arc::clone(&self.properties),
            )?;
            indices.iter().map(|index| leaf::read(&reader, *index)).collect::<Result<Vec<_>>>()
        })?;
        leaf::decode(column.type_, read)
            .map(Some)
            .ok_or_else(|| ParquetError::General(format!("column {} is not of its type", column.name)))
    }
}

fn leaves_of(schema: &SchemaDescPtr) -> HashMap<String, Vec<usize>> {
    let mut leaves: HashMap<String, Vec<usize>> = HashMap::new();
    for index in 0..schema.num_columns() {
        leaves.entry(schema.get_column_root(index).name().to_owned()).or_default().push(index);
    }
    leaves
}
