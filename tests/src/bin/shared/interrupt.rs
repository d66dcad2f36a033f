//! Ctrl-C: noted when it comes, obeyed where everything can be undone.

use std::{
    io, panic,
    sync::{Arc, OnceLock, atomic::AtomicBool, atomic::Ordering},
    thread,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

static IS_INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on SIGINT and SIGTERM end the program at the next [`check`] only.
pub(crate) fn arm() -> io::Result<()> {
    let is_interrupted = IS_INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(is_interrupted))?;
    }
    Ok(())
}

/// Ends the program if it was asked to: by unwinding, so that every guard undoes what it stands for.
pub(crate) fn check() {
    let is_interrupted = IS_INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed));
    // What ends already goes on to do so.
    if is_interrupted && !thread::panicking() {
        eprintln!("interrupted: cleaning up");
        panic::resume_unwind(Box::new("interrupted"));
    }
}
