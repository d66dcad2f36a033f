//! Containers and snapshots for tests.

use crate::model::{Container, Host, Snapshot, testing};

/// A container of which nothing was measured; its id is its name.
pub(super) fn container(name: &str) -> Container {
    let mut container = testing::container(name);
    (container.name, container.image) = (Some(name.to_owned()), None);
    container
}

/// A snapshot at a second after 1970, of a machine with two CPUs.
pub(super) fn snapshot(second: i64, containers: Vec<Container>) -> Snapshot {
    let host = Host { hostname: "vm".to_owned(), cpus: 2, ..Host::default() };
    Snapshot { host, ..testing::snapshot(second, containers) }
}
