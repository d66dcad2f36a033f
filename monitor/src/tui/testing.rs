//! Containers and snapshots for tests.

use jiff::Timestamp;

use crate::model::{
    About, Audit, Cgroup, Container, ContainerState, Coverage, Host, Measurements, Namespaces,
    SCHEMA_VERSION, Snapshot,
};

/// A container of which nothing was measured; its id is its name.
pub(super) fn container(name: &str) -> Container {
    let about = About {
        id: name.to_owned(),
        short_id: name.chars().take(12).collect(),
        name: Some(name.to_owned()),
        image: None,
        runtime: "docker".to_owned(),
        state: ContainerState::Running,
        exit_code: None,
        created_at: None,
        started_at: None,
        finished_at: None,
        labels: std::collections::BTreeMap::new(),
        pod: None,
        counting_since: Timestamp::UNIX_EPOCH,
        cgroup: Cgroup { id: 1, path: Some(format!("/docker/{name}")) },
        namespaces: Namespaces::default(),
    };
    Container { about: about.into(), measurements: Measurements::default() }
}

/// A snapshot at a second after 1970.
pub(super) fn snapshot(second: i64, containers: Vec<Container>) -> Snapshot {
    Snapshot {
        schema_version: SCHEMA_VERSION,
        taken_at: Timestamp::from_second(second).unwrap(),
        window_ns: 1_000_000_000,
        host: Host { hostname: "vm".to_owned(), cpus: 2, ..Host::default() },
        containers,
        cgroups: Vec::new(),
        audit: Audit::default(),
        coverage: Coverage::default(),
    }
}
