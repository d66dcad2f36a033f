//! The thread that writes to databases and collectors. It is not the server's, since it reads files and makes connections.

use std::thread::{self, JoinHandle};

use tokio::sync::watch;

use super::AppError;
use crate::{
    confine::{self, Part},
    serve::{Hub, ServeError, priority},
    settings::Serve,
    sinks::{self, Reports},
};

/// How much lower the thread's priority is than the tick's.
const NICE: i32 = 5;

/// A thread that writes.
pub(super) struct Export(JoinHandle<()>);

impl Export {
    /// Starts it, where there is something to write to.
    pub(super) fn start(
        settings: &Serve,
        hub: &Hub,
        reports: watch::Sender<Reports>,
    ) -> Result<Option<Self>, AppError> {
        if settings.sinks.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ServeError::Start)?;
        let write = sinks::run(settings.sinks.clone(), settings.metrics.clone(), hub.clone(), reports);
        let to_socket = settings.sinks.statsd.as_ref().is_some_and(|statsd| statsd.socket.is_unix());
        let work = move || {
            priority::lower(NICE);
            confine::enter(Part::Export { to_socket });
            runtime.block_on(write);
        };
        let thread = thread::Builder::new().name("export".to_owned()).spawn(work);
        Ok(Some(Self(thread.map_err(ServeError::Start)?)))
    }

    /// Waits until what was published is written, or that takes too long. To be called when nothing is published any more.
    pub(super) fn stop(self) {
        if self.0.join().is_err() {
            log::error!("the thread that writes to databases has panicked");
        }
    }
}
