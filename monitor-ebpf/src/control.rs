//! Empty programs on the hooks that monitor uses: what the kernel charges for being called at all. The benchmark
//! subtracts them.

#![no_std]
#![no_main]

use aya_ebpf::{
    macros::{btf_tracepoint, cgroup_skb},
    programs::{BtfTracePointContext, SkBuffContext},
};

macro_rules! empty {
    ($($hook:ident = $name:literal),+ $(,)?) => {$(
        #[btf_tracepoint(function = $name)]
        fn $hook(_ctx: BtfTracePointContext) {}
    )+};
}

empty!(
    sched_switch = "sched_switch",
    page_fault_user = "page_fault_user",
    page_fault_kernel = "page_fault_kernel",
    sched_process_exec = "sched_process_exec",
    sched_process_exit = "sched_process_exit",
    cgroup_mkdir = "cgroup_mkdir",
    cgroup_rmdir = "cgroup_rmdir",
    cgroup_attach_task = "cgroup_attach_task",
    tcp_retransmit_skb = "tcp_retransmit_skb",
    tcp_retransmit_synack = "tcp_retransmit_synack",
    tcp_send_reset = "tcp_send_reset",
    tcp_receive_reset = "tcp_receive_reset",
    inet_sock_set_state = "inet_sock_set_state",
    kfree_skb = "kfree_skb",
    udp_fail_queue_rcv_skb = "udp_fail_queue_rcv_skb",
    block_rq_complete = "block_rq_complete",
    mark_victim = "mark_victim",
    mm_vmscan_direct_reclaim_begin = "mm_vmscan_direct_reclaim_begin",
    mm_vmscan_direct_reclaim_end = "mm_vmscan_direct_reclaim_end",
    mm_vmscan_memcg_reclaim_begin = "mm_vmscan_memcg_reclaim_begin",
    mm_vmscan_memcg_reclaim_end = "mm_vmscan_memcg_reclaim_end",
);

/// Lets every packet pass.
#[cgroup_skb(ingress)]
fn cgroup_skb_ingress(_ctx: SkBuffContext) -> i32 {
    1
}

/// Lets every packet pass.
#[cgroup_skb(egress)]
fn cgroup_skb_egress(_ctx: SkBuffContext) -> i32 {
    1
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // SAFETY: never reached; the verifier would refuse a program in which it could be.
    unsafe { core::hint::unreachable_unchecked() }
}
