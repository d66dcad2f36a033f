//! Task → cgroup id → slot.

use monitor_common::{
    limits::{PROBES, WAYS},
    slots::{Running, TagSet, set_of},
};

use crate::{
    globals::{hierarchy, owned_slots, set_bits, subsystem},
    kernel::{CssSet, CurrentTask},
    tally::{self, Cpu},
};

/// The cgroup id of a task with this `css_set`, in the hierarchy that is counted.
#[inline(always)]
pub(crate) fn cgroup_id(css_set: CssSet) -> u64 {
    if hierarchy() == 0 { css_set.default_cgroup().id() } else { css_set.controller_cgroup(subsystem()).id() }
}

/// This CPU's slot for a cgroup: its own, or the shared one, which counts as a loss.
#[inline(always)]
pub(crate) fn slot_of(cpu: Cpu, cgroup_id: u64) -> u32 {
    let first_set = cpu.first_set();
    let set_bits = set_bits();
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
    cpu.lose(|losses| &mut losses.slot_overflows);
    owned_slots()
}

/// The slot of the task that this CPU runs.
///
/// Noted when its turn began; looked up where that was not announced (see [`crate::sched`]).
#[inline(always)]
pub(crate) fn current_slot(cpu: Cpu) -> u32 {
    let current = CurrentTask::get();
    match cpu.running() {
        Some(&mut Running { task, slot, .. }) if task == current.address() => slot as u32,
        _ => slot_of(cpu, current.cgroup_id()),
    }
}
