//! Snapshot → what Prometheus scrapes, from the catalogue: one entry is one family.
//!
//! Containers are `monitor_container_*`, other cgroups `monitor_cgroup_*`, the machine `monitor_host_*`, this program
//! `monitor_agent_*`. Names and values are in base units. What was not measured has no series.

mod docs;
mod exposition;
mod groups;
mod host;
mod naming;
mod native;
mod number;
mod own;
mod parts;
mod protobuf;
pub mod read;
mod selection;
mod totals;

pub use self::{
    docs::markdown,
    exposition::{Exposition, Family, Form, Kind, Samples, put_label, put_pair},
    groups::{source, sum_ns},
    naming::{Named, is_exported, named},
    number::{Number, put_number},
    selection::{Selection, UnknownMetric},
    totals::{BOUNDS_NS, Classes, Counts, Totals},
};

use self::groups::{Subject, put_groups};
use crate::model::{CgroupEntry, Container, Snapshot, latest_runs};

/// Appends everything of one snapshot that is selected.
pub fn encode(snapshot: &Snapshot, totals: &Totals, selection: &Selection, out: &mut Exposition) {
    let (told, containers): (Vec<&Container>, Vec<Subject<'_>>) =
        latest_runs(&snapshot.containers).map(|(_, one)| (one, container(one))).unzip();
    put_identity(&told, &containers, selection, out);
    put_groups("monitor_container", &containers, totals, selection, out);
    if selection.has_cgroups() {
        let cgroups: Vec<Subject<'_>> = snapshot.cgroups.iter().map(cgroup).collect();
        put_groups("monitor_cgroup", &cgroups, totals, selection, out);
    }
    host::put(&snapshot.host, out);
    own::put(snapshot, out);
}

/// The labels of all of a container's series.
fn container(container: &Container) -> Subject<'_> {
    let mut labels = String::new();
    put_label(&mut labels, "id", shown_id(container));
    let pod = container.pod.as_ref();
    let told = [
        ("name", container.name.as_deref()),
        ("image", container.image.as_deref()),
        ("pod", pod.and_then(|pod| pod.name.as_deref())),
        ("namespace", pod.and_then(|pod| pod.namespace.as_deref())),
    ];
    for (name, value) in told {
        if let Some(value) = value {
            put_label(&mut labels, name, value);
        }
    }
    Subject { labels, cgroup: container.cgroup.id, measurements: &container.measurements }
}

/// Twelve characters of an id of 64 hexadecimal digits, as runtimes themselves show it; of others, which may be names, all.
#[must_use]
pub fn shown_id(container: &Container) -> &str {
    let is_long = container.id.len() == 64 && container.id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_long { &container.short_id } else { &container.id }
}

fn cgroup(entry: &CgroupEntry) -> Subject<'_> {
    let mut labels = String::new();
    put_label(&mut labels, "path", entry.cgroup.path.as_deref().unwrap_or_default());
    Subject { labels, cgroup: entry.cgroup.id, measurements: &entry.measurements }
}

/// Who each container is, once, for joins.
fn put_identity(
    containers: &[&Container],
    subjects: &[Subject<'_>],
    selection: &Selection,
    out: &mut Exposition,
) {
    let each = || containers.iter().zip(subjects);
    let info = Family {
        name: "monitor_container",
        kind: Kind::Info,
        unit: "",
        help: "Who a container is; `container_id` is the runtime's full id.",
    };
    out.family(&info, |samples| {
        for (container, subject) in each() {
            samples.put(&info_labels(container, subject, selection), Number::Integer(1));
        }
    });
    let started = Family {
        name: "monitor_container_start_time_seconds",
        kind: Kind::Gauge,
        unit: "seconds",
        help: "When it was last started, since 1970.",
    };
    out.family(&started, |samples| {
        for (container, subject) in each() {
            if let Some(at) = container.started_at {
                samples.put(&subject.labels, Number::Shifted(at.as_nanosecond(), 9));
            }
        }
    });
    let exit = Family {
        name: "monitor_container_exit_code",
        kind: Kind::Gauge,
        unit: "",
        help: "The exit status of a container that has ended: 128 and the signal's number where a signal ended it.",
    };
    out.family(&exit, |samples| {
        for (container, subject) in each() {
            if let Some(code) = container.exit_code {
                samples.put(&subject.labels, Number::Integer(code.into()));
            }
        }
    });
}

fn info_labels(container: &Container, subject: &Subject<'_>, selection: &Selection) -> String {
    let mut labels = subject.labels.clone();
    put_label(&mut labels, "container_id", &container.id);
    put_label(&mut labels, "runtime", &container.runtime);
    if let Some(pod) = &container.pod {
        put_label(&mut labels, "pod_uid", &pod.uid);
    }
    for (name, value) in selection.labels_of(container) {
        put_label(&mut labels, name, value);
    }
    labels
}

#[cfg(test)]
mod tests;
