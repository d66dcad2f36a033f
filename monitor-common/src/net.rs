//! What is counted of a cgroup's sockets on one CPU.
//!
//! Packets are counted by programs that may interrupt each other on one CPU: sending happens in a task that can be
//! preempted and in softirqs, receiving in softirqs. So these counters are added to atomically, and have tags of
//! their own, which the scheduler's programs never look at. What is rare and large, such as histograms, is in hash maps that all
//! CPUs share.

use crate::histogram::BUCKETS;

/// Packets that sockets of a cgroup received and sent, at layer 3, on one CPU.
///
/// A *packet* is what passes between the socket and the network layer in one piece. With segmentation offload (GSO,
/// GRO) that is up to 64 KiB, which the device or the sender cuts into *segments*, each with headers of its own.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes received, from the IP header on.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Segments received beyond one for each packet.
    pub rx_further_segments: u64,
    /// Bytes of the headers of those.
    pub rx_further_header_bytes: u64,
    /// Bytes sent, from the IP header on.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Segments sent beyond one for each packet.
    pub tx_further_segments: u64,
    /// Bytes of the headers of those.
    pub tx_further_header_bytes: u64,
}

/// What happened to a cgroup's TCP sockets, as one CPU saw it.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// Segments sent again.
    pub retransmits: u64,
    /// Resets sent.
    pub resets_sent: u64,
    /// Resets received.
    pub resets_received: u64,
    /// Connections that this side asked for.
    pub opened: u64,
    /// Connections that the other side asked for and that were established.
    pub accepted: u64,
    /// Connections that this side asked for and that were never established.
    pub failed: u64,
    /// Connections that became established.
    pub established: u64,
    /// Established connections that were closed, by either side.
    pub closed: u64,
}

/// What the kernel threw away of a cgroup's sockets, as one CPU saw it.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Packets thrown away, for whatever reason.
    pub packets: u64,
    /// Datagrams that came and found the receive buffer of their UDP socket full.
    pub udp_full_buffer: u64,
    /// Datagrams that came when UDP was allowed no more memory.
    pub udp_no_memory: u64,
    /// Reserved; fills the cache line.
    pub reserved: [u64; 5],
}

/// All that one CPU counts for one cgroup's sockets.
#[repr(C, align(256))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetSlot {
    /// At each packet that is not UDP's.
    pub traffic: Traffic,
    /// At each packet of UDP.
    pub udp: Traffic,
    /// Rarer.
    pub tcp: Tcp,
    /// Rarer.
    pub dropped: Dropped,
}

impl NetSlot {
    /// Packets in both directions.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        let (traffic, udp) = (&self.traffic, &self.udp);
        traffic.rx_packets + traffic.tx_packets + udp.rx_packets + udp.tx_packets
    }
}

/// Cgroups whose TCP connections can be timed. The kernel allocates this many [`ConnectionTimes`] at the start.
pub const CONNECTION_ENTRIES: u32 = 2048;

/// Connections that may be asked for a second time at once: those whose first request, or the answer to it, was lost.
pub const SLOW_CONNECTS: u32 = 4096;

/// How long it took to get connections, and how long their packets took to be answered.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionTimes {
    /// The longest of `connect`. Of two at the same moment it may miss one.
    pub connect_max_ns: u64,
    /// The longest of `rtt`.
    pub rtt_max_ns: u64,
    /// From the first request to the answer that establishes a connection, in the buckets of [`crate::histogram`].
    pub connect: [u64; BUCKETS],
    /// The smoothed round-trip time of connections as they are closed.
    pub rtt: [u64; BUCKETS],
}

impl Default for ConnectionTimes {
    fn default() -> Self {
        Self { connect_max_ns: 0, rtt_max_ns: 0, connect: [0; BUCKETS], rtt: [0; BUCKETS] }
    }
}

/// Cgroups times reasons that packets can be counted by which were thrown away.
pub const DROP_ENTRIES: u32 = 4096;

/// Whose packets were thrown away, and why.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DropKey {
    /// The cgroup of the packet's socket; 0 where it had none.
    pub cgroup: u64,
    /// A number of the kernel's `enum skb_drop_reason`, or [`NO_REASON`].
    pub reason: u32,
    /// Reserved; keeps the key without padding.
    pub reserved: u32,
}

/// The reason on kernels that tell none: before Linux 5.17.
pub const NO_REASON: u32 = u32::MAX;

/// Place of the observations lost for lack of room in the table of [`ConnectionTimes`].
pub const LOST_TIMES: u32 = 0;
/// Of those lost for lack of room in the table by [`DropKey`].
pub const LOST_REASONS: u32 = 1;

const _: () = assert!(size_of::<Traffic>() == 64, "one cache line");
const _: () = assert!(size_of::<Tcp>() == 64, "one cache line");
const _: () = assert!(size_of::<Dropped>() == 64, "one cache line");
const _: () = assert!(size_of::<NetSlot>() == 256, "no slot lies across two pages");
const _: () = assert!(size_of::<ConnectionTimes>() == 16 + 16 * BUCKETS, "no padding");
const _: () = assert!(size_of::<DropKey>() == 16, "no padding");
