//! Where the tick's thread and the server's meet.
//!
//! The tick's side puts snapshots and events into a short queue and goes on, whether or not there is room. The server's thread
//! takes them out, keeps the latest ones and hands them to subscribers, each of which has a bounded queue; one that is full
//! ends that subscription. So a client can hold up neither the tick nor another client, and what it can hold in memory is
//! bounded.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::feed::Feed;
pub use super::feed::Subscription;
use crate::{
    model::{Event, Snapshot},
    output::prometheus::Totals,
};

/// Snapshots kept at most.
pub const RECENT: usize = 64;
/// Containers and cgroups in all kept snapshots together, at most but for the last two: with 100 of them [`RECENT`]
/// snapshots are kept, with 1 000 eight.
pub const RECENT_ENTRIES: usize = 8192;
/// Events kept at most, and as many milestones from before those ([`Happening::is_milestone`](crate::model::Happening)).
pub const RECENT_EVENTS: usize = 4096;
/// Snapshots that may wait for one subscriber; with more its subscription ends.
pub const BACKLOG: usize = 16;
/// Events that may: those of one tick come at once.
pub const EVENT_BACKLOG: usize = 1024;
/// When no snapshot has come for so long, and for three windows, the tick hangs.
const PATIENCE: Duration = Duration::from_secs(10);
/// What may wait for the server's thread; more is dropped and counted.
const INLET: usize = 8;

/// The tick's side.
#[derive(Debug)]
pub struct Publisher {
    inlet: mpsc::Sender<Published>,
    missed_snapshots: u64,
    missed_events: u64,
}

#[derive(Debug)]
enum Published {
    Snapshot(Arc<Snapshot>),
    Events(Vec<Event>),
}

/// What the tick has published and the server's thread has not taken yet.
#[derive(Debug)]
pub struct Inlet {
    published: mpsc::Receiver<Published>,
    hub: Hub,
}

/// The side of those who serve: what was published last, and the way to what comes next.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    opened: Instant,
    kept: Mutex<Kept>,
    figures: Figures,
}

#[derive(Debug, Default)]
struct Kept {
    snapshots: Feed<Snapshot>,
    /// Containers and cgroups in `snapshots`.
    entries: usize,
    /// When the last snapshot came.
    fed: Option<Instant>,
    /// Whether no more is to come, and that is as it should be.
    is_complete: bool,
    /// Shared with those who encode it meanwhile.
    totals: Arc<Totals>,
    events: Feed<NumberedEvent>,
    /// Milestones from before `events`: of programs that come and go there may be thousands in a minute.
    milestones: VecDeque<Arc<NumberedEvent>>,
    /// Events so far.
    told: u64,
    taps: Vec<mpsc::Sender<Arc<Snapshot>>>,
    /// Snapshots that a tap had no room for.
    missed_by_taps: u64,
    /// Whether the publisher is gone.
    has_ended: bool,
}

/// An event and its number, counted from 1 since the server's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedEvent {
    /// Its number.
    pub number: u64,
    /// What happened.
    pub event: Event,
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
    /// Streams ended because their client had not taken what came before.
    pub dropped_streams_total: AtomicU64,
    /// Connections closed because their client read nothing for a while.
    pub dropped_clients_total: AtomicU64,
    /// Requests answered.
    pub requests_total: AtomicU64,
    /// The part of them whose answer was an error of the client's (4xx).
    pub refused_requests_total: AtomicU64,
    /// The part of them whose answer was an error of ours (5xx).
    pub failed_requests_total: AtomicU64,
}

/// Both sides of a new hub.
#[must_use]
pub fn open() -> (Publisher, Inlet) {
    let (inlet, published) = mpsc::channel(INLET);
    let publisher = Publisher { inlet, missed_snapshots: 0, missed_events: 0 };
    let shared = Shared { opened: Instant::now(), kept: Mutex::default(), figures: Figures::default() };
    (publisher, Inlet { published, hub: Hub { shared: Arc::new(shared) } })
}

impl Publisher {
    /// Hands a snapshot over without waiting; one that finds the queue full is dropped and counted.
    pub fn publish(&mut self, snapshot: Snapshot) {
        if self.inlet.try_send(Published::Snapshot(Arc::new(snapshot))).is_err() {
            self.missed_snapshots += 1;
        }
    }

    /// Hands events over in the same way.
    pub fn tell(&mut self, events: Vec<Event>) {
        let count = events.len() as u64;
        if count > 0 && self.inlet.try_send(Published::Events(events)).is_err() {
            self.missed_events += count;
        }
    }

    /// Snapshots that the server's thread had no time for.
    #[must_use]
    pub fn missed_snapshots(&self) -> u64 {
        self.missed_snapshots
    }

    /// Events that it had no time for since this was asked last.
    pub fn take_missed_events(&mut self) -> u64 {
        std::mem::take(&mut self.missed_events)
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
        while let Some(published) = self.published.recv().await {
            self.hub.take(published);
        }
        let mut kept = self.hub.kept();
        kept.snapshots.close();
        kept.events.close();
        kept.taps.clear();
        kept.has_ended = true;
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
        self.kept().snapshots.kept().back().map(Arc::clone)
    }

    /// Whether snapshots come at about this interval; before the first, whether it may still come.
    #[must_use]
    pub fn is_fed(&self, tick: Duration) -> bool {
        let kept = self.kept();
        let since = kept.fed.unwrap_or(self.shared.opened);
        kept.is_complete || since.elapsed() < PATIENCE.max(tick.saturating_mul(3))
    }

    /// Says that all there is was published: that nothing comes any more is no failure.
    pub fn complete(&self) {
        self.kept().is_complete = true;
    }

    /// The snapshots to come, for a part of this program: of those that come while `backlog` wait, all are missed and counted,
    /// but it goes on.
    #[must_use]
    pub fn tap(&self, backlog: usize) -> mpsc::Receiver<Arc<Snapshot>> {
        let (sender, receiver) = mpsc::channel(backlog);
        self.kept().taps.push(sender);
        receiver
    }

    /// Snapshots that a tap had no room for.
    #[must_use]
    pub fn missed_by_taps(&self) -> u64 {
        self.kept().missed_by_taps
    }

    /// Whether nothing more comes.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.kept().has_ended
    }

    /// The last snapshots, the oldest first: [`RECENT`] of them, or fewer where there are many containers.
    #[must_use]
    pub fn recent(&self) -> Vec<Arc<Snapshot>> {
        self.kept().snapshots.kept().iter().map(Arc::clone).collect()
    }

    /// The snapshots to come, and of the kept ones those taken after a moment; without a moment the last.
    #[must_use]
    pub fn subscribe(&self, after: Option<Timestamp>) -> Subscription<Snapshot> {
        let mut kept = self.kept();
        let last = kept.snapshots.kept().back().map(|snapshot| snapshot.taken_at);
        kept.snapshots.subscribe(BACKLOG, |snapshot| match after {
            Some(after) => snapshot.taken_at > after,
            None => Some(snapshot.taken_at) == last,
        })
    }

    /// The last events, the oldest first: [`RECENT_EVENTS`] of them, and before these the last milestones.
    #[must_use]
    pub fn events(&self) -> VecDeque<Arc<NumberedEvent>> {
        let kept = self.kept();
        kept.milestones.iter().chain(kept.events.kept()).map(Arc::clone).collect()
    }

    /// Of [`Self::events`] those with a higher number.
    #[must_use]
    pub fn events_after(&self, number: u64) -> Vec<Arc<NumberedEvent>> {
        let kept = self.kept();
        let newer = |events: &VecDeque<Arc<NumberedEvent>>| {
            let first = events.partition_point(|event| event.number <= number);
            events.range(first..).map(Arc::clone).collect::<Vec<_>>()
        };
        [newer(&kept.milestones), newer(kept.events.kept())].concat()
    }

    /// The events to come, and of the kept ones those with a higher number; without a number none.
    #[must_use]
    pub fn subscribe_to_events(&self, after: Option<u64>) -> Subscription<NumberedEvent> {
        let mut kept = self.kept();
        let is_wanted = |event: &NumberedEvent| after.is_some_and(|after| event.number > after);
        let mut subscription = kept.events.subscribe(EVENT_BACKLOG, is_wanted);
        for milestone in kept.milestones.iter().rev().filter(|event| is_wanted(event)) {
            subscription.earlier.push_front(Arc::clone(milestone));
        }
        subscription
    }

    /// What distributions have counted over all snapshots so far.
    #[must_use]
    pub fn totals(&self) -> Arc<Totals> {
        Arc::clone(&self.kept().totals)
    }

    /// What the server counts of itself.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.shared.figures
    }

    /// Subscriptions that go on.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        let kept = self.kept();
        kept.snapshots.subscribers() + kept.events.subscribers()
    }

    fn take(&self, published: Published) {
        let dropped = match published {
            Published::Snapshot(snapshot) => self.kept().keep(snapshot),
            Published::Events(events) => {
                let mut kept = self.kept();
                events.into_iter().map(|event| kept.keep_event(event)).sum()
            }
        };
        self.figures().dropped_streams_total.fetch_add(dropped, Ordering::Relaxed);
    }

    /// Never taken by the tick, and by nobody for long: the server's thread needs it for everything.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both say how many subscribers were dropped.
impl Kept {
    fn keep(&mut self, snapshot: Arc<Snapshot>) -> u64 {
        self.fed = Some(Instant::now());
        Arc::make_mut(&mut self.totals).add(&snapshot);
        self.entries += entries(&snapshot);
        let Self { taps, missed_by_taps, .. } = self;
        taps.retain(|tap| match tap.try_send(Arc::clone(&snapshot)) {
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            sent => {
                *missed_by_taps += u64::from(sent.is_err());
                true
            }
        });
        let dropped = self.snapshots.push(snapshot);
        let is_too_many =
            |kept: usize, entries: usize| kept > RECENT || (entries > RECENT_ENTRIES && kept > 2);
        while is_too_many(self.snapshots.kept().len(), self.entries) {
            self.entries -= self.snapshots.pop().as_deref().map_or(0, entries);
        }
        dropped
    }

    fn keep_event(&mut self, event: Event) -> u64 {
        self.told += 1;
        let dropped = self.events.push(Arc::new(NumberedEvent { number: self.told, event }));
        if self.events.kept().len() > RECENT_EVENTS {
            let oldest = self.events.pop();
            self.milestones.extend(oldest.filter(|oldest| oldest.event.what.is_milestone()));
        }
        if self.milestones.len() > RECENT_EVENTS {
            self.milestones.pop_front();
        }
        dropped
    }
}

fn entries(snapshot: &Snapshot) -> usize {
    snapshot.containers.len() + snapshot.cgroups.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Happening,
        testing::{container, event, snapshot},
    };

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

    fn seconds<'s>(snapshots: impl IntoIterator<Item = &'s Arc<Snapshot>>) -> Vec<i64> {
        snapshots.into_iter().map(|snapshot| snapshot.taken_at.as_second()).collect()
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
        assert_eq!(kept.snapshots.kept().len(), 8);
        assert_eq!(kept.entries, 8000);
        kept.keep(Arc::new(snapshot(21, vec![])));
        assert_eq!(kept.snapshots.kept().len(), 9);
    }

    #[test]
    fn a_publisher_never_waits() {
        let (mut publisher, inlet) = open();
        for second in 0..10 {
            publisher.publish(snapshot(second, vec![]));
        }
        assert_eq!(publisher.missed_snapshots(), 2);
        drop(inlet);
        publisher.publish(snapshot(10, vec![]));
        assert_eq!(publisher.missed_snapshots(), 3);
    }

    #[tokio::test]
    async fn a_subscriber_that_takes_nothing_is_dropped_and_counted() {
        let (_publisher, inlet) = open();
        let hub = inlet.hub();
        let mut lazy = hub.subscribe(None);
        let mut eager = hub.subscribe(None);
        for second in 0..=16 {
            hub.take(Published::Snapshot(Arc::new(snapshot(second, vec![]))));
            assert_eq!(eager.next.recv().await.unwrap().taken_at.as_second(), second);
        }
        assert_eq!(hub.figures().dropped_streams_total.load(Ordering::Relaxed), 1);
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

    #[test]
    fn events_are_numbered_and_the_last_are_kept() {
        let (_publisher, inlet) = open();
        let hub = inlet.hub();
        let event = || event(Happening::CgroupMade);
        hub.take(Published::Events((0..5000).map(|_| event()).collect()));
        let kept = hub.events();
        assert_eq!((kept.len(), kept.back().unwrap().number), (RECENT_EVENTS, 5000));
        let numbers = |after| {
            let earlier = hub.subscribe_to_events(after).earlier;
            earlier.iter().map(|event| event.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(Some(4998)), [4999, 5000]);
        assert_eq!(numbers(None), [0; 0]);
    }

    #[test]
    fn milestones_are_kept_however_many_programs_come_and_go() {
        let (_publisher, inlet) = open();
        let hub = inlet.hub();
        let tell = |events: Vec<Event>| hub.take(Published::Events(events));
        tell(vec![event(Happening::CgroupMade), event(Happening::ContainerStarted)]);
        tell((0..5000).map(|_| event(Happening::CgroupMade)).collect());
        let kept = hub.events();
        assert_eq!((kept.len(), kept[0].number, kept[1].number), (RECENT_EVENTS + 1, 2, 907));
        let earlier = hub.subscribe_to_events(Some(1)).earlier;
        assert_eq!((earlier[0].number, earlier[1].number), (2, 907));
        assert_eq!(hub.subscribe_to_events(Some(2)).earlier[0].number, 907);
        tell((0..10_000).map(|_| event(Happening::ContainerStarted)).collect());
        assert_eq!(hub.events().len(), 2 * RECENT_EVENTS);
    }
}
