//! One host, or some beside each other.

use super::{
    grafana::{Dashboard, Panel, Row, Unit},
    query::Scope,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "host",
        title: "monitor / Host",
        description: "The machine's own figures, and which containers they come from.",
        scope: Scope::Hosts,
        rows: vec![cpu(), memory(), storage(), network()],
    }
}

fn cpu() -> Row {
    Row {
        title: "CPU",
        panels: vec![
            Panel::lines(
                "Time by what it went to",
                Unit::Number,
                "In CPUs.",
                &[
                    ("user", "sum(rate([[host.cpu.user_ns_total]][$__rate_interval]))"),
                    ("nice", "sum(rate([[host.cpu.nice_ns_total]][$__rate_interval]))"),
                    ("system", "sum(rate([[host.cpu.system_ns_total]][$__rate_interval]))"),
                    ("waits for I/O", "sum(rate([[host.cpu.iowait_ns_total]][$__rate_interval]))"),
                    ("interrupts", "sum(rate([[host.cpu.irq_ns_total]][$__rate_interval]))"),
                    ("soft interrupts", "sum(rate([[host.cpu.softirq_ns_total]][$__rate_interval]))"),
                    ("stolen", "sum(rate([[host.cpu.steal_ns_total]][$__rate_interval]))"),
                ],
            )
            .stacked(),
            Panel::lines(
                "By container",
                Unit::Number,
                "In CPUs; the twenty that use most.",
                &[("{{name}}", "topk(20, sum by (name) (rate([[cpu.usage_ns_total]][$__rate_interval])))")],
            )
            .stacked(),
            Panel::lines(
                "Load",
                Unit::Number,
                "Tasks that run, are ready to, or wait uninterruptibly.",
                &[
                    ("{{instance}} 1 min", "[[host.scheduler.load_1]]"),
                    ("{{instance}} 5 min", "[[host.scheduler.load_5]]"),
                    ("{{instance}} 15 min", "[[host.scheduler.load_15]]"),
                ],
            ),
            Panel::lines(
                "Context switches",
                Unit::PerSecond,
                "",
                &[("{{instance}}", "rate([[host.scheduler.switches_total]][$__rate_interval])")],
            ),
            Panel::lines(
                "Involuntary switches by container",
                Unit::PerSecond,
                "Times that a task was taken off a CPU that could have gone on.",
                &[(
                    "{{name}}",
                    "topk(10, sum by (name) (rate([[scheduler.involuntary_switches_total]][$__rate_interval])))",
                )],
            ),
            Panel::lines(
                "Stalls",
                Unit::Share,
                "Part of the time in which some task, or all that were not idle (full), waited for the resource.",
                &[(
                    "{{instance}} {{resource}} {{kind}}",
                    "rate([[=monitor_host_pressure_stall_seconds_total]][$__rate_interval])",
                )],
            ),
        ],
    }
}

fn memory() -> Row {
    Row {
        title: "Memory",
        panels: vec![
            Panel::lines(
                "By what it is",
                Unit::Bytes,
                "",
                &[
                    ("anonymous", "sum([[host.memory.anon_bytes]])"),
                    ("page cache", "sum([[host.memory.cached_bytes]])"),
                    ("slab", "sum([[host.memory.slab_bytes]])"),
                    ("free", "sum([[host.memory.free_bytes]])"),
                ],
            )
            .stacked(),
            Panel::lines(
                "Working set by container",
                Unit::Bytes,
                "The twenty that have most.",
                &[("{{name}}", "topk(20, sum by (name) ([[memory.working_set_bytes]]))")],
            )
            .stacked(),
            Panel::lines(
                "Faults",
                Unit::PerSecond,
                "Minor ones need no I/O, major ones do.",
                &[
                    ("{{instance}} minor", "rate([[host.faults.minor_total]][$__rate_interval])"),
                    ("{{instance}} major", "rate([[host.faults.major_total]][$__rate_interval])"),
                ],
            ),
            Panel::lines(
                "Pages freed for lack of memory",
                Unit::PerSecond,
                "By the kernel's thread, or by tasks themselves, which wait for it.",
                &[
                    (
                        "{{instance}} kswapd",
                        "rate([[host.reclaim.kswapd_freed_pages_total]][$__rate_interval])",
                    ),
                    (
                        "{{instance}} tasks",
                        "rate([[host.reclaim.direct_freed_pages_total]][$__rate_interval])",
                    ),
                ],
            )
            .half(),
            Panel::lines(
                "Swapping",
                Unit::PerSecond,
                "Pages read from and written to swap.",
                &[
                    ("{{instance}} in", "rate([[host.reclaim.swap_in_pages_total]][$__rate_interval])"),
                    ("{{instance}} out", "rate([[host.reclaim.swap_out_pages_total]][$__rate_interval])"),
                ],
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
                "",
                &[
                    (
                        "{{instance}} {{device}} read",
                        "rate([[host.disk.read_bytes_total]][$__rate_interval])",
                    ),
                    (
                        "{{instance}} {{device}} written",
                        "rate([[host.disk.write_bytes_total]][$__rate_interval])",
                    ),
                ],
            ),
            Panel::lines(
                "Busy",
                Unit::Share,
                "Part of the time in which the disk had a request.",
                &[("{{instance}} {{device}}", "rate([[host.disk.busy_ns_total]][$__rate_interval])")],
            ),
            Panel::lines(
                "By container",
                Unit::BytesPerSecond,
                "Read and written; the ten that do most.",
                &[(
                    "{{name}}",
                    "topk(10, sum by (name) (rate([[block_io.read_bytes_total]][$__rate_interval]) \
                     + rate([[block_io.write_bytes_total]][$__rate_interval])))",
                )],
            ),
            Panel::lines(
                "File systems",
                Unit::Share,
                "Part of each that is taken.",
                &[(
                    "{{instance}} {{mount_point}}",
                    "[[host.filesystem.used_bytes]] / [[host.filesystem.capacity_bytes]]",
                )],
            )
            .half(),
            Panel::lines(
                "Requests under way",
                Unit::Number,
                "",
                &[("{{instance}} {{device}}", "[[host.disk.in_flight]]")],
            )
            .half(),
        ],
    }
}

fn network() -> Row {
    Row {
        title: "Network",
        panels: vec![
            Panel::lines(
                "Interfaces",
                Unit::BytesPerSecond,
                "",
                &[
                    (
                        "{{instance}} {{interface}} received",
                        "rate([[host.interface.rx_bytes_total]][$__rate_interval])",
                    ),
                    (
                        "{{instance}} {{interface}} sent",
                        "rate([[host.interface.tx_bytes_total]][$__rate_interval])",
                    ),
                ],
            ),
            Panel::lines(
                "Errors and drops",
                Unit::PerSecond,
                "Packets that an interface could not take or pass on.",
                &[
                    (
                        "{{instance}} {{interface}} errors",
                        "rate([[host.interface.rx_errors_total]][$__rate_interval]) \
                         + rate([[host.interface.tx_errors_total]][$__rate_interval])",
                    ),
                    (
                        "{{instance}} {{interface}} drops",
                        "rate([[host.interface.rx_dropped_total]][$__rate_interval]) \
                         + rate([[host.interface.tx_dropped_total]][$__rate_interval])",
                    ),
                ],
            ),
            Panel::lines(
                "By container",
                Unit::BytesPerSecond,
                "Of their sockets, received and sent; the ten that do most.",
                &[(
                    "{{name}}",
                    "topk(10, sum by (name) (rate([[network.rx_bytes_total]][$__rate_interval]) \
                     + rate([[network.tx_bytes_total]][$__rate_interval])))",
                )],
            ),
        ],
    }
}
