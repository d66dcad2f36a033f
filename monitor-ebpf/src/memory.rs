//! Shortages of memory: who had to free some itself, and for how long.

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, bpf_ktime_get_ns},
    macros::{btf_tracepoint, map},
    maps::{Array, HashMap},
    programs::BtfTracePointContext,
};
use monitor_common::{
    limits::{RECLAIMERS, SHORTAGE_PROBES, SHORTAGES},
    memory::{Shortage, shortage_index},
};

use crate::{
    kernel::current_cgroup_id,
    tally::{BPF_F_MMAPABLE, Cpu},
};

#[map]
static SHORTAGE: Array<Shortage> = Array::with_max_entries(1, BPF_F_MMAPABLE);
/// When a task, by its tid, began to reclaim.
#[map]
static RECLAIMS: HashMap<u32, u64> = HashMap::with_max_entries(RECLAIMERS, 0);

/// A task begins to free memory because the machine is short of it (mm/vmscan.c, `try_to_free_pages`).
#[btf_tracepoint(function = "mm_vmscan_direct_reclaim_begin")]
fn mm_vmscan_direct_reclaim_begin(_ctx: BtfTracePointContext) {
    begin();
}

/// It has done so.
#[btf_tracepoint(function = "mm_vmscan_direct_reclaim_end")]
fn mm_vmscan_direct_reclaim_end(_ctx: BtfTracePointContext) {
    end(|shortage, ns| {
        shortage.direct_reclaims += 1;
        shortage.direct_reclaim_ns += ns;
    });
}

/// A task begins to free memory because a cgroup is at its limit (mm/vmscan.c, `try_to_free_mem_cgroup_pages`). The
/// cgroup is most often its own, or one above.
#[btf_tracepoint(function = "mm_vmscan_memcg_reclaim_begin")]
fn mm_vmscan_memcg_reclaim_begin(_ctx: BtfTracePointContext) {
    begin();
}

/// It has done so.
#[btf_tracepoint(function = "mm_vmscan_memcg_reclaim_end")]
fn mm_vmscan_memcg_reclaim_end(_ctx: BtfTracePointContext) {
    end(|shortage, ns| {
        shortage.limit_reclaims += 1;
        shortage.limit_reclaim_ns += ns;
    });
}

/// A task does one of the two at a time: what allocates while it reclaims may use the reserves.
#[inline(always)]
fn begin() {
    let tid = bpf_get_current_pid_tgid() as u32;
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    if RECLAIMS.insert(tid, now, 0).is_err() {
        Cpu::current().lose(|losses| &mut losses.shortages);
    }
}

#[inline(always)]
fn end(add: impl FnOnce(&mut Shortage, u64)) {
    let tid = bpf_get_current_pid_tgid() as u32;
    // SAFETY: the entry is this task's own, and nothing else removes it.
    let Some(began) = (unsafe { RECLAIMS.get(tid) }).copied() else { return };
    // SAFETY: the helper has no preconditions.
    let ns = unsafe { bpf_ktime_get_ns() }.saturating_sub(began);
    // In vain only where it is gone already.
    let _ = RECLAIMS.remove(tid);
    count(Cpu::current(), current_cgroup_id(), |shortage| add(shortage, ns));
}

/// Adds to what a cgroup has on this CPU; where the table has no room for it, that is counted as a loss.
#[inline(always)]
pub(crate) fn count(cpu: Cpu, cgroup_id: u64, add: impl FnOnce(&mut Shortage)) {
    match entry(cpu.number() * SHORTAGES, cgroup_id) {
        Some(shortage) => add(shortage),
        None => cpu.lose(|losses| &mut losses.shortages),
    }
}

/// A cgroup's entry on the CPU with this first one, or a free one that is claimed for it.
#[inline(never)]
fn entry(first: u32, cgroup_id: u64) -> Option<&'static mut Shortage> {
    let index = shortage_index(cgroup_id, SHORTAGES);
    let mut probe = 0;
    while probe < SHORTAGE_PROBES {
        let place = SHORTAGE.get_ptr_mut(first + ((index + probe) & (SHORTAGES - 1)))?;
        // SAFETY: the lookup checked the bounds; programs of this CPU that write here do not interrupt each other, and user
        // space clears what is dead.
        let entry = unsafe { &mut *place };
        if entry.cgroup_id == 0 {
            entry.cgroup_id = cgroup_id;
        }
        if entry.cgroup_id == cgroup_id {
            return Some(entry);
        }
        probe += 1;
    }
    None
}
