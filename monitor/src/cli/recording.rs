//! Arguments of the commands on recordings.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, builder::ValueParser};
use jiff::{SignedDuration, Timestamp};

use super::{Format, SourceArgs, parse_duration, parse_interval};

/// Arguments of `monitor record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// The file, which is emptied if it exists.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Format of the file [default: by the ending of its name, .parquet or .ndjson.zst].
    #[arg(short, long, value_enum)]
    pub format: Option<RecordingFormat>,
    /// End after so long [default: on Ctrl-C].
    #[arg(short, long, value_name = "DURATION", value_parser = ValueParser::new(parse_positive))]
    pub duration: Option<Duration>,
    /// Write what is held in memory at least this often: what a crash costs at most.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = ValueParser::new(parse_interval))]
    pub flush: Duration,
    /// Begin another file after so long, with a number in its name: day.parquet, day-0002.parquet.
    #[arg(long, value_name = "DURATION", value_parser = ValueParser::new(parse_positive))]
    pub rotate: Option<Duration>,
    /// Record cgroups that are no container's too.
    #[arg(long)]
    pub cgroups: bool,
    /// Record this container only, by name, id or the beginning of its id (six characters or more); may be given more than once.
    #[arg(short, long, value_name = "CONTAINER")]
    pub container: Vec<String>,
    /// Where measurements come from.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Formats of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordingFormat {
    /// Columns, as DuckDB, pandas and Polars read them.
    Parquet,
    /// One snapshot a line, compressed with zstd.
    Ndjson,
}

/// Arguments of `monitor replay`.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// The recording.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How fast: 1 as it was, 10 ten times as fast, `max` without waiting [default: 1 on a terminal, else max].
    #[arg(short, long, value_name = "FACTOR")]
    pub speed: Option<Speed>,
    /// Leave out what was before: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m.
    #[arg(long, value_name = "TIME")]
    pub from: Option<Moment>,
    /// Leave out what was after.
    #[arg(long, value_name = "TIME")]
    pub to: Option<Moment>,
    /// End after so many windows.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Form of the output [default: table on a terminal, else ndjson].
    #[arg(short, long, value_enum)]
    pub format: Option<Format>,
    /// Show this container only, by name, id or the beginning of its id (six characters or more); may be given more than once.
    #[arg(short, long, value_name = "CONTAINER")]
    pub container: Vec<String>,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write another recording, of the format that the ending of its name says: to take a part out, to change the format, or to
    /// make a file whole that was cut short.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "format", "speed"])]
    pub record: Option<PathBuf>,
}

/// Arguments of `monitor report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// The recording.
    #[arg(value_name = "FILE", required_unless_present = "diff", conflicts_with = "diff")]
    pub file: Option<PathBuf>,
    /// Compare two recordings, container by container of one name, by a rank test and its effect size.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub diff: Vec<PathBuf>,
    /// Leave out what was before: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m.
    #[arg(long, value_name = "TIME")]
    pub from: Option<Moment>,
    /// Leave out what was after.
    #[arg(long, value_name = "TIME")]
    pub to: Option<Moment>,
    /// Report on this container only, by name, id or the beginning of its id (six characters or more); may be given more than once.
    #[arg(short, long, value_name = "CONTAINER")]
    pub container: Vec<String>,
    /// Report on this metric, as `group.name`, on a group, or on `all`; may be given more than once [default: the usual ones].
    #[arg(short, long, value_name = "METRIC")]
    pub metric: Vec<String>,
    /// Form of the report.
    #[arg(short, long, value_enum, default_value_t = StatisticsFormat::Text)]
    pub format: StatisticsFormat,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Forms of a report on a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatisticsFormat {
    /// Lines for reading.
    Text,
    /// One object, with everything that was found.
    Json,
    /// Markdown with tables.
    Markdown,
    /// One page with plots that needs nothing else.
    Html,
}

/// How fast a recording is replayed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Without waiting.
    Max,
    /// So many seconds of it a second.
    Times(f64),
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            _ if text == "max" => Ok(Self::Max),
            Ok(times) if times > 0.0 && times.is_finite() => Ok(Self::Times(times)),
            _ => Err("neither a number above 0 nor max".to_owned()),
        }
    }
}

/// A moment of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// By the clock.
    At(Timestamp),
    /// So long after the beginning.
    After(SignedDuration),
}

impl Moment {
    /// When it was, in a recording that begins at `beginning`.
    #[must_use]
    pub fn after(self, beginning: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::After(duration) => beginning.saturating_add(duration).unwrap_or(Timestamp::MAX),
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = text.parse().map(Self::At);
        time.or_else(|_not_a_time| text.parse().map(Self::After)).map_err(|_neither| {
            "neither a time such as 2026-11-22T21:30:00Z nor a duration such as 10m".to_owned()
        })
    }
}

fn parse_positive(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    if duration.is_zero() { Err("is zero".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_factors_or_max() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("2.5".parse(), Ok(Speed::Times(2.5)));
        for wrong in ["0", "-1", "inf", "nan", "", "fast"] {
            assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_times_or_counted_from_the_beginning() {
        let beginning: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        let ten_past: Timestamp = "2026-11-22T21:10:00Z".parse().unwrap();
        for text in ["2026-11-22T21:10:00Z", "2026-11-22T22:10:00+01:00", "10m", "600s"] {
            assert_eq!(text.parse::<Moment>().unwrap().after(beginning), ten_past, "{text}");
        }
        assert!("yesterday".parse::<Moment>().is_err());
    }
}
