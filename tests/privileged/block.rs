//! Requests of known size to a block device, and the time that they took, equal what `/proc/diskstats` has, on the
//! container that made them.

use integration_tests::{
    container::{Container, Image},
    disk::{DiskStats, LoopDevice, OtherStats},
    monitor::Monitor,
    snapshot::{BlockDevice, Container as SnapshotContainer, Snapshot},
};

const BLOCK_BYTES: u64 = 128 << 10;
const REQUESTS: u64 = 1024;
/// Of the device whose times are compared. The device's own end some microseconds after ours, when the process that waits
/// has been woken: requests that stand in line take far longer than that.
const LARGE_BYTES: u64 = 512 << 10;
const LARGE_REQUESTS: u64 = 512;
const THREADS: u64 = 8;
/// Blocks of a device.
const BLOCKS: u64 = 64;
/// Times may differ from the device's own by this many hundredths.
const PERCENT: u64 = 2;
const MILLISECOND_NS: u64 = 1_000_000;
/// How often requests may be missed: where the kernel hides tasks, programs do not run in what interrupts these.
const TRIES: u32 = 20;

fn on_device(snapshot: &Snapshot, id: &str, name: &str) -> BlockDevice {
    let devices = snapshot.container(id).measured.block_io.devices.clone().unwrap_or_default();
    let found = devices.into_iter().find(|device| device.name.as_deref() == Some(name));
    found.unwrap_or_else(|| panic!("{id} did nothing to {name}"))
}

/// One whose threads share the writes and reads.
fn container(image: &Image, device: &str, block_bytes: u64, requests: [u64; 2], threads: u64) -> Container {
    let [writes, reads] = requests.map(|number| number / threads);
    let [block_bytes, blocks, writes, reads, threads] =
        [block_bytes, BLOCKS, writes, reads, threads].map(|number| number.to_string());
    let args = [
        "disk",
        "--file",
        device,
        "--block-bytes",
        &block_bytes,
        "--blocks",
        &blocks,
        "--writes",
        &writes,
        "--reads",
        &reads,
        "--threads",
        &threads,
    ];
    Container::start_with(image, &["--device", device], &args)
}

fn assert_time(what: &str, ours_ns: Option<u64>, truth_ms: u64) {
    let (ours, truth) = (ours_ns.expect("a time"), truth_ms * MILLISECOND_NS);
    let bound = truth * PERCENT / 100 + MILLISECOND_NS;
    eprintln!("{what}: ours {ours} ns, truth {truth_ms} ms");
    assert!(truth_ms > 50, "{what} took only {truth_ms} ms");
    assert!(ours.abs_diff(truth) <= bound, "{what}: {ours} ns, but the device has {truth_ms} ms");
}

/// What was counted and what there was, of a container that is done.
struct Done {
    snapshot: Snapshot,
    ours: BlockDevice,
    truth: DiskStats,
}

/// Lets a container write and read, again where requests were missed because the kernel hides tasks.
fn transfer(
    monitor: &mut Monitor,
    image: &Image,
    device: &LoopDevice,
    bytes: u64,
    requests: [u64; 2],
    threads: u64,
) -> Done {
    for _ in 0..TRIES {
        let [writes, reads] = requests;
        let mut busy = container(image, device.path(), bytes, requests, threads);
        let before = DiskStats::of(device.name());
        busy.workload().go();
        let _done = busy.workload().wait_done();
        let truth = DiskStats::of(device.name()).since(before);
        let snapshot = monitor.next_snapshot();
        let ours = on_device(&snapshot, busy.id(), device.name());
        eprintln!("truth {truth:?}\nours  {ours:?}");
        assert!(busy.exit(0).success());
        assert_eq!([truth.writes, truth.reads], requests, "what was asked for");
        let counted = [ours.write_ops_total, ours.read_ops_total].map(|count| count.expect("requests"));
        if counted == requests {
            return Done { snapshot, ours, truth };
        }
        assert!(counted[0] <= writes && counted[1] <= reads, "more than there were: {counted:?}");
    }
    panic!("requests were missed in each of {TRIES} tries");
}

#[test]
fn block_requests_and_bytes() {
    let device = LoopDevice::attach(BLOCK_BYTES * BLOCKS);
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let bystander = Container::start_with(&image, &[], &["sleep", "--ms", "1"]);
    let Done { snapshot, ours, truth } =
        transfer(&mut monitor, &image, &device, BLOCK_BYTES, [REQUESTS, 2 * REQUESTS], 1);
    assert_eq!(ours.write_bytes_total, Some(REQUESTS * BLOCK_BYTES), "bytes written");
    assert_eq!(ours.read_bytes_total, Some(2 * REQUESTS * BLOCK_BYTES), "bytes read");
    assert_eq!(
        (Some(truth.write_bytes), Some(truth.read_bytes)),
        (ours.write_bytes_total, ours.read_bytes_total)
    );
    let bystander = &snapshot.container(bystander.id()).measured.block_io;
    let devices = bystander.devices.clone().expect("devices");
    assert!(devices.iter().all(|other| other.name.as_deref() != Some(device.name())), "{devices:?}");
}

#[test]
fn block_times() {
    let device = LoopDevice::attach_direct(LARGE_BYTES * BLOCKS);
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let Done { ours, truth, .. } =
        transfer(&mut monitor, &image, &device, LARGE_BYTES, [LARGE_REQUESTS; 2], THREADS);
    assert_time("reads", ours.read_ns_total, truth.read_ms);
    assert_time("writes", ours.write_ns_total, truth.write_ms);
}

#[test]
fn block_latency_counts_each_request_once() {
    let device = LoopDevice::attach(BLOCK_BYTES * BLOCKS);
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let mut busy = container(&image, device.path(), 4096, [0, REQUESTS], 1);
    let timed = |snapshot: &Snapshot, id: &str| {
        let io = &snapshot.container(id).measured.block_io;
        io.read_ops_total.zip(io.untimed_ops_total).map(|(reads, untimed)| reads - untimed).expect("reads")
    };
    let before = timed(&monitor.next_snapshot(), busy.id());
    busy.workload().go();
    let _done = busy.workload().wait_done();
    let snapshots = monitor.snapshots_until_next();
    let latencies = snapshots.iter().filter_map(|snapshot| {
        snapshot.find(busy.id())?.measured.block_io.read_latency.as_ref().map(|latency| latency.count)
    });
    let last = snapshots.last().expect("a snapshot");
    let counted = timed(last, busy.id()) - before;
    assert!(counted > REQUESTS / 2, "{counted} reads");
    assert_eq!(latencies.sum::<u64>(), counted);
    assert!(busy.exit(0).success());
}

/// Discards of a block each, and flushes that nothing was written before. Flushes are told apart from writes here alone:
/// `/proc/diskstats` has them among these.
#[test]
fn block_discards_and_flushes() {
    const DISCARDS: u64 = 200;
    const FLUSHES: u64 = 300;
    let device = LoopDevice::attach(BLOCK_BYTES * BLOCKS);
    let (mut monitor, image) = (Monitor::start(), Image::import());
    for _ in 0..TRIES {
        let args = [BLOCK_BYTES, BLOCKS, DISCARDS, FLUSHES].map(|number| number.to_string());
        let [bytes, blocks, discards, flushes] = args.each_ref().map(String::as_str);
        let disk = ["disk", "--file", device.path(), "--block-bytes", bytes, "--blocks", blocks];
        let others = ["--discards", discards, "--flushes", flushes];
        let mut busy =
            Container::start_with(&image, &["--device", device.path()], &[&disk[..], &others].concat());
        let before = OtherStats::of(device.name());
        busy.workload().go();
        let _done = busy.workload().wait_done();
        let truth = OtherStats::of(device.name()).since(before);
        let ours = on_device(&monitor.next_snapshot(), busy.id(), device.name());
        eprintln!("truth {truth:?}\nours  {ours:?}");
        assert!(busy.exit(0).success());
        assert_eq!((truth.discards, truth.flushes), (DISCARDS, FLUSHES), "what was asked for");
        let counted = [ours.discard_ops_total, ours.flush_ops_total].map(|count| count.expect("requests"));
        assert!(counted[0] <= DISCARDS && counted[1] <= FLUSHES, "more than there were: {counted:?}");
        if counted == [DISCARDS, FLUSHES] {
            assert_eq!(ours.discard_bytes_total, Some(truth.discard_bytes), "bytes discarded");
            assert_eq!((ours.write_ops_total, ours.read_ops_total), (Some(0), Some(0)), "neither is a write");
            return;
        }
    }
    panic!("requests were missed in each of {TRIES} tries");
}

#[test]
fn block_totals_of_a_short_container() {
    let device = LoopDevice::attach(BLOCK_BYTES * BLOCKS);
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let mut short = container(&image, device.path(), BLOCK_BYTES, [10, 20], 1);
    short.workload().go();
    let _done = short.workload().wait_done();
    assert!(short.exit(0).success());
    let last = monitor.wait_for("the end of the container", |snapshot| {
        snapshot.find(short.id()).is_some_and(SnapshotContainer::is_exited).then(|| snapshot.clone())
    });
    let ours = on_device(&last, short.id(), device.name());
    assert_eq!((ours.write_ops_total, ours.read_ops_total), (Some(10), Some(20)));
    assert_eq!(ours.read_bytes_total, Some(20 * BLOCK_BYTES));
}

#[test]
fn block_coverage_says_what_a_v1_controller_cannot() {
    let snapshot = Monitor::start().next_snapshot();
    let source = snapshot.coverage.sources.get("block_io").expect("a source");
    let reason = source.reason.as_deref().unwrap_or_default();
    match source.origin {
        Some(_) => assert!(source.state == "partial" && reason.contains("buffered writes"), "{source:?}"),
        None => assert_eq!((source.state.as_str(), reason), ("ok", ""), "{source:?}"),
    }
}
