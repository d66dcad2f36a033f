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
    counters::Slot,
    slots::{Running, SeenTask, TaskTotals},
};

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
    if prev.has_exited()
        && let Some(seen) = tally::seen(task)
    {
        // Entries of the dead would leave less and less room for the living.
        seen.task = 0;
    }
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
        let Some((grown, migrations)) = self.growth(seen, switches, running) else {
            cpu.lose(|losses| &mut losses.unknown_turns);
            self.remember(seen, 0);
            return;
        };
        let Some(Slot { sched, runq_latency, .. }) = cpu.slot(slot) else { return };
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
        // Turns are told apart by the number of switches at their end.
        let number = (switches + 1 - self.switches_at_end) as u32;
        if seen.task != self.task || seen.counted_turn != number {
            tally::count_wait(runq_latency, grown.run_delay_ns);
        }
        self.remember(seen, number);
    }

    /// What has not been booked of the task, and how often it was moved since; `None` where nothing earlier is known.
    #[inline(always)]
    fn growth(&self, seen: &SeenTask, switches: u64, running: Option<&Running>) -> Option<(TaskTotals, u32)> {
        let switches_before = switches - self.switches_at_end;
        if seen.task == self.task
            && seen.totals.voluntary_switches + seen.totals.involuntary_switches <= switches_before
            && let Some(grown) = self.since(&seen.totals)
        {
            return Some((grown, self.migrations.wrapping_sub(seen.migrations)));
        }
        if switches_before == 0 {
            // Its first turn: all that it has counted is new.
            return Some((self.totals, self.migrations));
        }
        let running = running?;
        let base = TaskTotals {
            voluntary_switches: running.voluntary_switches,
            involuntary_switches: switches_before - running.voluntary_switches,
            on_cpu_ns: running.on_cpu_ns,
            minor_faults: running.minor_faults,
            major_faults: running.major_faults,
            run_delay_ns: running.run_delay_ns,
        };
        self.since(&base).map(|grown| (grown, 0))
    }

    /// The growth since these totals; `None` where one of them would have shrunk: then they are another task's, which
    /// was at the same address or collides with this one.
    #[inline(always)]
    fn since(&self, base: &TaskTotals) -> Option<TaskTotals> {
        let now = &self.totals;
        let grown = TaskTotals {
            voluntary_switches: now.voluntary_switches.wrapping_sub(base.voluntary_switches),
            involuntary_switches: now.involuntary_switches.wrapping_sub(base.involuntary_switches),
            on_cpu_ns: now.on_cpu_ns.wrapping_sub(base.on_cpu_ns),
            minor_faults: now.minor_faults.wrapping_sub(base.minor_faults),
            major_faults: now.major_faults.wrapping_sub(base.major_faults),
            run_delay_ns: now.run_delay_ns.wrapping_sub(base.run_delay_ns),
        };
        let signs = grown.voluntary_switches
            | grown.involuntary_switches
            | grown.on_cpu_ns
            | grown.minor_faults
            | grown.major_faults
            | grown.run_delay_ns;
        (signs >> 63 == 0).then_some(grown)
    }

    #[inline(always)]
    fn remember(&self, seen: &mut SeenTask, counted_turn: u32) {
        *seen = SeenTask { task: self.task, migrations: self.migrations, totals: self.totals, counted_turn };
    }
}
