//! Snapshots in files: written as they are taken, and read back whatever became of the writer.
//!
//! Two formats hold the same: Parquet, for DuckDB, pandas and Polars, and NDJSON in zstd frames. Both are
//! written in pieces, a minute of snapshots or a bounded number of rows, and are readable to the last whole piece at any
//! moment.

mod assemble;
mod columns;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod ndjson;
mod parquet;
mod table;

use std::{
    collections::VecDeque,
    error::Error,
    fs::{self, File},
    io::{self, Read, Seek},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ::parquet::errors::ParquetError;
use jiff::Timestamp;

pub use self::{
    columns::markdown,
    table::{ContainerRow, Table},
};
use self::{
    ndjson::{NdjsonReader, NdjsonWriter},
    parquet::{ParquetReader, ParquetWriter},
};
use crate::model::{SCHEMA_VERSION, Snapshot};

/// What can go wrong with a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file could not be made.
    #[error("create {}", path.display())]
    Create {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file could not be opened.
    #[error("open {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something could not be written; what was written before is whole.
    #[error("write to {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Something could not be read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A snapshot in the file is not one that this version knows.
    #[error("read a snapshot of {}", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file is none of ours.
    #[error("{} is no recording: neither Parquet nor NDJSON in zstd frames; `monitor record` makes them", path.display())]
    NotARecording {
        /// Which.
        path: PathBuf,
    },
    /// What is read would be written over.
    #[error("{} is the recording that is read: write to another file", path.display())]
    ReadItself {
        /// The file.
        path: PathBuf,
    },
    /// A later version has written the file.
    #[error("{} has schema version {found}, this monitor knows {SCHEMA_VERSION}: use a later one", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// Formats of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns.
    Parquet,
    /// A snapshot a line, compressed.
    Ndjson,
}

impl Format {
    /// That of a file by the ending of its name.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        match name.rsplit_once('.')?.1 {
            "parquet" => Some(Self::Parquet),
            "zst" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

/// How a recording is written.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Its format.
    pub format: Format,
    /// How long anything is held in memory at most.
    pub flush_every: Duration,
    /// After how long another file is begun; never where `None`.
    pub rotate_every: Option<Duration>,
}

/// Writes snapshots to a file, or to one after the other.
pub struct Recorder {
    /// The first file.
    path: PathBuf,
    manner: Manner,
    /// The number of the file that is written, from 1.
    part: u32,
    /// The time of its first snapshot.
    begun_at: Option<Timestamp>,
    file: Writer,
}

enum Writer {
    Parquet(Box<ParquetWriter>),
    Ndjson(NdjsonWriter),
}

impl Recorder {
    /// Makes a file, or empties it, and begins a recording.
    pub fn create(path: &Path, manner: Manner) -> Result<Self, RecordingError> {
        let file = create(path)?;
        Self::begin(file, path, manner)
    }

    fn begin(file: File, path: &Path, manner: Manner) -> Result<Self, RecordingError> {
        let file = Writer::begin(file, path, manner)?;
        Ok(Self { path: path.into(), manner, part: 1, begun_at: None, file })
    }

    /// Takes a snapshot, which is written with others after it.
    pub fn write(&mut self, snapshot: &Arc<Snapshot>) -> Result<(), RecordingError> {
        let begun_at = *self.begun_at.get_or_insert(snapshot.taken_at);
        let age = Duration::try_from(snapshot.taken_at.duration_since(begun_at)).unwrap_or_default();
        if self.manner.rotate_every.is_some_and(|rotate_every| age >= rotate_every) {
            self.finish()?;
            self.part += 1;
            self.begun_at = Some(snapshot.taken_at);
            let path = self.part_path();
            self.file = Writer::begin(create(&path)?, &path, self.manner)?;
        }
        let written = match &mut self.file {
            Writer::Parquet(writer) => writer.write(Arc::clone(snapshot)),
            Writer::Ndjson(writer) => writer.write(snapshot).map_err(ParquetError::from),
        };
        written.map_err(|error| {
            // What was written before stays readable without this, but takes more room.
            let _ = self.finish();
            self.failed(error)
        })
    }

    /// Writes what is held and ends the recording.
    pub fn finish(&mut self) -> Result<(), RecordingError> {
        let written = match &mut self.file {
            Writer::Parquet(writer) => writer.finish(),
            Writer::Ndjson(writer) => writer.flush().map_err(ParquetError::from),
        };
        written.map_err(|error| self.failed(error))
    }

    /// The name of the file that is written: from the second on with its number, as in `day-0002.parquet`.
    fn part_path(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        if self.part == 1 {
            return self.path.clone();
        }
        let (stem, ending) = name.find('.').map_or((&*name, ""), |dot| name.split_at(dot));
        self.path.with_file_name(format!("{stem}-{:04}{ending}", self.part))
    }

    fn failed(&self, error: ParquetError) -> RecordingError {
        RecordingError::Write { path: self.part_path(), source: cause(error) }
    }
}

impl Writer {
    fn begin(file: File, path: &Path, manner: Manner) -> Result<Self, RecordingError> {
        match manner.format {
            Format::Ndjson => Ok(Self::Ndjson(NdjsonWriter::create(file, manner.flush_every))),
            Format::Parquet => {
                let writer = ParquetWriter::create(file, manner.flush_every);
                let failed = |error| RecordingError::Write { path: path.into(), source: cause(error) };
                Ok(Self::Parquet(Box::new(writer.map_err(failed)?)))
            }
        }
    }
}

/// An error where what is to be written is the recording that is read, by whatever name.
pub fn require_another(recording: &Path, output: &Path) -> Result<(), RecordingError> {
    let number = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    match (number(recording), number(output)) {
        (Ok(read), Ok(written)) if read == written => Err(RecordingError::ReadItself { path: output.into() }),
        // One that is not there is another one.
        _ => Ok(()),
    }
}

fn create(path: &Path) -> Result<File, RecordingError> {
    File::create(path).map_err(|source| RecordingError::Create { path: path.into(), source })
}

/// The snapshots of a file, in the order of time.
pub struct Recording {
    path: PathBuf,
    file: Reader,
    /// The same open file, which tells how far it was read.
    place: File,
    bytes: u64,
    has_warned: bool,
}

enum Reader {
    Parquet { reader: ParquetReader, next_group: usize, ready: VecDeque<Snapshot> },
    Ndjson(Box<NdjsonReader>),
}

impl Recording {
    /// Opens a recording of either format, which its first bytes tell.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let (file, format) = open(path)?;
        let failed = |source| RecordingError::Open { path: path.into(), source };
        let place = file.try_clone().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let file = match format {
            Format::Parquet => {
                Reader::Parquet { reader: open_parquet(file, path)?, next_group: 0, ready: VecDeque::new() }
            }
            Format::Ndjson => Reader::Ndjson(Box::new(NdjsonReader::open(file).map_err(failed)?)),
        };
        Ok(Self { path: path.into(), file, place, bytes, has_warned: false })
    }

    /// How much was read, of how much.
    pub fn progress(&mut self) -> (u64, u64) {
        match &self.file {
            Reader::Parquet { reader, next_group, .. } => (*next_group as u64, reader.group_count() as u64),
            Reader::Ndjson(_) => (self.place.stream_position().unwrap_or(0), self.bytes),
        }
    }

    /// Leaves out what was taken before a time, as far as that costs nothing: Parquet is left out by row groups, of NDJSON every
    /// line has to be read.
    pub fn skip_to(&mut self, time: Timestamp) -> Result<(), RecordingError> {
        let Reader::Parquet { reader, next_group, ready } = &mut self.file else { return Ok(()) };
        let failed = |error| RecordingError::Read { path: self.path.clone(), source: cause(error) };
        let begun_before = |group| {
            let column = columns::columns().iter().find(|column| column.name == columns::TAKEN_AT);
            let cells = column.map(|column| reader.cells(group, column)).transpose().map_err(failed)?;
            let first = cells.flatten().and_then(|cells| cells.into_iter().next());
            Ok::<_, RecordingError>(matches!(first, Some(columns::Cell::Time(begun)) if begun <= time))
        };
        // The last one that was begun before: a search, since each look reads from the file.
        let (mut low, mut high) = (*next_group, reader.group_count());
        while high.saturating_sub(low) > 1 {
            let middle = low + (high - low) / 2;
            if begun_before(middle)? { low = middle } else { high = middle }
        }
        if low > *next_group {
            *next_group = low;
            ready.clear();
        }
        Ok(())
    }

    fn read(&mut self) -> Option<Result<Snapshot, RecordingError>> {
        let wrong = |source| RecordingError::Snapshot { path: self.path.clone(), source };
        match &mut self.file {
            Reader::Ndjson(reader) => Some(reader.next()?.map_err(wrong)),
            Reader::Parquet { reader, next_group, ready } => {
                while ready.is_empty() && *next_group < reader.group_count() {
                    let rows = match reader.rows(*next_group) {
                        Ok(rows) => rows,
                        Err(error) => {
                            let source = cause(error);
                            return Some(Err(RecordingError::Read { path: self.path.clone(), source }));
                        }
                    };
                    *next_group += 1;
                    match assemble::snapshots(rows) {
                        Ok(snapshots) => ready.extend(snapshots),
                        Err(error) => return Some(Err(wrong(error))),
                    }
                }
                ready.pop_front().map(Ok)
            }
        }
    }

    fn is_cut(&self) -> bool {
        match &self.file {
            Reader::Parquet { reader, .. } => reader.is_cut(),
            Reader::Ndjson(reader) => reader.is_cut(),
        }
    }
}

impl Iterator for Recording {
    type Item = Result<Snapshot, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read();
        if self.is_cut() && !self.has_warned {
            self.has_warned = true;
            log::warn!("{} was cut short: read to what was last written whole", self.path.display());
        }
        match next {
            Some(Ok(snapshot)) if snapshot.schema_version > SCHEMA_VERSION => {
                Some(Err(RecordingError::TooNew { path: self.path.clone(), found: snapshot.schema_version }))
            }
            other => other,
        }
    }
}

fn open(path: &Path) -> Result<(File, Format), RecordingError> {
    let failed = |source| RecordingError::Open { path: path.into(), source };
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = [0; 4];
    match file.read_exact(&mut magic).and_then(|()| file.rewind()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(failed(error)),
    }
    match magic {
        parquet::MAGIC => Ok((file, Format::Parquet)),
        ndjson::MAGIC => Ok((file, Format::Ndjson)),
        _ => Err(RecordingError::NotARecording { path: path.into() }),
    }
}

fn open_parquet(file: File, path: &Path) -> Result<ParquetReader, RecordingError> {
    ParquetReader::open(file)
        .map_err(|error| RecordingError::Read { path: path.into(), source: cause(error) })
}

/// The system's error where it is one, which the format's only wraps.
fn cause(error: ParquetError) -> Box<dyn Error + Send + Sync> {
    if let ParquetError::External(cause) = error { cause } else { error.into() }
}

#[cfg(test)]
mod tests;
