//! The maps that are added to, and how. Each entry belongs to one CPU, so nothing here is atomic.

use aya_ebpf::{
    helpers::bpf_get_smp_processor_id,
    macros::map,
    maps::{Array, RingBuf},
};
use monitor_common::{
    counters::{Losses, SchedCounters, TaskCounters},
    histogram::{Histogram, bucket},
    lifecycle::Record,
    limits::{RING_BYTES, SEEN_TASKS},
    slots::{Running, SeenTask, TagSet, seen_index},
};

use crate::globals::geometry;

/// Lets user space map the array and read it without a system call.
const BPF_F_MMAPABLE: u32 = 1 << 10;

#[map]
static TAGS: Array<TagSet> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static SCHED: Array<SchedCounters> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static TASK_EVENTS: Array<TaskCounters> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static RUNQ_LATENCY: Array<Histogram> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static RUNNING: Array<Running> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static LOSSES: Array<Losses> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static SEEN: Array<SeenTask> = Array::with_max_entries(SEEN_TASKS, 0);
#[map]
static LIFECYCLE: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// The CPU that this program runs on.
#[inline(always)]
pub(crate) fn cpu() -> u32 {
    // SAFETY: the helper has no preconditions. It is a load on 6.10 and later, a call before.
    unsafe { bpf_get_smp_processor_id() }
}

macro_rules! entry {
    ($(#[$doc:meta])* $name:ident($($arg:ident),+) -> $type:ty: $map:ident[$index:expr]) => {
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name($($arg: u32),+) -> Option<&'static mut $type> {
            // SAFETY: the lookup checked the bounds, and programs of one CPU that write the same entry do not
            // interrupt each other (see the types' own words); user space only reads, or clears what is dead.
            $map.get_ptr_mut($index).map(|entry| unsafe { &mut *entry })
        }
    };
}

entry!(
    /// A CPU's tags of one set.
    tags(cpu, set) -> TagSet: TAGS[geometry().set_index(cpu, set)]
);
entry!(
    /// A slot's scheduler counters.
    sched(cpu, slot) -> SchedCounters: SCHED[geometry().index(cpu, slot)]
);
entry!(
    /// A slot's counters of rarer events.
    task_events(cpu, slot) -> TaskCounters: TASK_EVENTS[geometry().index(cpu, slot)]
);
entry!(
    runq_latency(cpu, slot) -> Histogram: RUNQ_LATENCY[geometry().index(cpu, slot)]
);
entry!(
    /// What a CPU runs.
    running(cpu) -> Running: RUNNING[cpu]
);
entry!(
    losses(cpu) -> Losses: LOSSES[cpu]
);
entry!(
    /// What is remembered of a task.
    seen(tid) -> SeenTask: SEEN[seen_index(tid)]
);

/// Counts one wait of `ns` in a slot's histogram.
#[inline(always)]
pub(crate) fn count_wait(cpu: u32, slot: u32, ns: u64) {
    if let Some(Histogram(buckets)) = runq_latency(cpu, slot)
        && let Some(count) = buckets.get_mut(bucket(ns))
    {
        *count = count.wrapping_add(1);
    }
}

/// Counts something that could not be counted where it belongs.
#[inline(always)]
pub(crate) fn lose(cpu: u32, field: impl Fn(&mut Losses) -> &mut u64) {
    if let Some(losses) = losses(cpu) {
        *field(losses) += 1;
    }
}

/// Sends a record that `fill` completes; counts it as lost where the ring is full.
#[inline(always)]
pub(crate) fn record(fill: impl FnOnce(&mut Record)) {
    /// User space drains the ring at its own pace; waking it for each record would cost more than the record.
    const BPF_RB_NO_WAKEUP: u64 = 1;
    let Some(mut entry) = LIFECYCLE.reserve::<Record>(0) else {
        lose(cpu(), |losses| &mut losses.lifecycle_records);
        return;
    };
    // SAFETY: the entry is writable memory of `Record`'s size, and every bit pattern is a `Record`.
    fill(unsafe { entry.assume_init_mut() });
    entry.submit(BPF_RB_NO_WAKEUP);
}
