//! What history takes in memory and CPU time, with made-up containers of which a fifth are busy and the others nearly idle.
//!
//! `cargo run --release -p monitor --example history_cost -- CONTAINERS HOURS [LIMIT_MIB]`

use std::{env, time::Instant};

use jiff::Timestamp;
use monitor::{
    history::{History, Resolution, Resolutions},
    model::{
        About, Audit, BlockIo, Cgroup, Container, ContainerState, Coverage, Cpu, Faults, Host, Latency,
        LatencyBucket, Measurements, Memory, Namespaces, Network, SCHEMA_VERSION, Scheduler, Snapshot,
        catalog,
    },
};

const USAGE: &str = "history_cost CONTAINERS HOURS [LIMIT_MIB]";
const START: i64 = 1_800_000_000;

fn main() {
    let mut args = env::args().skip(1).map(|arg| arg.parse::<u64>().expect(USAGE));
    let (containers, hours) = (args.next().expect(USAGE), args.next().expect(USAGE));
    let limit = usize::try_from(args.next().unwrap_or(1 << 20)).expect("a number of MiB") << 20;
    let usual = ["1s=10m", "10s=2h", "1m=24h"].map(|one| one.parse::<Resolution>().expect("a resolution"));
    let mut history = History::new(&Resolutions::new(usual.to_vec()).expect("resolutions"), limit);
    let mut snapshot = snapshot(containers);
    let mut random = Random(88_172_645_463_325_252);
    let (mut taken, mut longest) = (0.0_f64, 0.0_f64);
    let seconds = i64::try_from(hours * 3600).expect("hours");
    for second in 0..seconds {
        snapshot.taken_at = Timestamp::from_second(START + second).expect("a time");
        for (number, container) in snapshot.containers.iter_mut().enumerate() {
            advance(&mut container.measurements, number % 5 == 0, &mut random);
        }
        let began = Instant::now();
        history.push(&snapshot);
        drop(history.take_changes());
        let took = began.elapsed().as_secs_f64();
        taken += took;
        longest = longest.max(took);
        if second % 3600 == 3599 {
            let figures = history.figures();
            println!(
                "after {:2} h: {:7.2} MiB, {:6.1} KiB a container, {} rows dropped; a tick {:.2} ms in the mean, {:.0} ms at most",
                second / 3600 + 1,
                figures.bytes as f64 / 1_048_576.0,
                figures.bytes as f64 / 1024.0 / containers as f64,
                figures.dropped_rows_total,
                taken * 1000.0 / (second + 1) as f64,
                longest * 1000.0,
            );
        }
    }
    for kept in history.kept() {
        println!(
            "{} s: {:?} to {:?}, {} bytes",
            kept.step_ms / 1000,
            kept.first_at,
            kept.last_at,
            kept.bytes
        );
    }
}

/// A second more of one that is busy, or of one that is not.
fn advance(measured: &mut Measurements, is_busy: bool, random: &mut Random) {
    let work = if is_busy { 1000 } else { u64::from(random.below(8) == 0) };
    let grow = |counter: &mut Option<u64>, each: u64, random: &mut Random| {
        let by = each * work;
        *counter = counter.map(|value| value + by + random.below(by / 4 + 1));
    };
    let Measurements { scheduler, faults, network, cpu, memory, .. } = measured;
    let (scheduler, faults, network): (&mut Scheduler, &mut Faults, &mut Network) =
        (scheduler, faults, network);
    let cpu: &mut Cpu = cpu;
    for (counter, each) in [
        (&mut scheduler.voluntary_switches_total, 3),
        (&mut scheduler.involuntary_switches_total, 1),
        (&mut scheduler.timeslices_total, 4),
        (&mut scheduler.on_cpu_ns_total, 500_000),
        (&mut scheduler.runq_wait_ns_total, 30_000),
        (&mut faults.minor_total, 2),
        (&mut faults.user_exceptions_total, 2),
        (&mut network.rx_bytes_total, 900),
        (&mut network.rx_packets_total, 2),
        (&mut network.rx_segments_total, 2),
        (&mut network.rx_wire_bytes_total, 950),
        (&mut network.tx_bytes_total, 1200),
        (&mut network.tx_packets_total, 2),
        (&mut network.tx_segments_total, 2),
        (&mut network.tx_wire_bytes_total, 1250),
        (&mut cpu.usage_ns_total, 500_000),
        (&mut cpu.user_ns_total, 300_000),
        (&mut cpu.system_ns_total, 200_000),
        (&mut memory.page_faults_total, 2),
    ] {
        grow(counter, each, random);
    }
    measured.cpu.usage_cores = Some(work as f64 / 2000.0 * (1.0 + random.below(100) as f64 / 400.0));
    measured.tasks.age_ns = Some(100_000_000 + random.below(1 << 20));
    let ten_times = |count: u64| (0..count).map(|bucket| 1 << (11 + bucket));
    let latency = |buckets: u64, random: &mut Random| {
        let buckets = ten_times(buckets).map(|from: u64| LatencyBucket {
            from_ns: from,
            to_ns: Some(from + from / 4),
            count: 1 + random.below(200),
        });
        Some(Latency { count: 1, buckets: buckets.collect(), ..Latency::default() })
    };
    let shown = if is_busy { 18 } else { work * 2 };
    measured.scheduler.runq_latency = latency(shown, random);
    measured.scheduler.timeslices = latency(shown, random);
    if is_busy {
        let (memory, block_io): (&mut Memory, &mut BlockIo) = (&mut measured.memory, &mut measured.block_io);
        for gauge in [
            &mut memory.current_bytes,
            &mut memory.working_set_bytes,
            &mut memory.anon_bytes,
            &mut memory.active_anon_bytes,
            &mut memory.file_bytes,
        ] {
            *gauge = Some((100_000 + random.below(50)) * 4096);
        }
        measured.tasks.running = Some(random.below(4));
        measured.tasks.load_10s = Some(random.below(1000) as f64 / 300.0);
        measured.tasks.running_10s = measured.tasks.load_10s;
        for (counter, each) in [
            (&mut block_io.write_bytes_total, 4096),
            (&mut block_io.write_ops_total, 1),
            (&mut block_io.write_ns_total, 90_000),
            (&mut block_io.charged_write_bytes_total, 4096),
            (&mut block_io.charged_write_ops_total, 1),
        ] {
            grow(counter, each, random);
        }
        measured.block_io.write_latency = latency(8, random);
    }
}

/// Of containers of which everything is measured.
fn snapshot(containers: u64) -> Snapshot {
    let mut object = serde_json::to_value(Measurements::default()).expect("JSON");
    for metric in catalog::metrics().filter(|metric| metric.kind != catalog::Kind::Text) {
        object[metric.group][metric.name] = 0.into();
    }
    let measurements: Measurements = serde_json::from_value(object).expect("measurements");
    let about = |number: u64| About {
        id: format!("{number:064x}"),
        short_id: format!("{number:012x}"),
        name: Some(format!("container-{number}")),
        image: Some("registry/image:latest".to_owned()),
        runtime: "docker".to_owned(),
        state: ContainerState::Running,
        exit_code: None,
        created_at: None,
        started_at: None,
        finished_at: None,
        labels: std::collections::BTreeMap::new(),
        pod: None,
        counting_since: Timestamp::from_second(START).expect("a time"),
        cgroup: Cgroup { id: number, path: Some(format!("/docker/{number:064x}")) },
        namespaces: Namespaces::default(),
    };
    let container = |number| Container { about: about(number).into(), measurements: measurements.clone() };
    Snapshot {
        schema_version: SCHEMA_VERSION,
        taken_at: Timestamp::from_second(START).expect("a time"),
        window_ns: 1_000_000_000,
        host: Host::default(),
        containers: (0..containers).map(container).collect(),
        cgroups: Vec::new(),
        audit: Audit::default(),
        coverage: Coverage::default(),
    }
}

/// Marsaglia's xorshift: the same numbers each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
