//! Cgroup id → slot.

use monitor_common::{
    limits::{PROBES, WAYS},
    slots::{TagSet, set_of},
};

use crate::{
    globals::{constant, word},
    kernel::Task,
    tally::{self, Cpu},
};

/// This CPU's slot for a cgroup: its own, or the shared one, which counts as a loss.
#[inline(always)]
pub(crate) fn slot_of(cpu: Cpu, cgroup_id: u64) -> u32 {
    let set = set_of(cgroup_id, constant::<{ word!(geometry.set_bits) }>(), 0);
    if let Some(TagSet(tags)) = tally::tags(cpu.first_set() + set) {
        for (way, tag) in (0..).zip(tags.iter()) {
            if *tag == cgroup_id {
                return set * WAYS + way;
            }
        }
    }
    match claim(cpu.first_set(), cgroup_id) {
        NO_SLOT => {
            cpu.lose(|losses| &mut losses.slot_overflows);
            constant::<{ word!(geometry.owned_slots) }>()
        }
        slot => slot,
    }
}

/// That a cgroup has and finds no slot.
const NO_SLOT: u32 = u32::MAX;

/// The slot that a cgroup has, or else the first free one, among all that it may have.
#[cold]
#[inline(never)]
fn claim(first_set: u32, cgroup_id: u64) -> u32 {
    let set_bits = constant::<{ word!(geometry.set_bits) }>();
    let mut probe = 0;
    while probe < PROBES {
        let set = set_of(cgroup_id, set_bits, probe);
        let Some(TagSet(tags)) = tally::tags(first_set + set) else { break };
        for (way, tag) in (0..).zip(tags.iter_mut()) {
            if *tag == 0 {
                *tag = cgroup_id;
            }
            if *tag == cgroup_id {
                return set * WAYS + way;
            }
        }
        probe += 1;
    }
    NO_SLOT
}

/// The slot of the task that this CPU runs.
#[inline(always)]
pub(crate) fn current_slot(cpu: Cpu) -> u32 {
    let has_typed_current = constant::<{ word!(has_typed_current) }>() != 0;
    let id = if has_typed_current { Task::typed_current().cgroup_id() } else { Task::current().cgroup_id() };
    slot_of(cpu, id)
}
