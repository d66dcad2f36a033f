//! Switches, time on a CPU, waits for one, migrations and faults: all at the switch.
//!
//! The kernel counts these for each task; here their growth is booked to the task's cgroup when the task leaves its
//! CPU. What has been booked is remembered by task ([`SeenTask`]), so a switch that the kernel does not announce (on some
//! machines `sched_switch` has gaps) only makes figures late, not wrong.

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use monitor_common::slots::{Running, SeenTask, TaskTotals};

use crate::{
    attribution::{cgroup_id, slot_of},
    globals,
    kernel::{CurrentTask, Task},
    tally::{self, Cpu},
};

/// At each switch of a CPU from one task to another (kernel/sched/core.c, `__schedule`), with interrupts off. By then
/// the kernel has counted the switch and brought `prev`'s times up to date.
#[btf_tracepoint(function = "sched_switch")]
fn sched_switch(ctx: BtfTracePointContext) {
    let cpu = Cpu::current();
    let Some(running) = cpu.running() else { return };
    leave(cpu, running, Task::from_arg(ctx.arg(1)));
    enter(cpu, running, Task::from_arg(ctx.arg(2)));
}

/// Books what `prev` did since it was last booked.
#[inline(always)]
fn leave(cpu: Cpu, running: &mut Running, prev: Task) {
    if prev.tid() == 0 {
        return;
    }
    let css_set = prev.css_set();
    let is_known = running.task == prev.address();
    let slot = if is_known && css_set.address() == running.css_set {
        running.slot as u32
    } else {
        // It was moved to another cgroup meanwhile, or its arrival was not announced.
        slot_of(cpu, cgroup_id(css_set))
    };
    if !is_known {
        running.task = prev.address();
    }
    // The same address as `prev`'s, but to the verifier a number, which can be hashed; volatile, so that the compiler
    // does not use the equal pointer.
    let task = globals::read(&raw const running.task);
    let turn = Turn { task, totals: prev.totals(), migrations: prev.migrations(), switches_at_end: 1 };
    turn.book(cpu, slot, is_known.then_some(running));
}

/// Notes `next` and where its counters stand.
#[inline(always)]
fn enter(cpu: Cpu, running: &mut Running, next: Task) {
    if next.tid() == 0 {
        running.task = 0;
        return;
    }
    let css_set = next.css_set();
    let slot = slot_of(cpu, cgroup_id(css_set));
    note(running, next.address(), css_set.address(), slot, &next.totals());
}

#[inline(always)]
fn note(running: &mut Running, task: u64, css_set: u64, slot: u32, totals: &TaskTotals) {
    *running = Running {
        task,
        css_set,
        slot: u64::from(slot),
        voluntary_switches: totals.voluntary_switches,
        on_cpu_ns: totals.on_cpu_ns,
        minor_faults: totals.minor_faults,
        major_faults: totals.major_faults,
        run_delay_ns: totals.run_delay_ns,
    };
}

/// Books what the task that runs now has done so far, so that a long turn does not wait for its end.
///
/// Attached to nothing: the loader runs it on each busy CPU at each tick (`BPF_PROG_TEST_RUN` with
/// `BPF_F_TEST_RUN_ON_CPU`, 5.10 and later), in an interrupt, which `sched_switch` never sees from inside. The first
/// time, right after `sched_switch` was attached, it finds no task noted and notes the one that runs.
#[raw_tracepoint(tracepoint = "sched_switch")]
fn flush(_ctx: RawTracePointContext) {
    let cpu = Cpu::current();
    let task = CurrentTask::get();
    let Some(running) = cpu.running() else { return };
    if task.tid() == 0 {
        return;
    }
    let css_set = task.css_set();
    let totals = task.totals();
    let is_known = running.task == task.address() && running.css_set == css_set;
    let slot = if is_known { running.slot as u32 } else { slot_of(cpu, task.cgroup_id()) };
    let turn = Turn { task: task.address(), totals, migrations: task.migrations(), switches_at_end: 0 };
    if running.task == 0 {
        turn.begin();
    } else {
        turn.book(cpu, slot, is_known.then_some(running));
    }
    note(running, task.address(), css_set, slot, &totals);
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
        let Some(address) = tally::as_number(task.address()) else { return 0 };
        let turn =
            Turn { task: address, totals: task.totals(), migrations: task.migrations(), switches_at_end: 0 };
        turn.begin();
    }
    0
}

/// A task's counters at the end of its turn, or at a flush in the middle of one.
struct Turn {
    /// The address of its `task_struct`.
    task: u64,
    totals: TaskTotals,
    migrations: u32,
    /// 1 at the end, where the kernel has counted the switch already; 0 in the middle.
    switches_at_end: u64,
}

impl Turn {
    /// Remembers where the counters stand and books nothing: what was before is not ours to count.
    #[inline(always)]
    fn begin(&self) {
        if let Some(seen) = tally::seen(self.task) {
            self.remember(seen, 0);
        }
    }

    /// Adds what is not booked yet to a slot.
    #[inline(always)]
    fn book(&self, cpu: Cpu, slot: u32, running: Option<&Running>) {
        let Some(seen) = tally::seen(self.task) else { return };
        let switches = self.totals.voluntary_switches + self.totals.involuntary_switches;
        let Some((base, base_migrations)) = self.base(seen, switches, running) else {
            cpu.lose(|losses| &mut losses.unknown_turns);
            self.remember(seen, 0);
            return;
        };
        let Some(counters) = cpu.sched(slot) else { return };
        let wait = self.totals.run_delay_ns - base.run_delay_ns;
        counters.voluntary_switches += self.totals.voluntary_switches - base.voluntary_switches;
        counters.involuntary_switches += self.totals.involuntary_switches - base.involuntary_switches;
        counters.on_cpu_ns += self.totals.on_cpu_ns - base.on_cpu_ns;
        counters.minor_faults += self.totals.minor_faults - base.minor_faults;
        counters.major_faults += self.totals.major_faults - base.major_faults;
        counters.migrations += u64::from(self.migrations.wrapping_sub(base_migrations));
        counters.runq_wait_ns += wait;
        if counters.runq_wait_max_ns < wait {
            counters.runq_wait_max_ns = wait;
        }
        // Turns are told apart by the number of switches at their end.
        let number = (switches + 1 - self.switches_at_end) as u32;
        if seen.task != self.task || seen.counted_turn != number {
            cpu.count_wait(slot, wait);
        }
        self.remember(seen, number);
    }

    /// What has been booked of the task already, and its migrations then.
    #[inline(always)]
    fn base(&self, seen: &SeenTask, switches: u64, running: Option<&Running>) -> Option<(TaskTotals, u32)> {
        let seen_switches = seen.totals.voluntary_switches + seen.totals.involuntary_switches;
        let is_first = switches == self.switches_at_end;
        // An entry with more switches is of an earlier task at the same address.
        if seen.task == self.task && seen_switches <= switches - self.switches_at_end {
            return Some((seen.totals, seen.migrations));
        }
        if is_first {
            return Some((TaskTotals::default(), 0));
        }
        let running = running?;
        let voluntary_switches = running.voluntary_switches;
        let base = TaskTotals {
            voluntary_switches,
            involuntary_switches: switches - self.switches_at_end - voluntary_switches,
            on_cpu_ns: running.on_cpu_ns,
            minor_faults: running.minor_faults,
            major_faults: running.major_faults,
            run_delay_ns: running.run_delay_ns,
        };
        Some((base, self.migrations))
    }

    #[inline(always)]
    fn remember(&self, seen: &mut SeenTask, counted_turn: u32) {
        *seen = SeenTask { task: self.task, migrations: self.migrations, totals: self.totals, counted_turn };
    }
}
