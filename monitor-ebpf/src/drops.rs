//! Packets that the kernel throws away, by the cgroup of their socket and the kernel's reason.

use aya_ebpf::{
    macros::{btf_tracepoint, map},
    maps::{Array, HashMap},
    programs::BtfTracePointContext,
};
use monitor_common::net::{DROP_ENTRIES, DropKey, Dropped, LOST_REASONS, NO_REASON};

use crate::{
    attribution::net_slot_of,
    globals::{constant, word},
    kernel::{Memory, Packet, Sock},
    tally::{Cpu, add, shared_entry},
};

#[map]
static DROPS: HashMap<DropKey, u64> = HashMap::with_max_entries(DROP_ENTRIES, 0);
/// What the tables of this and [`crate::connection`] had no room for, each in its place.
#[map]
static NET_LOST: Array<u64> = Array::with_max_entries(2, 0);

/// A packet is thrown away (net/core/skbuff.c, `sk_skb_reason_drop`); one that has done its duty is not among them where the
/// kernel tells the two apart. In any context.
#[btf_tracepoint(function = "kfree_skb")]
fn kfree_skb(ctx: BtfTracePointContext) {
    let packet = Packet::from_arg(ctx.arg(0));
    let owner = match packet.sock() {
        Some(sock) => owner(sock),
        None if constant::<{ word!(tells_drop_receiver) }>() != 0 => {
            Sock::from_nullable_arg(ctx.arg(3)).map_or(NOBODY, owner)
        }
        None => NOBODY,
    };
    if owner == OTHER_FAMILY || owner == NOBODY && !packet.is_internet() {
        return;
    }
    let reason = if constant::<{ word!(tells_drop_reason) }>() != 0 { ctx.arg::<u32>(2) } else { NO_REASON };
    count_reason(owner, reason);
    if let Some(dropped) = counters(owner) {
        add(&mut dropped.packets, 1);
    }
}

/// A UDP socket has no room for a datagram (net/ipv4/udp.c, `__udp_queue_rcv_skb`; net/ipv6/udp.c from Linux 6.5 on).
#[btf_tracepoint(function = "udp_fail_queue_rcv_skb")]
fn udp_fail_queue_rcv_skb(ctx: BtfTracePointContext) {
    /// `ENOMEM`, by the rule of `RcvbufErrors`.
    const FULL_BUFFER: i32 = -12;
    let Some(sock) = Sock::from_arg(ctx.arg(1)) else { return };
    let Some(dropped) = counters(sock.cgroup_id()) else { return };
    if ctx.arg::<i32>(0) == FULL_BUFFER {
        add(&mut dropped.udp_full_buffer, 1);
    } else {
        add(&mut dropped.udp_no_memory, 1);
    }
}

/// The owner of a packet without a socket: no cgroup's id.
const NOBODY: u64 = 0;
/// The owner of what a socket sends that is not of the internet's families: of a netlink or Unix socket, for example.
const OTHER_FAMILY: u64 = u64::MAX;

/// The cgroup of a socket.
#[inline(always)]
fn owner<M: Memory>(sock: Sock<M>) -> u64 {
    if sock.is_internet() { sock.cgroup_id() } else { OTHER_FAMILY }
}

#[inline(always)]
fn counters(cgroup_id: u64) -> Option<&'static mut Dropped> {
    let cpu = Cpu::current();
    let slot = cpu.net_slot(net_slot_of(cpu, cgroup_id))?;
    Some(&mut slot.dropped)
}

/// Adds a packet to those of a cgroup and reason; where there is no room for the two, that is counted.
#[inline(always)]
fn count_reason(cgroup: u64, reason: u32) {
    let key = DropKey { cgroup, reason, reserved: 0 };
    match shared_entry(&DROPS, &key, || Some(0)) {
        Some(packets) => add(packets, 1),
        None => lose(LOST_REASONS),
    }
}

/// Counts an observation that found no room.
#[cold]
#[inline(never)]
pub(crate) fn lose(place: u32) {
    if let Some(lost) = NET_LOST.get_ptr_mut(place) {
        // SAFETY: the lookup returned a valid place, which all add to atomically.
        add(unsafe { &mut *lost }, 1);
    }
}
