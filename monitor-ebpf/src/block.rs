//! Requests to block devices, by the cgroup that their data belong to.
//!
//! Everything is known when a request completes: whose it is, how long it was queued, and how long the device took. The
//! kernel notes the times in the request itself, so nothing has to be kept from its beginning on.

use aya_ebpf::{
    helpers::bpf_ktime_get_ns,
    macros::{btf_tracepoint, map},
    maps::{Array, HashMap},
    programs::BtfTracePointContext,
};
use monitor_common::{
    block::{
        BLOCK_ENTRIES, BlockCounters, BlockKey, DISCARD, FLUSH, READ, RequestTimes, Requests, WRITE, device,
    },
    histogram::{BUCKETS, bucket},
};

use crate::{
    globals::{constant, word},
    kernel::Request,
    queue,
    tally::{add, add_u32, shared_entry},
};

#[map]
static BLOCK: HashMap<BlockKey, BlockCounters> = HashMap::with_max_entries(BLOCK_ENTRIES, 0);
/// The first entry is what a new one begins as; the second one counts what found no room.
#[map]
static BLOCK_SHARED: Array<BlockCounters> = Array::with_max_entries(2, 0);

const EMPTY: u32 = 0;
const OVERFLOW: u32 = 1;

/// A piece of a request, or all of it, is complete (block/blk-mq.c, `blk_update_request` and `blk_complete_request`),
/// before the request is told. In an interrupt, as a rule.
#[btf_tracepoint(function = "block_rq_complete")]
fn block_rq_complete(ctx: BtfTracePointContext) {
    let request = Request::from_arg(ctx.arg(0));
    let Some(kind) = kind(request) else { return };
    let key = BlockKey {
        cgroup: request.cgroup_id(),
        device: request.disk().map_or(0, |disk| device(disk.major(), disk.first_minor())),
        reserved: 0,
    };
    let done = u64::from(ctx.arg::<u32>(2));
    // SAFETY: the helper has no preconditions.
    let completed_ns = is_whole(request, done).then(|| unsafe { bpf_ktime_get_ns() });
    let begun_ns = request.begun_ns();
    add_up(request, &key, kind, done, completed_ns);
    // Last, since the verifier follows all that comes after a walk through the ring once for each length of that walk.
    if let Some(now_ns) = completed_ns {
        queue::complete(key.device, key.cgroup, begun_ns, now_ns);
    }
}

#[inline(always)]
fn add_up(request: Request, key: &BlockKey, kind: usize, done: u64, completed_ns: Option<u64>) {
    let Some(BlockCounters { requests, times }) = counters(key) else { return };
    let [reads, writes, discards, flushes] = requests;
    let [read_times, write_times] = times;
    match kind {
        READ => count(request, done, completed_ns, reads, Some(read_times)),
        WRITE => count(request, done, completed_ns, writes, Some(write_times)),
        DISCARD => count(request, done, completed_ns, discards, None),
        _ => count(request, done, completed_ns, flushes, None),
    }
}

/// What a request asks for, by the rule of `/proc/diskstats`, but for flushes, which that has among the writes.
///
/// `None` for commands to the device that no file system sends, and for the request that the kernel makes itself to
/// carry out flushes of others.
#[inline(always)]
fn kind(request: Request) -> Option<usize> {
    // Of `enum req_op` (include/linux/blk_types.h). From the last one on they belong to drivers.
    const OP_READ: u64 = 0;
    const OP_WRITE: u64 = 1;
    const OP_DISCARD: u64 = 3;
    const OP_DRIVER: u64 = 32;
    match request.operation() {
        OP_READ => Some(READ),
        OP_WRITE if request.segments() == 0 => Some(FLUSH),
        OP_DISCARD => Some(DISCARD),
        operation if operation < OP_DRIVER && operation & 1 == 1 => Some(WRITE),
        _ => None,
    }
}

/// Whether `done` bytes complete the request. One with data and a flush is completed twice: when its data are written,
/// and without any when the flush is through.
#[inline(always)]
fn is_whole(request: Request, done: u64) -> bool {
    let is_in_flush = request.flags() & u64::from(constant::<{ word!(flush_sequence) }>()) != 0;
    !is_in_flush && done >= request.length()
}

#[inline(always)]
fn count(
    request: Request,
    done: u64,
    completed_ns: Option<u64>,
    requests: &mut Requests,
    times: Option<&mut RequestTimes>,
) {
    add(&mut requests.bytes, done);
    let Some(now) = completed_ns else { return };
    add(&mut requests.operations, 1);
    let (begun, issued) = (request.begun_ns(), request.issued_ns());
    // A flush without data is never issued itself.
    if begun == 0 || (issued == 0 && times.is_some()) {
        add(&mut requests.untimed, 1);
        return;
    }
    add(&mut requests.total_ns, now.saturating_sub(begun));
    if let Some(times) = times {
        let (queue, latency) = (issued.saturating_sub(begun), now.saturating_sub(issued));
        add(&mut requests.queue_ns, queue);
        count_time(&mut times.queue, &mut times.queue_max_ns, queue);
        count_time(&mut times.latency, &mut times.latency_max_ns, latency);
    }
}

#[inline(always)]
fn count_time(histogram: &mut [u32; BUCKETS], longest: &mut u64, ns: u64) {
    if let Some(count) = histogram.get_mut(bucket(ns)) {
        add_u32(count, 1);
    }
    if *longest < ns {
        *longest = ns;
    }
}

/// What a cgroup has counted on a device: its entry, a new one, or the one that all without an entry share.
#[inline(always)]
fn counters(key: &BlockKey) -> Option<&'static mut BlockCounters> {
    shared_entry(&BLOCK, key, || BLOCK_SHARED.get(EMPTY)).or_else(|| {
        // SAFETY: the lookup returned a valid place, which is added to as the others are.
        BLOCK_SHARED.get_ptr_mut(OVERFLOW).map(|shared| unsafe { &mut *shared })
    })
}
