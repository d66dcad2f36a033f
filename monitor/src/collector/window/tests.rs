mod laws;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use monitor_common::{
    block::{READ, Requests, device},
    histogram::{BUCKETS, COARSE_BUCKETS, bucket, coarse_bucket},
};
use proptest::prelude::*;

use super::*;
use crate::{
    cgroup::{IoDevice, IoStats},
    collector::{
        audit::{AgentUsage, AuditPoint},
        block::BlockTotals,
        census::Activity,
        throttling::ThrottledPeriods,
    },
    host::{Direction, HostFacts, HostStats, Interface, ProcessCounters},
    model::{BlockIo, Comparison, Coverage, Faults, Network, PacketDrops},
    newtypes::ContainerId,
    probes::census::TaskStates,
    registry::Run,
    runtime::RuntimeKind,
};

const SECOND_NS: u64 = 1_000_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn series(id: u64, voluntary: u64) -> Series {
    let mut counters = CgroupCounters::default();
    counters.sched.voluntary_switches = voluntary;
    Series {
        cgroup: CgroupId(id),
        path: Some("/a".into()),
        container: None,
        counting_since: at(0),
        is_whole: true,
        is_new: false,
        counters: Some(Arc::new(counters)),
        counted: Counted {
            scheduler: true,
            execs: true,
            exits: true,
            oom_kills: true,
            direct_reclaims: true,
            limit_reclaims: true,
            user_exceptions: true,
            kernel_exceptions: true,
            major_times: true,
            received: true,
            sent: true,
            retransmits: true,
            resets_sent: true,
            resets_received: true,
            connections: true,
            drops: true,
            udp_drops: true,
            requests: true,
        },
        waited: None,
        block: None,
        queued: None,
        activity: None,
        throttled: None,
        files: Arc::default(),
        files_read_ns: None,
        interfaces: None,
        filesystems: None,
    }
}

fn counters(series: &mut Series) -> &mut CgroupCounters {
    Arc::make_mut(series.counters.as_mut().unwrap())
}

fn files(series: &mut Series) -> &mut CgroupStats {
    Arc::make_mut(&mut series.files)
}

pub(super) fn sample(second: u64, series: Vec<Series>) -> Sample {
    Sample {
        taken_at: at(1000),
        monotonic_ns: second * SECOND_NS,
        host: HostFacts::default(),
        host_stats: HostStats::default(),
        filesystems: None,
        mode: None,
        series,
        audit: AuditPoint::default(),
        audit_since: AuditPoint::default(),
        agent: AgentUsage::default(),
        ownerless_drops: None,
        coverage: Coverage::default(),
    }
}

pub(super) fn snapshot(before: Option<&Sample>, now: &Sample) -> Snapshot {
    Windows { before: before.cloned(), ..Windows::default() }.advance(now.clone())
}

fn only(snapshot: &Snapshot) -> &Measurements {
    &snapshot.cgroups.first().unwrap().measurements
}

#[test]
fn rates_are_growth_over_the_window() {
    let snapshot = snapshot(Some(&sample(10, vec![series(1, 100)])), &sample(12, vec![series(1, 150)]));
    assert_eq!(snapshot.window_ns, 2 * SECOND_NS);
    assert_eq!(only(&snapshot).scheduler.voluntary_switches_total, Some(150));
    assert_eq!(only(&snapshot).scheduler.voluntary_switches_per_second, Some(25.0));
}

#[test]
fn a_first_sample_has_totals_and_no_rates() {
    let snapshot = snapshot(None, &sample(10, vec![series(1, 100)]));
    assert_eq!(snapshot.window_ns, 0);
    assert_eq!(only(&snapshot).scheduler.voluntary_switches_total, Some(100));
    assert_eq!(only(&snapshot).scheduler.voluntary_switches_per_second, None);
}

#[test]
fn a_series_that_began_in_the_window_grew_from_nothing() {
    let mut new = series(1, 30);
    new.is_new = true;
    let with_birth = snapshot(Some(&sample(10, vec![])), &sample(11, vec![new]));
    assert_eq!(only(&with_birth).scheduler.voluntary_switches_per_second, Some(30.0));
    let without = snapshot(Some(&sample(10, vec![])), &sample(11, vec![series(1, 30)]));
    assert_eq!(only(&without).scheduler.voluntary_switches_per_second, None);
}

#[test]
fn what_memory_shortage_did_stays_after_the_end_and_is_unknown_where_nothing_counts_it() {
    let mut short = series(1, 0);
    let counters = counters(&mut short);
    counters.shortage.limit_reclaims = 3;
    counters.shortage.limit_reclaim_ns = 500;
    counters.shortage.oom_kills = 1;
    short.counted.direct_reclaims = false;
    let snapshot = snapshot(None, &sample(10, vec![short]));
    let memory = &only(&snapshot).memory;
    assert_eq!((memory.limit_reclaims_total, memory.limit_reclaim_ns_total), (Some(3), Some(500)));
    assert_eq!((memory.oom_victims_total, memory.direct_reclaims_total), (Some(1), None));
}

#[test]
fn a_counter_that_went_backwards_has_no_rate() {
    let snapshot = snapshot(Some(&sample(10, vec![series(1, 100)])), &sample(11, vec![series(1, 40)]));
    assert_eq!(only(&snapshot).scheduler.voluntary_switches_per_second, None);
}

#[test]
fn what_is_not_counted_is_unknown() {
    let mut blind = series(1, 0);
    blind.counters = None;
    let snapshot = snapshot(None, &sample(10, vec![blind]));
    let Measurements { scheduler, faults, .. } = only(&snapshot);
    assert_eq!(**scheduler, Scheduler::default());
    assert_eq!(**faults, Faults::default());
}

#[test]
fn packets_are_those_of_the_sockets_or_else_of_the_namespace() {
    let mut counting = series(1, 0);
    let loopback = Interface { name: "lo".to_owned(), ..Interface::default() };
    let rx = Direction { bytes: 900, packets: 9, ..Direction::default() };
    let outer = Interface { name: "eth0".to_owned(), rx, ..Interface::default() };
    counting.interfaces = Some([Interface { rx, ..loopback }, outer].into());
    let traffic = &mut counters(&mut counting).net.traffic;
    (traffic.rx_bytes, traffic.rx_packets) = (3000, 2);
    (traffic.rx_further_segments, traffic.rx_further_header_bytes) = (1, 52);
    let udp = &mut counters(&mut counting).net.udp;
    (udp.rx_bytes, udp.rx_packets, udp.tx_packets) = (200, 4, 5);
    let mut blind = counting.clone();
    (blind.counted.received, blind.counted.sent) = (false, false);

    let counted = snapshot(None, &sample(10, vec![counting]));
    let Network { rx_bytes_total, rx_segments_total, rx_wire_bytes_total, .. } = *only(&counted).network;
    assert_eq!((rx_bytes_total, rx_segments_total, rx_wire_bytes_total), (Some(3200), Some(7), Some(3252)));
    let Network { udp_rx_bytes_total, udp_rx_datagrams_total, udp_tx_datagrams_total, .. } =
        *only(&counted).network;
    assert_eq!(
        (udp_rx_bytes_total, udp_rx_datagrams_total, udp_tx_datagrams_total),
        (Some(200), Some(4), Some(5))
    );
    let from_namespace = snapshot(None, &sample(10, vec![blind]));
    let Network { rx_bytes_total, rx_packets_total, rx_segments_total, .. } = *only(&from_namespace).network;
    assert_eq!((rx_bytes_total, rx_packets_total, rx_segments_total), (Some(900), Some(9), None));
}

#[test]
fn times_of_connections_are_those_of_the_window() {
    const MILLISECOND_NS: u64 = 1_000_000;
    let timed = |count: u64| {
        let mut series = series(1, 0);
        let times = counters(&mut series).connections.get_or_insert_default();
        times.connect[bucket(40 * MILLISECOND_NS)] = count;
        times.connect_max_ns = 41 * MILLISECOND_NS;
        series
    };
    let in_window = snapshot(Some(&sample(10, vec![timed(3)])), &sample(11, vec![timed(5)]));
    let network = &only(&in_window).network;
    let connect = network.tcp_connect_latency.as_ref().unwrap();
    assert_eq!((connect.count, connect.max_ns), (2, Some(41 * MILLISECOND_NS)));
    assert_eq!(network.tcp_rtt.as_ref().map(|rtt| (rtt.count, rtt.max_ns)), Some((0, None)));
    let mut blind = timed(3);
    blind.counted.connections = false;
    assert_eq!(only(&snapshot(None, &sample(10, vec![blind]))).network.tcp_connect_latency, None);
    // Before the first one is timed there is nothing to compare with.
    let first = snapshot(Some(&sample(10, vec![series(1, 0)])), &sample(11, vec![timed(5)]));
    assert_eq!(only(&first).network.tcp_connect_latency.as_ref().map(|connect| connect.count), Some(5));
}

#[test]
fn major_faults_are_those_of_the_window_where_they_are_timed() {
    let timed = |count: u64| {
        let mut series = series(1, 0);
        let times = counters(&mut series).faults.get_or_insert_default();
        times.latency[bucket(90_000)] = count;
        (times.total_ns, times.max_ns) = (90_000 * count, 95_000);
        series
    };
    let in_window = snapshot(Some(&sample(10, vec![timed(3)])), &sample(11, vec![timed(5)]));
    let faults = &only(&in_window).faults;
    let latency = faults.major_latency.as_ref().unwrap();
    assert_eq!((faults.major_ns_total, latency.count, latency.max_ns), (Some(450_000), 2, Some(95_000)));
    let none = snapshot(None, &sample(10, vec![series(1, 0)]));
    assert_eq!(only(&none).faults.major_ns_total, Some(0));
    let mut blind = timed(3);
    blind.counted.major_times = false;
    let blind = snapshot(None, &sample(10, vec![blind]));
    assert_eq!((only(&blind).faults.major_ns_total, &only(&blind).faults.major_latency), (None, &None));
}

#[test]
fn drops_are_listed_by_reason_the_most_first() {
    let mut dropping = series(1, 0);
    counters(&mut dropping).net.dropped.packets = 8;
    counters(&mut dropping).drops =
        [(Some("NO_SOCKET".into()), 1), (Some("SOCKET_RCVBUFF".into()), 7)].into();
    let mut now = sample(10, vec![dropping]);
    now.ownerless_drops = Some([(None, 4)].into());
    let snapshot = snapshot(None, &now);
    let network = &only(&snapshot).network;
    let told = |drops: &Option<Vec<PacketDrops>>| {
        let drops = drops.iter().flatten();
        drops.map(|drop| (drop.reason.clone(), drop.packets_total)).collect::<Vec<_>>()
    };
    assert_eq!(network.dropped_packets_total, Some(8));
    assert_eq!(
        told(&network.drops),
        [(Some("SOCKET_RCVBUFF".to_owned()), 7), (Some("NO_SOCKET".to_owned()), 1)]
    );
    assert_eq!(told(&snapshot.host.totals.ownerless_drops), [(None, 4)]);
}

#[test]
fn connections_open_now_are_known_where_none_was_before() {
    let mut whole = series(1, 0);
    let tcp = &mut counters(&mut whole).net.tcp;
    (tcp.opened, tcp.accepted, tcp.failed, tcp.established, tcp.closed) = (4, 3, 1, 6, 2);
    let mut older = whole.clone();
    older.is_whole = false;
    let of_whole = snapshot(None, &sample(10, vec![whole]));
    let Network { tcp_opened_total, tcp_failed_total, tcp_open, .. } = *only(&of_whole).network;
    assert_eq!((tcp_opened_total, tcp_failed_total, tcp_open), (Some(4), Some(1), Some(4)));
    let of_older = snapshot(None, &sample(10, vec![older]));
    let Network { tcp_accepted_total, tcp_open, .. } = *only(&of_older).network;
    assert_eq!((tcp_accepted_total, tcp_open), (Some(3), None));
}

#[test]
fn a_family_that_does_not_count_is_unknown_alone() {
    let mut partly = series(1, 5);
    partly.counted.execs = false;
    let snapshot = snapshot(None, &sample(10, vec![partly]));
    assert_eq!(only(&snapshot).scheduler.execs_total, None);
    assert_eq!(only(&snapshot).scheduler.exits_total, Some(0));
}

#[test]
fn cpu_use_is_over_the_time_between_its_own_readings() {
    let reading = |usage, read| {
        let mut series = series(1, 0);
        files(&mut series).cpu.usage_ns = Some(usage);
        series.files_read_ns = Some(read * SECOND_NS);
        series
    };
    // Read five seconds apart, in windows of one.
    let growing =
        snapshot(Some(&sample(14, vec![reading(0, 10)])), &sample(15, vec![reading(SECOND_NS, 15)]));
    assert_eq!(only(&growing).cpu.usage_cores, Some(0.2));
    let idle = snapshot(Some(&sample(11, vec![reading(7, 10)])), &sample(12, vec![reading(7, 10)]));
    assert_eq!(only(&idle).cpu.usage_cores, Some(0.0));
    // Too short a run for another reading; the probes have seen it.
    let mut brief = reading(7, 10);
    counters(&mut brief).sched.on_cpu_ns = 50_000;
    let brief = snapshot(Some(&sample(11, vec![reading(7, 10)])), &sample(12, vec![brief]));
    assert_eq!(only(&brief).cpu.usage_cores, Some(0.00005));
}

#[test]
fn latencies_are_those_of_the_window() {
    let (mut before, mut now) = (series(1, 0), series(1, 0));
    counters(&mut before).runq[bucket(2_000_000)] = 5;
    let counters = counters(&mut now);
    counters.runq[bucket(2_000_000)] = 5;
    counters.runq[bucket(5_000)] = 10;
    counters.sched.runq_wait_max_ns = 2_000_000;
    let snapshot = snapshot(Some(&sample(10, vec![before])), &sample(11, vec![now]));
    let latency = only(&snapshot).scheduler.runq_latency.clone().unwrap();
    assert_eq!(latency.count, 10);
    assert_eq!(latency.buckets.len(), 1);
    assert!(latency.p50_ns.unwrap() >= 4096 && latency.p99_ns.unwrap() <= 5120);
    assert_eq!(latency.max_ns, Some(5120));
}

#[test]
fn unlimited_is_minus_one_and_unread_is_unknown() {
    let mut limited = series(1, 0);
    files(&mut limited).memory.limit_bytes = Some(Limit::Max);
    files(&mut limited).pids.limit = Some(Limit::Value(50));
    let snapshot = snapshot(None, &sample(10, vec![limited]));
    assert_eq!(only(&snapshot).memory.limit_bytes, Some(-1));
    assert_eq!(only(&snapshot).memory.swap_limit_bytes, None);
    assert_eq!(only(&snapshot).pids.limit, Some(50));
}

pub(super) fn ended_container() -> Series {
    let mut series = series(7, 12);
    files(&mut series).memory.current_bytes = Some(4096);
    files(&mut series).memory.peak_bytes = Some(8192);
    series.container = Some(ContainerInfo {
        run: Arc::new(Run {
            id: ContainerId::new("abcdefabcdefabcdef"),
            runtime: RuntimeKind::Docker,
            path: "/docker/abcdefabcdefabcdef".to_owned(),
            pod_uid: None,
            made_at: Some(at(5)),
            members: BTreeSet::new(),
            ended_at: Some(at(9)),
            exit_code: Some(3),
            exit_level: Some(1),
            finished_at: None,
        }),
        metadata: None,
        namespaces: Arc::default(),
    });
    series
}

#[test]
fn an_ended_container_keeps_its_totals_and_holds_nothing() {
    let snapshot = snapshot(None, &sample(10, vec![ended_container()]));
    let container = snapshot.containers.first().unwrap();
    assert_eq!(container.state, crate::model::ContainerState::Exited);
    assert_eq!((container.exit_code, container.finished_at), (Some(3), Some(at(9))));
    assert_eq!((container.started_at, container.name.as_deref()), (Some(at(5)), None));
    assert_eq!(container.measurements.scheduler.voluntary_switches_total, Some(12));
    assert_eq!(container.measurements.memory.current_bytes, None);
    assert_eq!(container.measurements.memory.peak_bytes, Some(8192));
}

#[test]
fn the_machine_has_rates_and_what_it_lacks_is_unknown() {
    let at = |second: u64, switches: u64| {
        let processes = ProcessCounters { switches, forks: 7, running: Some(2), blocked: None };
        Sample {
            host_stats: HostStats { processes: Some(processes), ..HostStats::default() },
            ..sample(second, vec![])
        }
    };
    let totals = snapshot(Some(&at(10, 100)), &at(12, 700)).host.totals;
    assert_eq!(totals.scheduler.switches_total, Some(700));
    assert_eq!(totals.scheduler.switches_per_second, Some(300.0));
    assert_eq!(totals.scheduler.forks_per_second, Some(0.0));
    assert_eq!((totals.scheduler.running_tasks, totals.scheduler.blocked_tasks), (Some(2), None));
    assert_eq!((totals.cpu.busy_cores, totals.disks), (None, None));
    let backwards = snapshot(Some(&at(10, 100)), &at(12, 50)).host.totals;
    assert_eq!(backwards.scheduler.switches_per_second, None);
}

fn audited(switches: u64, machine: Option<u64>) -> Sample {
    let counted = SchedTotals { voluntary_switches: switches, ..SchedTotals::default() };
    let since = AuditPoint {
        taken_at: at(3),
        counted: Some(SchedTotals { voluntary_switches: 100, ..SchedTotals::default() }),
        switches: Some(5000),
        ..AuditPoint::default()
    };
    Sample {
        audit: AuditPoint { counted: Some(counted), switches: machine, ..since },
        audit_since: since,
        ..sample(10, vec![])
    }
}

#[test]
fn the_audit_compares_growth_since_the_beginning() {
    let audit = snapshot(None, &audited(298, Some(5200))).audit;
    assert_eq!(audit.since, Some(at(3)));
    let expected = Comparison { counted: 198, machine: 200, error: -2, error_percent: Some(-1.0) };
    assert_eq!(audit.switches, Some(expected));
    assert_eq!((audit.faults, audit.on_cpu_ns), (None, None));
}

#[test]
fn an_audit_without_both_sides_has_no_error() {
    assert_eq!(snapshot(None, &audited(298, None)).audit.switches, None);
    let nothing = snapshot(None, &audited(100, Some(5000))).audit.switches.unwrap();
    assert_eq!((nothing.error, nothing.error_percent), (0, None));
}

proptest! {
    #[test]
    fn windows_add_up(counts in proptest::collection::vec(0_u64..1000, 2..20)) {
        let mut total = 0;
        let samples: Vec<Sample> = (0_u64..)
            .zip(&counts)
            .map(|(second, count)| {
                total += count;
                sample(second, vec![series(1, total)])
            })
            .collect();
        let sum: f64 = samples
            .windows(2)
            .map(|pair| only(&snapshot(Some(&pair[0]), &pair[1])).scheduler.voluntary_switches_per_second.unwrap())
            .sum();
        let grown: u64 = counts.iter().skip(1).sum();
        prop_assert!((sum - grown as f64).abs() < 1e-6);
    }
}

fn block(operations: u64, wrapped: u32) -> Arc<BlockTotals> {
    let mut totals = BlockTotals::default();
    let reads = Requests {
        operations,
        bytes: operations * 4096,
        total_ns: operations * 3000,
        queue_ns: operations * 1000,
        untimed: 0,
    };
    totals.devices.insert(device(259, 0), [reads, Requests::default(), Requests::default(), reads]);
    totals.times[READ].latency[bucket(2000)] = wrapped;
    totals.times[READ].latency_max_ns = 2000;
    Arc::new(totals)
}

#[test]
fn requests_are_of_the_cgroup_and_latencies_of_the_window() {
    let before = sample(1, vec![Series { block: Some(block(10, u32::MAX)), ..series(1, 0) }]);
    let now = sample(3, vec![Series { block: Some(block(14, 3)), ..series(1, 0) }]);
    let io = &snapshot(Some(&before), &now).cgroups[0].measurements.block_io;
    assert_eq!(
        (io.read_ops_total, io.read_bytes_total, io.write_ops_total),
        (Some(14), Some(57_344), Some(0))
    );
    assert_eq!(
        (io.read_ns_total, io.read_queue_ns_total, io.flush_ops_total),
        (Some(42_000), Some(14_000), Some(14))
    );
    assert_eq!((io.read_ops_per_second, io.charged_read_bytes_total), (Some(2.0), None));
    let latency = io.read_latency.as_ref().unwrap();
    assert_eq!((latency.count, latency.max_ns), (4, Some(2000)));
    let devices = io.devices.as_ref().unwrap();
    assert_eq!(
        (devices.len(), devices[0].device.as_str(), devices[0].read_ops_total),
        (1, "259:0", Some(14))
    );
}

#[test]
fn requests_of_a_cgroup_that_the_block_controller_lacks_are_unknown_and_else_none() {
    let charged = IoDevice { major: 8, minor: 0, read_bytes: 512, reads: 1, ..IoDevice::default() };
    let mut with = series(1, 0);
    files(&mut with).io = IoStats { is_controlled: true, devices: Some(vec![charged]) };
    let (without, mut uncounted) = (series(2, 0), with.clone());
    uncounted.counted.requests = false;
    let now = sample(1, vec![with, without, Series { cgroup: CgroupId(3), ..uncounted }]);
    let cgroups = snapshot(None, &now).cgroups;
    let io = |index: usize| &cgroups[index].measurements.block_io;
    assert_eq!((io(0).read_ops_total, io(0).charged_read_bytes_total), (Some(0), Some(512)));
    assert_eq!(**io(1), BlockIo::default());
    assert_eq!((io(2).read_ops_total, io(2).charged_read_ops_total), (None, Some(1)));
    let device = &io(2).devices.as_ref().unwrap()[0];
    assert_eq!((device.read_ops_total, device.charged_read_bytes_total), (None, Some(512)));
}

#[test]
fn turns_are_the_switches_that_ended_them() {
    let mut one = series(1, 30);
    counters(&mut one).sched.involuntary_switches = 12;
    assert_eq!(only(&snapshot(None, &sample(1, vec![one]))).scheduler.timeslices_total, Some(42));
}

#[test]
fn what_tasks_do_is_as_old_as_the_look_at_them() {
    let states = TaskStates { running: 2, sleeping: 5, ..TaskStates::default() };
    let activity =
        Activity { states, running_10s: 1.5, disk_sleep_10s: 0.25, looked_ns: SECOND_NS + SECOND_NS / 2 };
    let one = Series { activity: Some(Arc::new(activity)), ..series(1, 0) };
    let ended = Series { activity: Some(Arc::new(activity)), ..ended_container() };
    let snapshot = snapshot(None, &sample(2, vec![one, ended]));
    let tasks = &only(&snapshot).tasks;
    assert_eq!((tasks.running, tasks.sleeping, tasks.zombie), (Some(2), Some(5), Some(0)));
    assert_eq!((tasks.load_10s, tasks.age_ns), (Some(1.75), Some(SECOND_NS / 2)));
    assert_eq!(*snapshot.containers[0].measurements.tasks, crate::model::Tasks::default());
}

#[test]
fn throttled_periods_are_those_since_they_are_counted() {
    let mut periods = ThrottledPeriods { longest_ns: 81_000_000, ..ThrottledPeriods::default() };
    periods.counts[bucket(80_000_000)] = 9;
    let with = Series { throttled: Some(Arc::new(periods)), ..series(1, 0) };
    let snapshot = snapshot(Some(&sample(1, vec![with.clone()])), &sample(2, vec![with, series(2, 0)]));
    let length = snapshot.cgroups[0].measurements.cpu.throttled_period.clone().unwrap();
    assert_eq!((length.count, length.max_ns), (9, Some(81_000_000)));
    assert!(length.p50_ns.is_some_and(|ns| (67_000_000..=81_000_000).contains(&ns)), "{length:?}");
    assert_eq!(snapshot.cgroups[1].measurements.cpu.throttled_period, None);
}

#[test]
fn memory_grows_and_shrinks_over_the_window() {
    let with = |bytes: u64, ns: u64| {
        let mut one = series(1, 0);
        files(&mut one).memory.current_bytes = Some(bytes);
        counters(&mut one).shortage.direct_reclaim_ns = ns;
        one
    };
    let memory = |before: Option<Series>, now: Series| {
        let before = before.map(|series| sample(1, vec![series]));
        only(&snapshot(before.as_ref(), &sample(3, vec![now]))).memory.clone()
    };
    let shrunk = memory(Some(with(5000, 10)), with(904, 4010));
    assert_eq!((shrunk.growth_bytes, shrunk.direct_reclaim_ns_per_second), (Some(-4096), Some(2000.0)));
    assert_eq!(memory(Some(series(1, 0)), with(904, 0)).growth_bytes, None);
    assert_eq!(memory(None, with(904, 0)).growth_bytes, None);
    let new = Series { is_new: true, ..with(904, 0) };
    let snapshot = snapshot(Some(&sample(1, vec![])), &sample(3, vec![new]));
    assert_eq!(only(&snapshot).memory.growth_bytes, Some(904));
}
