//! Settings of `monitor top`.

use std::{io::IsTerminal, path::PathBuf};

use super::SettingsError;
use crate::{
    cli::{Moment, TopArgs},
    tui::{Grouping, Options, SortColumn},
};

/// What is shown on the terminal.
#[derive(Debug)]
pub struct Top {
    /// How it begins.
    pub options: Options,
    /// The recording that is shown instead of what is measured.
    pub replay: Option<Played>,
}

/// A recording that is shown.
#[derive(Debug)]
pub struct Played {
    /// The file.
    pub path: PathBuf,
    /// Seconds of it a second.
    pub speed: f64,
    /// Where to begin.
    pub from: Option<Moment>,
}

impl TryFrom<&TopArgs> for Top {
    type Error = SettingsError;

    fn try_from(args: &TopArgs) -> Result<Self, SettingsError> {
        let TopArgs { replay, speed, from, sort, filter, group, history_memory, no_mouse, source: _ } = args;
        let sort: SortColumn = sort.parse()?;
        if !std::io::stdout().is_terminal() {
            return Err(SettingsError::NoTerminal);
        }
        Ok(Self {
            options: Options {
                sort,
                filter: filter.clone(),
                grouping: group.as_deref().and_then(Grouping::find),
                memory: usize::try_from(*history_memory).unwrap_or(usize::MAX).saturating_mul(1 << 20),
                mouse: !no_mouse,
            },
            replay: replay.clone().map(|path| Played { path, speed: *speed, from: *from }),
        })
    }
}
