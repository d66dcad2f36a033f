//! Where the tick's thread and the server's meet.
//!
//! The tick's side puts a snapshot into a short queue and goes on, whether or not there is room. The server's thread takes
//! it out, keeps it among the latest ones and hands it to subscribers, each of which has a bounded queue; one that is full
//! ends that subscription. So a client can hold up neither the tick nor another client, and what it can hold in memory is
//! bounded.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::StatusCode;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::model::Snapshot;

/// Snapshots kept at most.
pub const RECENT: usize = 64;
/// Containers and cgroups in all kept snapshots together, at most but for the last two: with 100 of them [`RECENT`]
/// snapshots are kept, with 1 000 eight.
pub const RECENT_ENTRIES: usize = 8192;
/// Snapshots that may wait for the server's thread; more are dropped and counted.
const INLET: usize = 4;
/// Snapshots that may wait for one subscriber; with more its subscription ends.
pub const BACKLOG: usize = 16;

/// The tick's side.
#[derive(Debug)]
pub struct Publisher {
    inlet: mpsc::Sender<Snapshot>,
    missed: u64,
}

/// What the tick has published and the server's thread has not taken yet.
#[derive(Debug)]
pub struct Inlet {
    snapshots: mpsc::Receiver<Snapshot>,
    hub: Hub,
}

/// The side of those who serve: the latest snapshots, and the way to the next ones.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    figures: Figures,
}

#[derive(Debug, Default)]
struct Kept {
    recent: VecDeque<Arc<Snapshot>>,
    /// Containers and cgroups in `recent`.
    entries: usize,
    subscribers: Vec<mpsc::Sender<Arc<Snapshot>>>,
}

/// What the server counts of itself.
#[derive(Debug, Default)]
pub struct Figures {
    /// Connections open now.
    pub connections: AtomicU64,
    /// Connections accepted.
    pub accepted_connections_total: AtomicU64,
    /// Connections closed at once because there were too many.
    pub refused_connections_total: AtomicU64,
    /// Clients dropped because they did not read.
    pub dropped_clients_total: AtomicU64,
    /// Requests answered.
    pub requests_total: AtomicU64,
    /// The part of them whose answer was an error of the client's (4xx).
    pub refused_requests_total: AtomicU64,
    /// The part of them whose answer was an error of ours (5xx).
    pub failed_requests_total: AtomicU64,
}

/// Snapshots as they come.
#[derive(Debug)]
pub struct Subscription {
    /// Those that were there already, the oldest first.
    pub earlier: Vec<Arc<Snapshot>>,
    /// Those that come; it ends where they were not taken in time, or the server stops.
    pub next: mpsc::Receiver<Arc<Snapshot>>,
}

/// Both sides of a new hub.
#[must_use]
pub fn open() -> (Publisher, Inlet) {
    let (inlet, snapshots) = mpsc::channel(INLET);
    (Publisher { inlet, missed: 0 }, Inlet { snapshots, hub: Hub { shared: Arc::default() } })
}

impl Publisher {
    /// Hands a snapshot over without waiting; one that finds the queue full is dropped and counted.
    pub fn publish(&mut self, snapshot: Snapshot) {
        if self.inlet.try_send(snapshot).is_err() {
            self.missed += 1;
        }
    }

    /// Snapshots that the server's thread had no time for.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl Inlet {
    /// The hub that this leads to.
    #[must_use]
    pub fn hub(&self) -> Hub {
        self.hub.clone()
    }

    /// Distributes what is published, until the publisher is gone.
    pub async fn distribute(mut self) {
        while let Some(snapshot) = self.snapshots.recv().await {
            self.hub.take(Arc::new(snapshot));
        }
        self.hub.kept().subscribers.clear();
    }
}

impl Figures {
    /// Notes an answer.
    pub fn count(&self, status: StatusCode) {
        self.requests_total.fetch_add(1, Ordering::Relaxed);
        if status.is_client_error() {
            self.refused_requests_total.fetch_add(1, Ordering::Relaxed);
        } else if status.is_server_error() {
            self.failed_requests_total.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Hub {
    /// The last snapshot; `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Snapshot>> {
        self.kept().recent.back().map(Arc::clone)
    }

    /// The last snapshots, the oldest first: [`RECENT`] of them, or fewer where there are many containers.
    #[must_use]
    pub fn recent(&self) -> Vec<Arc<Snapshot>> {
        self.kept().recent.iter().map(Arc::clone).collect()
    }

    /// What comes from now on, and of what was there the snapshots taken after a moment, without one between them missing;
    /// without a moment the last snapshot.
    #[must_use]
    pub fn subscribe(&self, after: Option<Timestamp>) -> Subscription {
        let (sender, next) = mpsc::channel(BACKLOG);
        let mut kept = self.kept();
        let earlier = match after {
            Some(after) => {
                kept.recent.iter().filter(|snapshot| snapshot.taken_at > after).map(Arc::clone).collect()
            }
            None => kept.recent.back().map(Arc::clone).into_iter().collect(),
        };
        kept.subscribers.push(sender);
        Subscription { earlier, next }
    }

    /// What the server counts of itself.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// Subscriptions that go on.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.kept().subscribers.iter().filter(|subscriber| !subscriber.is_closed()).count()
    }

    fn take(&self, snapshot: Arc<Snapshot>) {
        let mut kept = self.kept();
        let mut dropped = 0;
        kept.subscribers.retain(|subscriber| match subscriber.try_send(Arc::clone(&snapshot)) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                dropped += 1;
                false
            }
        });
        kept.keep(snapshot);
        drop(kept);
        self.shared.figures.dropped_clients_total.fetch_add(dropped, Ordering::Relaxed);
    }

    /// Only the server's thread and its tests take this lock, never the tick.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn keep(&mut self, snapshot: Arc<Snapshot>) {
        self.entries += entries(&snapshot);
        self.recent.push_back(snapshot);
        while self.recent.len() > RECENT || (self.entries > RECENT_ENTRIES && self.recent.len() > 2) {
            let oldest = self.recent.pop_front();
            self.entries -= oldest.as_deref().map_or(0, entries);
        }
    }
}

fn entries(snapshot: &Snapshot) -> usize {
    snapshot.containers.len() + snapshot.cgroups.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::testing::{container, snapshot};

    /// Publishes snapshots taken at these seconds and distributes them all.
    async fn published(seconds: impl IntoIterator<Item = i64>) -> Hub {
        let (mut publisher, inlet) = open();
        let hub = inlet.hub();
        let distributed = tokio::spawn(inlet.distribute());
        for second in seconds {
            publisher.publish(snapshot(second, vec![]));
            tokio::task::yield_now().await;
        }
        drop(publisher);
        distributed.await.unwrap();
        hub
    }

    fn seconds(snapshots: &[Arc<Snapshot>]) -> Vec<i64> {
        snapshots.iter().map(|snapshot| snapshot.taken_at.as_second()).collect()
    }

    #[tokio::test]
    async fn the_last_ones_are_kept() {
        let hub = published(1..=100).await;
        assert_eq!(hub.latest().unwrap().taken_at.as_second(), 100);
        assert_eq!(seconds(&hub.recent()), (37..=100).collect::<Vec<_>>());
    }

    #[test]
    fn fewer_are_kept_where_each_is_large() {
        let mut kept = Kept::default();
        let large = || (0..1000).map(|number| container(&number.to_string())).collect();
        for second in 1..=20 {
            kept.keep(Arc::new(snapshot(second, large())));
        }
        assert_eq!(kept.recent.len(), 8);
        assert_eq!(kept.entries, 8000);
        kept.keep(Arc::new(snapshot(21, vec![])));
        assert_eq!(kept.recent.len(), 9);
    }

    #[test]
    fn a_publisher_never_waits() {
        let (mut publisher, inlet) = open();
        for second in 0..10 {
            publisher.publish(snapshot(second, vec![]));
        }
        assert_eq!(publisher.missed(), 6);
        drop(inlet);
        publisher.publish(snapshot(10, vec![]));
        assert_eq!(publisher.missed(), 7);
    }

    #[tokio::test]
    async fn a_subscriber_that_takes_nothing_is_dropped_and_counted() {
        let (_publisher, inlet) = open();
        let hub = inlet.hub();
        let mut lazy = hub.subscribe(None);
        let mut eager = hub.subscribe(None);
        for second in 0..=16 {
            hub.take(Arc::new(snapshot(second, vec![])));
            assert_eq!(eager.next.recv().await.unwrap().taken_at.as_second(), second);
        }
        assert_eq!(hub.figures().dropped_clients_total.load(Ordering::Relaxed), 1);
        assert_eq!(hub.subscribers(), 1);
        let mut taken = 0;
        while lazy.next.recv().await.is_some() {
            taken += 1;
        }
        assert_eq!(taken, BACKLOG);
    }

    #[tokio::test]
    async fn a_subscription_goes_on_where_another_one_ended() {
        let hub = published(1..=10).await;
        let subscription = hub.subscribe(Some(Timestamp::from_second(7).unwrap()));
        assert_eq!(seconds(&subscription.earlier), [8, 9, 10]);
        assert_eq!(seconds(&hub.subscribe(None).earlier), [10]);
    }
}
