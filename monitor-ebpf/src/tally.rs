//! The maps that are added to, and how. Each entry here belongs to one CPU. Only the network's are added to atomically, since its
//! programs interrupt each other; so are the requests to block devices, which all CPUs share.

use core::{arch::asm, borrow::Borrow};

use aya_ebpf::{
    helpers::bpf_get_smp_processor_id,
    macros::map,
    maps::{Array, HashMap, RingBuf},
};
use monitor_common::{
    counters::{CpuState, Losses, Slot},
    histogram::{BUCKETS, CoarseHistogram, Histogram, bucket, coarse_bucket},
    lifecycle::Record,
    limits::{PAIR_PROBES, RING_BYTES, SEEN_PROBES, WAIT_PAIRS},
    net::NetSlot,
    slots::{SeenTask, TagSet, seen_index},
    waits::{Turns, WaitPair, pair_index},
};

use crate::globals::{self, constant, word};

/// Lets user space map the array and read it without a system call.
pub(crate) const BPF_F_MMAPABLE: u32 = 1 << 10;
/// Lets an insertion fail where there is an entry already.
pub(crate) const BPF_NOEXIST: u64 = 1;

#[map]
static TAGS: Array<TagSet> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static SLOTS: Array<Slot> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// As [`TAGS`], for [`NET`].
#[map]
static NET_TAGS: Array<TagSet> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static NET: Array<NetSlot> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static CPUS: Array<CpuState> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static TURNS: Array<Turns> = Array::with_max_entries(1, 0);
#[map]
static WAITS: Array<WaitPair> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static SEEN: Array<SeenTask> = Array::with_max_entries(1, 0);
/// See [`origin`].
#[map]
static ORIGIN: Array<u64> = Array::with_max_entries(1, 0);
#[map]
static LIFECYCLE: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// The CPU that a program runs on, and where its entries are.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    number: u32,
    first_slot: u32,
}

macro_rules! entries {
    ($($(#[$doc:meta])* $name:ident(self $(, $arg:ident)?) -> $type:ty: $map:ident[$index:expr];)+) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name(self $(, $arg: u32)?) -> Option<&'static mut $type> {
            let index: fn(Self $(, entries!(@u32 $arg))?) -> u32 = $index;
            // SAFETY: the lookup checked the bounds, and programs of one CPU that write the same entry do not
            // interrupt each other (see the types' own words); user space only reads, or clears what is dead.
            $map.get_ptr_mut(index(self $(, $arg)?)).map(|entry| unsafe { &mut *entry })
        }
    )+};
    (@u32 $arg:ident) => { u32 };
}

/// A slot, by its index over all CPUs.
#[inline(always)]
pub(crate) fn slot_at(index: u32) -> Option<&'static mut Slot> {
    // SAFETY: as for a CPU's entries below.
    SLOTS.get_ptr_mut(index).map(|entry| unsafe { &mut *entry })
}

impl Cpu {
    #[inline(always)]
    pub(crate) fn current() -> Self {
        // SAFETY: the helper has no preconditions. It is a load on 6.10 and later, a call before.
        let number = unsafe { bpf_get_smp_processor_id() };
        Self { number, first_slot: number * (constant::<{ word!(geometry.owned_slots) }>() + 1) }
    }

    /// Its number.
    #[inline(always)]
    pub(crate) fn number(self) -> u32 {
        self.number
    }

    /// The index of its first slot.
    #[inline(always)]
    pub(crate) fn first_slot(self) -> u32 {
        self.first_slot
    }

    /// The index of its first set.
    #[inline(always)]
    pub(crate) fn first_set(self) -> u32 {
        self.number * constant::<{ word!(geometry.sets) }>()
    }

    entries! {
        /// What a cgroup has counted here.
        slot(self, slot) -> Slot: SLOTS[|cpu, slot| cpu.first_slot + slot];
        /// What a cgroup's sockets have counted here; to be added to by [`add`] alone.
        net_slot(self, slot) -> NetSlot: NET[|cpu, slot| cpu.first_slot + slot];
        /// What it runs, and what it could not count.
        state(self) -> CpuState: CPUS[|cpu| cpu.number];
        /// Who had it lately.
        turns(self) -> Turns: TURNS[|cpu| cpu.number];
    }

    /// The index of its first pair.
    #[inline(always)]
    pub(crate) fn first_pair(self) -> u32 {
        self.number * WAIT_PAIRS
    }

    /// Counts something that could not be counted where it belongs.
    #[inline(always)]
    pub(crate) fn lose(self, field: impl Fn(&mut Losses) -> &mut u64) {
        self.lose_many(field, 1);
    }

    /// As [`Self::lose`], more at once.
    #[inline(always)]
    pub(crate) fn lose_many(self, field: impl Fn(&mut Losses) -> &mut u64, count: u64) {
        if let Some(state) = self.state() {
            *field(&mut state.losses) += count;
        }
    }
}

/// A key's entry in a table that the CPUs share, or a new one; `None` where there is no room for it.
///
/// To be added to by [`add`]: what is there is nobody's alone. User space takes entries of removed cgroups only.
#[expect(clippy::mut_from_ref, reason = "the table is a name for the kernel's memory, which it does not own")]
#[inline(always)]
pub(crate) fn shared_entry<K, V, E: Borrow<V>>(
    table: &'static HashMap<K, V>,
    key: &K,
    empty: impl FnOnce() -> Option<E>,
) -> Option<&'static mut V> {
    let found = table.get_ptr_mut(key).or_else(|| {
        // Fails where there is no room, or where another CPU was faster.
        let _ = table.insert(key, empty()?, BPF_NOEXIST);
        table.get_ptr_mut(key)
    })?;
    // SAFETY: the lookup returned a valid place; see above for who writes there.
    Some(unsafe { &mut *found })
}

/// Adds to a counter that programs add to which may interrupt each other.
#[inline(always)]
pub(crate) fn add(counter: &mut u64, value: u64) {
    let counter = &raw mut *counter;
    // SAFETY: `counter` is a valid, aligned place, and the verifier checks that it is.
    unsafe {
        asm!("lock *(u64 *)({counter} + 0) += {value}", counter = in(reg) counter, value = in(reg) value, options(nostack));
    }
}

/// As [`add`], 4 bytes.
#[inline(always)]
pub(crate) fn add_u32(counter: &mut u32, value: u32) {
    let counter = &raw mut *counter;
    // SAFETY: as above.
    unsafe {
        asm!("lock *(u32 *)({counter} + 0) += {value}", counter = in(reg) counter, value = in(reg) u64::from(value), options(nostack));
    }
}

/// Counts a duration that any CPU may count at the same time.
#[inline(always)]
pub(crate) fn count_time(histogram: &mut [u64; BUCKETS], longest: &mut u64, ns: u64) {
    if let Some(count) = histogram.get_mut(bucket(ns)) {
        add(count, 1);
    }
    if *longest < ns {
        *longest = ns;
    }
}

/// Counts one wait of `ns`.
#[inline(always)]
pub(crate) fn count_wait(histogram: &mut Histogram, ns: u64) {
    if let Some(count) = histogram.0.get_mut(bucket(ns)) {
        *count = count.wrapping_add(1);
    }
}

/// Counts one turn of `ns`.
#[inline(always)]
pub(crate) fn count_turn(histogram: &mut CoarseHistogram, ns: u64) {
    if let Some(count) = histogram.0.get_mut(coarse_bucket(ns)) {
        *count = count.wrapping_add(1);
    }
}

/// One set of tags, by its index over all CPUs.
#[inline(always)]
pub(crate) fn tags(index: u32) -> Option<&'static mut TagSet> {
    // SAFETY: the lookup checked the bounds; only programs of the set's own CPU claim tags in it (one that is
    // interrupted while claiming is interrupted by one that looks for the same task's cgroup), and user space clears only what no program looks for any more.
    TAGS.get_ptr_mut(index).map(|entry| unsafe { &mut *entry })
}

/// What was waited for whom on the CPU with this first pair: the pair's entry, or a free one that is claimed for it.
#[inline(never)]
pub(crate) fn pair(first: u32, victim: u64, culprit: u64) -> Option<&'static mut WaitPair> {
    let index = pair_index(victim, culprit, WAIT_PAIRS);
    let mut probe = 0;
    while probe < PAIR_PROBES {
        let place = WAITS.get_ptr_mut(first + ((index + probe) & (WAIT_PAIRS - 1)))?;
        // SAFETY: the lookup checked the bounds; only programs of this CPU that do not interrupt each other write here, and
        // user space clears what is dead.
        let entry = unsafe { &mut *place };
        if entry.victim == victim && entry.culprit == culprit {
            return Some(entry);
        }
        if entry.victim == 0 {
            entry.culprit = culprit;
            entry.victim = victim;
            return Some(entry);
        }
        probe += 1;
    }
    None
}

/// One set of the network's tags, by its index over all CPUs.
#[inline(always)]
pub(crate) fn net_tags(index: u32) -> Option<&'static mut TagSet> {
    // SAFETY: as for `tags`; a tag is written while no other program of its CPU claims one.
    NET_TAGS.get_ptr_mut(index).map(|entry| unsafe { &mut *entry })
}

/// What is remembered of a task, or a free entry to remember it in; `None` where there is no room.
#[inline(always)]
pub(crate) fn seen(task: u64) -> Option<&'static mut SeenTask> {
    let first = seen_index(task, constant::<{ word!(seen_bits) }>());
    match seen_entry(first) {
        Some(entry) if entry.task == task => Some(entry),
        _ => seen_elsewhere(first, task),
    }
}

#[inline(always)]
fn seen_entry(index: u32) -> Option<&'static mut SeenTask> {
    // SAFETY: the lookup checks the bounds. A task is on one CPU at a time, so its entry has one writer. Two new tasks may
    // claim one entry at once: then one of them is unknown at its next turn.
    SEEN.get_ptr_mut(index).map(|entry| unsafe { &mut *entry })
}

#[cold]
#[inline(never)]
fn seen_elsewhere(first: u32, task: u64) -> Option<&'static mut SeenTask> {
    let last = (1 << constant::<{ word!(seen_bits) }>()) - 1;
    let mut free = None;
    let mut probe = 0;
    while probe < SEEN_PROBES {
        let entry = seen_entry((first + probe) & last)?;
        if entry.task == task {
            return Some(entry);
        }
        if entry.task == 0 && free.is_none() {
            free = Some(entry);
        }
        probe += 1;
    }
    free
}

/// The address from which [`globals::distance`] is measured, as a number.
///
/// The verifier forgets the type of what comes back from a map.
#[inline(always)]
pub(crate) fn origin() -> Option<u64> {
    let place = ORIGIN.get_ptr_mut(0)?;
    // SAFETY: the lookup returned a valid place; volatile, so that the compiler does not see through it.
    unsafe {
        place.write_volatile(globals::origin());
        Some(place.read_volatile())
    }
}

/// Sends a record that `fill` completes; counts it as lost where the ring is full.
#[inline(always)]
pub(crate) fn record(fill: impl FnOnce(&mut Record)) {
    /// User space drains the ring at its own pace; waking it for each record would cost more than the record.
    const BPF_RB_NO_WAKEUP: u64 = 1;
    let Some(mut entry) = LIFECYCLE.reserve::<Record>(0) else {
        Cpu::current().lose(|losses| &mut losses.lifecycle_records);
        return;
    };
    // SAFETY: the entry is writable memory of `Record`'s size, and every bit pattern is a `Record`.
    fill(unsafe { entry.assume_init_mut() });
    entry.submit(BPF_RB_NO_WAKEUP);
}
