//! How long connections took, what UDP did and what was thrown away equal the kernel's counts for the network namespace, on the
//! container whose sockets they are.

use std::time::{Duration, Instant};

use integration_tests::{
    container::Container,
    delay::DelayLine,
    monitor::Monitor,
    net::{drop_tcp, snmp},
    snapshot::{Latency, Network, Snapshot, packets_for},
};

fn pid(container: &Container) -> u32 {
    container.inspect("{{.State.Pid}}").parse().expect("a process id")
}

/// Lets a container do its work; its network's figures after it, and the snapshots meanwhile.
fn work(monitor: &mut Monitor, container: &mut Container) -> (Network, Vec<Snapshot>) {
    container.workload().go();
    let _done = container.workload().wait_done();
    let snapshots = monitor.snapshots_until_next();
    let last = snapshots.last().expect("at least one");
    (last.container(container.id()).measured.network.clone(), snapshots)
}

/// What the windows of some snapshots have together: how many, and the longest.
fn together(
    snapshots: &[Snapshot],
    id: &str,
    read: impl Fn(&Network) -> &Option<Latency>,
) -> (u64, Option<u64>) {
    let networks = snapshots.iter().filter_map(|snapshot| Some(&snapshot.find(id)?.measured.network));
    let times: Vec<&Latency> = networks.filter_map(|network| read(network).as_ref()).collect();
    (times.iter().map(|times| times.count).sum(), times.iter().filter_map(|times| times.max_ns).max())
}

#[test]
fn network_datagrams() {
    let mut monitor = Monitor::start();
    let args = ["loopback", "--protocol", "udp", "--address", "127.0.0.1:7000", "--bytes", "400000"];
    let mut container = Container::start(&args);
    let (ours, _) = work(&mut monitor, &mut container);
    let truth = |name| Some(snmp(pid(&container), "Udp", name));
    assert!(truth("OutDatagrams") > Some(600), "{:?} datagrams", truth("OutDatagrams"));
    assert_eq!(ours.udp_tx_datagrams_total, truth("OutDatagrams"), "sent");
    assert_eq!(ours.udp_rx_datagrams_total, truth("InDatagrams"), "received");
    assert_eq!(ours.udp_full_buffer_drops_total, Some(0));
    assert_eq!(
        (ours.udp_rx_bytes_total, ours.udp_tx_bytes_total),
        (ours.rx_bytes_total, ours.tx_bytes_total)
    );
    assert!(container.exit(0).success());
}

#[test]
fn network_datagrams_without_room() {
    let mut monitor = Monitor::start();
    let args = ["flood", "--protocol", "udp", "--address", "127.0.0.1:7000", "--bytes", "2400000"];
    let mut container = Container::start(&args);
    let (ours, _) = work(&mut monitor, &mut container);
    let truth = |name| snmp(pid(&container), "Udp", name);
    let full = truth("RcvbufErrors");
    assert!(full > 500, "{full} datagrams found no room");
    assert_eq!(ours.udp_full_buffer_drops_total, Some(full), "without room");
    assert_eq!(ours.udp_no_memory_drops_total, Some(truth("MemErrors")), "without memory");
    assert_eq!(ours.udp_rx_datagrams_total, Some(truth("InDatagrams") + full), "received");
    if tells_receiver() {
        assert_eq!(ours.dropped_for("SOCKET_RCVBUFF"), full, "{:?}", ours.drops);
        assert_eq!(ours.dropped_packets_total, Some(full), "{:?}", ours.drops);
    }
    assert!(container.exit(0).success());
}

/// Whether the kernel says which socket a packet was for that it throws away: Linux 6.11.
fn tells_receiver() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel's release");
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(11))
}

#[test]
fn network_packets_for_nobody() {
    let mut monitor = Monitor::start();
    let refused = ["refused", "--address", "127.0.0.1:7001", "--connections", "9"];
    let mut container = Container::start(&refused);
    let nobodys = |snapshot: &Snapshot| packets_for(snapshot.host.ownerless_drops.as_deref(), "NO_SOCKET");
    let before = nobodys(&monitor.next_snapshot());
    let (_, snapshots) = work(&mut monitor, &mut container);
    let after = snapshots.last().map(nobodys).expect("a snapshot");
    assert_eq!(snmp(pid(&container), "Tcp", "AttemptFails"), 9);
    // Others on this machine may knock at closed doors too.
    assert!(after - before >= 9, "{} packets", after - before);
    assert!(container.exit(0).success());
}

#[test]
fn network_round_trips_take_as_long_as_the_way() {
    /// Of each packet, one way.
    const DELAY: Duration = Duration::from_millis(20);
    /// There and back, less what the kernel rounds, and with what a busy machine adds.
    const ROUND_TRIP_NS: std::ops::RangeInclusive<u64> = 39_000_000..=60_000_000;
    let mut monitor = Monitor::start();
    let connections = 5;
    let args = [
        "loopback",
        "--listen",
        "0.0.0.0:7000",
        "--address",
        "10.99.0.2:7000",
        "--bytes",
        "100",
        "--connections",
        "5",
    ];
    let mut container = Container::start(&args);
    let _line = DelayLine::start(pid(&container), "10.99.0.1/24", DELAY);
    let (ours, snapshots) = work(&mut monitor, &mut container);
    assert_eq!(ours.tcp_opened_total, Some(connections), "opened");
    let (count, longest) = together(&snapshots, container.id(), |network| &network.tcp_connect_latency);
    assert_eq!(count, connections, "connections timed");
    assert!(longest.is_some_and(|longest| ROUND_TRIP_NS.contains(&longest)), "connected in {longest:?} ns");
    let (count, longest) = together(&snapshots, container.id(), |network| &network.tcp_rtt);
    // Both ends are here.
    assert_eq!(count, 2 * connections, "round trips");
    assert!(
        longest.is_some_and(|longest| ROUND_TRIP_NS.contains(&longest)),
        "a round trip of {longest:?} ns"
    );
    assert!(container.exit(0).success());
}

#[test]
fn network_connections_whose_first_request_is_lost() {
    let mut monitor = Monitor::start();
    let args = ["loopback", "--address", "127.0.0.1:7000", "--bytes", "100", "--connections", "1"];
    let mut container = Container::start(&args);
    // Every other request.
    let nth = ["--match", "statistic", "--mode", "nth", "--every", "2", "--packet", "0"];
    drop_tcp(pid(&container), &[&["--syn"], &nth[..]].concat());
    let began = Instant::now();
    let (ours, snapshots) = work(&mut monitor, &mut container);
    let elapsed = began.elapsed();
    assert_eq!(ours.tcp_retransmits_total, Some(snmp(pid(&container), "Tcp", "RetransSegs")));
    let (count, longest) = together(&snapshots, container.id(), |network| &network.tcp_connect_latency);
    assert_eq!(count, 1, "connections timed");
    // The kernel asks again after a second.
    let longest = Duration::from_nanos(longest.expect("the longest"));
    assert!(longest >= Duration::from_millis(990) && longest < elapsed, "{longest:?} of {elapsed:?}");
    assert!(container.exit(0).success());
}
