//! How long TCP connections took to be established, and how far away their other ends were.
//!
//! The kernel times the first request of a connection itself, as it times every packet: once it is answered, that is the
//! smoothed round-trip time. So nothing has to be kept from the beginning of a connection on, but of the few whose request was
//! lost: their time is that of the last request, if it is any.

use aya_ebpf::{
    helpers::bpf_ktime_get_ns,
    macros::map,
    maps::{Array, HashMap},
};
use monitor_common::net::{CONNECTION_ENTRIES, ConnectionTimes, LOST_TIMES, SLOW_CONNECTS};

use crate::{
    drops::lose,
    kernel::{Sock, TcpSock, Typed},
    tally::{BPF_NOEXIST, count_time, shared_entry},
};

#[map]
static CONNECTIONS: HashMap<u64, ConnectionTimes> = HashMap::with_max_entries(CONNECTION_ENTRIES, 0);
/// What a new entry begins as.
#[map]
static NO_CONNECTIONS: Array<ConnectionTimes> = Array::with_max_entries(1, 0);
/// When connections were asked for first, in nanoseconds of `CLOCK_MONOTONIC`, whose request was sent again; by the number of
/// their socket.
#[map]
static SLOW: HashMap<u64, u64> = HashMap::with_max_entries(SLOW_CONNECTS, 0);

/// A request for a connection was sent again.
#[cold]
#[inline(never)]
pub(crate) fn asked_again(sock: Sock<Typed>) -> Option<()> {
    /// Longer than the kernel tries. What is above is no time in milliseconds: a route may ask for finer stamps (6.7).
    const LONGEST_MS: u32 = 1 << 20;
    let trying_ms = sock.tcp()?.trying_ms();
    if trying_ms < LONGEST_MS {
        // SAFETY: the helper has no preconditions.
        let began = unsafe { bpf_ktime_get_ns() }.saturating_sub(u64::from(trying_ms) * 1_000_000);
        // Fails where it was noted before, which is right, or where there is no room: then it is not timed.
        let _ = SLOW.insert(sock.number(), began, BPF_NOEXIST);
    }
    Some(())
}

/// A connection that this side asked for was established, or never will be.
#[cold]
#[inline(never)]
pub(crate) fn answered(sock: Sock<Typed>, cgroup_id: u64, is_established: bool) -> Option<()> {
    let tcp = sock.tcp()?;
    let ns = if tcp.has_retransmitted() { since_first_request(sock) } else { tcp.smoothed_rtt_ns() };
    if is_established && ns != 0 {
        let ConnectionTimes { connect, connect_max_ns, .. } = times(cgroup_id)?;
        count_time(connect, connect_max_ns, ns);
    }
    Some(())
}

/// 0 where it was not noted.
#[inline(always)]
fn since_first_request(sock: Sock<Typed>) -> u64 {
    let number = sock.number();
    // SAFETY: the entry is this socket's own, and it is copied before it is removed.
    let Some(began) = (unsafe { SLOW.get(number) }).copied() else { return 0 };
    // In vain only where it is gone already.
    let _ = SLOW.remove(number);
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_ktime_get_ns() }.saturating_sub(began)
}

/// An established connection is closed.
#[cold]
#[inline(never)]
pub(crate) fn closed(sock: Sock<Typed>, cgroup_id: u64) -> Option<()> {
    let ns = sock.tcp().map_or(0, TcpSock::smoothed_rtt_ns);
    if ns != 0 {
        let ConnectionTimes { rtt, rtt_max_ns, .. } = times(cgroup_id)?;
        count_time(rtt, rtt_max_ns, ns);
    }
    Some(())
}

/// A cgroup's entry, or a new one; where there is no room for it, that is counted.
#[inline(always)]
fn times(cgroup_id: u64) -> Option<&'static mut ConnectionTimes> {
    let found = shared_entry(&CONNECTIONS, &cgroup_id, || NO_CONNECTIONS.get(0));
    if found.is_none() {
        lose(LOST_TIMES);
    }
    found
}
