//! Settings of what `monitor serve` keeps, and of the recording that it may serve.

use std::path::PathBuf;

use super::SettingsError;
use crate::{
    cli::{HistoryArgs, Moment, Speed},
    history::{Resolution, Resolutions},
};

/// What is kept of what was measured, and where.
#[derive(Debug)]
pub struct KeptHistory {
    /// In which steps, and for how long.
    pub resolutions: Resolutions,
    /// Bytes at most.
    pub limit: usize,
    /// The directory; in memory only where `None`.
    pub data_dir: Option<PathBuf>,
}

/// A recording that is served.
#[derive(Debug)]
pub struct Replayed {
    /// The file.
    pub path: PathBuf,
    /// Seconds of it a second; at once where `None`.
    pub speed: Option<f64>,
    /// What was before comes at once.
    pub from: Option<Moment>,
}

impl KeptHistory {
    /// What the arguments say; `None` where nothing is kept.
    pub(super) fn new(args: &HistoryArgs) -> Result<Option<Self>, SettingsError> {
        let HistoryArgs { data_dir, history, history_memory, no_history, replay, .. } = args;
        if *no_history {
            return Ok(None);
        }
        let parsed: Result<Vec<Resolution>, _> = history.iter().map(|one| one.parse()).collect();
        // What is replayed is on the disk already.
        let data_dir = (!data_dir.as_os_str().is_empty() && replay.is_none()).then(|| data_dir.clone());
        Ok(Some(Self {
            resolutions: parsed.and_then(Resolutions::new)?,
            limit: usize::try_from(*history_memory).unwrap_or(usize::MAX).saturating_mul(1 << 20),
            data_dir,
        }))
    }
}

impl Replayed {
    /// What the arguments say; `None` where nothing is replayed.
    pub(super) fn new(args: &HistoryArgs) -> Option<Self> {
        let HistoryArgs { replay, replay_speed, replay_from, .. } = args;
        Some(Self {
            path: replay.clone()?,
            speed: match replay_speed {
                Speed::Max => None,
                Speed::Times(times) => Some(*times),
            },
            from: *replay_from,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn kept(args: &[&str]) -> Result<Option<KeptHistory>, SettingsError> {
        let typed = ["monitor", "serve"].into_iter().chain(args.iter().copied());
        let Command::Serve(args) = Cli::try_parse_from(typed).unwrap().command else { panic!("not serve") };
        KeptHistory::new(&args.history)
    }

    #[test]
    fn settings_of_history() {
        let usual = kept(&[]).unwrap().unwrap();
        assert_eq!((usual.resolutions.iter().count(), usual.limit), (3, 64 << 20));
        assert_eq!(usual.data_dir.as_deref(), Some("/var/lib/monitor".as_ref()));
        assert!(kept(&["--data-dir", ""]).unwrap().unwrap().data_dir.is_none());
        assert!(kept(&["--no-history"]).unwrap().is_none());
        assert!(matches!(kept(&["--history", "10s=1h,1s=2h"]), Err(SettingsError::History(_))));
    }
}
