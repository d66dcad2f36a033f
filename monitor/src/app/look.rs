//! One snapshot, for those who want no more.

use std::sync::mpsc::channel;

use super::{AppError, await_runtimes, confined, open_sources, require_rights, signals::Ends, start_edges};
use crate::{
    collector::{
        collect::Collector,
        run::{Then, run},
    },
    model::Snapshot,
    settings::Source,
};

/// Measures one window, with the runtimes' names.
pub fn look(source: &Source) -> Result<Snapshot, AppError> {
    require_rights()?;
    let mut collector = Collector::new(open_sources(source), source.keep_ended);
    let (sender, messages) = channel();
    start_edges(source, Ends::OnRequest, sender);
    if await_runtimes(&mut collector, &messages, source.runtimes.answers()) {
        return Err(AppError::Stopped);
    }
    confined::tick(&mut collector, false);
    let mut taken = None;
    run(&mut collector, &messages, source.interval, |snapshot, _| {
        taken = Some(snapshot);
        Then::End
    });
    taken.ok_or(AppError::Stopped)
}
