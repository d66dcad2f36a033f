//! What is counted of a cgroup's sockets on one CPU.
//!
//! Packets are counted by programs that may interrupt each other on one CPU: sending happens in a task that can be
//! preempted and in softirqs, receiving in softirqs. So these counters are added to atomically, and have tags of
//! their own, which the scheduler's programs never look at.

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

/// All that one CPU counts for one cgroup's sockets.
#[repr(C, align(128))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetSlot {
    /// At each packet.
    pub traffic: Traffic,
    /// Rarer.
    pub tcp: Tcp,
}

const _: () = assert!(size_of::<Traffic>() == 64, "one cache line");
const _: () = assert!(size_of::<Tcp>() == 64, "one cache line");
const _: () = assert!(size_of::<NetSlot>() == 128, "no slot lies across two pages");
