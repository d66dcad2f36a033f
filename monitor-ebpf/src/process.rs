//! Programs executed, tasks ended, and the end of the process that a container is.

use aya_ebpf::{
    helpers::generated::bpf_ktime_get_boot_ns, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use monitor_common::lifecycle::Kind;

use crate::{
    attribution::current_slot,
    kernel::Task,
    tally::{self, Cpu},
};

/// After an exec has succeeded, in the task that called it (fs/exec.c).
#[btf_tracepoint(function = "sched_process_exec")]
fn sched_process_exec(_ctx: BtfTracePointContext) {
    let cpu = Cpu::current();
    if let Some(slot) = cpu.slot(current_slot(cpu)) {
        slot.tasks.execs += 1;
    }
}

/// In a task that is ending, while it still has its cgroup (kernel/exit.c, `do_exit`).
#[btf_tracepoint(function = "sched_process_exit")]
fn sched_process_exit(ctx: BtfTracePointContext) {
    let cpu = Cpu::current();
    if let Some(slot) = cpu.slot(current_slot(cpu)) {
        slot.tasks.exits += 1;
    }
    let task = Task::from_arg(ctx.arg(0));
    let level = task.ended_namespace_level();
    if level > 0 {
        tally::record(|record| {
            record.kind = Kind::InitExited as u32;
            record.cgroup_id = task.cgroup_id();
            // SAFETY: the helper has no preconditions.
            record.boot_ns = unsafe { bpf_ktime_get_boot_ns() };
            record.tid = task.tgid() as u32;
            record.wait_status = task.exit_code() as u32;
            record.pid_level = level as u32;
            record.reserved = 0;
            record.path_len = 0;
        });
    }
}
