//! `monitor zabbix`: low-level discovery and items, for the `UserParameter` lines of Zabbix' agent.

use serde_json::{Map, Value, json};

use super::{
    figure::{ContainerFigure, HostFigure, Reading},
    target::Found,
};
use crate::model::{Container, ContainerState, Host};

/// What can be discovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Containers that have not ended.
    Containers,
    /// The machine's disks.
    Disks,
    /// Its file systems.
    Filesystems,
    /// Its interfaces.
    Interfaces,
}

/// What an item is of.
pub enum Item {
    /// All of one container, as JSON: the master of items that take their part of it.
    Container,
    /// The same of the machine.
    Host,
    /// One metric of a container.
    OfContainer(ContainerFigure),
    /// One metric of the machine, of a part of it where there are several.
    OfHost(HostFigure, Option<String>),
}

/// Why an item has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// It was not measured.
    #[error("it was not measured")]
    Unmeasured,
    /// There is no limit, for which Zabbix has no number.
    #[error("there is no limit")]
    Unlimited,
    /// There are several, or none of this name.
    #[error("there is no such part: --part takes one of {0}")]
    Part(String),
    /// It is of something else.
    #[error("the answer is of something else than was asked for")]
    Other,
}

/// The JSON of low-level discovery: a list of objects of macros.
#[must_use]
pub fn discovery(kind: Kind, found: &Found) -> String {
    let rows: Vec<Value> = match (kind, found) {
        (Kind::Containers, Found::Containers(containers)) => {
            let lives = |container: &&Container| container.state != ContainerState::Exited;
            containers.iter().filter(lives).map(container).collect()
        }
        (Kind::Disks, Found::Host(host)) => {
            host.totals.disks.iter().flatten().map(|disk| json!({ "{#DISK}": disk.name })).collect()
        }
        (Kind::Filesystems, Found::Host(host)) => {
            let one = |one: &crate::model::HostFilesystem| json!({ "{#FSNAME}": one.mount_point, "{#FSTYPE}": one.fs_type, "{#FSDEVICE}": one.source });
            host.totals.filesystems.iter().flatten().map(one).collect()
        }
        (Kind::Interfaces, Found::Host(host)) => {
            host.totals.interfaces.iter().flatten().map(|one| json!({ "{#IFNAME}": one.name })).collect()
        }
        (Kind::Containers, Found::Host(_)) | (_, Found::Containers(_)) => Vec::new(),
    };
    Value::from(rows).to_string()
}

/// A container is `{#CONTAINER}`: its name, which stays when it is made anew, or its id where nobody told a name.
fn container(container: &Container) -> Value {
    let pod = container.pod.as_ref();
    let macros = [
        ("{#CONTAINER}", container.name.as_deref().or(Some(container.id.as_str()))),
        ("{#ID}", Some(container.short_id.as_str())),
        ("{#IMAGE}", container.image.as_deref()),
        ("{#RUNTIME}", Some(container.runtime.as_str())),
        ("{#POD}", pod.and_then(|pod| pod.name.as_deref())),
        ("{#NAMESPACE}", pod.and_then(|pod| pod.namespace.as_deref())),
    ];
    // A macro that one row lacks is not resolved there, so that filters on it fail.
    let object = macros.map(|(name, value)| (name.to_owned(), Value::from(value.unwrap_or_default())));
    Value::Object(Map::from_iter(object))
}

/// An item's value.
pub fn item(item: &Item, found: &Found) -> Result<String, ItemError> {
    match (item, found) {
        (Item::Container, Found::Containers(containers)) => {
            let container = containers.first().ok_or(ItemError::Other)?;
            Ok(serde_json::to_string(container).unwrap_or_default())
        }
        (Item::Host, Found::Host(host)) => Ok(serde_json::to_string::<Host>(host).unwrap_or_default()),
        (Item::OfContainer(figure), Found::Containers(containers)) => {
            let container = containers.first().ok_or(ItemError::Other)?;
            shown(figure.read(&container.measurements))
        }
        (Item::OfHost(figure, part), Found::Host(host)) => {
            let readings = figure.read(host);
            let wanted = part.as_deref().unwrap_or_default();
            let Some(reading) = readings.iter().find(|reading| reading.part == wanted) else {
                let parts: Vec<&str> = readings.iter().map(|Reading { part, .. }| part.as_str()).collect();
                return Err(ItemError::Part(parts.join(", ")));
            };
            shown(reading.value)
        }
        _ => Err(ItemError::Other),
    }
}

fn shown(value: Option<f64>) -> Result<String, ItemError> {
    let value = value.ok_or(ItemError::Unmeasured)?;
    if value.is_finite() { Ok(value.to_string()) } else { Err(ItemError::Unlimited) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Disk, DiskActivity, Pod, testing};

    fn host() -> Found {
        let mut host = Host::default();
        let disk = |name: &str, reads| Disk {
            name: name.to_owned(),
            device: "254:0".to_owned(),
            activity: DiskActivity { read_ops_total: Some(reads), ..DiskActivity::default() },
        };
        host.totals.disks = Some(vec![disk("vda", 7), disk("vdb", 8)]);
        host.totals.memory.free_bytes = Some(5);
        Found::Host(Box::new(host))
    }

    #[test]
    fn containers_are_discovered_with_every_macro() {
        let mut named = testing::container("aa");
        named.pod =
            Some(Pod { name: Some("p".to_owned()), namespace: Some("n".to_owned()), uid: String::new() });
        let mut nameless = testing::container("bb");
        (nameless.name, nameless.image) = (None, None);
        let mut ended = testing::container("cc");
        ended.state = ContainerState::Exited;
        let text = discovery(Kind::Containers, &Found::Containers(vec![named, nameless, ended]));
        let rows: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            rows,
            json!([
                { "{#CONTAINER}": "c-aa", "{#ID}": "aa", "{#IMAGE}": "busybox:latest", "{#RUNTIME}": "docker",
                  "{#POD}": "p", "{#NAMESPACE}": "n" },
                { "{#CONTAINER}": "bb", "{#ID}": "bb", "{#IMAGE}": "", "{#RUNTIME}": "docker", "{#POD}": "",
                  "{#NAMESPACE}": "" },
            ])
        );
        assert_eq!(discovery(Kind::Disks, &host()), r#"[{"{#DISK}":"vda"},{"{#DISK}":"vdb"}]"#);
        assert_eq!(discovery(Kind::Interfaces, &host()), "[]");
    }

    #[test]
    fn items_are_numbers_or_say_why_not() {
        let of_host = |name: &str, part: Option<&str>| {
            let figure = HostFigure::named(name).unwrap();
            item(&Item::OfHost(figure, part.map(str::to_owned)), &host())
        };
        assert_eq!(of_host("memory.free_bytes", None), Ok("5".to_owned()));
        assert_eq!(of_host("disks.read_ops_total", Some("vdb")), Ok("8".to_owned()));
        assert_eq!(of_host("disks.read_ops_total", None), Err(ItemError::Part("vda, vdb".to_owned())));
        assert_eq!(of_host("memory.total_bytes", None), Err(ItemError::Unmeasured));
        let mut made = testing::container("aa");
        made.measurements.memory.limit_bytes = Some(-1);
        let found = Found::Containers(vec![made]);
        let of = |name: &str| item(&Item::OfContainer(ContainerFigure::named(name).unwrap()), &found);
        assert_eq!(of("memory.limit_bytes"), Err(ItemError::Unlimited));
        let whole: Value = serde_json::from_str(&item(&Item::Container, &found).unwrap()).unwrap();
        assert_eq!(whole["memory"]["limit_bytes"], -1);
        assert_eq!(item(&Item::Host, &found), Err(ItemError::Other));
    }
}
