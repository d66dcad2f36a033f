//! One container, or some beside each other.

use super::{
    grafana::{Dashboard, Panel, Row, Unit},
    query::Scope,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "container",
        title: "monitor / Container",
        description: "What containers do to the kernel, and what the kernel does to them. Needs the metrics that \
                      deploy/config.toml asks for.",
        scope: Scope::Containers,
        rows: vec![cpu(), waiting(), memory(), network(), storage()],
    }
}

fn cpu() -> Row {
    Row {
        title: "CPU",
        panels: vec![
            Panel::lines(
                "Used",
                Unit::Number,
                "In CPUs, and the quota where there is one.",
                &[
                    ("{{name}}", "sum by (name) (rate([[cpu.usage_ns_total]][$__rate_interval]))"),
                    ("{{name}} quota", "max by (name) ([[cpu.quota_us]] / [[cpu.period_us]] < +Inf)"),
                ],
            ),
            Panel::lines(
                "Held back by the quota",
                Unit::Share,
                "Part of the quota's periods in which it ran out.",
                &[(
                    "{{name}}",
                    "sum by (name) (rate([[cpu.throttled_periods_total]][$__rate_interval])) \
                     / (sum by (name) (rate([[cpu.periods_total]][$__rate_interval])) > 0)",
                )],
            ),
            Panel::lines(
                "Held back, time",
                Unit::Number,
                "CPUs' worth of time for which runnable tasks were not let run.",
                &[("{{name}}", "sum by (name) (rate([[cpu.throttled_ns_total]][$__rate_interval]))")],
            ),
            Panel::lines(
                "Context switches",
                Unit::PerSecond,
                "Voluntary: a task blocked. Involuntary: it could have gone on.",
                &[
                    (
                        "{{name}} voluntary",
                        "sum by (name) (rate([[scheduler.voluntary_switches_total]][$__rate_interval]))",
                    ),
                    (
                        "{{name}} involuntary",
                        "sum by (name) (rate([[scheduler.involuntary_switches_total]][$__rate_interval]))",
                    ),
                ],
            ),
            Panel::lines(
                "Tasks",
                Unit::Number,
                "What the tasks were doing when they were last looked at.",
                &[
                    ("{{name}} run", "sum by (name) ([[tasks.running]])"),
                    ("{{name}} sleep", "sum by (name) ([[tasks.sleeping]])"),
                    ("{{name}} wait for disks", "sum by (name) ([[tasks.disk_sleep]])"),
                ],
            ),
            Panel::lines(
                "Migrations",
                Unit::PerSecond,
                "Placements of a task on another CPU.",
                &[("{{name}}", "sum by (name) (rate([[scheduler.migrations_total]][$__rate_interval]))")],
            ),
        ],
    }
}

fn waiting() -> Row {
    Row {
        title: "Waiting for a CPU",
        panels: vec![
            Panel::lines(
                "Each wait",
                Unit::Seconds,
                "How long tasks were runnable before they were given a CPU.",
                &[
                    (
                        "{{name}} median",
                        "histogram_quantile(0.5, sum by (name, le) (rate([[scheduler.runq_latency]][$__rate_interval])))",
                    ),
                    (
                        "{{name}} 99 %",
                        "histogram_quantile(0.99, sum by (name, le) (rate([[scheduler.runq_latency]][$__rate_interval])))",
                    ),
                ],
            ),
            Panel::lines(
                "Each turn on a CPU",
                Unit::Seconds,
                "How long tasks had a CPU, each time that they left it: the median.",
                &[(
                    "{{name}}",
                    "histogram_quantile(0.5, sum by (name, le) (rate([[scheduler.timeslices]][$__rate_interval])))",
                )],
            ),
            Panel::lines(
                "For whom or what",
                Unit::Number,
                "How many of the tasks wait at a time, by what had the CPU meanwhile.",
                &[(
                    "{{source}}",
                    "sum by (source) (rate([[=monitor_container_interference_wait_seconds_total]][$__rate_interval]))",
                )],
            )
            .stacked(),
            Panel::heatmap(
                "Waits",
                "How many waits of each length.",
                "sum by (le) (increase([[scheduler.runq_latency]][$__rate_interval]))",
            ),
            Panel::lines(
                "Stalls",
                Unit::Share,
                "Part of the time in which some task waited for the resource.",
                &[(
                    "{{name}} {{resource}}",
                    "sum by (name, resource) \
                     (rate([[=monitor_container_pressure_stall_seconds_total|kind=\"some\"]][$__rate_interval]))",
                )],
            )
            .half(),
        ],
    }
}

fn memory() -> Row {
    Row {
        title: "Memory",
        panels: vec![
            Panel::lines(
                "In use",
                Unit::Bytes,
                "The working set, what of it is no file, and the limit where there is one.",
                &[
                    ("{{name}} working set", "sum by (name) ([[memory.working_set_bytes]])"),
                    ("{{name}} anonymous", "sum by (name) ([[memory.anon_bytes]])"),
                    ("{{name}} limit", "max by (name) ([[memory.limit_bytes]] < +Inf)"),
                ],
            ),
            Panel::lines(
                "Page cache",
                Unit::Bytes,
                "",
                &[("{{name}}", "sum by (name) ([[memory.file_bytes]])")],
            ),
            Panel::lines(
                "Faults",
                Unit::PerSecond,
                "Minor ones need no I/O, major ones do.",
                &[
                    ("{{name}} minor", "sum by (name) (rate([[faults.minor_total]][$__rate_interval]))"),
                    ("{{name}} major", "sum by (name) (rate([[faults.major_total]][$__rate_interval]))"),
                ],
            ),
            Panel::lines(
                "Time spent freeing memory at the limit",
                Unit::Number,
                "How many tasks did so at a time.",
                &[("{{name}}", "sum by (name) (rate([[memory.limit_reclaim_ns_total]][$__rate_interval]))")],
            ),
            Panel::lines(
                "Killed for lack of memory",
                Unit::Number,
                "Over the last hour.",
                &[("{{name}}", "sum by (name) (increase([[memory.oom_victims_total]][1h]))")],
            ),
            Panel::lines("Threads", Unit::Number, "", &[("{{name}}", "sum by (name) ([[pids.current]])")]),
        ],
    }
}

fn network() -> Row {
    Row {
        title: "Network",
        panels: vec![
            Panel::lines(
                "Traffic",
                Unit::BytesPerSecond,
                "Of its sockets, also where it shares a network namespace.",
                &[
                    ("{{name}} received", "sum by (name) (rate([[network.rx_bytes_total]][$__rate_interval]))"),
                    ("{{name}} sent", "sum by (name) (rate([[network.tx_bytes_total]][$__rate_interval]))"),
                ],
            ),
            Panel::lines(
                "TCP segments sent again",
                Unit::PerSecond,
                "",
                &[("{{name}}", "sum by (name) (rate([[network.tcp_retransmits_total]][$__rate_interval]))")],
            ),
            Panel::lines(
                "TCP connections",
                Unit::PerSecond,
                "",
                &[
                    ("{{name}} opened", "sum by (name) (rate([[network.tcp_opened_total]][$__rate_interval]))"),
                    (
                        "{{name}} accepted",
                        "sum by (name) (rate([[network.tcp_accepted_total]][$__rate_interval]))",
                    ),
                    ("{{name}} failed", "sum by (name) (rate([[network.tcp_failed_total]][$__rate_interval]))"),
                ],
            ),
            Panel::lines(
                "Getting a TCP connection",
                Unit::Seconds,
                "From the first request to the answer, 99 %.",
                &[(
                    "{{name}}",
                    "histogram_quantile(0.99, sum by (name, le) \
                     (rate([[network.tcp_connect_latency]][$__rate_interval])))",
                )],
            )
            .half(),
            Panel::lines(
                "Packets thrown away",
                Unit::PerSecond,
                "By the kernel's reason.",
                &[(
                    "{{name}} {{reason}}",
                    "sum by (name, reason) (rate([[=monitor_container_network_drops_total]][$__rate_interval]))",
                )],
            )
            .half(),
        ],
    }
}

fn storage() -> Row {
    Row {
        title: "Disks and file systems",
        panels: vec![
            Panel::lines(
                "Throughput",
                Unit::BytesPerSecond,
                "Requests that the devices completed.",
                &[
                    (
                        "{{name}} {{device}} read",
                        "sum by (name, device) (rate([[block_io.devices.read_bytes_total]][$__rate_interval]))",
                    ),
                    (
                        "{{name}} {{device}} written",
                        "sum by (name, device) (rate([[block_io.devices.write_bytes_total]][$__rate_interval]))",
                    ),
                ],
            ),
            Panel::lines(
                "Requests",
                Unit::PerSecond,
                "",
                &[
                    ("{{name}} read", "sum by (name) (rate([[block_io.read_ops_total]][$__rate_interval]))"),
                    (
                        "{{name}} written",
                        "sum by (name) (rate([[block_io.write_ops_total]][$__rate_interval]))",
                    ),
                ],
            ),
            Panel::lines(
                "Each request, 99 %",
                Unit::Seconds,
                "From issue to completion.",
                &[
                    (
                        "{{name}} read",
                        "histogram_quantile(0.99, sum by (name, le) (rate([[block_io.read_latency]][$__rate_interval])))",
                    ),
                    (
                        "{{name}} written",
                        "histogram_quantile(0.99, sum by (name, le) (rate([[block_io.write_latency]][$__rate_interval])))",
                    ),
                ],
            ),
            Panel::lines(
                "Taken on the file system",
                Unit::Bytes,
                "Writable layer and logs.",
                &[("{{name}}", "sum by (name) ([[filesystems.used_bytes]])")],
            )
            .half(),
            Panel::lines(
                "Up for",
                Unit::Seconds,
                "",
                &[("{{name}}", "max by (name) (time() - [[=monitor_container_start_time_seconds]])")],
            )
            .half(),
        ],
    }
}
