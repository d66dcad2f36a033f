//! monitor's eBPF programs. They count; they never format, average or decide.
//!
//! One `sched_switch` program does most of the work, without calling a helper beyond the number of its CPU: all that
//! it wants lies behind its arguments, at offsets that the loader took from the kernel's BTF
//! ([`monitor_common::fields`]). What it counts goes to per-CPU slots ([`monitor_common::slots`]).

#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod attribution;
mod blame;
mod block;
mod census;
mod cgroup;
mod connection;
mod drops;
mod fault;
mod globals;
mod kernel;
mod memory;
mod net;
mod process;
mod queue;
mod sched;
mod tally;
mod tcp;

/// The helpers that these programs call are open to GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // SAFETY: never reached; the verifier would refuse a program in which it could be.
    unsafe { core::hint::unreachable_unchecked() }
}
