//! What every task does at this moment.

use aya_ebpf::{bindings::seq_file, helpers::generated::bpf_seq_write};
use monitor_common::census::{IN_IOWAIT, SEEN_STATE_BYTES, SeenState};

use crate::kernel::Task;

/// Writes a [`SeenState`] of a task to who reads the iterator; user space adds them up.
///
/// The kernel calls it for each task, each time that user space reads the iterator (`iter/task`, 5.8 and later). Nothing is kept
/// in between, so there is no table to run out of room, and nothing to clear.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task_census")]
fn census(ctx: *const [*const u8; 2]) -> i32 {
    // SAFETY: the context is a `struct bpf_iter__task`: its own data and the task, which is null after the last.
    let [meta, task] = unsafe { ctx.read_volatile() };
    if task.is_null() {
        return 0;
    }
    let task = Task::from_arg(task);
    let waits_for_io = if task.is_in_iowait() { IN_IOWAIT } else { 0 };
    let seen = SeenState {
        cgroup_id: task.cgroup_id(),
        state: task.state(),
        exit_state: task.exit_state() | waits_for_io,
    };
    // SAFETY: `meta` is a `struct bpf_iter_meta`, whose first member is the file; `seen` has the length given.
    unsafe {
        let file = meta.cast::<*mut seq_file>().read_volatile();
        // Where it does not fit, the kernel hands out what there is and shows the task again.
        bpf_seq_write(file, (&raw const seen).cast(), SEEN_STATE_BYTES as u32);
    }
    0
}
