//! What waits for a sink, within a bound in bytes.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::Batch;

/// Batches in their order. The one that was taken last counts as long as it is not [`Queue::done`].
#[derive(Debug)]
pub(super) struct Queue {
    bound: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Batch>,
    /// Of those that wait, and of the one that is being delivered.
    bytes: usize,
    samples: u64,
    taken_bytes: usize,
    taken_samples: u64,
    is_closed: bool,
}

impl Queue {
    /// An empty one that holds so many bytes.
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, state: Mutex::default(), changed: Notify::new() }
    }

    /// Appends a batch; how many values were dropped for it, those of the oldest batches first.
    pub(super) fn push(&self, batch: Batch) -> u64 {
        let mut state = self.state();
        let mut dropped = 0;
        while state.bytes + batch.bytes.len() > self.bound {
            let Some(oldest) = state.waiting.pop_front() else { return dropped + batch.samples };
            state.bytes -= oldest.bytes.len();
            state.samples -= oldest.samples;
            dropped += oldest.samples;
        }
        state.bytes += batch.bytes.len();
        state.samples += batch.samples;
        state.waiting.push_back(batch);
        drop(state);
        self.changed.notify_one();
        dropped
    }

    /// The oldest batch, once there is one; `None` when the queue is closed and empty. For one worker.
    pub(super) async fn take(&self) -> Option<Batch> {
        loop {
            {
                let mut state = self.state();
                if let Some(batch) = state.waiting.pop_front() {
                    state.taken_bytes = batch.bytes.len();
                    state.taken_samples = batch.samples;
                    return Some(batch);
                }
                if state.is_closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// The batch that was taken needs no room any more.
    pub(super) fn done(&self) {
        let mut state = self.state();
        state.bytes -= std::mem::take(&mut state.taken_bytes);
        state.samples -= std::mem::take(&mut state.taken_samples);
    }

    /// Bytes in it.
    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// Takes nothing more.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_one();
    }

    /// Comes back when the queue is closed.
    pub(super) async fn closed(&self) {
        while !self.state().is_closed {
            self.changed.notified().await;
        }
    }

    /// Values in it.
    pub(super) fn samples(&self) -> u64 {
        self.state().samples
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn batch(length: usize, samples: u64) -> Batch {
        Batch { bytes: Bytes::from(vec![0; length]), samples }
    }

    #[tokio::test]
    async fn the_oldest_are_dropped_and_counted() {
        let queue = Queue::new(100);
        assert_eq!(queue.push(batch(40, 1)), 0);
        assert_eq!(queue.push(batch(40, 2)), 0);
        assert_eq!(queue.push(batch(40, 4)), 1);
        assert_eq!((queue.bytes(), queue.samples()), (80, 6));
        assert_eq!(queue.push(batch(101, 8)), 6 + 8, "what can never have room");
        assert_eq!(queue.bytes(), 0);
    }

    #[tokio::test]
    async fn what_is_being_delivered_keeps_its_room() {
        let queue = Queue::new(100);
        queue.push(batch(60, 1));
        let taken = queue.take().await.unwrap();
        assert_eq!((taken.samples, queue.bytes(), queue.samples()), (1, 60, 1));
        assert_eq!(queue.push(batch(60, 2)), 2);
        queue.done();
        assert_eq!(queue.push(batch(60, 4)), 0);
        queue.close();
        queue.closed().await;
        assert_eq!(queue.take().await.unwrap().samples, 4);
        queue.done();
        assert_eq!(queue.take().await, None);
        assert_eq!((queue.bytes(), queue.samples()), (0, 0));
    }
}
