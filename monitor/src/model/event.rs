//! Something that happened once: one line of `monitor events`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::snapshot::Cgroup;

/// Raised by a rename or a change of meaning; new fields and new kinds do not raise it.
pub const EVENT_SCHEMA_VERSION: u32 = 1;

/// One event. Events are written in the order in which they became known, which for those that the kernel tells is the
/// order in which they happened; what a runtime tells may come between them a little later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The version of this schema.
    pub schema_version: u32,
    /// When it happened, RFC 3339 with nanoseconds.
    pub at: Timestamp,
    /// The container that it concerns; `null` where it is none's.
    pub container: Option<EventContainer>,
    /// The cgroup that it concerns, in the hierarchy that is counted; `null` of what a runtime tells.
    pub cgroup: Option<Cgroup>,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
}

/// The container that an event concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventContainer {
    /// The runtime's full id.
    pub id: String,
    /// The runtime's name for it; `null` where it has not told.
    pub name: Option<String>,
    /// The image that it was made from; `null` where it has not told.
    pub image: Option<String>,
}

/// What happened. Process ids are the host's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// The runtime has made the container.
    ContainerCreated,
    /// The runtime has started it.
    ContainerStarted,
    /// Its first process has ended, as the runtime tells.
    ContainerDied {
        /// Its exit status: 128 and the signal's number where a signal ended it.
        exit_code: Option<i64>,
    },
    /// The runtime has deleted it.
    ContainerRemoved,
    /// The cgroup was made: a container's own is made right before its first process.
    CgroupMade,
    /// The cgroup was removed, after its last process.
    CgroupRemoved,
    /// A task was moved into the cgroup.
    TaskMoved {
        /// The task's id.
        tid: u32,
        /// Its name.
        comm: String,
    },
    /// A process executed a program.
    Exec {
        /// The process.
        pid: u32,
        /// Its name from then on.
        comm: String,
        /// The program's path as it was asked for; `null` where it has more than 254 bytes.
        path: Option<String>,
    },
    /// A process ended, its last thread too.
    Exit {
        /// The process.
        pid: u32,
        /// Its name.
        comm: String,
        /// Its exit status as a shell has it: 128 and the signal's number where a signal ended it.
        exit_code: i64,
        /// The signal that ended it.
        signal: Option<u32>,
        /// Whether that left a memory dump.
        has_dumped_core: bool,
    },
    /// The kernel chose a process to kill because memory was short: at a limit of the cgroup's or one above, or on the
    /// machine.
    OomKill {
        /// The process.
        pid: u32,
        /// Its name.
        comm: String,
    },
    /// The cgroup's CPU quota, or one above, ran out in a period that ended between two readings of `cpu.stat`, and had not
    /// in those before. The kernel tells of no such moment: `at` is the second reading's.
    ThrottleBegin {
        /// The time between the two readings: it was throttled first at some moment of it.
        granularity_ns: u64,
    },
    /// The quota did not run out any more.
    ThrottleEnd {
        /// The time between the last two readings.
        granularity_ns: u64,
        /// Periods in which it ran out since `throttle_begin`.
        throttled_periods: u64,
        /// How long tasks that could have gone on were kept waiting since then, summed over CPUs.
        throttled_ns: u64,
    },
    /// Events that were not written.
    Lost {
        /// Why not.
        cause: LossCause,
        /// How many.
        count: u64,
    },
}

/// Why events were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossCause {
    /// They came faster than they were read from the kernel.
    FullRing,
    /// They were of no form that is known.
    UnknownForm,
    /// The reader of the output was too slow.
    SlowReader,
}

impl Happening {
    /// Its kind, as in the JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ContainerCreated => "container_created",
            Self::ContainerStarted => "container_started",
            Self::ContainerDied { .. } => "container_died",
            Self::ContainerRemoved => "container_removed",
            Self::CgroupMade => "cgroup_made",
            Self::CgroupRemoved => "cgroup_removed",
            Self::TaskMoved { .. } => "task_moved",
            Self::Exec { .. } => "exec",
            Self::Exit { .. } => "exit",
            Self::OomKill { .. } => "oom_kill",
            Self::ThrottleBegin { .. } => "throttle_begin",
            Self::ThrottleEnd { .. } => "throttle_end",
            Self::Lost { .. } => "lost",
        }
    }

    /// Whether it is of a container as a whole, and so seldom, and not of one of its processes or cgroups.
    #[must_use]
    pub fn is_milestone(&self) -> bool {
        match self {
            Self::ContainerCreated
            | Self::ContainerStarted
            | Self::ContainerDied { .. }
            | Self::ContainerRemoved
            | Self::OomKill { .. }
            | Self::ThrottleBegin { .. }
            | Self::ThrottleEnd { .. }
            | Self::Lost { .. } => true,
            Self::CgroupMade
            | Self::CgroupRemoved
            | Self::TaskMoved { .. }
            | Self::Exec { .. }
            | Self::Exit { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_flat_and_its_kind_is_what_it_says() {
        let event = Event {
            schema_version: EVENT_SCHEMA_VERSION,
            at: Timestamp::from_second(1).unwrap(),
            container: None,
            cgroup: Some(Cgroup { id: 7, path: Some("/a".to_owned()) }),
            what: Happening::Exec { pid: 1, comm: "true".to_owned(), path: None },
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["kind"], event.what.kind());
        assert_eq!(json["pid"], 1);
        assert_eq!(json["path"], serde_json::Value::Null);
        assert_eq!(json["at"], "1970-01-01T00:00:01Z");
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}
