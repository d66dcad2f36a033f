//! The network's part of a Snapshot.

use monitor_common::{
    histogram::{BUCKETS, FINE},
    net::{ConnectionTimes, Dropped, NetSlot, Tcp, Traffic},
};

use super::{Window, latency};
use crate::{
    collector::sample::Series,
    host,
    model::{Interface, Latency, Network, PacketDrops},
    probes::{counters::CgroupCounters, sockets::Drops},
};

pub(super) fn network(series: &Series, window: &Window<'_>) -> Network {
    let rx_bytes =
        |series: &Series| received(series, |rx| rx.rx_bytes).or_else(|| outside(series, |it| it.rx.bytes));
    let rx_packets = |series: &Series| {
        received(series, |rx| rx.rx_packets).or_else(|| outside(series, |it| it.rx.packets))
    };
    let tx_bytes =
        |series: &Series| sent(series, |tx| tx.tx_bytes).or_else(|| outside(series, |it| it.tx.bytes));
    let tx_packets =
        |series: &Series| sent(series, |tx| tx.tx_packets).or_else(|| outside(series, |it| it.tx.packets));
    let retransmits = |series: &Series| tcp(series, series.counted.retransmits, |tcp| tcp.retransmits);
    let connections = |field| tcp(series, series.counted.connections, field);
    Network {
        rx_bytes_total: rx_bytes(series),
        rx_packets_total: rx_packets(series),
        tx_bytes_total: tx_bytes(series),
        tx_packets_total: tx_packets(series),
        rx_segments_total: received(series, |rx| rx.rx_packets + rx.rx_further_segments),
        tx_segments_total: sent(series, |tx| tx.tx_packets + tx.tx_further_segments),
        rx_wire_bytes_total: received(series, |rx| rx.rx_bytes + rx.rx_further_header_bytes),
        tx_wire_bytes_total: sent(series, |tx| tx.tx_bytes + tx.tx_further_header_bytes),
        tcp_retransmits_total: retransmits(series),
        tcp_resets_sent_total: tcp(series, series.counted.resets_sent, |tcp| tcp.resets_sent),
        tcp_resets_received_total: tcp(series, series.counted.resets_received, |tcp| tcp.resets_received),
        tcp_opened_total: connections(|tcp| tcp.opened),
        tcp_accepted_total: connections(|tcp| tcp.accepted),
        tcp_failed_total: connections(|tcp| tcp.failed),
        // Saturating: of a connection established on one CPU and closed on another, the end may be read without the
        // beginning.
        tcp_open: connections(|tcp| tcp.established.saturating_sub(tcp.closed)).filter(|_| series.is_whole),
        udp_rx_datagrams_total: udp(series, series.counted.received, |udp| udp.rx_packets),
        udp_tx_datagrams_total: udp(series, series.counted.sent, |udp| udp.tx_packets),
        udp_rx_bytes_total: udp(series, series.counted.received, |udp| udp.rx_bytes),
        udp_tx_bytes_total: udp(series, series.counted.sent, |udp| udp.tx_bytes),
        udp_full_buffer_drops_total: dropped(series, series.counted.udp_drops, |it| it.udp_full_buffer),
        udp_no_memory_drops_total: dropped(series, series.counted.udp_drops, |it| it.udp_no_memory),
        dropped_packets_total: dropped(series, series.counted.drops, |it| it.packets),
        rx_bytes_per_second: window.rate(rx_bytes(series), rx_bytes),
        rx_packets_per_second: window.rate(rx_packets(series), rx_packets),
        tx_bytes_per_second: window.rate(tx_bytes(series), tx_bytes),
        tx_packets_per_second: window.rate(tx_packets(series), tx_packets),
        tcp_retransmits_per_second: window.rate(retransmits(series), retransmits),
        tcp_connect_latency: times(series, window, |times| (&times.connect, times.connect_max_ns)),
        tcp_rtt: times(series, window, |times| (&times.rtt, times.rtt_max_ns)),
        drops: series.counters.as_ref().filter(|_| series.counted.drops).map(|it| packet_drops(&it.drops)),
        interfaces: series.interfaces.as_ref().map(|found| found.iter().map(interface).collect()),
    }
}

fn received(series: &Series, field: fn(&Traffic) -> u64) -> Option<u64> {
    counters(series, series.counted.received).map(|net| field(&net.traffic) + field(&net.udp))
}

fn sent(series: &Series, field: fn(&Traffic) -> u64) -> Option<u64> {
    counters(series, series.counted.sent).map(|net| field(&net.traffic) + field(&net.udp))
}

fn udp(series: &Series, is_counted: bool, field: fn(&Traffic) -> u64) -> Option<u64> {
    counters(series, is_counted).map(|net| field(&net.udp))
}

fn dropped(series: &Series, is_counted: bool, field: fn(&Dropped) -> u64) -> Option<u64> {
    counters(series, is_counted).map(|net| field(&net.dropped))
}

/// The times of the window; of a series without a predecessor in it, of all its time.
fn times(
    series: &Series,
    window: &Window<'_>,
    part: fn(&ConnectionTimes) -> (&[u64; BUCKETS], u64),
) -> Option<Latency> {
    let of = |counters: &CgroupCounters| {
        let part = counters.connections.as_deref().map(part);
        part.map_or(([0; BUCKETS], 0), |(counts, longest_ns)| (*counts, longest_ns))
    };
    let counters = series.counters.as_deref().filter(|_| series.counted.connections)?;
    if window.is_without(series, |series| series.counters.as_ref()) {
        return Some(Latency::default());
    }
    let (mut counts, longest_ns) = of(counters);
    if let Some(before) = window.before.and_then(|before| before.counters.as_ref()) {
        for (count, before) in counts.iter_mut().zip(of(before).0) {
            *count = count.checked_sub(before)?;
        }
    }
    Some(latency(&counts, FINE, Some(longest_ns)))
}

/// The most frequent reason first.
pub(super) fn packet_drops(drops: &Drops) -> Vec<PacketDrops> {
    let told = drops.iter().map(|(reason, packets)| PacketDrops {
        reason: reason.as_deref().map(str::to_owned),
        packets_total: *packets,
    });
    let mut told: Vec<PacketDrops> = told.collect();
    told.sort_by_key(|drops| std::cmp::Reverse(drops.packets_total));
    told
}

fn tcp(series: &Series, is_counted: bool, field: fn(&Tcp) -> u64) -> Option<u64> {
    counters(series, is_counted).map(|net| field(&net.tcp))
}

fn counters(series: &Series, is_counted: bool) -> Option<&NetSlot> {
    series.counters.as_ref().filter(|_| is_counted).map(|counters| &counters.net)
}

/// Where no packet is counted by its socket: what the interfaces of its namespace count, but for the loopback one.
fn outside(series: &Series, field: fn(&host::Interface) -> u64) -> Option<u64> {
    let interfaces =
        series.interfaces.as_ref().filter(|_| !series.counted.received && !series.counted.sent)?;
    Some(interfaces.iter().filter(|interface| interface.name != "lo").map(field).sum())
}

fn interface(interface: &host::Interface) -> Interface {
    let host::Interface { name, rx, tx } = interface;
    Interface {
        name: name.clone(),
        rx_bytes_total: rx.bytes,
        rx_packets_total: rx.packets,
        rx_errors_total: rx.errors,
        rx_dropped_total: rx.dropped,
        tx_bytes_total: tx.bytes,
        tx_packets_total: tx.packets,
        tx_errors_total: tx.errors,
        tx_dropped_total: tx.dropped,
    }
}
