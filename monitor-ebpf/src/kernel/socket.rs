//! Sockets and packets.

use aya_ebpf::helpers::generated::bpf_skc_to_tcp_sock;

use super::{Address, Cgroup, Memory, Typed};
use crate::{
    globals::{distance, member},
    tally,
};

/// A `struct sock`.
#[derive(Clone, Copy)]
pub(crate) struct Sock<M>(M);

/// A `struct tcp_sock`.
#[derive(Clone, Copy)]
pub(crate) struct TcpSock(Typed);

/// A `struct sk_buff`.
#[derive(Clone, Copy)]
pub(crate) struct Packet(Typed);

/// A `struct sk_buff` that TCP sends.
#[derive(Clone, Copy)]
pub(crate) struct TcpPacket(Typed);

impl Sock<Typed> {
    /// Takes a tracepoint's argument that is never null, or a pointer that the verifier knows may be.
    #[inline(always)]
    pub(crate) fn from_arg(pointer: *const u8) -> Option<Self> {
        (!pointer.is_null()).then_some(Self(Typed(pointer)))
    }
}

impl Sock<Address> {
    /// Takes a tracepoint's argument that may be null.
    ///
    /// Verifiers of some kernels (6.2 to 6.13) take every argument for valid and remove the look whether it is, and a load
    /// through null is then the machine's end. So it becomes a number first, of which they know nothing. Later ones admit
    /// that only where it was looked at.
    #[inline(always)]
    pub(crate) fn from_nullable_arg(pointer: *const u8) -> Option<Self> {
        if pointer.is_null() {
            return None;
        }
        let address = distance(pointer).wrapping_add(tally::origin()?);
        (address != 0).then_some(Self(Address(address)))
    }
}

impl<M: Memory> Sock<M> {
    /// The id of its cgroup. 0 where it has none: of a connection that is being asked for, or in `TIME_WAIT`, the kernel
    /// keeps less than a socket.
    #[inline(always)]
    pub(crate) fn cgroup_id(self) -> u64 {
        /// `TCP_TIME_WAIT` and `TCP_NEW_SYN_RECV` (include/net/tcp_states.h).
        const LESS_THAN_SOCKETS: u64 = 1 << 6 | 1 << 12;
        let state = self.0.u8::<{ member!(sock_state) }>();
        if 1 << (state & 31) & LESS_THAN_SOCKETS != 0 {
            return 0;
        }
        Cgroup(self.0.follow::<{ member!(sock_cgroup) }>()).id()
    }

    /// Its transport protocol.
    #[inline(always)]
    pub(crate) fn protocol(self) -> u64 {
        self.0.u16::<{ member!(sock_protocol) }>()
    }

    /// Whether it is one of IPv4 or IPv6.
    #[inline(always)]
    pub(crate) fn is_internet(self) -> bool {
        // Of `include/linux/socket.h`.
        const AF_INET: u64 = 2;
        const AF_INET6: u64 = 10;
        let family = self.0.u16::<{ member!(sock_family) }>();
        family == AF_INET || family == AF_INET6
    }

    /// Its state, a number of include/net/tcp_states.h.
    #[inline(always)]
    pub(crate) fn state(self) -> i32 {
        self.0.u8::<{ member!(sock_state) }>() as i32
    }
}

impl Sock<Typed> {
    /// A number that no other socket has at the same time.
    #[inline(always)]
    pub(crate) fn number(self) -> u64 {
        distance(self.0.0)
    }

    /// As one of TCP; `None` where it is another's. Linux 5.9.
    #[inline(always)]
    pub(crate) fn tcp(self) -> Option<TcpSock> {
        // SAFETY: the helper looks what kind of socket it is, and the verifier checks that it is one.
        let tcp = unsafe { bpf_skc_to_tcp_sock(self.0.0.cast_mut().cast()) };
        (!tcp.is_null()).then_some(TcpSock(Typed(tcp.cast())))
    }
}

impl TcpSock {
    /// The smoothed round-trip time; 0 where no packet was timed.
    #[inline(always)]
    pub(crate) fn smoothed_rtt_ns(self) -> u64 {
        (self.0.u32::<{ member!(tcp_smoothed_rtt) }>() >> 3) * 1000
    }

    /// Whether it sent anything again.
    #[inline(always)]
    pub(crate) fn has_retransmitted(self) -> bool {
        self.0.u32::<{ member!(tcp_all_retransmits) }>() != 0
    }

    /// How long ago it sent what it may have to give up on, in milliseconds.
    #[inline(always)]
    pub(crate) fn trying_ms(self) -> u32 {
        let began_ms = self.0.u32::<{ member!(tcp_retransmit_stamp) }>() as u32;
        ((self.0.u64::<{ member!(tcp_clock) }>() / 1000) as u32).wrapping_sub(began_ms)
    }
}

impl Packet {
    /// Takes a tracepoint's argument.
    #[inline(always)]
    pub(crate) fn from_arg(pointer: *const u8) -> Self {
        Self(Typed(pointer))
    }

    /// Its socket, if it has one.
    #[inline(always)]
    pub(crate) fn sock(self) -> Option<Sock<Typed>> {
        Sock::from_arg(self.0.follow::<{ member!(skb_sock) }>().0)
    }

    /// Whether it is one of IPv4 or IPv6.
    #[inline(always)]
    pub(crate) fn is_internet(self) -> bool {
        // `ETH_P_IP` and `ETH_P_IPV6` (include/uapi/linux/if_ether.h).
        const IPV4: u16 = 0x0800;
        const IPV6: u16 = 0x86dd;
        let protocol = self.0.u16::<{ member!(skb_protocol) }>();
        protocol == u64::from(IPV4.to_be()) || protocol == u64::from(IPV6.to_be())
    }
}

impl TcpPacket {
    /// Takes a tracepoint's argument.
    #[inline(always)]
    pub(crate) fn from_arg(pointer: *const u8) -> Self {
        Self(Typed(pointer))
    }

    /// How many segments it is cut into.
    #[inline(always)]
    pub(crate) fn segments(self) -> u64 {
        self.0.u16::<{ member!(skb_cb) }>()
    }
}
