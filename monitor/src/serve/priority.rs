//! Priorities of threads beside the tick's.

use rustix::process::{getpriority_process, setpriority_process};

/// The lowest there is.
const LOWEST: i32 = 19;

/// Lowers that of the calling thread by so much.
pub(crate) fn lower(by: i32) {
    // On Linux both are of the calling thread.
    let lowered = getpriority_process(None)
        .and_then(|own| setpriority_process(None, own.saturating_add(by).min(LOWEST)));
    if let Err(error) = lowered {
        log::warn!("lower the priority of a thread beside the tick's: {error}");
    }
}
