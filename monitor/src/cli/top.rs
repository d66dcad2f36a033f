//! Arguments of `monitor top`.

use std::path::PathBuf;

use clap::Args;

use super::{Moment, SourceArgs};

/// Arguments of `monitor top`.
#[derive(Args, Debug)]
pub struct TopArgs {
    /// Show a recording instead of measuring. Needs no rights but to read the file.
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// How fast to begin with: 1 as it was, 10 ten times as fast.
    #[arg(long, value_name = "FACTOR", requires = "replay", default_value_t = 1.0, hide_default_value = true, value_parser = parse_factor)]
    pub speed: f64,
    /// Where to begin: a time such as 2026-11-22T21:30:00Z, or a duration after the beginning, such as 10m.
    #[arg(long, value_name = "TIME", requires = "replay")]
    pub from: Option<Moment>,
    /// The column to sort by, such as cpu, memory, involuntary, throttled or name.
    #[arg(short, long, value_name = "COLUMN", default_value = "cpu")]
    pub sort: String,
    /// Which containers to show: words, and name:, image:, label:, runtime:, pod:, project: and state: before one; -WORD for all
    /// others.
    #[arg(short, long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    pub filter: String,
    /// What to put containers together by: pod, project (of Compose) or slice (the cgroup above).
    #[arg(short, long, value_name = "BY", value_parser = ["pod", "project", "slice"])]
    pub group: Option<String>,
    /// Most memory that snapshots may take which are kept to step back to, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub history_memory: u32,
    /// Leave the mouse to the terminal, which marks text with it.
    #[arg(long)]
    pub no_mouse: bool,
    /// Where measurements come from.
    #[command(flatten)]
    pub source: SourceArgs,
}

fn parse_factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor.is_finite() => Ok(factor),
        _ => Err("not a number above 0".to_owned()),
    }
}
