//! Tokens, keys and certificates that change while they are used: a thread that reads them again.

use std::{fs, io, os::unix::fs::MetadataExt as _, sync::Arc, thread, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

use super::access::Access;
use crate::{
    confine::{self, Part},
    error::chain,
};

/// How often is looked whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What a file is known again by: a renewed one has another inode, or was written later.
type Mark = Option<(u64, u64, i64, i64)>;

/// Reads the files again when one has changed, and on SIGHUP, as long as this process lives. Without files there is no thread,
/// and SIGHUP ends the process as it always does.
pub(super) fn watch(access: Arc<Access>) -> io::Result<()> {
    if access.files().next().is_none() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = move || {
        confine::enter(Part::Keys);
        if let Err(error) = runtime.block_on(renew_again_and_again(&access)) {
            log::warn!("listen for SIGHUP: {error}");
        }
    };
    thread::Builder::new().name("keys".to_owned()).spawn(work).map(drop)
}

async fn renew_again_and_again(access: &Access) -> io::Result<()> {
    let mut asked = signal(SignalKind::hangup())?;
    let mut again = interval(LOOK_EVERY);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = marks(access);
    loop {
        tokio::select! {
            _ = asked.recv() => {}
            _ = again.tick() => {
                if marks(access) == known {
                    continue;
                }
            }
        }
        // Taken before: what changes while the files are read is read once more.
        known = marks(access);
        match access.renew() {
            Ok(()) => log::info!("tokens, keys and certificates were read again"),
            Err(error) => {
                log::error!("go on with the tokens, keys and certificates there were: {}", chain(&error));
            }
        }
    }
}

fn marks(access: &Access) -> Vec<Mark> {
    let mark = |path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
    };
    access.files().map(mark).collect()
}
