//! All hosts at once, and where to look next.

use super::{
    grafana::{Dashboard, Panel, Row, Unit},
    query::Scope,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "fleet",
        title: "monitor / Fleet",
        description: "Every host that monitor runs on, and the containers that stand out.",
        scope: Scope::Hosts,
        rows: vec![now(), hosts(), containers(), agents()],
    }
}

fn now() -> Row {
    Row {
        title: "Now",
        panels: vec![
            Panel::stat("Hosts", Unit::Number, "count([[=monitor_host_info]])"),
            Panel::stat("Containers", Unit::Number, "count([[=monitor_container_info]])"),
            Panel::stat(
                "CPU in use",
                Unit::Share,
                "1 - sum(rate([[host.cpu.idle_ns_total]][$__rate_interval])) / sum([[=monitor_host_cpus]])",
            ),
            Panel::stat(
                "Memory in use",
                Unit::Share,
                "1 - sum([[host.memory.available_bytes]]) / sum([[host.memory.total_bytes]])",
            ),
            Panel::stat(
                "Tasks of containers that wait for a CPU",
                Unit::Number,
                "sum(rate([[=monitor_container_interference_wait_seconds_total]][$__rate_interval]))",
            ),
            Panel::stat(
                "Killed for lack of memory, last hour",
                Unit::Number,
                "sum(increase([[memory.oom_victims_total]][1h]))",
            ),
        ],
    }
}

fn hosts() -> Row {
    Row {
        title: "Hosts",
        panels: vec![
            Panel::lines(
                "CPU in use",
                Unit::Share,
                "Of all CPUs of the host.",
                &[(
                    "{{instance}}",
                    "1 - sum by (instance) (rate([[host.cpu.idle_ns_total]][$__rate_interval])) \
                     / sum by (instance) ([[=monitor_host_cpus]])",
                )],
            ),
            Panel::lines(
                "Memory in use",
                Unit::Share,
                "What is not available without swapping.",
                &[("{{instance}}", "1 - [[host.memory.available_bytes]] / [[host.memory.total_bytes]]")],
            ),
            Panel::lines(
                "Tasks that wait for a CPU",
                Unit::Number,
                "How many of the containers' tasks wait at a time, on the average: seconds of waiting a second.",
                &[(
                    "{{instance}}",
                    "sum by (instance) (rate([[=monitor_container_interference_wait_seconds_total]][$__rate_interval]))",
                )],
            ),
            Panel::lines(
                "Stalls",
                Unit::Share,
                "Part of the time in which some task waited for the resource.",
                &[(
                    "{{instance}} {{resource}}",
                    "rate([[=monitor_host_pressure_stall_seconds_total|kind=\"some\"]][$__rate_interval])",
                )],
            ),
            Panel::lines(
                "Network",
                Unit::BytesPerSecond,
                "Both ways, of all interfaces but the loopback.",
                &[(
                    "{{instance}}",
                    "sum by (instance) (rate([[host.interface.rx_bytes_total|interface!=\"lo\"]][$__rate_interval]) \
                     + rate([[host.interface.tx_bytes_total|interface!=\"lo\"]][$__rate_interval]))",
                )],
            ),
            Panel::lines(
                "Disks",
                Unit::BytesPerSecond,
                "Read and written, of all disks.",
                &[(
                    "{{instance}}",
                    "sum by (instance) (rate([[host.disk.read_bytes_total]][$__rate_interval]) \
                     + rate([[host.disk.write_bytes_total]][$__rate_interval]))",
                )],
            ),
        ],
    }
}

fn containers() -> Row {
    Row {
        title: "Containers",
        panels: vec![
            Panel::table(
                "Most CPU time",
                "The twenty containers that used most over the last five minutes.",
                &[(
                    "CPUs",
                    Unit::Number,
                    "topk(20, sum by (instance, name) (rate([[cpu.usage_ns_total]][5m])))",
                )],
            ),
            Panel::lines(
                "Longest waits for a CPU",
                Unit::Seconds,
                "The 99th percentile of each turn's wait, of the ten containers where it is the longest.",
                &[(
                    "{{instance}} {{name}}",
                    "topk(10, histogram_quantile(0.99, sum by (instance, name, le) \
                     (rate([[scheduler.runq_latency]][$__rate_interval]))))",
                )],
            ),
            Panel::lines(
                "Held back by their quota",
                Unit::Number,
                "CPUs' worth of time for which runnable tasks were not let run.",
                &[(
                    "{{instance}} {{name}}",
                    "topk(10, sum by (instance, name) (rate([[cpu.throttled_ns_total]][$__rate_interval])))",
                )],
            ),
            Panel::lines(
                "Largest working sets",
                Unit::Bytes,
                "",
                &[(
                    "{{instance}} {{name}}",
                    "topk(10, sum by (instance, name) ([[memory.working_set_bytes]]))",
                )],
            ),
        ],
    }
}

fn agents() -> Row {
    Row {
        title: "monitor itself",
        panels: vec![
            Panel::lines(
                "CPU",
                Unit::Number,
                "CPUs that the agent takes.",
                &[("{{instance}}", "rate([[=monitor_agent_cpu_seconds_total]][$__rate_interval])")],
            ),
            Panel::lines("Memory", Unit::Bytes, "", &[("{{instance}}", "[[=monitor_agent_resident_bytes]]")]),
            Panel::lines(
                "Lost",
                Unit::PerSecond,
                "What was not counted where it belongs.",
                &[("{{instance}} {{what}}", "rate([[=monitor_lost_total]][$__rate_interval])")],
            ),
        ],
    }
}
