//! Cgroups made and removed, and tasks moved into them, in the hierarchy that is counted; made and removed also in the
//! block controller's, whose ids requests to devices know.

use aya_ebpf::{
    helpers::generated::bpf_ktime_get_boot_ns, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use aya_log_ebpf::debug;
use monitor_common::{lifecycle::Kind, limits::COMM_BYTES};

use crate::{
    globals::{block_hierarchy, hierarchy},
    kernel::{Cgroup, Task, copy_text},
    tally,
};

/// After a cgroup's directory was made (kernel/cgroup/cgroup.c).
#[btf_tracepoint(function = "cgroup_mkdir")]
fn cgroup_mkdir(ctx: BtfTracePointContext) {
    record(&ctx, Kind::CgroupMade, Some(Kind::BlockCgroupMade), 0, [0; COMM_BYTES]);
}

/// After a cgroup's directory was removed.
#[btf_tracepoint(function = "cgroup_rmdir")]
fn cgroup_rmdir(ctx: BtfTracePointContext) {
    record(&ctx, Kind::CgroupRemoved, Some(Kind::BlockCgroupRemoved), 0, [0; COMM_BYTES]);
}

/// After a task was moved from one cgroup to another.
#[btf_tracepoint(function = "cgroup_attach_task")]
fn cgroup_attach_task(ctx: BtfTracePointContext) {
    let task = Task::from_arg(ctx.arg(2));
    record(&ctx, Kind::TaskAttached, None, task.tid() as u32, task.comm());
}

/// `block_kind` is what to call it where it happened in the block controller's own hierarchy.
#[inline(always)]
fn record(
    ctx: &BtfTracePointContext,
    kind: Kind,
    block_kind: Option<Kind>,
    tid: u32,
    comm: [u8; COMM_BYTES],
) {
    let cgroup = Cgroup::from_arg(ctx.arg(0));
    let path: *const u8 = ctx.arg(1);
    // A v1 or hybrid host makes each cgroup once in every hierarchy.
    let kind = match (cgroup.hierarchy(), block_kind) {
        (number, _) if number == u64::from(hierarchy()) => kind,
        (number, Some(block_kind)) if number == u64::from(block_hierarchy()) => block_kind,
        _ => return,
    };
    // Removed by the verifier unless `monitor -vv` asked for it.
    debug!(ctx, "lifecycle record of kind {} for cgroup {}", kind as u32, cgroup.id());
    tally::record(|record| {
        record.kind = kind as u32;
        record.cgroup_id = cgroup.id();
        // SAFETY: the helper has no preconditions.
        record.boot_ns = unsafe { bpf_ktime_get_boot_ns() };
        record.tid = tid;
        record.wait_status = 0;
        record.pid_level = 0;
        record.reserved = 0;
        record.comm = comm;
        // The tracepoint's own buffer.
        record.path_len = copy_text(path, &mut record.path);
    });
}
