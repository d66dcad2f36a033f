//! The text of `/metrics/cadvisor`: each snapshot's is made once, however many ask.

use std::fmt::Write as _;

use super::{
    convert,
    exposition::{ContainerLabels, Kind, Series, Value, base_labels, put_heading},
    frame::Frame,
    info::ContainerInfo,
    machine::{Cache, Core, MachineInfo, Node, VERSION, machine_info},
    metrics::{LEFT_OUT, Of, metrics},
};
use crate::{
    host::Machine,
    output::prometheus::{Form, put_label},
};

/// Which containers are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kinds {
    /// Every cgroup.
    #[default]
    All,
    /// Docker's containers alone.
    Docker,
    /// Podman's alone.
    Podman,
}

impl Kinds {
    /// The runtime whose containers are wanted.
    pub(super) fn runtime(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Docker => Some("docker"),
            Self::Podman => Some("podman"),
        }
    }
}

/// What of a snapshot is written, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) form: Form,
    pub(super) kinds: Kinds,
    /// Whether samples carry the time of the snapshot, as cAdvisor's do.
    pub(super) with_timestamps: bool,
}

impl Variant {
    /// Everything, in this form.
    pub(super) fn all(form: Form) -> Self {
        Self { form, kinds: Kinds::All, with_timestamps: false }
    }
}

/// A metric of the machine.
pub(super) struct MachineMetric {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: &'static [&'static str],
    read: fn(&MachineInfo, &mut Series<'_>),
}

/// The metric of who tells all this.
pub(super) const VERSION_INFO: &str = "cadvisor_version_info";

/// Appends all metrics.
pub(super) fn render(
    frame: &Frame,
    machine: &Machine,
    labels: &ContainerLabels,
    variant: Variant,
    out: &mut String,
) {
    put_version(out, variant.form, frame, machine);
    let rows: Vec<Row> = frame
        .subjects()
        .filter(|subject| match variant.kinds.runtime() {
            None => true,
            Some(runtime) => subject.container().is_some_and(|container| container.runtime == runtime),
        })
        .map(|subject| Row {
            info: convert::measured(&subject),
            base: base_labels(&subject, labels),
            has_ended: subject.has_ended(),
            ended_at: subject.container().and_then(|container| container.finished_at),
        })
        .collect();
    put_containers(out, rows, variant);
    put_machine(out, variant.form, &machine_info(machine, &frame.snapshot));
}

struct Row {
    info: ContainerInfo,
    base: String,
    has_ended: bool,
    ended_at: Option<jiff::Timestamp>,
}

fn put_containers(out: &mut String, mut rows: Vec<Row>, variant: Variant) {
    for row in &mut rows {
        // It was last seen when it ended.
        if let Some((stats, ended_at)) =
            row.info.stats.first_mut().zip(row.ended_at.filter(|_| row.has_ended))
        {
            stats.timestamp = ended_at;
        }
    }
    for metric in metrics() {
        let heading = out.len();
        put_heading(out, variant.form, metric.name, metric.kind, metric.help);
        let series = out.len();
        for row in rows.iter().filter(|row| !row.has_ended || metric.outlives_its_container()) {
            let Some(stats) = row.info.stats.first() else { continue };
            let is_timed = variant.with_timestamps && metric.of == Of::Use;
            let timestamp = is_timed.then(|| stats.timestamp.as_millisecond());
            let mut series = Series { out, name: metric.name, base: &row.base, timestamp };
            metric.put(&row.info, stats, &mut series);
        }
        if out.len() == series {
            out.truncate(heading);
        }
    }
}

fn put_version(out: &mut String, form: Form, frame: &Frame, machine: &Machine) {
    put_heading(out, form, VERSION_INFO, Kind::Gauge, "The versions of what this comes from.");
    let mut base = String::new();
    for (name, value) in [
        ("cadvisorRevision", ""),
        ("cadvisorVersion", VERSION),
        ("dockerVersion", ""),
        ("kernelVersion", &frame.snapshot.host.kernel_release),
        ("osVersion", machine.os.as_deref().unwrap_or_default()),
    ] {
        put_label(&mut base, name, value);
    }
    Series { out, name: VERSION_INFO, base: &base, timestamp: None }.put(Some(Value::Count(1)));
}

fn put_machine(out: &mut String, form: Form, machine: &MachineInfo) {
    let mut base = String::new();
    let id = |value: &Option<String>| value.clone().unwrap_or_default();
    put_label(&mut base, "boot_id", &id(&machine.boot_id));
    put_label(&mut base, "machine_id", &id(&machine.machine_id));
    put_label(&mut base, "system_uuid", &id(&machine.system_uuid));
    for metric in MACHINE_METRICS {
        let heading = out.len();
        put_heading(out, form, metric.name, Kind::Gauge, metric.help);
        let series = out.len();
        (metric.read)(machine, &mut Series { out, name: metric.name, base: &base, timestamp: None });
        if out.len() == series {
            out.truncate(heading);
        }
    }
}

/// Every metric of the machine that is exported, in this order; all are gauges.
pub(super) static MACHINE_METRICS: &[MachineMetric] = &[
    of_machine("machine_cpu_cores", "CPUs online.", |machine, series| {
        series.put(Some(Value::Count(machine.num_cores.into())));
    }),
    of_machine("machine_cpu_physical_cores", "Processor cores.", |machine, series| {
        series.put(machine.num_physical_cores.map(|cores| Value::Count(cores.into())));
    }),
    of_machine("machine_cpu_sockets", "Processor packages.", |machine, series| {
        series.put(machine.num_sockets.map(|sockets| Value::Count(sockets.into())));
    }),
    of_machine(
        "machine_cpu_books",
        "Books of processors; 0 where the architecture has none.",
        |machine, series| {
            series.put(Some(Value::Count(machine.num_books.into())));
        },
    ),
    of_machine(
        "machine_cpu_drawers",
        "Drawers of processors; 0 where the architecture has none.",
        |machine, series| series.put(Some(Value::Count(machine.num_drawers.into()))),
    ),
    of_machine("machine_memory_bytes", "Memory that the kernel manages.", |machine, series| {
        series.put(machine.memory_capacity.map(Value::Count));
    }),
    of_machine("machine_swap_bytes", "Swap space.", |machine, series| {
        series.put(machine.swap_capacity.map(Value::Count));
    }),
    of_machine("machine_scrape_error", "1 if the machine could not be read, else 0.", |_, series| {
        series.put(Some(Value::Count(0)));
    }),
    MachineMetric {
        labels: &["node_id", "core_id", "type", "level"],
        ..of_machine("machine_cpu_cache_capacity_bytes", "Size of processor caches.", put_caches)
    },
    MachineMetric {
        labels: &["node_id", "core_id", "thread_id"],
        ..of_machine("machine_thread_siblings_count", "Threads of the core of each thread.", put_siblings)
    },
    MachineMetric {
        labels: &["node_id"],
        ..of_machine("machine_node_memory_capacity_bytes", "Memory of each NUMA node.", |machine, series| {
            for node in &machine.topology {
                series.put_with(&[("node_id", &node.node_id.to_string())], node.memory.map(Value::Count));
            }
        })
    },
    MachineMetric {
        labels: &["node_id", "page_size"],
        ..of_machine("machine_node_hugepages_count", "Huge pages of each NUMA node.", |machine, series| {
            for node in &machine.topology {
                for pool in &node.hugepages {
                    let labels =
                        [("node_id", &*node.node_id.to_string()), ("page_size", &pool.page_size.to_string())];
                    series.put_with(&labels, Some(Value::Count(pool.num_pages)));
                }
            }
        })
    },
    MachineMetric {
        labels: &["node_id", "target_node_id"],
        ..of_machine("machine_node_distance", "How far NUMA nodes are from each other.", put_distances)
    },
];

const fn of_machine(
    name: &'static str,
    help: &'static str,
    read: fn(&MachineInfo, &mut Series<'_>),
) -> MachineMetric {
    MachineMetric { name, help, labels: &[], read }
}

fn put_caches(machine: &MachineInfo, series: &mut Series<'_>) {
    for node in &machine.topology {
        let node_id = node.node_id.to_string();
        let mut put = |core_id: &str, cache: &Cache| {
            let level = cache.level.to_string();
            let labels =
                [("node_id", &*node_id), ("core_id", core_id), ("type", &*cache.kind), ("level", &*level)];
            series.put_with(&labels, Some(Value::Count(cache.size)));
        };
        for core in &node.cores {
            for cache in &core.caches {
                put(&core_label(node, core), cache);
            }
        }
        // Those of the node are no single core's.
        for (index, cache) in node.caches.iter().enumerate() {
            let is_new = node
                .caches
                .iter()
                .take(index)
                .all(|earlier| (earlier.level, &earlier.kind) != (cache.level, &cache.kind));
            if is_new {
                put("", cache);
            }
        }
    }
}

/// A core's number, with its package's where a node has cores of several with the same number.
fn core_label(node: &Node, core: &Core) -> String {
    let same = node.cores.iter().filter(|other| other.core_id == core.core_id).count();
    if same > 1 { format!("{}:{}", core.socket_id, core.core_id) } else { core.core_id.to_string() }
}

fn put_siblings(machine: &MachineInfo, series: &mut Series<'_>) {
    for node in &machine.topology {
        for core in &node.cores {
            let siblings = u64::try_from(core.thread_ids.len()).unwrap_or(u64::MAX);
            for thread in &core.thread_ids {
                let labels = [
                    ("node_id", &*node.node_id.to_string()),
                    ("core_id", &*core_label(node, core)),
                    ("thread_id", &*thread.to_string()),
                ];
                series.put_with(&labels, Some(Value::Count(siblings)));
            }
        }
    }
}

fn put_distances(machine: &MachineInfo, series: &mut Series<'_>) {
    for node in &machine.topology {
        for (target, distance) in machine.topology.iter().zip(&node.distances) {
            let labels =
                [("node_id", &*node.node_id.to_string()), ("target_node_id", &*target.node_id.to_string())];
            series.put_with(&labels, Some(Value::Count(*distance)));
        }
    }
}

/// The documentation of every metric of cAdvisor's, as committed in docs/cadvisor-metrics.md.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "# cAdvisor's metrics\n\nGenerated from `monitor/src/cadvisor/` by `cargo xtask codegen`; do not edit. \
         [cadvisor.md](cadvisor.md) says what holds for all.\n\n\
         | metric | type | labels | |\n|---|---|---|---|\n",
    );
    let list =
        |labels: &[&str]| labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
    let mut put = |name: &str, kind: Kind, labels: &[&str], word: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| `{name}` | {kind} | {} | {word} |", list(labels));
    };
    for metric in metrics() {
        let word = if metric.corrected.is_empty() {
            "same".to_owned()
        } else {
            format!("corrected: {}", metric.corrected)
        };
        put(metric.name, metric.kind, metric.labels, &word);
    }
    for metric in MACHINE_METRICS {
        put(metric.name, Kind::Gauge, metric.labels, "same");
    }
    let versions = ["kernelVersion", "osVersion", "dockerVersion", "cadvisorVersion", "cadvisorRevision"];
    put(VERSION_INFO, Kind::Gauge, &versions, "same; `dockerVersion` is empty, as cAdvisor's is");
    for (names, reason) in LEFT_OUT {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(out, "| {} | | | left out: {reason} |", names.join(", "));
    }
    out
}

#[cfg(test)]
mod tests;
