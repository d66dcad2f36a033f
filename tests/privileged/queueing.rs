//! Requests that stood in line are blamed on those whose requests the device completed meanwhile.

use integration_tests::{
    container::{Container, Image},
    disk::LoopDevice,
    monitor::Monitor,
    snapshot::{BlockInterference, Measurements},
};

const HOG_BLOCK_BYTES: u64 = 512 << 10;
const VICTIM_BLOCK_BYTES: u64 = 4096;
const BLOCKS: u64 = 64;
/// Of the time in line, this much is to be blamed on its cause.
const SHARE: f64 = 0.9;

fn disk(image: &Image, device: &str, block_bytes: u64, threads: u64, [writes, reads]: [u64; 2]) -> Container {
    let args = [
        "disk".to_owned(),
        format!("--file={device}"),
        format!("--block-bytes={block_bytes}"),
        format!("--blocks={BLOCKS}"),
        format!("--threads={threads}"),
        format!("--writes={writes}"),
        format!("--reads={reads}"),
    ];
    let args: Vec<&str> = args.iter().flat_map(|arg| arg.split('=')).collect();
    Container::start_with(image, &["--device", device], &args)
}

fn measured(monitor: &mut Monitor, container: &Container) -> Measurements {
    monitor.next_snapshot().container(container.id()).measured.clone()
}

fn parts(measured: &Measurements) -> &[BlockInterference] {
    measured.block_interference.as_deref().expect("interference is counted")
}

fn sum<'a>(parts: impl IntoIterator<Item = &'a BlockInterference>) -> u64 {
    parts.into_iter().map(|part| part.wait_ns_total).sum()
}

#[test]
fn a_victim_s_requests_are_blamed_on_the_hog_before_them() {
    let device = LoopDevice::attach_direct(HOG_BLOCK_BYTES * BLOCKS);
    let (mut monitor, image) = (Monitor::start(), Image::import());
    let mut hog = disk(&image, device.path(), HOG_BLOCK_BYTES, 8, [500, 0]);
    let mut victim = disk(&image, device.path(), VICTIM_BLOCK_BYTES, 1, [0, 100]);
    let idle = Container::start_with(&image, &[], &["sleep", "--ms", "1"]);
    let before = measured(&mut monitor, &victim);
    assert!(parts(&before).iter().all(|part| part.source != "container"), "{:?}", parts(&before));
    hog.workload().go();
    victim.workload().go();
    let _done = victim.workload().wait_done();
    let after = measured(&mut monitor, &victim);
    let of_idle = measured(&mut monitor, &idle);
    let _done = hog.workload().wait_done();

    let parts = parts(&after);
    eprintln!("{parts:#?}");
    let waited = sum(parts);
    let reads_ns =
        after.block_io.read_ns_total.expect("times") - before.block_io.read_ns_total.expect("times");
    assert!(waited > reads_ns / 4, "only {waited} of {reads_ns} ns in line behind eight others");
    assert!(waited <= reads_ns, "{waited} ns in line, but the reads took {reads_ns} ns");
    let of_hog: Vec<_> = parts.iter().filter(|part| part.id.as_deref() == Some(hog.id())).collect();
    let share = sum(of_hog.iter().copied()) as f64 / waited as f64;
    assert!(share >= SHARE, "{share:.3} of the time in line is blamed on the hog: {parts:?}");
    assert_eq!((of_hog[0].source.as_str(), of_hog[0].name.as_deref()), ("container", Some(hog.name())));
    // On the loop device and, again, on the one under it.
    assert!((90..=200).contains(&of_hog[0].waits_total), "{} reads waited", of_hog[0].waits_total);
    assert_eq!(sum(of_idle.block_interference.iter().flatten()), 0);
    assert!(victim.exit(0).success() && hog.exit(0).success());
}
