//! What happened to containers, kept for a day, in cAdvisor's words.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::broadcast;

use super::{
    frame::MACHINE,
    history::lock,
    request::{Parameters, Refusal},
};
use crate::model::{self, Cgroup, ContainerState, Happening, Measurements, Snapshot};

/// How long an event is kept, as cAdvisor does.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Events of one type that are kept at most.
const KEPT_OF_A_TYPE: usize = 10_000;
/// Events that may wait for one who follows them; with more he is dropped.
const BACKLOG: usize = 1024;
/// Events that are given unless asked for more or fewer.
const MOST: usize = 10;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "cAdvisor's names")]
pub(super) struct Event {
    /// The cgroup's path.
    pub(super) container_name: String,
    pub(super) timestamp: Timestamp,
    pub(super) event_type: EventType,
    pub(super) event_data: EventData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum EventType {
    Oom,
    OomKill,
    ContainerCreation,
    ContainerDeletion,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct EventData {
    #[serde(skip_serializing_if = "Option::is_none")]
    oom: Option<Victim>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_deletion: Option<Deletion>,
}

/// The process that was killed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Victim {
    pid: u32,
    process_name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Deletion {
    /// -1 where it is not known.
    exit_code: i64,
}

/// Keeps events and passes them on.
#[derive(Debug)]
pub(super) struct EventLog {
    kept: Mutex<Kept>,
    followers: broadcast::Sender<Event>,
}

#[derive(Debug, Default)]
struct Kept {
    by_type: BTreeMap<EventType, VecDeque<Event>>,
    /// What was there in the last snapshot.
    known: BTreeMap<u64, Known>,
}

/// A cgroup that was there.
#[derive(Clone, Debug)]
struct Known {
    path: String,
    ooms: Option<u64>,
    kills: Option<u64>,
    has_ended: bool,
}

/// Which events are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    types: Vec<EventType>,
    path: String,
    with_nested: bool,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    most: usize,
}

impl Default for EventLog {
    fn default() -> Self {
        Self { kept: Mutex::default(), followers: broadcast::channel(BACKLOG).0 }
    }
}

impl EventLog {
    /// Finds out what happened since the snapshot before.
    pub(super) fn observe(&self, snapshot: &Snapshot) {
        let mut kept = lock(&self.kept);
        for event in kept.compare(snapshot) {
            self.keep(&mut kept, event, snapshot.taken_at);
        }
    }

    /// Takes note of what the kernel told, where that is a kill for lack of memory.
    pub(super) fn note(&self, told: &model::Event) {
        let Happening::OomKill { pid, comm } = &told.what else { return };
        let Some(path) = told.cgroup.as_ref().and_then(|cgroup| cgroup.path.as_deref()) else { return };
        let victim = Victim { pid: *pid, process_name: comm.clone() };
        let event_data = EventData { oom: Some(victim), ..EventData::default() };
        let event = Event { event_data, ..event(path, told.at, EventType::OomKill) };
        self.keep(&mut lock(&self.kept), event, told.at);
    }

    fn keep(&self, kept: &mut Kept, event: Event, now: Timestamp) {
        // Fails only where nobody follows.
        let _ = self.followers.send(event.clone());
        let same = kept.by_type.entry(event.event_type).or_default();
        same.push_back(event);
        while same.len() > KEPT_OF_A_TYPE
            || same.front().is_some_and(|first| now.duration_since(first.timestamp) > KEPT)
        {
            same.pop_front();
        }
    }

    /// The latest of those that are wanted, the oldest first.
    pub(super) fn find(&self, wanted: &Wanted) -> Vec<Event> {
        let kept = lock(&self.kept);
        let mut found: Vec<Event> =
            kept.by_type.values().flatten().filter(|event| wanted.has(event)).cloned().collect();
        found.sort_by_key(|event| event.timestamp);
        found.split_off(found.len().saturating_sub(wanted.most))
    }

    /// Those that come from now on.
    pub(super) fn follow(&self) -> broadcast::Receiver<Event> {
        self.followers.subscribe()
    }
}

impl Kept {
    fn compare(&mut self, snapshot: &Snapshot) -> Vec<Event> {
        let mut events = Vec::new();
        let mut now = BTreeMap::new();
        for container in &snapshot.containers {
            let Some(known) = known(&container.cgroup, &container.measurements) else { continue };
            let has_ended = container.state == ContainerState::Exited;
            let before = self.known.get(&container.cgroup.id);
            if before.is_none() {
                let made_at = container.started_at.or(container.created_at);
                events.push(event(
                    &known.path,
                    made_at.unwrap_or(container.counting_since),
                    EventType::ContainerCreation,
                ));
            }
            put_kills(&mut events, before, &known, snapshot.taken_at);
            if has_ended && !before.is_some_and(|before| before.has_ended) {
                let ended_at = container.finished_at.unwrap_or(snapshot.taken_at);
                events.push(deletion(&known.path, ended_at, container.exit_code));
            }
            now.insert(container.cgroup.id, Known { has_ended, ..known });
        }
        for entry in &snapshot.cgroups {
            let Some(known) = known(&entry.cgroup, &entry.measurements) else { continue };
            let before = self.known.get(&entry.cgroup.id);
            if before.is_none() && known.path != MACHINE {
                events.push(event(&known.path, entry.counting_since, EventType::ContainerCreation));
            }
            put_kills(&mut events, before, &known, snapshot.taken_at);
            now.insert(entry.cgroup.id, known);
        }
        let before = std::mem::replace(&mut self.known, now);
        let gone = before.iter().filter(|(id, known)| !known.has_ended && !self.known.contains_key(id));
        events.extend(gone.map(|(_, known)| deletion(&known.path, snapshot.taken_at, None)));
        events.sort_by_key(|event| event.timestamp);
        events
    }
}

fn known(cgroup: &Cgroup, measurements: &Measurements) -> Option<Known> {
    let memory = &measurements.memory;
    Some(Known {
        path: cgroup.path.clone()?,
        ooms: memory.oom_events_total,
        // Where victims are counted as it happens, the kernel tells of each.
        kills: memory.oom_kills_total.filter(|_| memory.oom_victims_total.is_none()),
        has_ended: false,
    })
}

/// What was killed in a cgroup since it was last seen.
fn put_kills(events: &mut Vec<Event>, before: Option<&Known>, now: &Known, at: Timestamp) {
    /// So many at most of what happened within one window; it is one event in the kernel for each, too.
    const MOST_AT_ONCE: u64 = 16;
    let Some(before) = before else { return };
    let grown = |before: Option<u64>, now: Option<u64>| {
        now.unwrap_or(0).saturating_sub(before.unwrap_or(0)).min(MOST_AT_ONCE)
    };
    for _ in 0..grown(before.ooms, now.ooms) {
        events.push(event(&now.path, at, EventType::Oom));
    }
    for _ in 0..grown(before.kills, now.kills) {
        events.push(event(&now.path, at, EventType::OomKill));
    }
}

fn event(path: &str, timestamp: Timestamp, event_type: EventType) -> Event {
    Event { container_name: path.to_owned(), timestamp, event_type, event_data: EventData::default() }
}

fn deletion(path: &str, at: Timestamp, exit_code: Option<i64>) -> Event {
    let deletion = Deletion { exit_code: exit_code.unwrap_or(-1) };
    Event {
        event_data: EventData { container_deletion: Some(deletion), ..EventData::default() },
        ..event(path, at, EventType::ContainerDeletion)
    }
}

impl Wanted {
    /// By the parameters of a request. Without a type none are, as with cAdvisor.
    pub(super) fn read(path: String, parameters: &Parameters) -> Result<Self, Refusal> {
        let all = parameters.flag("all_events")?;
        let mut types = Vec::new();
        for (name, event_type) in [
            ("oom_events", EventType::Oom),
            ("oom_kill_events", EventType::OomKill),
            ("creation_events", EventType::ContainerCreation),
            ("deletion_events", EventType::ContainerDeletion),
        ] {
            if parameters.flag(name)? || all {
                types.push(event_type);
            }
        }
        Ok(Self {
            types,
            path,
            with_nested: parameters.flag("subcontainers")?,
            start: parameters.parsed("start_time", "time as of RFC 3339")?,
            end: parameters.parsed("end_time", "time as of RFC 3339")?,
            most: parameters.parsed("max_events", "number")?.unwrap_or(MOST),
        })
    }

    /// Whether this event is.
    pub(super) fn has(&self, event: &Event) -> bool {
        let is_here = event.container_name == self.path
            || self.with_nested
                && (self.path == MACHINE
                    || event
                        .container_name
                        .strip_prefix(&self.path)
                        .is_some_and(|rest| rest.starts_with('/')));
        is_here
            && self.types.contains(&event.event_type)
            && self.start.is_none_or(|start| event.timestamp >= start)
            && self.end.is_none_or(|end| event.timestamp <= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cadvisor::testing::{cgroup, container, snapshot},
        model::Container,
    };

    fn wanted(path: &str, given: &[(&str, &str)]) -> Wanted {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Wanted::read(path.to_owned(), &Parameters(given)).unwrap()
    }

    fn types(log: &EventLog, path: &str) -> Vec<EventType> {
        let all = wanted(path, &[("all_events", "true"), ("max_events", "100")]);
        log.find(&all).iter().map(|event| event.event_type).collect()
    }

    fn killed(id: &str, kills: u64) -> Container {
        let mut made = container(id);
        made.measurements.memory.oom_kills_total = Some(kills);
        made
    }

    #[test]
    fn a_container_s_life_is_told() {
        let log = EventLog::default();
        log.observe(&snapshot(10, vec![killed("aa", 0)], vec![]));
        log.observe(&snapshot(11, vec![killed("aa", 1)], vec![]));
        let mut ended = killed("aa", 1);
        ended.state = ContainerState::Exited;
        ended.exit_code = Some(137);
        log.observe(&snapshot(12, vec![ended.clone()], vec![]));
        log.observe(&snapshot(13, vec![ended], vec![]));
        log.observe(&snapshot(14, vec![], vec![]));
        let expected = [EventType::ContainerCreation, EventType::OomKill, EventType::ContainerDeletion];
        assert_eq!(types(&log, "/docker/aa"), expected);
        let all = wanted("/docker/aa", &[("all_events", "true")]);
        let json = serde_json::to_value(log.find(&all)).unwrap();
        assert_eq!(json[0]["timestamp"], "1970-01-01T00:00:02Z");
        assert_eq!(json[0]["event_type"], "containerCreation");
        assert_eq!(json[2]["event_data"]["container_deletion"]["exit_code"], 137);
    }

    #[test]
    fn a_victim_that_the_kernel_told_of_is_named_and_not_counted_again() {
        let log = EventLog::default();
        let counted = |kills| {
            let mut made = killed("aa", kills);
            made.measurements.memory.oom_victims_total = Some(kills);
            made
        };
        log.observe(&snapshot(10, vec![counted(0)], vec![]));
        log.note(&model::Event {
            schema_version: model::EVENT_SCHEMA_VERSION,
            at: Timestamp::from_second(11).unwrap(),
            container: None,
            cgroup: Some(Cgroup { id: 11, path: Some("/docker/aa".to_owned()) }),
            what: Happening::OomKill { pid: 7, comm: "web".to_owned() },
        });
        log.observe(&snapshot(12, vec![counted(1)], vec![]));
        let found = log.find(&wanted("/docker/aa", &[("oom_kill_events", "true")]));
        let json = serde_json::to_value(found).unwrap();
        assert_eq!(json.as_array().map(Vec::len), Some(1));
        assert_eq!(json[0]["event_data"]["oom"], serde_json::json!({"pid": 7, "process_name": "web"}));
    }

    #[test]
    fn a_cgroup_that_is_gone_was_deleted() {
        let log = EventLog::default();
        log.observe(&snapshot(1, vec![], vec![cgroup("/x.service")]));
        log.observe(&snapshot(2, vec![], vec![]));
        assert_eq!(types(&log, "/x.service"), [EventType::ContainerCreation, EventType::ContainerDeletion]);
        assert!(types(&log, "/").is_empty());
    }

    #[test]
    fn only_what_is_wanted_is_given_the_latest_first_to_stay() {
        let log = EventLog::default();
        for second in 1..=20 {
            log.observe(&snapshot(second, vec![killed("aa", second.unsigned_abs())], vec![]));
        }
        let kills = wanted("/docker", &[("oom_kill_events", "true"), ("subcontainers", "true")]);
        let found = log.find(&kills);
        assert_eq!(found.len(), 10);
        assert_eq!(found.last().unwrap().timestamp.as_second(), 20);
        assert!(log.find(&wanted("/docker", &[("oom_kill_events", "true")])).is_empty());
        assert!(log.find(&wanted("/docker/aa", &[])).is_empty());
        let until = wanted("/docker/aa", &[("all_events", "1"), ("end_time", "1970-01-01T00:00:03Z")]);
        assert_eq!(log.find(&until).len(), 3);
    }

    #[test]
    fn what_was_killed_before_is_not_told() {
        let log = EventLog::default();
        log.observe(&snapshot(1, vec![killed("aa", 7)], vec![]));
        assert_eq!(types(&log, "/docker/aa"), [EventType::ContainerCreation]);
    }
}
