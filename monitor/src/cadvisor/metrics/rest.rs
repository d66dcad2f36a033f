//! Network, tasks, kills and pressure.

use super::{
    Metric, Of,
    Read::{Each, One},
    Several, Single, same,
};
use crate::cadvisor::{
    exposition::{
        Kind::{Counter, Gauge},
        Series,
        Value::{self, Count, Microseconds},
    },
    info::{Interface, Pressure, Stats},
};

const NETWORK: &str = "each packet once: of containers that share a network namespace the first one has its interfaces; one in the \
     machine's network has the traffic of its own sockets, as `interface=\"sockets\"`";
const NETWORK_FAULTS: &str = "of containers that share a network namespace the first one has its interfaces, one in the machine's network none";

/// In the order of the export.
pub(super) static REST: &[Metric] = &[
    network("container_network_receive_bytes_total", "Bytes received.", |stats, series| {
        put_interfaces(stats, series, |interface| interface.rx_bytes);
    })
    .corrected(NETWORK),
    network("container_network_receive_packets_total", "Packets received.", |stats, series| {
        put_interfaces(stats, series, |interface| interface.rx_packets);
    })
    .corrected(NETWORK),
    network("container_network_receive_packets_dropped_total", "Packets received and thrown away.", |stats, series| {
        put_interfaces(stats, series, |interface| interface.rx_dropped);
    })
    .corrected(NETWORK_FAULTS),
    network("container_network_receive_errors_total", "Packets received damaged.", |stats, series| {
        put_interfaces(stats, series, |interface| interface.rx_errors);
    })
    .corrected(NETWORK_FAULTS),
    network("container_network_transmit_bytes_total", "Bytes sent.", |stats, series| {
        put_interfaces(stats, series, |interface| interface.tx_bytes);
    })
    .corrected(NETWORK),
    network("container_network_transmit_packets_total", "Packets sent.", |stats, series| {
        put_interfaces(stats, series, |interface| interface.tx_packets);
    })
    .corrected(NETWORK),
    network("container_network_transmit_packets_dropped_total", "Packets thrown away instead of being sent.", |stats, series| {
        put_interfaces(stats, series, |interface| interface.tx_dropped);
    })
    .corrected(NETWORK_FAULTS),
    network("container_network_transmit_errors_total", "Packets that could not be sent.", |stats, series| {
        put_interfaces(stats, series, |interface| interface.tx_errors);
    })
    .corrected(NETWORK_FAULTS),
    same("container_threads", Gauge, Of::Use, "Tasks: threads, not processes.", One(|_, stats| stats.processes.threads_current.map(Count))),
    same("container_threads_max", Gauge, Of::Use, "Tasks that may exist; 0 is no limit.", One(|_, stats| stats.processes.threads_max.map(Count))),
    same("container_oom_events_total", Counter, Of::Use, "Processes killed for lack of memory.", One(|_, stats| stats.oom_events.map(Count)))
    .corrected("by the kernel's counters and not the text of its log; known after the container's end, as long as `serve` keeps it"),
    pressure("container_pressure_cpu_stalled_seconds_total", "Time that all tasks waited for a CPU.", |_, stats| stalled(&stats.cpu.psi)),
    pressure("container_pressure_cpu_waiting_seconds_total", "Time that any task waited for a CPU.", |_, stats| waiting(&stats.cpu.psi)),
    pressure("container_pressure_memory_stalled_seconds_total", "Time that all tasks waited for memory.", |_, stats| stalled(&stats.memory.psi)),
    pressure("container_pressure_memory_waiting_seconds_total", "Time that any task waited for memory.", |_, stats| waiting(&stats.memory.psi)),
    pressure("container_pressure_io_stalled_seconds_total", "Time that all tasks waited for I/O.", |_, stats| stalled(&stats.diskio.psi)),
    pressure("container_pressure_io_waiting_seconds_total", "Time that any task waited for I/O.", |_, stats| waiting(&stats.diskio.psi)),
];

const fn network(name: &'static str, help: &'static str, read: Several) -> Metric {
    same(name, Counter, Of::Use, help, Each(read)).by(&["interface"])
}

const fn pressure(name: &'static str, help: &'static str, read: Single) -> Metric {
    same(name, Counter, Of::Use, help, One(read))
}

fn put_interfaces(stats: &Stats, series: &mut Series<'_>, value: fn(&Interface) -> Option<u64>) {
    for interface in &stats.network.interfaces {
        series.put_with(&[("interface", &interface.name)], value(interface).map(Count));
    }
}

fn stalled(pressure: &Pressure) -> Option<Value> {
    pressure.full.as_ref().map(|share| Microseconds(share.total))
}

fn waiting(pressure: &Pressure) -> Option<Value> {
    pressure.some.as_ref().map(|share| Microseconds(share.total))
}
