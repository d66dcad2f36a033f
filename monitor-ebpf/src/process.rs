//! Programs executed, tasks ended, and the end of the process that a container is.

use aya_ebpf::{
    helpers::generated::bpf_ktime_get_boot_ns,
    macros::{btf_tracepoint, map},
    maps::LruHashMap,
    programs::BtfTracePointContext,
};
use monitor_common::{
    lifecycle::{Kind, Record, process_records},
    limits::TOLD_PROCESSES,
};

use crate::{
    attribution::current_slot,
    globals::{constant, word},
    kernel::{Task, Typed, copy_text, program_path},
    memory,
    tally::{self, BPF_NOEXIST, Cpu},
};

/// Processes of which the end was told, by [`identity`].
#[map]
static ENDED: LruHashMap<[u64; 2], u8> = LruHashMap::with_max_entries(TOLD_PROCESSES, 0);
/// Processes that were told as killed for lack of memory.
#[map]
static KILLED: LruHashMap<[u64; 2], u8> = LruHashMap::with_max_entries(TOLD_PROCESSES, 0);

/// After an exec has succeeded, in the task that called it (fs/exec.c).
#[btf_tracepoint(function = "sched_process_exec")]
fn sched_process_exec(ctx: BtfTracePointContext) {
    let cpu = Cpu::current();
    if let Some(slot) = cpu.slot(current_slot(cpu)) {
        slot.tasks.execs += 1;
    }
    if is_wanted(process_records::EXECS) {
        let path = program_path(ctx.arg(2));
        tell(Kind::Exec, Task::from_arg(ctx.arg(0)), |record| {
            record.path_len = copy_text(path, &mut record.path);
        });
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
    if is_end_of_process(&ctx, task) {
        end_of_process(cpu, task);
    }
}

/// Whether this is the end of a process, told once: its last thread's.
#[inline(always)]
fn is_end_of_process(ctx: &BtfTracePointContext, task: Task<Typed>) -> bool {
    if constant::<{ word!(tells_group_dead) }>() != 0 {
        return ctx.arg::<u64>(1) & 1 != 0;
    }
    task.is_among_the_last() && ENDED.insert(identity(task), 0, BPF_NOEXIST).is_ok()
}

#[inline(always)]
fn end_of_process(cpu: Cpu, task: Task<Typed>) {
    let level = task.ended_namespace_level();
    if level > 0 {
        tell(Kind::InitExited, task, |record| {
            record.wait_status = task.exit_code() as u32;
            record.pid_level = level as u32;
        });
    }
    if constant::<{ word!(tells_victim) }>() == 0 && task.is_oom_victim() {
        killed(cpu, task);
    }
    if is_wanted(process_records::EXITS) {
        // What wait(2) returns is the first thread's status, even where that ended before the others.
        tell(Kind::Exit, task.leader(), |record| record.wait_status = task.leader().exit_code() as u32);
    }
}

/// After a task was chosen to be killed because memory was short (mm/oom_kill.c, `mark_oom_victim`). Other threads of its
/// process may be chosen too, to help them end.
#[btf_tracepoint(function = "mark_victim")]
fn mark_victim(ctx: BtfTracePointContext) {
    let task = Task::from_arg(ctx.arg(0));
    if KILLED.insert(identity(task), 0, BPF_NOEXIST).is_ok() {
        killed(Cpu::current(), task);
    }
}

#[inline(always)]
fn killed(cpu: Cpu, task: Task<Typed>) {
    memory::count(cpu, task.cgroup_id(), |shortage| shortage.oom_kills += 1);
    if is_wanted(process_records::OOM_KILLS) {
        tell(Kind::OomKill, task.leader(), |_| {});
    }
}

/// Numbers that no other process has: what its threads share, and when it began.
#[inline(always)]
fn identity(task: Task<Typed>) -> [u64; 2] {
    [task.tgid(), task.leader().start_time()]
}

#[inline(always)]
fn is_wanted(records: u32) -> bool {
    constant::<{ word!(process_records) }>() & records != 0
}

/// Sends a record of a process, told by one of its threads.
#[inline(always)]
fn tell(kind: Kind, task: Task<Typed>, fill: impl FnOnce(&mut Record)) {
    tally::record(|record| {
        record.kind = kind as u32;
        record.cgroup_id = task.cgroup_id();
        // SAFETY: the helper has no preconditions.
        record.boot_ns = unsafe { bpf_ktime_get_boot_ns() };
        record.tid = task.tgid() as u32;
        record.wait_status = 0;
        record.pid_level = 0;
        record.reserved = 0;
        record.path_len = 0;
        record.comm = task.comm();
        fill(record);
    });
}
