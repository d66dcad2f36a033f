//! Page-fault exceptions as the hardware raises them, apart from the faults that the kernel books to tasks; and, where that is
//! wanted, how long major faults take: see [`monitor_common::faults`].

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, bpf_ktime_get_ns},
    macros::{btf_tracepoint, map, perf_event},
    maps::{Array, HashMap},
    programs::{BtfTracePointContext, PerfEventContext},
};
use monitor_common::faults::{FAULT_ENTRIES, FAULTING_TASKS, FaultBegin, FaultTimes};

use crate::{
    attribution::current_slot,
    globals::{is_set, word},
    kernel::current_cgroup_id,
    tally::{Cpu, add, count_time, shared_entry},
};

#[map]
static FAULTING: Array<FaultBegin> = Array::with_max_entries(FAULTING_TASKS, 0);
#[map]
static FAULT_TIMES: HashMap<u64, FaultTimes> = HashMap::with_max_entries(FAULT_ENTRIES, 0);
/// What a new entry begins as.
#[map]
static NO_FAULTS: Array<FaultTimes> = Array::with_max_entries(1, 0);
/// Major faults of which the beginning is not known, or that found no room.
#[map]
static UNTIMED_FAULTS: Array<u64> = Array::with_max_entries(1, 0);

/// An exception from user mode (arch/x86/mm/fault.c, `trace_page_fault_entries`).
#[btf_tracepoint(function = "page_fault_user")]
fn page_fault_user(_ctx: BtfTracePointContext) {
    begin();
    let cpu = Cpu::current();
    if let Some(slot) = cpu.slot(current_slot(cpu)) {
        slot.tasks.user_fault_exceptions += 1;
    }
}

/// An exception from kernel mode.
#[btf_tracepoint(function = "page_fault_kernel")]
fn page_fault_kernel(_ctx: BtfTracePointContext) {
    begin();
    let cpu = Cpu::current();
    if let Some(slot) = cpu.slot(current_slot(cpu)) {
        slot.tasks.kernel_fault_exceptions += 1;
    }
}

/// A major fault that an exception began is over (mm/memory.c, `mm_account_fault`). In the task, on whatever CPU.
#[perf_event]
fn major_fault(_ctx: PerfEventContext) -> u32 {
    /// Nothing is written to the event's own buffer, which nobody reads.
    const NO_SAMPLE: u32 = 0;
    if end().is_none()
        && let Some(untimed) = UNTIMED_FAULTS.get_ptr_mut(0)
    {
        // SAFETY: the lookup returned a valid place, which all add to atomically.
        add(unsafe { &mut *untimed }, 1);
    }
    NO_SAMPLE
}

/// Notes that the running task has a fault from now on.
#[inline(always)]
fn begin() {
    if !is_set::<{ word!(times_faults) }>() {
        return;
    }
    let tid = bpf_get_current_pid_tgid() as u32;
    if let Some(place) = FAULTING.get_ptr_mut(tid & (FAULTING_TASKS - 1)) {
        // SAFETY: the helper has no preconditions, and the lookup returned a valid place. A task of the same place may write
        // at the same time: then one of the two is not timed.
        unsafe { *place = FaultBegin { tid: tid.into(), at_ns: bpf_ktime_get_ns() } };
    }
}

/// `None` where its time could not be counted.
#[inline(always)]
fn end() -> Option<()> {
    let tid = bpf_get_current_pid_tgid() as u32;
    let begin = FAULTING.get(tid & (FAULTING_TASKS - 1))?;
    if begin.tid != u64::from(tid) {
        return None;
    }
    // SAFETY: the helper has no preconditions.
    let ns = unsafe { bpf_ktime_get_ns() }.saturating_sub(begin.at_ns);
    let FaultTimes { total_ns, max_ns, latency } =
        shared_entry(&FAULT_TIMES, &current_cgroup_id(), || NO_FAULTS.get(0))?;
    add(total_ns, ns);
    count_time(latency, max_ns, ns);
    Some(())
}
