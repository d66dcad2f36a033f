//! What happens to TCP connections, by the cgroup of their socket.
//!
//! A listening socket's cgroup is that of the connections that it accepts, whoever calls `accept`.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use monitor_common::net::Tcp;

use crate::{
    attribution::net_slot_of,
    connection,
    globals::{constant, word},
    kernel::{Sock, TcpPacket},
    tally::{Cpu, add},
};

/// There was no memory for the copy that is sent.
const ENOBUFS: i32 = 105;

/// A packet was sent again, or could not be (net/ipv4/tcp_output.c, `__tcp_retransmit_skb`). What the machine's own queues
/// dropped (`NET_XMIT_DROP` and such, which are positive) or had no memory for is in `RetransSegs` too; what was given up before
/// that is not.
#[btf_tracepoint(function = "tcp_retransmit_skb")]
fn tcp_retransmit_skb(ctx: BtfTracePointContext) {
    if constant::<{ word!(tells_retransmit_error) }>() != 0 {
        let error = ctx.arg::<i32>(2);
        if error < 0 && error != -ENOBUFS {
            return;
        }
    }
    let segments = TcpPacket::from_arg(ctx.arg(1)).segments();
    let Some(sock) = Sock::from_arg(ctx.arg(0)) else { return };
    if sock.state() == SYN_SENT {
        connection::asked_again(sock);
    }
    if let Some(tcp) = counters(sock.cgroup_id()) {
        add(&mut tcp.retransmits, segments);
    }
}

/// The answer to a request for a connection is sent again (`tcp_rtx_synack`); the socket is the listening one.
#[btf_tracepoint(function = "tcp_retransmit_synack")]
fn tcp_retransmit_synack(ctx: BtfTracePointContext) {
    if let Some(tcp) = Sock::from_arg(ctx.arg(0)).and_then(|sock| counters(sock.cgroup_id())) {
        add(&mut tcp.retransmits, 1);
    }
}

/// A reset is about to be sent (net/ipv4/tcp_ipv4.c, `tcp_v4_send_reset`, and `tcp_send_active_reset`). Without a
/// socket it answers a packet to a port where nobody listens.
#[btf_tracepoint(function = "tcp_send_reset")]
fn tcp_send_reset(ctx: BtfTracePointContext) {
    if let Some(tcp) = Sock::from_nullable_arg(ctx.arg(0)).and_then(|sock| counters(sock.cgroup_id())) {
        add(&mut tcp.resets_sent, 1);
    }
}

/// A reset has come (net/ipv4/tcp_input.c, `tcp_reset`).
#[btf_tracepoint(function = "tcp_receive_reset")]
fn tcp_receive_reset(ctx: BtfTracePointContext) {
    if let Some(tcp) = Sock::from_arg(ctx.arg(0)).and_then(|sock| counters(sock.cgroup_id())) {
        add(&mut tcp.resets_received, 1);
    }
}

/// A socket changes its state (net/ipv4/af_inet.c, `inet_sk_set_state`, and `inet_sk_state_store`).
#[btf_tracepoint(function = "inet_sock_set_state")]
fn inet_sock_set_state(ctx: BtfTracePointContext) {
    /// `IPPROTO_TCP`.
    const TCP: u64 = 6;
    let (old, new): (i32, i32) = (ctx.arg(1), ctx.arg(2));
    let Some(sock) = Sock::from_arg(ctx.arg(0)) else { return };
    if sock.protocol() != TCP {
        return;
    }
    let cgroup_id = sock.cgroup_id();
    // Before it is counted, so that who reads a count finds the time.
    if old == SYN_SENT {
        connection::answered(sock, cgroup_id, new == ESTABLISHED);
    }
    if is_established(old) && !is_established(new) {
        connection::closed(sock, cgroup_id);
    }
    let Some(tcp) = counters(cgroup_id) else { return };
    if (old, new) == (CLOSE, SYN_SENT) {
        add(&mut tcp.opened, 1);
    }
    if (old, new) == (SYN_SENT, CLOSE) {
        add(&mut tcp.failed, 1);
    }
    if old == SYN_RECV && is_established(new) {
        add(&mut tcp.accepted, 1);
    }
    if !is_established(old) && is_established(new) {
        add(&mut tcp.established, 1);
    }
    if is_established(old) && !is_established(new) {
        add(&mut tcp.closed, 1);
    }
}

// States, include/net/tcp_states.h.
const ESTABLISHED: i32 = 1;
const SYN_SENT: i32 = 2;
const SYN_RECV: i32 = 3;
const CLOSE: i32 = 7;
const CLOSE_WAIT: i32 = 8;

/// What the kernel counts as established in `CurrEstab` (RFC 4022, `tcpCurrEstab`).
#[inline(always)]
fn is_established(state: i32) -> bool {
    state == ESTABLISHED || state == CLOSE_WAIT
}

#[inline(always)]
fn counters(cgroup_id: u64) -> Option<&'static mut Tcp> {
    let cpu = Cpu::current();
    let slot = cpu.net_slot(net_slot_of(cpu, cgroup_id))?;
    Some(&mut slot.tcp)
}
