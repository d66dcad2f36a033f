//! The loop: a tick at each multiple of the interval, on its own thread, whatever clients do.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use super::{collect::Collector, window::Windows};
use crate::{model::Snapshot, probes::sys, runtime::places::Notice};

/// What reaches the loop from other threads.
#[derive(Debug)]
pub enum Message {
    /// A runtime tells something.
    Runtime(Notice),
    /// End after one more tick.
    Stop,
}

/// Whether to go on after a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// There is to be another one.
    GoOn,
    /// This was the last.
    End,
}

/// The ring buffer is emptied this often even where ticks are further apart.
const DRAIN_EVERY: Duration = Duration::from_millis(250);

/// Memory that was freed is returned to the system this often: what comes once, such as a runtime's first answer, takes far
/// more of it than ticks do.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// Takes a sample now and at each interval after, and hands each window to `publish`, the last one on a stop.
pub fn run(
    collector: &mut Collector,
    messages: &Receiver<Message>,
    interval: Duration,
    mut publish: impl FnMut(Snapshot, &mut Collector) -> Then,
) {
    let began = Instant::now();
    let mut windows = Windows::after(collector.tick());
    let mut next = interval;
    let mut tidied = began;
    loop {
        let is_stopped = wait_until(collector, messages, began + next);
        let snapshot = windows.advance(collector.tick());
        let then = publish(snapshot, collector);
        if is_stopped || then == Then::End {
            return;
        }
        if tidied.elapsed() >= TIDY_EVERY {
            if tidied == began {
                sys::return_code();
            }
            sys::return_free_memory();
            tidied = Instant::now();
        }
        // A tick that took longer than the interval costs the ticks that it overran, not the cadence.
        let elapsed = began.elapsed();
        while next <= elapsed {
            next += interval;
        }
    }
}

/// Handles messages until the deadline; whether the loop shall stop.
fn wait_until(collector: &mut Collector, messages: &Receiver<Message>, deadline: Instant) -> bool {
    let mut drain_at = Instant::now() + DRAIN_EVERY;
    loop {
        let now = Instant::now();
        if now >= deadline {
            return false;
        }
        // Not only when nothing else happens: events of a runtime must not keep the ring buffer from being emptied.
        if now >= drain_at {
            collector.take_events();
            drain_at = now + DRAIN_EVERY;
        }
        match messages.recv_timeout(deadline.min(drain_at).saturating_duration_since(now)) {
            Ok(Message::Runtime(told)) => collector.runtime_told(&told.source, told.event),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
