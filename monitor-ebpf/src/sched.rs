//! Switches, time on a CPU, waits for one, migrations and faults: all at the switch.
//!
//! The kernel counts these for each task; here their growth is booked to the task's cgroup when the task leaves its
//! CPU. What has been booked is remembered by task ([`SeenTask`]), so a switch that the kernel does not announce (on some
//! machines `sched_switch` has gaps) only makes figures late, not wrong.

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use monitor_common::{
    counters::{CpuState, Slot},
    slots::{SeenTask, TaskTotals},
};

use crate::{
    attribution::slot_of,
    blame::{self, Wait},
    globals::{began_ns, constant, word},
    kernel::{Memory, Task},
    tally::{self, Cpu},
};

/// At each switch of a CPU from one task to another (kernel/sched/core.c, `__schedule`), with interrupts off. By then
/// the kernel has counted the switch and brought `prev`'s times up to date.
#[btf_tracepoint(function = "sched_switch")]
fn sched_switch(ctx: BtfTracePointContext) {
    let cpu = Cpu::current();
    let Some(state) = cpu.state() else { return };
    let (prev, next) = (Task::from_arg(ctx.arg(1)), Task::from_arg(ctx.arg(2)));
    let prev_tid = prev.tid();
    let queued_at_ns = queued_at_ns(state, prev_tid);
    state.running_tid = next.tid();
    state.queued_at_ns = next.queued_at_ns();
    if prev_tid == 0 {
        count_idle(state, prev);
        return blame::note_idle(cpu);
    }
    let Some(turn) = book(cpu, prev, queued_at_ns, Moment::End) else { return };
    let Turn { cgroup_id, began_ns, was_preempted } = turn;
    blame::note_turn(cpu, began_ns, cgroup_id);
    if was_preempted {
        blame::note_preemption(cpu, cgroup_id, next);
    }
}

/// Since when the task that runs had been waiting for the CPU, if its arrival was announced.
#[inline(always)]
fn queued_at_ns(state: &CpuState, tid: u64) -> u64 {
    if state.running_tid == tid { state.queued_at_ns } else { 0 }
}

/// Keeps the idle task's own count, which the machine's total has and no cgroup. Read off the task and not counted here, so
/// that a switch that is not announced makes it late, not wrong.
#[inline(always)]
fn count_idle<M: Memory>(state: &mut CpuState, idle: Task<M>) {
    let switches = idle.switches();
    if state.idle_switches == 0 {
        state.idle_switches_before = switches - 1;
    }
    state.idle_switches = switches;
}

/// Books what the task that runs now has done so far, so that a long turn does not wait for its end.
///
/// Attached to nothing: the loader runs it on each busy CPU at each tick (`BPF_PROG_TEST_RUN` with
/// `BPF_F_TEST_RUN_ON_CPU`, 5.10 and later), in an interrupt, which `sched_switch` never sees from inside.
#[raw_tracepoint(tracepoint = "sched_switch")]
fn flush(_ctx: RawTracePointContext) {
    if constant::<{ word!(has_typed_current) }>() != 0 {
        flush_task(Task::typed_current());
    } else {
        flush_task(Task::current());
    }
}

#[inline(always)]
fn flush_task<M: Memory>(task: Task<M>) {
    let cpu = Cpu::current();
    let Some(state) = cpu.state() else { return };
    let tid = task.tid();
    let queued_at_ns = queued_at_ns(state, tid);
    (state.running_tid, state.queued_at_ns) = (tid, queued_at_ns);
    if tid != 0 {
        book(cpu, task, queued_at_ns, Moment::Middle);
    }
}

/// Notes where every task's counters stand, before `sched_switch` is attached: its next turn is compared with this.
///
/// The kernel calls it for each task when the loader reads the iterator (`iter/task`, 5.8 and later).
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
fn seed(ctx: *const [*const u8; 2]) -> i32 {
    // SAFETY: the context is a `struct bpf_iter__task`: its own data and the task, which is null after the last.
    let [_, task] = unsafe { ctx.read_volatile() };
    if !task.is_null() {
        let task = Task::from_arg(task);
        if let Some(number) = task.number()
            && let Some(seen) = tally::seen(number)
        {
            *seen = SeenTask {
                task: number,
                totals: task.totals(),
                migrations: task.migrations(),
                counted_turn: 0,
            };
        }
    }
    0
}

/// When in its turn a task is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Middle,
    /// The kernel has counted the switch already.
    End,
}

/// What was booked.
struct Turn {
    /// Whose turn it was.
    cgroup_id: u64,
    /// When it began, by the run-queue clock.
    began_ns: u64,
    /// Whether the task could have gone on.
    was_preempted: bool,
}

/// Adds to the task's slot what it has done since it was last booked.
#[inline(always)]
fn book<M: Memory>(cpu: Cpu, task: Task<M>, queued_at_ns: u64, moment: Moment) -> Option<Turn> {
    let number = task.number()?;
    let Some(seen) = tally::seen(number) else {
        cpu.lose(|losses| &mut losses.unknown_turns);
        return None;
    };
    let cgroup_id = task.cgroup_id();
    let Slot { sched, tasks, runq_latency, throttle } = cpu.slot(slot_of(cpu, cgroup_id))?;
    let totals = task.totals();
    let migrations = task.migrations();
    // Turns are told apart by the number of switches at their end.
    let switches = totals.voluntary_switches + totals.involuntary_switches;
    let turn = if moment == Moment::End { switches } else { switches + 1 };
    let before = *seen;
    *seen = SeenTask {
        // Entries of the dead would leave less and less room for the living.
        task: if moment == Moment::End && task.is_dead() { 0 } else { number },
        migrations,
        totals,
        counted_turn: turn as u32,
    };
    let is_known =
        before.task == number && before.totals.voluntary_switches + before.totals.involuntary_switches < turn;
    let growth = if is_known { growth(&totals, &before.totals) } else { None };
    let (grown, migrations) = match growth {
        Some(grown) => (grown, migrations.wrapping_sub(before.migrations)),
        // Of a task that is younger than our count, all is new.
        None if task.start_time() >= began_ns() => {
            tasks.starts += 1;
            (totals, migrations)
        }
        None => {
            match moment {
                Moment::Middle => cpu.lose(|losses| &mut losses.hidden_tasks),
                Moment::End => cpu.lose(|losses| &mut losses.unknown_turns),
            }
            return None;
        }
    };
    sched.voluntary_switches += grown.voluntary_switches;
    sched.involuntary_switches += grown.involuntary_switches;
    sched.on_cpu_ns += grown.on_cpu_ns;
    sched.minor_faults += grown.minor_faults;
    sched.major_faults += grown.major_faults;
    sched.migrations += u64::from(migrations);
    sched.runq_wait_ns += grown.run_delay_ns;
    if sched.runq_wait_max_ns < grown.run_delay_ns {
        sched.runq_wait_max_ns = grown.run_delay_ns;
    }
    let began_ns = task.arrived_at_ns();
    if !(is_known && before.counted_turn == turn as u32) {
        tally::count_wait(runq_latency, grown.run_delay_ns);
        blame::note_throttle(throttle, task, began_ns);
        if grown.run_delay_ns > 0 {
            Wait { victim: cgroup_id, ns: grown.run_delay_ns, queued_at_ns, arrived_at_ns: began_ns }
                .blame(cpu, throttle);
        }
    }
    Some(Turn { cgroup_id, began_ns, was_preempted: grown.involuntary_switches > 0 })
}

/// The growth of a task's counters; `None` where one of them would have shrunk: then the earlier ones are another task's,
/// which was at the same address.
#[inline(always)]
fn growth(now: &TaskTotals, before: &TaskTotals) -> Option<TaskTotals> {
    let grown = TaskTotals {
        voluntary_switches: now.voluntary_switches.wrapping_sub(before.voluntary_switches),
        involuntary_switches: now.involuntary_switches.wrapping_sub(before.involuntary_switches),
        on_cpu_ns: now.on_cpu_ns.wrapping_sub(before.on_cpu_ns),
        minor_faults: now.minor_faults.wrapping_sub(before.minor_faults),
        major_faults: now.major_faults.wrapping_sub(before.major_faults),
        run_delay_ns: now.run_delay_ns.wrapping_sub(before.run_delay_ns),
    };
    let signs = grown.voluntary_switches
        | grown.involuntary_switches
        | grown.on_cpu_ns
        | grown.minor_faults
        | grown.major_faults
        | grown.run_delay_ns;
    (signs >> 63 == 0).then_some(grown)
}
