//! A recording by columns, for statistics over all of it: a column is read whole, and the others are not.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use parquet::errors::ParquetError;

use super::{
    Format, Manner, Recorder, Recording, RecordingError, cause,
    columns::{CONTAINER, Cell, Column, ROW, TAKEN_AT, columns},
    open, open_parquet,
    parquet::ParquetReader,
};

/// A container's row, without what was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRow {
    /// The window's end.
    pub taken_at: Timestamp,
    /// The container's id.
    pub id: String,
    /// Its cgroup's id: another one after each start.
    pub cgroup: u64,
    /// Its name, where it was known.
    pub name: Option<String>,
    /// Its image, where it was known.
    pub image: Option<String>,
}

/// A recording of either format.
pub struct Table {
    path: PathBuf,
    reader: ParquetReader,
}

impl Table {
    /// Opens a recording. One of NDJSON is first written as Parquet to a file without a name, in the folder for such.
    ///
    /// That is told as it goes on: how much was read, of how much.
    pub fn open(path: &Path, progress: impl FnMut(u64, u64)) -> Result<Self, RecordingError> {
        let (file, format) = open(path)?;
        let reader = match format {
            Format::Parquet => open_parquet(file, path)?,
            Format::Ndjson => transposed(path, progress)?,
        };
        if reader.is_cut() {
            log::warn!("{} was cut short: read to what was last written whole", path.display());
        }
        Ok(Self { path: path.into(), reader })
    }

    /// The pieces that it is in.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.reader.group_count()
    }

    /// The rows of a piece: its containers', and `None` for the others'.
    pub fn rows(&self, group: usize) -> Result<Vec<Option<ContainerRow>>, RecordingError> {
        let kinds = self.cells(group, ROW)?.into_iter();
        let times = self.cells(group, TAKEN_AT)?.into_iter();
        let ids = self.cells(group, "id")?.into_iter();
        let cgroups = self.cells(group, "cgroup.id")?.into_iter();
        let names = self.cells(group, "name")?.into_iter();
        let images = self.cells(group, "image")?.into_iter();
        let rows = kinds.zip(times).zip(ids).zip(cgroups).zip(names.zip(images));
        Ok(rows
            .map(|((((kind, time), id), cgroup), (name, image))| {
                let (Some(kind), Cell::Time(taken_at)) = (text(kind), time) else { return None };
                let Cell::Unsigned(cgroup) = cgroup else { return None };
                let id = text(id).filter(|_| kind == CONTAINER)?;
                Some(ContainerRow { taken_at, id, cgroup, name: text(name), image: text(image) })
            })
            .collect())
    }

    /// The numbers of a column in a piece, in the order of its rows; empty where the recording lacks it.
    pub fn numbers(&self, group: usize, column: &str) -> Result<Vec<Option<f64>>, RecordingError> {
        let number = |cell| match cell {
            Cell::Unsigned(value) => Some(value as f64),
            Cell::Signed(value) => Some(value as f64),
            Cell::Real(value) => Some(value),
            _ => None,
        };
        Ok(self.cells(group, column)?.into_iter().map(number).collect())
    }

    fn cells(&self, group: usize, name: &str) -> Result<Vec<Cell<'static>>, RecordingError> {
        let Some(column) = columns().iter().find(|column: &&Column| column.name == name) else {
            return Ok(Vec::new());
        };
        let cells = self.reader.cells(group, column).map_err(|error| self.failed(error))?;
        Ok(cells.unwrap_or_default())
    }

    fn failed(&self, error: ParquetError) -> RecordingError {
        RecordingError::Read { path: self.path.clone(), source: cause(error) }
    }
}

fn text(cell: Cell<'static>) -> Option<String> {
    if let Cell::Text(text) = cell { Some(text.into_owned()) } else { None }
}

/// A recording of NDJSON as columns. Both files are read and written once, whatever their size, in bounded memory.
fn transposed(path: &Path, mut progress: impl FnMut(u64, u64)) -> Result<ParquetReader, RecordingError> {
    let name = std::env::temp_dir().join("a recording's columns");
    let failed = |source| RecordingError::Create { path: name.clone(), source };
    let file = tempfile::tempfile().map_err(failed)?;
    let again = file.try_clone().map_err(failed)?;
    let manner = Manner { format: Format::Parquet, flush_every: Duration::MAX, rotate_every: None };
    let mut recorder = Recorder::begin(file, &name, manner)?;
    let mut recording = Recording::open(path)?;
    while let Some(snapshot) = recording.next() {
        recorder.write(&Arc::new(snapshot?))?;
        let (done, all) = recording.progress();
        progress(done, all);
    }
    recorder.finish()?;
    open_parquet(again, &name)
}
