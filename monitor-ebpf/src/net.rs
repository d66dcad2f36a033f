//! Packets by the cgroup of the socket that they are for or from.
//!
//! The cgroup of the running task would be wrong: most packets are received, and many are sent, in a softirq, inside
//! whatever task happens to run.

use aya_ebpf::{helpers::generated::bpf_skb_cgroup_id, macros::cgroup_skb, programs::SkBuffContext};
use monitor_common::net::Traffic;

use crate::{
    attribution::net_slot_of,
    tally::{Cpu, add},
};

/// What a program on a cgroup's packets answers to let one pass.
const PASS: i32 = 1;

/// At each packet that a full socket receives (net/core/filter.c, `sk_filter_trim_cap`), before its memory limit is
/// looked at. A listening socket's handshakes are among them; what is for a connection in `TIME_WAIT`, or for nobody,
/// is not.
#[cgroup_skb(ingress)]
fn cgroup_skb_ingress(ctx: SkBuffContext) -> i32 {
    count(&ctx, |traffic| {
        let Traffic { rx_bytes, rx_packets, rx_further_segments, rx_further_header_bytes, .. } = traffic;
        [rx_bytes, rx_packets, rx_further_segments, rx_further_header_bytes]
    })
}

/// At each packet that a full socket sends (net/ipv4/ip_output.c, `ip_finish_output`), before it is cut into segments
/// or fragments. What the kernel sends for connections that it has no full socket for (resets, `TIME_WAIT`) comes
/// from sockets of its own.
#[cgroup_skb(egress)]
fn cgroup_skb_egress(ctx: SkBuffContext) -> i32 {
    count(&ctx, |traffic| {
        let Traffic { tx_bytes, tx_packets, tx_further_segments, tx_further_header_bytes, .. } = traffic;
        [tx_bytes, tx_packets, tx_further_segments, tx_further_header_bytes]
    })
}

/// Adds a packet to the bytes, packets, further segments and header bytes of these that `counters` names.
#[inline(always)]
fn count(ctx: &SkBuffContext, counters: impl Fn(&mut Traffic) -> [&mut u64; 4]) -> i32 {
    let cpu = Cpu::current();
    // SAFETY: the context is the program's own. The kernel has put the socket into it and has checked that it is a full
    // one.
    let cgroup_id = unsafe { bpf_skb_cgroup_id(ctx.skb.skb) };
    if let Some(slot) = cpu.net_slot(net_slot_of(cpu, cgroup_id)) {
        let traffic = if is_udp(ctx) { &mut slot.udp } else { &mut slot.traffic };
        let [bytes, packets, further_segments, further_header_bytes] = counters(traffic);
        let mut length = u64::from(ctx.skb.len());
        // SAFETY: a field of the context.
        let segment_bytes = unsafe { (*ctx.skb.skb).gso_size };
        if segment_bytes != 0
            && let Ok(Headers { each, jumbo }) = headers(ctx, length)
        {
            length -= jumbo;
            // Not by `gso_segs`, which is 0 where a virtual machine's neighbour sent the packet.
            let further = length.saturating_sub(each).saturating_sub(1) / u64::from(segment_bytes);
            add(further_segments, further);
            add(further_header_bytes, further * each);
        }
        add(bytes, length);
        add(packets, 1);
    }
    PASS
}

// Protocol numbers, and where the fields are in the headers (RFC 791, 8200).
const TCP: u8 = 6;
const UDP: u8 = 17;
const IPV4_PROTOCOL: usize = 9;
/// Without options.
const IPV4_BYTES: u64 = 20;
const IPV6_NEXT_HEADER: usize = 6;

/// Whether a packet is UDP's; of one of IPv6, whether that is what follows the first header.
#[inline(always)]
fn is_udp(ctx: &SkBuffContext) -> bool {
    let protocol = match byte::<0>(ctx) {
        Ok(first) if first >> 4 == 4 => byte::<IPV4_PROTOCOL>(ctx),
        Ok(first) if first >> 4 == 6 => byte::<IPV6_NEXT_HEADER>(ctx),
        _ => return false,
    };
    protocol == Ok(UDP)
}

/// A byte of a packet, from the IP header on.
#[inline(always)]
fn byte<const AT: usize>(ctx: &SkBuffContext) -> Result<u8, i64> {
    // That much any packet has. Where it is compared with is never the start itself, of which verifiers learn nothing.
    let least = if AT < IPV4_BYTES as usize { IPV4_BYTES as usize } else { AT + 1 };
    // SAFETY: fields of the context.
    let (start, end) = unsafe { ((*ctx.skb.skb).data as usize, (*ctx.skb.skb).data_end as usize) };
    if start + least > end {
        // Headers are in one piece with the beginning, as a rule.
        return ctx.load(AT);
    }
    // SAFETY: the verifier checks that it lies between the two. Volatile, so that no two are made one at a computed place.
    Ok(unsafe { ((start + AT) as *const u8).read_volatile() })
}

/// A large packet's headers at layers 3 and 4.
struct Headers {
    /// Bytes that each of its segments has.
    each: u64,
    /// Bytes that stand between the two until it is cut, and that no wire sees.
    jumbo: u64,
}

/// Looks at the headers; an error where the protocol is none that is cut into segments.
#[inline(always)]
fn headers(ctx: &SkBuffContext, length: u64) -> Result<Headers, i64> {
    // RFC 8200, 768, 9293.
    const IPV6_BYTES: u64 = 40;
    const TCP_DATA_OFFSET: usize = 12;
    const UDP_BYTES: u64 = 8;
    // A packet of more than 64 KiB has a hop-by-hop header inside the kernel (include/net/ipv6.h, `hop_jumbo_hdr`).
    const HOP_BY_HOP: u8 = 0;
    const HOP_BY_HOP_BYTES: u64 = 8;
    const MOST_BYTES: u64 = u16::MAX as u64 + IPV6_BYTES;
    let first = byte::<0>(ctx)?;
    let (network, jumbo, protocol): (u64, u64, u8) = match first >> 4 {
        4 => (u64::from(first & 15) * 4, 0, byte::<IPV4_PROTOCOL>(ctx)?),
        6 => match byte::<IPV6_NEXT_HEADER>(ctx)? {
            HOP_BY_HOP if length > MOST_BYTES => {
                (IPV6_BYTES, HOP_BY_HOP_BYTES, byte::<{ IPV6_BYTES as usize }>(ctx)?)
            }
            protocol => (IPV6_BYTES, 0, protocol),
        },
        _ => return Err(-1),
    };
    let transport = match protocol {
        TCP => {
            let data_offset = match network + jumbo {
                // Where they are as a rule, so that these are constants.
                IPV4_BYTES => byte::<{ IPV4_BYTES as usize + TCP_DATA_OFFSET }>(ctx)?,
                IPV6_BYTES => byte::<{ IPV6_BYTES as usize + TCP_DATA_OFFSET }>(ctx)?,
                bytes => ctx.load(bytes as usize + TCP_DATA_OFFSET)?,
            };
            u64::from(data_offset >> 4) * 4
        }
        UDP => UDP_BYTES,
        _ => return Err(-1),
    };
    Ok(Headers { each: network + transport, jumbo })
}
