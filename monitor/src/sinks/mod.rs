//! Databases and collectors that `monitor serve` writes to.
//!
//! Every [`Settings::interval`] the latest snapshot is encoded for each of them (`Encode`) into batches, which wait in a
//! `queue` that is bounded in bytes until a `worker` has delivered them (`Deliver`), again and again where that is worth
//! it. All of this happens on a thread of its own, never on the tick's, and no sink waits for another. What became of the
//! batches is counted, and stands in the `coverage` of the next snapshot.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod grpc;
mod http;
mod influxdb;
mod otlp;
mod queue;
mod remote_write;
mod rows;
pub mod settings;
mod sflow;
mod statsd;
mod worker;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::timeout};

pub use self::{
    http::HttpError,
    settings::{Settings, SinkError},
};
use self::{
    queue::Queue,
    worker::{Journal, work},
};
use crate::{
    model::{self, Snapshot},
    output::prometheus::{Selection, Totals},
    serve::Hub,
};

/// How long what waits at the end may take.
const LAST_PATIENCE: Duration = Duration::from_secs(3);

/// What is known of each sink, by its name.
pub type Reports = BTreeMap<String, model::Sink>;

/// What is written at one time.
struct Export<'a> {
    /// What was measured.
    snapshot: &'a Snapshot,
    /// What distributions have counted so far.
    totals: &'a Totals,
    /// What of it is wanted.
    selection: &'a Selection,
}

/// What is sent in one piece: a request's body, or a datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Batch {
    bytes: Bytes,
    /// Values in it.
    samples: u64,
}

/// Turns snapshots into batches, in the order in which they are to arrive.
trait Encode: Send {
    fn encode(&mut self, export: &Export<'_>) -> Vec<Batch>;
}

/// Takes batches to where they belong.
trait Deliver: Send {
    fn deliver<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Taken, Failure>>;
}

/// What was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Taken {
    /// Values of it that were refused.
    refused: u64,
    /// Why.
    why: Option<String>,
}

/// Why nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    /// Equal for failures of one kind, of which only the first is told.
    kind: u16,
    /// What happened, and what to do about it.
    why: String,
    /// Whether another attempt is worth it.
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Try again, not before this time where it is told.
    Retry(Option<Duration>),
    /// It would be refused again.
    GiveUp,
}

/// Where to, and how.
struct Sink {
    /// As in `coverage.sinks`.
    name: &'static str,
    /// Where it is, for reading: without credentials.
    destination: String,
    encode: Box<dyn Encode>,
    deliver: Box<dyn Deliver>,
}

/// A sink that works.
struct Running {
    name: &'static str,
    encode: Box<dyn Encode>,
    queue: Arc<Queue>,
    journal: Arc<Journal>,
}

/// Writes what the hub publishes until it ends, then for a while what still waits. Says after each snapshot what is known of each
/// sink, to whoever wants to know: only the latest is kept.
pub async fn run(settings: Settings, selection: Selection, hub: Hub, reports: watch::Sender<Reports>) {
    if settings.is_empty() {
        return;
    }
    let interval = settings.interval;
    let (mut running, workers) = start(settings);
    let workers: Vec<_> = workers.into_iter().map(tokio::spawn).collect();
    let mut last = None;
    while !hub.has_ended() {
        // A subscription ends with the hub, or where this thread had no time for too many snapshots.
        let mut snapshots = hub.subscribe(None);
        while let Some(snapshot) = snapshots.next.recv().await {
            // What became of the last export.
            reports.send_replace(report(&running));
            if is_due(&snapshot, last, interval) {
                last = Some(snapshot.taken_at);
                export(&mut running, &snapshot, &selection, &hub);
            }
        }
    }
    for sink in &running {
        sink.queue.close();
    }
    let _ = timeout(LAST_PATIENCE, join_all(workers)).await;
    for Running { queue, journal, .. } in running.iter().filter(|sink| sink.queue.samples() > 0) {
        log::warn!("{journal} did not take {} values before the end", queue.samples());
    }
}

fn start(settings: Settings) -> (Vec<Running>, Vec<impl Future<Output = ()> + Send + 'static>) {
    let bound = settings.queue_bytes;
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    settings
        .open(&hostname)
        .into_iter()
        .map(|sink| {
            let Sink { name, destination, encode, deliver } = sink;
            log::info!("writing to {name} at {destination}");
            let queue = Arc::new(Queue::new(bound));
            let journal = Arc::new(Journal::new(name, destination));
            let worker = work(deliver, Arc::clone(&queue), Arc::clone(&journal));
            (Running { name, encode, queue, journal }, worker)
        })
        .unzip()
}

/// Whether it is time, give or take half a tick.
fn is_due(snapshot: &Snapshot, last: Option<Timestamp>, interval: Duration) -> bool {
    let Some(last) = last else { return true };
    let since = snapshot.taken_at.duration_since(last);
    let slack = Duration::from_nanos(snapshot.window_ns / 2);
    since >= SignedDuration::try_from(interval.saturating_sub(slack)).unwrap_or(SignedDuration::MAX)
}

fn export(running: &mut [Running], snapshot: &Snapshot, selection: &Selection, hub: &Hub) {
    let export = Export { snapshot, totals: &hub.totals(), selection };
    for sink in running {
        for batch in sink.encode.encode(&export) {
            let dropped = sink.queue.push(batch);
            sink.journal.dropped(dropped);
        }
    }
}

fn report(running: &[Running]) -> Reports {
    let one = |sink: &Running| (sink.name.to_owned(), sink.journal.report(sink.queue.bytes()));
    running.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing;

    #[test]
    fn an_export_is_due_give_or_take_half_a_tick() {
        let at = |second| testing::snapshot(second, vec![]);
        let interval = Duration::from_secs(10);
        assert!(is_due(&at(5), None, interval));
        let last = Some(Timestamp::from_millisecond(5_300).unwrap());
        assert!(!is_due(&at(14), last, interval));
        assert!(is_due(&at(15), last, interval));
        assert!(!is_due(&at(4), last, interval), "the clock went back");
    }
}
