//! The last things of one kind, and those who want the next ones.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::mpsc;

/// Things in their order, by a mark that grows.
#[derive(Debug)]
pub(super) struct Feed<T> {
    kept: VecDeque<Arc<T>>,
    subscribers: Vec<mpsc::Sender<Arc<T>>>,
}

/// Things as they come.
#[derive(Debug)]
pub struct Subscription<T> {
    /// Those that were there already, the oldest first.
    pub earlier: VecDeque<Arc<T>>,
    /// Those that come; it ends where they were not taken in time, or the server stops.
    pub next: mpsc::Receiver<Arc<T>>,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self { kept: VecDeque::new(), subscribers: Vec::new() }
    }
}

impl<T> Feed<T> {
    /// Keeps one more and hands it on; how many subscribers were dropped because they had not taken those before.
    pub(super) fn push(&mut self, thing: Arc<T>) -> u64 {
        let mut dropped = 0;
        self.subscribers.retain(|subscriber| match subscriber.try_send(Arc::clone(&thing)) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                dropped += 1;
                false
            }
        });
        self.kept.push_back(thing);
        dropped
    }

    /// Forgets the oldest.
    pub(super) fn pop(&mut self) -> Option<Arc<T>> {
        self.kept.pop_front()
    }

    /// What is kept, the oldest first.
    pub(super) fn kept(&self) -> &VecDeque<Arc<T>> {
        &self.kept
    }

    /// What comes from now on, and of what is kept that which is wanted, without anything between them missing. The
    /// subscription ends when more than `backlog` wait to be taken.
    pub(super) fn subscribe(&mut self, backlog: usize, is_wanted: impl Fn(&T) -> bool) -> Subscription<T> {
        let (sender, next) = mpsc::channel(backlog);
        self.subscribers.push(sender);
        let earlier = self.kept.iter().filter(|thing| is_wanted(thing)).map(Arc::clone).collect();
        Subscription { earlier, next }
    }

    /// Subscriptions that go on.
    pub(super) fn subscribers(&self) -> usize {
        self.subscribers.iter().filter(|subscriber| !subscriber.is_closed()).count()
    }

    /// Ends every subscription.
    pub(super) fn close(&mut self) {
        self.subscribers.clear();
    }
}
