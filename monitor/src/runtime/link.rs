//! What every runtime's client does alike: how long it waits for what, and when it tells of its connection.

use std::{
    error::Error,
    hash::{BuildHasher, RandomState},
    iter,
    time::Duration,
};

use crate::runtime::{ConnectionState, RuntimeEvent};

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// For any answer in full.
    pub(super) answer: Duration,
    /// Between two pings: the event stream may be silent for hours, in which the daemon may have hung.
    pub(super) ping: Duration,
    /// Before the first new connection; doubled with each failure up to `longest_pause`.
    pub(super) shortest_pause: Duration,
    /// Also how long a connection must have held for the pauses to start over.
    pub(super) longest_pause: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            ping: Duration::from_secs(30),
            shortest_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// The connection as it was told last, so that a failure that lasts is told once.
#[derive(Debug)]
pub(super) struct Link {
    /// Who answers there, as the log calls it.
    who: String,
    endpoint: String,
    told: Option<ConnectionState>,
}

impl Link {
    pub(super) fn new(who: &str, endpoint: &str) -> Self {
        Self { who: who.to_owned(), endpoint: endpoint.to_owned(), told: None }
    }

    /// Whether the runtime answers, when that is news. `Ok` holds the runtime's version.
    pub(super) fn news(&mut self, outcome: Result<Option<String>, &dyn Error>) -> Option<RuntimeEvent> {
        let connected = outcome.is_ok();
        let reason = outcome.as_ref().err().map(|error| with_causes(*error));
        let state = ConnectionState {
            endpoint: self.endpoint.clone(),
            connected,
            is_absent: false,
            reason,
            server_version: outcome.unwrap_or_default(),
        };
        if self.told.as_ref() == Some(&state) {
            return None;
        }
        match &state.reason {
            None => log::info!("{} at {} answers", self.who, state.endpoint),
            Some(reason) => log::warn!("no {}: {reason}", self.who),
        }
        self.told = Some(state.clone());
        Some(RuntimeEvent::Connection(state))
    }
}

/// An error and its causes in one line. Some clients' errors repeat their cause in their own text.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    for cause in iter::successors(error.source(), |error| (*error).source()).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Growing pauses between attempts, cut short at random so that many monitors do not come back all at once.
pub(super) struct Pauses {
    next: Duration,
    timing: Timing,
}

impl Pauses {
    pub(super) fn new(timing: Timing) -> Self {
        Self { next: timing.shortest_pause, timing }
    }

    /// Between half of the pause that is due, after a connection that held for so long, and the whole.
    pub(super) fn after(&mut self, held: Duration) -> Duration {
        if held > self.timing.longest_pause {
            self.next = self.timing.shortest_pause;
        }
        let due = self.next;
        self.next = self.timing.longest_pause.min(due * 2);
        // The standard library's only source of randomness; it need not be a good one.
        let random = RandomState::new().hash_one(0_u8) >> 32;
        due.mul_f64(0.5 + random as f64 / (1_u64 << 33) as f64)
    }
}
