//! Settings of the commands on recordings.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Form, SettingsError, Stream};
use crate::{
    cli::{
        Format as Typed, Moment, RecordArgs, RecordingFormat, ReplayArgs, ReportArgs, Speed, StatisticsFormat,
    },
    recording::{Format, Manner},
};

/// What is recorded, and where.
#[derive(Debug)]
pub struct Record {
    /// The file.
    pub path: PathBuf,
    /// How it is written.
    pub manner: Manner,
    /// When to end; never by itself where `None`.
    pub duration: Option<Duration>,
    /// Whether cgroups are recorded that are no container's.
    pub cgroups: bool,
    /// The containers to record; all where empty.
    pub containers: Vec<String>,
}

impl TryFrom<&RecordArgs> for Record {
    type Error = SettingsError;

    fn try_from(args: &RecordArgs) -> Result<Self, SettingsError> {
        let RecordArgs { file, format, duration, flush, rotate, cgroups, container, source: _ } = args;
        let format = match format {
            Some(RecordingFormat::Parquet) => Format::Parquet,
            Some(RecordingFormat::Ndjson) => Format::Ndjson,
            None => Format::of(file).ok_or_else(|| SettingsError::RecordingFormat { file: file.clone() })?,
        };
        Ok(Self {
            path: file.clone(),
            manner: Manner { format, flush_every: *flush, rotate_every: *rotate },
            duration: *duration,
            cgroups: *cgroups,
            containers: container.clone(),
        })
    }
}

/// The format that the name of a recording tells.
fn format_of(file: &Path) -> Result<Format, SettingsError> {
    Format::of(file).ok_or_else(|| SettingsError::RecordingFormat { file: file.into() })
}

/// What is replayed, and how.
#[derive(Debug)]
pub struct Replay {
    /// The recording.
    pub path: PathBuf,
    /// Seconds of it a second; without waiting where `None`.
    pub speed: Option<f64>,
    /// Where to begin.
    pub from: Option<Moment>,
    /// Where to end.
    pub to: Option<Moment>,
    /// How it is written.
    pub stream: Stream,
    /// The recording that is written instead, and its format.
    pub record: Option<(PathBuf, Format)>,
}

impl TryFrom<&ReplayArgs> for Replay {
    type Error = SettingsError;

    fn try_from(args: &ReplayArgs) -> Result<Self, SettingsError> {
        let ReplayArgs { file, speed, from, to, count, format, container, output, record } = args;
        let is_for_reading = output.is_none() && record.is_none() && std::io::stdout().is_terminal();
        let (form, pace) =
            if is_for_reading { (Typed::Table, Speed::Times(1.0)) } else { (Typed::Ndjson, Speed::Max) };
        let record = record
            .as_ref()
            .map(|file| Ok::<_, SettingsError>((file.clone(), format_of(file)?)))
            .transpose()?;
        Ok(Self {
            path: file.clone(),
            speed: match speed.unwrap_or(pace) {
                Speed::Max => None,
                Speed::Times(times) => Some(times),
            },
            from: *from,
            to: *to,
            stream: Stream {
                count: *count,
                form: Form::from(format.unwrap_or(form)),
                containers: container.clone(),
                output: output.clone(),
            },
            record,
        })
    }
}

/// What is reported on, and how.
#[derive(Debug)]
pub struct Report {
    /// The recordings.
    pub subject: Reported,
    /// Where to begin.
    pub from: Option<Moment>,
    /// Where to end.
    pub to: Option<Moment>,
    /// The containers; all where empty.
    pub containers: Vec<String>,
    /// The metrics or groups of them; the usual ones where empty.
    pub metrics: Vec<String>,
    /// The form of the report.
    pub form: StatisticsFormat,
    /// Where to write; standard output where `None`.
    pub output: Option<PathBuf>,
}

/// One recording, or two that are compared.
#[derive(Debug)]
pub enum Reported {
    /// One.
    One(PathBuf),
    /// Two.
    Two(PathBuf, PathBuf),
}

impl From<ReportArgs> for Report {
    fn from(args: ReportArgs) -> Self {
        let ReportArgs { file, diff, from, to, container, metric, format, output } = args;
        let subject = match <[PathBuf; 2]>::try_from(diff) {
            Ok([first, second]) => Reported::Two(first, second),
            // The parser demands either.
            Err(_) => Reported::One(file.unwrap_or_default()),
        };
        Self { subject, from, to, containers: container, metrics: metric, form: format, output }
    }
}
