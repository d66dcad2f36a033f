//! Whom a request to a block device stood in line behind, told when it completes: see [`monitor_common::queue`].

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap},
};
use monitor_common::queue::{
    DeviceQueue, LOST_COMPLETIONS, LOST_NS, QUEUE_PAIRS, QUEUED_DEVICES, QueuePair, QueueWaits,
};

use crate::tally::{add, shared_entry};

#[map]
static QUEUES: HashMap<u32, DeviceQueue> = HashMap::with_max_entries(QUEUED_DEVICES, 0);
/// What a device's entry begins as.
#[map]
static QUEUE_EMPTY: Array<DeviceQueue> = Array::with_max_entries(1, 0);
#[map]
static QUEUE_WAITS: HashMap<QueuePair, QueueWaits> = HashMap::with_max_entries(QUEUE_PAIRS, 0);
/// What the tables had no room for, each in its place.
#[map]
static QUEUE_LOST: Array<u64> = Array::with_max_entries(2, 0);

/// A request is complete that began at `begun_ns`, 0 where that was not noted.
#[inline(always)]
pub(crate) fn complete(device: u32, cgroup: u64, begun_ns: u64, now_ns: u64) {
    // CPUs that write there at once lose one of two completions: see below.
    let queue = shared_entry(&QUEUES, &device, || QUEUE_EMPTY.get(0));
    let Some(queue) = queue else { return lose(LOST_COMPLETIONS, 1) };
    if begun_ns != 0 {
        queue.split(begun_ns, now_ns, |culprit, ns| charge(cgroup, culprit, ns));
    }
    if queue.note(cgroup, now_ns) {
        // Where two CPUs come here at once, one run is overwritten by the other, and one number is nobody's.
        add(&mut queue.newest, 1);
    }
}

/// Adds to what was waited for whom.
///
/// Inlined: verifiers before 6.8 take every number that they met for important once a function is called, and then follow each
/// way through the ring apart.
#[inline(always)]
fn charge(victim: u64, culprit: u64, ns: u64) {
    if ns == 0 {
        return;
    }
    let key = QueuePair { victim, culprit };
    match shared_entry(&QUEUE_WAITS, &key, || Some(QueueWaits::default())) {
        Some(waits) => {
            add(&mut waits.wait_ns, ns);
            add(&mut waits.waits, 1);
        }
        None => lose(LOST_NS, ns),
    }
}

#[inline(always)]
fn lose(place: u32, count: u64) {
    if let Some(lost) = QUEUE_LOST.get_ptr_mut(place) {
        // SAFETY: the lookup returned a valid place, which all add to atomically.
        add(unsafe { &mut *lost }, count);
    }
}
