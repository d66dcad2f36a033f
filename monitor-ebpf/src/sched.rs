//! Switches, time on a CPU, waits for one, migrations and faults: all at the switch.

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use monitor_common::slots::Running;

use crate::{
    attribution::{cgroup_id, slot_of},
    kernel::{CurrentTask, Task},
    tally,
};

/// At each switch of a CPU from one task to another (kernel/sched/core.c, `__schedule`), with interrupts off.
///
/// By then the kernel has counted the switch and brought `prev`'s times up to date, and has not yet touched `next`'s.
#[btf_tracepoint(function = "sched_switch")]
fn sched_switch(ctx: BtfTracePointContext) {
    let prev = Task::from_arg(ctx.arg(1));
    let next = Task::from_arg(ctx.arg(2));
    let cpu = tally::cpu();
    let Some(running) = tally::running(cpu) else { return };
    let now = prev.rq_clock_ns();
    leave(cpu, running, prev);
    enter(cpu, running, next, now);
}

/// Books what `prev` did since it came to this CPU or was last booked.
#[inline(always)]
fn leave(cpu: u32, running: &Running, prev: Task) {
    // A CPU that could not be noted at the start (`flush` is missing) has nothing to subtract from in its first turn.
    if running.task != prev.address() {
        return;
    }
    let css_set = prev.css_set();
    let slot = if css_set.address() == running.css_set {
        running.slot as u32
    } else {
        // It was moved to another cgroup meanwhile.
        slot_of(cpu, cgroup_id(css_set))
    };
    let Some(counters) = tally::sched(cpu, slot) else { return };
    // A turn ends with exactly one switch, so what was not voluntary was involuntary. The counter is the kernel's
    // own verdict: on 6.14 and later `prev_state` no longer tells (a pending signal resets it).
    let voluntary = prev.voluntary_switches() - running.voluntary_switches;
    counters.voluntary_switches += voluntary;
    counters.involuntary_switches += 1 - voluntary;
    counters.on_cpu_ns += prev.on_cpu_ns() - running.on_cpu_ns;
    counters.minor_faults += prev.minor_faults() - running.minor_faults;
    counters.major_faults += prev.major_faults() - running.major_faults;
}

/// Books `next`'s wait and notes where its counters stand.
#[inline(always)]
fn enter(cpu: u32, running: &mut Running, next: Task, now: u64) {
    let tid = next.tid();
    if tid == 0 {
        running.task = 0;
        return;
    }
    let css_set = next.css_set();
    let slot = slot_of(cpu, cgroup_id(css_set));
    *running = Running {
        task: next.address(),
        css_set: css_set.address(),
        slot: u64::from(slot),
        on_cpu_ns: next.on_cpu_ns(),
        voluntary_switches: next.voluntary_switches(),
        minor_faults: next.minor_faults(),
        major_faults: next.major_faults(),
        reserved: 0,
    };
    let (wait, migrations) = since_last_turn(next, tid, now);
    let Some(counters) = tally::sched(cpu, slot) else { return };
    counters.runq_wait_ns += wait;
    if counters.runq_wait_max_ns < wait {
        counters.runq_wait_max_ns = wait;
    }
    counters.migrations += migrations;
    tally::count_wait(cpu, slot, wait);
}

/// Nanoseconds that `next` waited for a CPU and times it was moved, since it last ran.
#[inline(always)]
fn since_last_turn(next: Task, tid: u32, now: u64) -> (u64, u64) {
    let queued = next.last_queued_ns();
    let last_part = if queued == 0 { 0 } else { now.saturating_sub(queued) };
    let booked = next.run_delay_ns();
    let migrations = next.migrations() as u32;
    let Some(seen) = tally::seen(tid) else { return (last_part, 0) };
    let (earlier_parts, moved) = if next.turns() == 0 {
        // A new task, perhaps with the tid of an old one.
        (booked, migrations)
    } else if seen.tid == tid {
        (booked.saturating_sub(seen.run_delay_ns), migrations.wrapping_sub(seen.migrations))
    } else {
        (0, 0)
    };
    seen.tid = tid;
    seen.migrations = migrations;
    seen.run_delay_ns = booked + last_part;
    (last_part + earlier_parts, u64::from(moved))
}

/// Books what the task that runs now has done so far, so that a long turn does not wait for its end.
///
/// Attached to nothing: the loader runs it on each busy CPU at each tick (`BPF_PROG_TEST_RUN` with
/// `BPF_F_TEST_RUN_ON_CPU`, 5.10 and later), in an interrupt, which `sched_switch` never sees from inside. The first
/// time, right after `sched_switch` was attached, it finds no task noted and notes the one that runs.
#[raw_tracepoint(tracepoint = "sched_switch")]
fn flush(_ctx: RawTracePointContext) {
    let cpu = tally::cpu();
    let task = CurrentTask::get();
    let Some(running) = tally::running(cpu) else { return };
    if running.task == 0 {
        note(cpu, running, task);
        return;
    }
    if running.task != task.address() || running.css_set != task.css_set() {
        return;
    }
    let Some(counters) = tally::sched(cpu, running.slot as u32) else { return };
    let (on_cpu_ns, minor_faults, major_faults) =
        (task.on_cpu_ns(), task.minor_faults(), task.major_faults());
    counters.on_cpu_ns += on_cpu_ns - running.on_cpu_ns;
    counters.minor_faults += minor_faults - running.minor_faults;
    counters.major_faults += major_faults - running.major_faults;
    running.on_cpu_ns = on_cpu_ns;
    running.minor_faults = minor_faults;
    running.major_faults = major_faults;
}

/// Notes a task that was running before anything was counted, unless it is the idle task.
#[inline(always)]
fn note(cpu: u32, running: &mut Running, task: CurrentTask) {
    if task.tid() == 0 {
        return;
    }
    *running = Running {
        task: task.address(),
        css_set: task.css_set(),
        slot: u64::from(slot_of(cpu, task.cgroup_id())),
        on_cpu_ns: task.on_cpu_ns(),
        voluntary_switches: task.voluntary_switches(),
        minor_faults: task.minor_faults(),
        major_faults: task.major_faults(),
        reserved: 0,
    };
}
