//! Made-up snapshots for unit tests.
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    About, Audit, Cgroup, Container, ContainerState, Coverage, EVENT_SCHEMA_VERSION, Event, Happening, Host,
    Measurements, Namespaces, SCHEMA_VERSION, Snapshot,
};

/// A snapshot taken so many seconds after 1970, over a window of one.
pub(crate) fn snapshot(second: i64, containers: Vec<Container>) -> Snapshot {
    Snapshot {
        schema_version: SCHEMA_VERSION,
        taken_at: Timestamp::from_second(second).unwrap(),
        window_ns: 1_000_000_000,
        host: Host::default(),
        containers,
        cgroups: Vec::new(),
        audit: Audit::default(),
        coverage: Coverage::default(),
    }
}

/// A running container of Docker's, called `c-` and its id, of which nothing was measured.
pub(crate) fn container(id: &str) -> Container {
    let about = About {
        id: id.to_owned(),
        short_id: id.chars().take(12).collect(),
        name: Some(format!("c-{id}")),
        image: Some("busybox:latest".to_owned()),
        runtime: "docker".to_owned(),
        state: ContainerState::Running,
        exit_code: None,
        created_at: None,
        started_at: None,
        finished_at: None,
        labels: BTreeMap::new(),
        pod: None,
        counting_since: Timestamp::UNIX_EPOCH,
        cgroup: Cgroup { id: 1, path: Some(format!("/docker/{id}")) },
        namespaces: Namespaces::default(),
    };
    Container { about: about.into(), measurements: Measurements::default() }
}

/// Something that happened in 1970, to no container.
#[cfg_attr(not(test), expect(dead_code, reason = "only tests need it"))]
pub(crate) fn event(what: Happening) -> Event {
    Event {
        schema_version: EVENT_SCHEMA_VERSION,
        at: Timestamp::UNIX_EPOCH,
        container: None,
        cgroup: None,
        what,
    }
}
