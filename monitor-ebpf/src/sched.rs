//! Switches, time on a CPU, waits for one, migrations and faults: all at the switch.
//!
//! The kernel counts these for each task; here their growth is booked to the task's cgroup when the task leaves its
//! CPU. What has been booked is remembered by task ([`SeenTask`]), so a switch that the kernel does not announce (on some
//! machines `sched_switch` has gaps) only makes figures late, not wrong.

use core::arch::asm;

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use monitor_common::{
    counters::{CpuState, Slot},
    slots::{SeenTask, TaskTotals},
    waits::Turn,
};

use crate::{
    attribution::place_of,
    blame::{self, IDLE_TURN, LEAST_THROTTLED_NS, Wait},
    globals::{began_ns, is_set, word},
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
    meet(state, prev_tid);
    let booked = if prev_tid == 0 { None } else { book(cpu, state, prev, Moment::End) };
    state.running_tid = next.tid();
    state.queued_at_ns = next.queued_at_ns();
    state.booked_ns = 0;
    if prev_tid == 0 {
        count_idle(state, prev);
        return blame::note_turn(cpu, &mut state.newest, IDLE_TURN);
    }
    let Some(Booked { turn, was_preempted, slot }) = booked else { return };
    blame::note_turn(cpu, &mut state.newest, turn);
    if !was_preempted {
        return;
    }
    if next.tid() != 0 && prev.is_beside(next) {
        count_own_preemption(slot);
    } else {
        blame::note_preemption(cpu, turn.cgroup_id, next);
    }
}

/// Forgets what is known of the running task if it is another one's: the arrival of this one was not announced.
#[inline(always)]
fn meet(state: &mut CpuState, tid: u64) {
    if state.running_tid != tid {
        (state.running_tid, state.queued_at_ns, state.booked_ns) = (tid, 0, 0);
    }
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
    if is_set::<{ word!(has_typed_current) }>() {
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
    meet(state, tid);
    if tid != 0 {
        book(cpu, state, task, Moment::Middle);
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
struct Booked {
    turn: Turn,
    /// Whether the task could have gone on.
    was_preempted: bool,
    /// Where its cgroup is counted.
    slot: u32,
}

/// Counts that a task had to leave the CPU for another one of its cgroup.
#[inline(always)]
fn count_own_preemption(slot: u32) {
    if let Some(Slot { sched, .. }) = tally::slot_at(slot) {
        sched.own_preemptions = sched.own_preemptions.wrapping_add(1);
    }
}

/// Adds to the task's slot what it has done since it was last booked.
#[inline(always)]
fn book<M: Memory>(cpu: Cpu, state: &mut CpuState, task: Task<M>, moment: Moment) -> Option<Booked> {
    let number = task.number()?;
    let Some(seen) = tally::seen(number) else {
        cpu.lose(|losses| &mut losses.unknown_turns);
        return None;
    };
    let (cgroup_id, slot) = place_of(cpu, &mut state.recent, task);
    let Slot { sched, tasks, throttle, runq_latency, timeslices } = tally::slot_at(slot)?;
    let SeenTask { task: known, counted_turn, .. } = *seen;
    let switches_before = seen.totals.voluntary_switches + seen.totals.involuntary_switches;
    let (mut grown, mut migrations) = advance(seen, task);
    // Turns are told apart by the number of switches at their end.
    let switches = seen.totals.voluntary_switches + seen.totals.involuntary_switches;
    let turn = if moment == Moment::End { switches } else { switches + 1 };
    seen.counted_turn = turn as u32;
    // Entries of the dead would leave less and less room for the living.
    seen.task = if moment == Moment::End && task.is_dead() { 0 } else { number };
    let is_known = known == number && switches_before < turn;
    if !(is_known && is_growth(&grown)) {
        if task.start_time() < began_ns() {
            match moment {
                Moment::Middle => cpu.lose(|losses| &mut losses.hidden_tasks),
                Moment::End => cpu.lose(|losses| &mut losses.unknown_turns),
            }
            return None;
        }
        // Of a task that is younger than our count, all is new.
        tasks.starts += 1;
        (grown, migrations) = (seen.totals, seen.migrations);
    }
    let is_first = sched.on_cpu_ns == 0;
    sched.voluntary_switches += grown.voluntary_switches;
    sched.involuntary_switches = sched.involuntary_switches.wrapping_add(grown.involuntary_switches as u32);
    sched.on_cpu_ns += grown.on_cpu_ns;
    if grown.minor_faults | grown.major_faults | u64::from(migrations) != 0 {
        sched.minor_faults = sched.minor_faults.wrapping_add(grown.minor_faults as u32);
        sched.major_faults = sched.major_faults.wrapping_add(grown.major_faults as u32);
        sched.migrations = sched.migrations.wrapping_add(migrations);
    }
    match moment {
        Moment::Middle => state.booked_ns += grown.on_cpu_ns,
        // Otherwise it is the time of more than one turn.
        Moment::End if grown.voluntary_switches + grown.involuntary_switches == 1 => {
            tally::count_turn(timeslices, state.booked_ns + grown.on_cpu_ns);
        }
        Moment::End => {}
    }
    sched.runq_wait_ns += grown.run_delay_ns;
    if sched.runq_wait_max_ns < grown.run_delay_ns {
        sched.runq_wait_max_ns = grown.run_delay_ns;
    }
    let began_ns = task.arrived_at_ns();
    if !(is_known && counted_turn == turn as u32) {
        tally::count_wait(runq_latency, grown.run_delay_ns);
        if is_first || grown.run_delay_ns >= LEAST_THROTTLED_NS {
            blame::note_throttle(throttle, task, began_ns);
        }
        if grown.run_delay_ns > 0 {
            let CpuState { queued_at_ns, newest, .. } = *state;
            Wait { victim: cgroup_id, ns: grown.run_delay_ns, queued_at_ns, arrived_at_ns: began_ns }
                .blame(cpu, newest, throttle, sched);
        }
    }
    Some(Booked { turn: Turn { began_ns, cgroup_id }, was_preempted: grown.involuntary_switches > 0, slot })
}

/// Brings an entry up to a task's counters, and returns their growth, which is for the caller to believe. Member by member:
/// there are too few registers for all of them at once.
#[inline(always)]
fn advance<M: Memory>(seen: &mut SeenTask, task: Task<M>) -> (TaskTotals, u32) {
    #[inline(always)]
    fn step(before: &mut u64, now: u64) -> u64 {
        subtract_at_once(now, core::mem::replace(before, now))
    }
    let SeenTask { totals, migrations, .. } = seen;
    let grown = TaskTotals {
        voluntary_switches: step(&mut totals.voluntary_switches, task.voluntary_switches()),
        involuntary_switches: step(&mut totals.involuntary_switches, task.involuntary_switches()),
        on_cpu_ns: step(&mut totals.on_cpu_ns, task.on_cpu_ns()),
        minor_faults: step(&mut totals.minor_faults, task.minor_faults()),
        major_faults: step(&mut totals.major_faults, task.major_faults()),
        run_delay_ns: step(&mut totals.run_delay_ns, task.run_delay_ns()),
    };
    let now = task.migrations();
    (grown, now.wrapping_sub(core::mem::replace(migrations, now)))
}

/// `from - value`, wrapping. In assembly, since the compiler would put the subtractions off to where they are needed, and keep
/// both sides of all of them on the stack until then.
#[inline(always)]
fn subtract_at_once(from: u64, value: u64) -> u64 {
    let mut difference = from;
    // SAFETY: arithmetic.
    unsafe {
        asm!("{difference} -= {value}", difference = inout(reg) difference, value = in(reg) value, options(nostack, nomem));
    }
    difference
}

/// Whether no counter has shrunk. One that would have is another task's, which was at the same address.
#[inline(always)]
fn is_growth(grown: &TaskTotals) -> bool {
    let signs = grown.voluntary_switches
        | grown.involuntary_switches
        | grown.on_cpu_ns
        | grown.minor_faults
        | grown.major_faults
        | grown.run_delay_ns;
    signs >> 63 == 0
}
