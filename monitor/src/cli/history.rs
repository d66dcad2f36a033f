//! Arguments of `monitor serve` about what was measured lately, and about serving a recording.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser as _},
};

use super::{Moment, Speed};

/// What is kept of what was measured, and where.
#[derive(Args, Debug)]
pub struct HistoryArgs {
    /// The directory in which history is kept across restarts; in memory only if empty, or where it cannot be written.
    #[arg(
        long,
        value_name = "DIRECTORY",
        default_value = "/var/lib/monitor",
        value_parser = OsStringValueParser::new().map(|text: OsString| PathBuf::from(text))
    )]
    pub data_dir: PathBuf,
    /// For how long what was measured is kept, and in which steps, from the finest to the coarsest. The finest keeps every
    /// window as it was; each other step is a multiple of the one before by a divisor of 60.
    #[arg(long, value_name = "STEP=SPAN,...", value_delimiter = ',', default_value = "1s=10m,10s=2h,1m=24h")]
    pub history: Vec<String>,
    /// Most memory that history may take, in MiB, and most of the disk. Where it is not enough, each step loses the same share
    /// of its span, the oldest first.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub history_memory: u32,
    /// Do not keep what was measured.
    #[arg(long)]
    pub no_history: bool,
    /// Serve a recording instead of measuring: all of it at once, or with --replay-speed as if it were measured now, with the
    /// recording's clock. Needs no rights but to read the file.
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// How fast: 1 as it was, 10 ten times as fast, `max` all at once.
    #[arg(
        long,
        value_name = "FACTOR",
        requires = "replay",
        default_value = "max",
        hide_default_value = true
    )]
    pub replay_speed: Speed,
    /// What was before comes at once: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m.
    #[arg(long, value_name = "TIME", requires = "replay")]
    pub replay_from: Option<Moment>,
}
