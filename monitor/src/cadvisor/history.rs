//! The latest snapshots, each looked at once for all requests.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::Duration,
};

use bytes::Bytes;

use super::{
    convert,
    events::EventLog,
    exposition::ContainerLabels,
    frame::{Frame, Subject},
    info::{ContainerInfo, Stats},
    lookup::Lookup,
    render::{Kinds, Variant, render},
    request::Range,
};
use crate::{
    confine::{self, Part},
    host::{Machine, read_namespaces},
    model::Snapshot,
    output::prometheus::{Exposition, Form},
    serve::{cache::Cache, hub::Hub},
};

/// How often events are looked for: the hub keeps more than comes in this time.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What is shared by all who ask.
#[derive(Debug)]
pub struct Cadvisor {
    hub: Hub,
    labels: ContainerLabels,
    /// The machine's own network namespace.
    host_network: Option<u64>,
    pub(super) lookup: Lookup,
    /// Of snapshots that the hub keeps: none is kept for its frame's sake.
    frames: Arc<Mutex<Vec<Arc<Frame>>>>,
    /// The text of each variant.
    texts: Vec<(Variant, Cache)>,
    pub(super) events: Arc<EventLog>,
}

/// The latest snapshots at one moment.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// The oldest first; never empty.
    frames: Vec<Arc<Frame>>,
    pub(super) latest: Arc<Frame>,
}

impl Cadvisor {
    /// Of what the hub has, with these of the runtimes' labels.
    #[must_use]
    pub fn new(hub: Hub, labels: ContainerLabels) -> Self {
        let kinds = [Kinds::All, Kinds::Docker, Kinds::Podman];
        let variants = kinds.into_iter().flat_map(|kinds| {
            [false, true].map(|with_timestamps| Variant { form: Form::Text, kinds, with_timestamps })
        });
        let events = Arc::new(EventLog::default());
        let frames = Arc::<Mutex<Vec<Arc<Frame>>>>::default();
        follow(&hub, &events, &frames);
        Self {
            hub,
            labels,
            host_network: read_namespaces(1).get("net").copied(),
            lookup: Lookup::start(),
            frames,
            texts: variants.map(|variant| (variant, Cache::default())).collect(),
            events,
        }
    }

    /// Appends cAdvisor's metrics of a snapshot to others of it.
    pub fn put_metrics(&self, snapshot: &Arc<Snapshot>, out: &mut Exposition) {
        let variant = Variant::all(out.form());
        out.append(|text| render(&self.frame(snapshot), &self.machine(), &self.labels, variant, text));
    }

    /// The text of a snapshot by itself; made once however many ask.
    pub(super) fn text(&self, snapshot: &Arc<Snapshot>, variant: Variant) -> Bytes {
        let make = |room: Vec<u8>| {
            let mut out = Exposition::within(variant.form, room);
            out.append(|text| render(&self.frame(snapshot), &self.machine(), &self.labels, variant, text));
            out.finish()
        };
        let cache = self.texts.iter().find(|(of, _)| *of == variant).map(|(_, cache)| cache);
        cache.map_or_else(Bytes::new, |cache| cache.get(snapshot, make))
    }

    /// What hardly changes of the machine.
    pub(super) fn machine(&self) -> Arc<Machine> {
        self.lookup.machine()
    }

    /// `None` before the first snapshot.
    pub(super) fn history(&self) -> Option<History> {
        let frames: Vec<Arc<Frame>> = self.hub.recent().iter().map(|snapshot| self.frame(snapshot)).collect();
        Some(History { latest: Arc::clone(frames.last()?), frames })
    }

    /// The last snapshot; `None` before the first.
    pub(super) fn latest(&self) -> Option<Arc<Snapshot>> {
        self.hub.latest()
    }

    fn frame(&self, snapshot: &Arc<Snapshot>) -> Arc<Frame> {
        let mut frames = lock(&self.frames);
        if let Some(known) = frames.iter().find(|frame| Arc::ptr_eq(&frame.snapshot, snapshot)) {
            return Arc::clone(known);
        }
        let frame = Arc::new(Frame::new(Arc::clone(snapshot), self.host_network));
        frames.push(Arc::clone(&frame));
        frame
    }
}

/// Tells the log of each snapshot and event, and lets go of frames, on a thread of its own, as long as this process lives. It looks at what the hub
/// keeps and takes no subscription, which are counted as clients.
fn follow(hub: &Hub, log: &Arc<EventLog>, frames: &Arc<Mutex<Vec<Arc<Frame>>>>) {
    let (hub, log, frames) = (hub.clone(), Arc::clone(log), Arc::clone(frames));
    let follow = move || {
        confine::enter(Part::Memory);
        let (mut last_snapshot, mut last_event) = (Weak::new(), 0);
        loop {
            let recent = hub.recent();
            // Not by their times, since clocks are set back.
            let seen = recent.iter().position(|one| Arc::as_ptr(one) == last_snapshot.as_ptr());
            for snapshot in recent.iter().skip(seen.map_or(0, |last| last + 1)) {
                log.observe(snapshot);
            }
            last_snapshot = recent.last().map(Arc::downgrade).unwrap_or_default();
            lock(&frames).retain(|frame| recent.iter().any(|kept| Arc::ptr_eq(kept, &frame.snapshot)));
            for event in hub.events_after(last_event) {
                log.note(&event.event);
                last_event = event.number;
            }
            thread::sleep(LOOK_EVERY);
        }
    };
    if let Err(error) = thread::Builder::new().name("events".to_owned()).spawn(follow) {
        log::error!("start the thread that keeps cAdvisor's events: {error}");
    }
}

impl History {
    /// One container or cgroup with its readings of this range.
    pub(super) fn info(&self, subject: &Subject<'_>, range: &Range) -> ContainerInfo {
        ContainerInfo {
            reference: convert::reference(subject),
            subcontainers: convert::children(subject.frame, subject.path),
            spec: convert::spec(subject),
            stats: self.stats(subject, range),
        }
    }

    /// Its readings of this range, the oldest first.
    pub(super) fn stats(&self, subject: &Subject<'_>, range: &Range) -> Vec<Stats> {
        let mut stats: Vec<Stats> = self
            .frames
            .iter()
            .rev()
            .filter(|frame| range.has(frame.snapshot.taken_at))
            .filter_map(|frame| frame.find_again(subject))
            .take(range.most)
            .map(|found| convert::stats(&found))
            .collect();
        stats.reverse();
        stats
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
