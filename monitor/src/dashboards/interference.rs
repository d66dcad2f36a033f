//! Who keeps whom from a CPU.

use super::{
    grafana::{Dashboard, Panel, Row, Unit},
    query::Scope,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "interference",
        title: "monitor / Interference",
        description: "Who kept containers from a CPU: each other by name, the system, themselves, their quota. Needs the metrics \
                      that deploy/config.toml asks for.",
        scope: Scope::Containers,
        rows: vec![victims(), culprits(), effects()],
    }
}

fn victims() -> Row {
    Row {
        title: "Those that wait",
        panels: vec![
            Panel::lines(
                "By container",
                Unit::Number,
                "How many of its tasks wait for a CPU at a time, on the average.",
                &[(
                    "{{name}}",
                    "topk(20, sum by (name) (rate([[=monitor_container_interference_wait_seconds_total]][$__rate_interval])))",
                )],
            )
            .stacked()
            .half(),
            Panel::lines(
                "By what had the CPU meanwhile",
                Unit::Number,
                "Other containers, the system, its own tasks, its quota, the waking of an idle CPU.",
                &[(
                    "{{source}}",
                    "sum by (source) (rate([[=monitor_container_interference_wait_seconds_total]][$__rate_interval]))",
                )],
            )
            .stacked()
            .half(),
        ],
    }
}

fn culprits() -> Row {
    Row {
        title: "Those they wait for",
        panels: vec![
            Panel::lines(
                "Containers that others wait for",
                Unit::Number,
                "How many tasks of other containers wait for it at a time.",
                &[(
                    "{{culprit}}",
                    "topk(10, sum by (culprit) (rate([[=monitor_container_interference_wait_seconds_total|\
                     source=\"container\"]][$__rate_interval])))",
                )],
            ),
            Panel::lines(
                "Waits for the quota",
                Unit::Number,
                "Tasks that wait for their own quota's next period.",
                &[(
                    "{{name}}",
                    "topk(10, sum by (name) (rate([[=monitor_container_interference_wait_seconds_total|\
                     source=\"quota\"]][$__rate_interval])))",
                )],
            ),
            Panel::lines(
                "Waits for the system",
                Unit::Number,
                "What is no container's: services, the kernel's threads, interrupts.",
                &[(
                    "{{name}}",
                    "topk(10, sum by (name) (rate([[=monitor_container_interference_wait_seconds_total|\
                     source=\"system\"]][$__rate_interval])))",
                )],
            ),
            Panel::table(
                "Who waits for whom",
                "Seconds of waiting a second over the last five minutes, the thirty worst pairs.",
                &[(
                    "Tasks that wait",
                    Unit::Number,
                    "topk(30, sum by (instance, name, culprit) \
                     (rate([[=monitor_container_interference_wait_seconds_total|source=\"container\"]][5m])))",
                )],
            ),
        ],
    }
}

fn effects() -> Row {
    Row {
        title: "What it does to them",
        panels: vec![
            Panel::lines(
                "Each wait, 99 %",
                Unit::Seconds,
                "",
                &[(
                    "{{name}}",
                    "topk(10, histogram_quantile(0.99, sum by (name, le) \
                     (rate([[scheduler.runq_latency]][$__rate_interval]))))",
                )],
            ),
            Panel::lines(
                "Taken off a CPU",
                Unit::PerSecond,
                "Involuntary switches: the task could have gone on.",
                &[(
                    "{{name}}",
                    "topk(10, sum by (name) (rate([[scheduler.involuntary_switches_total]][$__rate_interval])))",
                )],
            ),
            Panel::lines(
                "Requests before they reach the disk, 99 %",
                Unit::Seconds,
                "From beginning to issue: in line behind others' requests.",
                &[
                    (
                        "{{name}} read",
                        "topk(10, histogram_quantile(0.99, sum by (name, le) \
                         (rate([[block_io.read_queue]][$__rate_interval]))))",
                    ),
                    (
                        "{{name}} written",
                        "topk(10, histogram_quantile(0.99, sum by (name, le) \
                         (rate([[block_io.write_queue]][$__rate_interval]))))",
                    ),
                ],
            ),
            Panel::heatmap(
                "Waits",
                "How many waits of each length.",
                "sum by (le) (increase([[scheduler.runq_latency]][$__rate_interval]))",
            ),
            Panel::lines(
                "Time spent freeing memory for others",
                Unit::Number,
                "Tasks that had to free memory themselves because the machine was short of it.",
                &[(
                    "{{name}}",
                    "topk(10, sum by (name) (rate([[memory.direct_reclaim_ns_total]][$__rate_interval])))",
                )],
            )
            .half(),
        ],
    }
}
