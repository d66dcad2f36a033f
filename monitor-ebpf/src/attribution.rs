//! Cgroup id → slot.

use monitor_common::{
    counters::RecentCgroup,
    limits::{PROBES, RECENT_CGROUPS, WAYS},
    slots::{TagSet, set_of},
};

use crate::{
    globals::{constant, word},
    kernel::{Memory, Task, current_cgroup_id},
    tally::{self, Cpu},
};

/// The cgroup of a task and the index of its slot over all CPUs, which is mostly remembered. For programs that do not interrupt
/// each other.
#[inline(always)]
pub(crate) fn place_of<M: Memory>(cpu: Cpu, recent: &mut [RecentCgroup], task: Task<M>) -> (u64, u32) {
    let key = task.cgroup_serial() + 1;
    let Some(entry) = recent.get_mut((key & u64::from(RECENT_CGROUPS - 1)) as usize) else { return (0, 0) };
    if entry.key != key {
        let cgroup_id = task.cgroup_id();
        let slot = match claim(cpu.first_set(), cgroup_id) {
            // Not to be remembered: each turn that is counted in the shared slot is a loss.
            NO_SLOT => return (cgroup_id, cpu.first_slot() + no_slot(cpu)),
            slot => slot,
        };
        *entry = RecentCgroup { key, cgroup_id, slot: u64::from(cpu.first_slot() + slot) };
    }
    (entry.cgroup_id, entry.slot as u32)
}

/// This CPU's slot for a cgroup: its own, or the shared one, which counts as a loss.
#[inline(always)]
pub(crate) fn slot_of(cpu: Cpu, cgroup_id: u64) -> u32 {
    let set = set_of(cgroup_id, constant::<{ word!(geometry.set_bits) }>(), 0);
    if let Some(TagSet(tags)) = tally::tags(cpu.first_set() + set)
        && let Some(way) = find(tags, cgroup_id)
    {
        return set * WAYS + way;
    }
    match claim(cpu.first_set(), cgroup_id) {
        NO_SLOT => no_slot(cpu),
        slot => slot,
    }
}

/// The shared slot, which counts as a loss.
#[inline(always)]
fn no_slot(cpu: Cpu) -> u32 {
    cpu.lose(|losses| &mut losses.slot_overflows);
    constant::<{ word!(geometry.owned_slots) }>()
}

/// That a cgroup has and finds no slot.
const NO_SLOT: u32 = u32::MAX;

/// The slot that a cgroup has, or else the first free one, among all that it may have.
#[cold]
#[inline(never)]
fn claim(first_set: u32, cgroup_id: u64) -> u32 {
    search(first_set, cgroup_id, tally::tags, |tags| take(tags, cgroup_id))
}

/// The place in a set that a cgroup has.
#[inline(always)]
fn find(tags: &[u64; WAYS as usize], cgroup_id: u64) -> Option<u32> {
    (0..).zip(tags.iter()).find(|(_, tag)| **tag == cgroup_id).map(|(way, _)| way)
}

/// The place in a set that a cgroup has, or else the first free one, which it has from then on.
#[inline(always)]
fn take(tags: &mut [u64; WAYS as usize], cgroup_id: u64) -> Option<u32> {
    for (way, tag) in (0..).zip(tags.iter_mut()) {
        if *tag == 0 {
            *tag = cgroup_id;
        }
        if *tag == cgroup_id {
            return Some(way);
        }
    }
    None
}

/// This CPU's network slot for a cgroup: its own, or the shared one, whose packets count as lost.
///
/// 0 is no cgroup's id.
#[inline(always)]
pub(crate) fn net_slot_of(cpu: Cpu, cgroup_id: u64) -> u32 {
    let shared = constant::<{ word!(geometry.owned_slots) }>();
    if cgroup_id == 0 {
        return shared;
    }
    let set = set_of(cgroup_id, constant::<{ word!(geometry.set_bits) }>(), 0);
    if let Some(TagSet(tags)) = tally::net_tags(cpu.first_set() + set)
        && let Some(way) = find(tags, cgroup_id)
    {
        return set * WAYS + way;
    }
    match claim_net(cpu, cgroup_id) {
        NO_SLOT => shared,
        slot => slot,
    }
}

/// As [`claim`], for the network, whose programs may interrupt each other while they claim.
///
/// A program says that it is about to claim and looks whether it is the only one. If not, the other one goes on and
/// this packet is counted in the shared slot: one packet in the nanoseconds of a cgroup's first one, rather than two
/// cgroups in one slot. (A compare-and-exchange would do without, from Linux 5.12 on.)
#[cold]
#[inline(never)]
fn claim_net(cpu: Cpu, cgroup_id: u64) -> u32 {
    let found = search(cpu.first_set(), cgroup_id, tally::net_tags, |tags| find(tags, cgroup_id));
    if found != NO_SLOT {
        return found;
    }
    let Some(state) = cpu.state() else { return NO_SLOT };
    let claims = &raw mut state.network_claims;
    // SAFETY: the place is valid; volatile, since programs that interrupt this one change it.
    let is_alone = unsafe {
        tally::add(&mut *claims, 1);
        claims.read_volatile() == 1
    };
    let slot = if is_alone {
        search(cpu.first_set(), cgroup_id, tally::net_tags, |tags| take(tags, cgroup_id))
    } else {
        NO_SLOT
    };
    // SAFETY: as above.
    tally::add(unsafe { &mut *claims }, 1_u64.wrapping_neg());
    slot
}

/// The first place that `choose` finds in the sets that a cgroup may be in.
#[inline(always)]
fn search(
    first_set: u32,
    cgroup_id: u64,
    tags: impl Fn(u32) -> Option<&'static mut TagSet>,
    choose: impl Fn(&mut [u64; WAYS as usize]) -> Option<u32>,
) -> u32 {
    let set_bits = constant::<{ word!(geometry.set_bits) }>();
    let mut probe = 0;
    while probe < PROBES {
        let set = set_of(cgroup_id, set_bits, probe);
        let Some(TagSet(found)) = tags(first_set + set) else { break };
        if let Some(way) = choose(found) {
            return set * WAYS + way;
        }
        probe += 1;
    }
    NO_SLOT
}

/// The slot of the task that this CPU runs.
#[inline(always)]
pub(crate) fn current_slot(cpu: Cpu) -> u32 {
    slot_of(cpu, current_cgroup_id())
}
