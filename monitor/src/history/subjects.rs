//! Who anything is kept of, by number.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::segment::{HOST, Number};
use crate::model::{CgroupEntry, Container, ContainerState, Host, Pod, Snapshot};

/// Kinds of subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubjectKind {
    /// The machine.
    Host,
    /// A container, whichever of its runs.
    Container,
    /// A cgroup that is no container's.
    Cgroup,
}

/// One that history is kept of, as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "HistorySubject")]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// The container's id; the cgroup's path; `host`.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The image that a container was made from.
    pub image: Option<String>,
    /// Who runs a container.
    pub runtime: Option<String>,
    /// The Kubernetes pod that a container is part of.
    pub pod: Option<Pod>,
    /// The Compose project that a container is part of.
    pub project: Option<String>,
    /// Whether a container runs; one that is not seen any more has exited.
    pub state: Option<ContainerState>,
    /// When a container was last started.
    pub started_at: Option<Timestamp>,
    /// When a container ended.
    pub finished_at: Option<Timestamp>,
    /// The exit status of a container that ended.
    pub exit_code: Option<i64>,
    /// When it was first measured.
    pub first_seen_at: Timestamp,
    /// When it was last measured.
    pub last_seen_at: Timestamp,
}

/// More than are given in any lifetime: a file that has larger numbers is none of ours, and there is room for those to come.
const LARGEST: Number = Number::MAX / 2;

/// What one takes, about.
const SUBJECT_BYTES: usize = 896;

/// All of them. A number is not given twice.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    by_number: BTreeMap<Number, Subject>,
    by_id: HashMap<(SubjectKind, String), Number>,
    last: Number,
}

impl Subjects {
    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.len() * SUBJECT_BYTES
    }

    pub(super) fn get(&self, number: Number) -> Option<&Subject> {
        self.by_number.get(&number)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Number, &Subject)> {
        self.by_number.iter().map(|(number, subject)| (*number, subject))
    }

    pub(super) fn number(&self, kind: SubjectKind, id: &str) -> Option<Number> {
        self.by_id.get(&(kind, id.to_owned())).copied()
    }

    /// Takes note of the machine.
    pub(super) fn see_host(&mut self, snapshot: &Snapshot) {
        let at = snapshot.taken_at;
        let new = || Subject {
            name: Some(snapshot.host.hostname.clone()),
            ..subject(SubjectKind::Host, "host", at)
        };
        self.by_number.entry(HOST).or_insert_with(new).last_seen_at = at;
    }

    /// Takes note of a container and says its number; `None` where it has ended and was seen so before: nothing changes then.
    pub(super) fn see(&mut self, container: &Container, at: Timestamp) -> Option<Number> {
        let number = self.number_for(SubjectKind::Container, &container.id, at);
        let known = self.by_number.get_mut(&number)?;
        let is_exited = container.state == ContainerState::Exited;
        // Its exit status may be told a moment later.
        let is_known_to_be = known.state == Some(ContainerState::Exited) && is_exited;
        if !is_known_to_be {
            known.last_seen_at = at;
        }
        known.state = Some(container.state);
        known.started_at = container.started_at;
        known.finished_at = container.finished_at;
        known.exit_code = container.exit_code;
        known.runtime.get_or_insert_with(|| container.runtime.clone());
        renew(&mut known.name, container.name.as_ref());
        renew(&mut known.image, container.image.as_ref());
        renew(&mut known.pod, container.pod.as_ref());
        renew(&mut known.project, container.project());
        (!is_known_to_be).then_some(number)
    }

    /// Takes note of a cgroup; `None` where its path is not known.
    pub(super) fn see_cgroup(&mut self, entry: &CgroupEntry, at: Timestamp) -> Option<Number> {
        let path = entry.cgroup.path.as_deref()?;
        let number = self.number_for(SubjectKind::Cgroup, path, at);
        let known = self.by_number.get_mut(&number)?;
        known.last_seen_at = at;
        renew(&mut known.name, entry.name.as_ref());
        Some(number)
    }

    fn number_for(&mut self, kind: SubjectKind, id: &str, at: Timestamp) -> Number {
        if let Some(number) = self.number(kind, id) {
            return number;
        }
        self.last += 1;
        self.insert(self.last, subject(kind, id, at));
        self.last
    }

    /// Takes one in that had this number before; `false` where another one has it, or it has another.
    pub(super) fn restore(&mut self, number: Number, subject: &Subject) -> bool {
        let is_same = |known: &Subject| known.kind == subject.kind && known.id == subject.id;
        let has_another = self.number(subject.kind, &subject.id).is_some_and(|known| known != number);
        match self.by_number.get_mut(&number) {
            _ if has_another || number > LARGEST => false,
            Some(known) if !is_same(known) => false,
            Some(known) => {
                let first_seen_at = known.first_seen_at.min(subject.first_seen_at);
                if subject.last_seen_at > known.last_seen_at {
                    known.clone_from(subject);
                }
                known.first_seen_at = first_seen_at;
                true
            }
            None => {
                self.last = self.last.max(number);
                self.insert(number, subject.clone());
                true
            }
        }
    }

    fn insert(&mut self, number: Number, subject: Subject) {
        if number != HOST {
            self.by_id.insert((subject.kind, subject.id.clone()), number);
        }
        self.by_number.insert(number, subject);
    }

    pub(super) fn retain(&mut self, there: &BTreeSet<Number>) {
        self.by_number.retain(|number, _| there.contains(number));
        self.by_id.retain(|_, number| there.contains(number));
    }
}

fn subject(kind: SubjectKind, id: &str, at: Timestamp) -> Subject {
    Subject {
        kind,
        id: id.to_owned(),
        name: None,
        image: None,
        runtime: None,
        pod: None,
        project: None,
        state: None,
        started_at: None,
        finished_at: None,
        exit_code: None,
        first_seen_at: at,
        last_seen_at: at,
    }
}

fn renew<T: Borrow<U>, U: ToOwned<Owned = T> + PartialEq + ?Sized>(known: &mut Option<T>, told: Option<&U>) {
    if told.is_some() && known.as_ref().map(Borrow::borrow) != told {
        *known = told.map(U::to_owned);
    }
}

/// Tells one boot of the machine from another.
pub(super) fn boot(host: &Host) -> u64 {
    let digits = host.boot_id.iter().flat_map(|id| id.chars()).filter(char::is_ascii_hexdigit);
    u64::from_str_radix(&digits.take(13).collect::<String>(), 16).unwrap_or_default()
}
