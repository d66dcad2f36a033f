//! docs/prometheus.md: what is exported, by family.

use std::fmt::Write as _;

use super::{
    naming::named,
    parts::{self, PARTS},
    selection::Selection,
};
use crate::model::{
    Agent, CpuTimes, DiskActivity, FilesystemSpace, HostFaults, HostMemory, HostReclaim, HostScheduler,
    InterfaceTraffic, Metric,
    catalog::{distributions, metrics},
};

const HEAD: &str = "# Prometheus\n\n\
Generated from the catalogue in `monitor/src/model/` by `cargo xtask codegen`; do not edit.\n\n\
`/metrics` of `monitor serve` has these families, in Prometheus' text format or, where that is asked for, in OpenMetrics or Prometheus' \
protobuf format, in which histograms have native buckets beside the classic ones. What was \
not measured has no series. Limits that are not set are `+Inf`. Rates are left to the query: `rate(…[1m])`.\n\n\
Labels of containers: `id` (12 characters where the runtime's id is 64 hexadecimal digits), `name`, `image`, and in Kubernetes \
`pod` and `namespace`. `monitor_container_info` has the full id, the runtime, the pod's uid and what `--metrics-label` names.\n\n\
By default few families are exported of containers; `--metrics GROUP` or `--metrics GROUP.NAME` adds more, `--metrics all` \
everything. Groups besides those below: `pressure`, `culprits` (waits by each other container), `cgroups` (the same families as \
`monitor_cgroup_*` of cgroups that are no container's).\n\n\
Of everything: `monitor_container_start_time_seconds`, `monitor_container_exit_code`, \
`monitor_container_interference_wait_seconds_total` by `source`. With `pressure`, \
`monitor_container_pressure_stall_seconds_total` by `resource` and `kind`.\n";

/// The documentation of every family.
#[must_use]
pub fn markdown() -> String {
    let selection = Selection::default();
    let mut text = String::from(HEAD);
    text.push_str("\n## Containers\n\n| `--metrics` | family | by default |\n|---|---|---|\n");
    let is_default = |group, name| if selection.has(group, name) { "yes" } else { "" };
    for metric in metrics() {
        let Some(named) = named(&format!("monitor_container_{}", metric.group), metric) else { continue };
        let Metric { group, name, .. } = metric;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{group}.{name}` | `{}` | {} |", named.sample(), is_default(group, name));
    }
    for spread in distributions() {
        let (group, name) = (spread.group, spread.name);
        let family = format!("monitor_container_{group}_{name}_seconds");
        let _ = writeln!(text, "| `{group}.{name}` | `{family}` (histogram) | {} |", is_default(group, name));
    }
    for (group, name) in PARTS {
        let families = parts::families(name).join("`, `");
        let _ = writeln!(text, "| `{group}.{name}` | `{families}` |  |");
    }
    text.push_str(
        "\nFamilies of `block_io.devices` have a `device` label, those of `network.interfaces` an `interface`, that of \
         `network.drops` a `reason`; a container has at most 32 of each, those with the most traffic.\n",
    );
    text.push_str("\n## The machine\n\n");
    put_list(&mut text, "monitor_host_cpu", CpuTimes::METRICS);
    put_list(&mut text, "monitor_host_scheduler", HostScheduler::METRICS);
    put_list(&mut text, "monitor_host_memory", HostMemory::METRICS);
    put_list(&mut text, "monitor_host_faults", HostFaults::METRICS);
    put_list(&mut text, "monitor_host_reclaim", HostReclaim::METRICS);
    put_list(&mut text, "monitor_host_disk", DiskActivity::METRICS);
    put_list(&mut text, "monitor_host_filesystem", FilesystemSpace::METRICS);
    put_list(&mut text, "monitor_host_interface", InterfaceTraffic::METRICS);
    text.push_str(
        "- `monitor_host_info`\n- `monitor_host_cpus`\n- `monitor_host_pressure_stall_seconds_total`\n\n## `monitor` itself\n\n",
    );
    put_list(&mut text, "monitor_agent", Agent::METRICS);
    text.push_str(
        "- `monitor_audit_counted_total`, `monitor_audit_machine_total`: `audit` of a snapshot\n\
         - `monitor_probe_attached`, `monitor_source_ok`, `monitor_lost_total`, `monitor_lost_seconds_total`: `coverage` of a \
         snapshot\n- `monitor_sink_ok`, `monitor_sink_queued_bytes`, `monitor_sink_delivered_samples_total`, \
         `monitor_sink_refused_samples_total`, `monitor_sink_dropped_samples_total`, `monitor_sink_retries_total`: the databases and \
         collectors that are [written to](databases.md)\n- `monitor_http_*`: connections, streams, requests, clients that were \
         dropped because they did not read\n- `monitor_history_*`: what history takes, and what it could not keep\n",
    );
    text
}

fn put_list<T>(text: &mut String, prefix: &str, metrics: &[Metric<T>]) {
    for named in metrics.iter().filter_map(|metric| named(prefix, metric)) {
        let _ = writeln!(text, "- `{}`", named.sample());
    }
}
