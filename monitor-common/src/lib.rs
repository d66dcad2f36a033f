//! What the eBPF programs and their loader agree on: the layout of each map's entries, the capacities, the kernel
//! fields that are read, and the histogram's bucketing. `no_std`, and free of policy: it says what a value means,
//! not what is done with it.

#![cfg_attr(not(test), no_std)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![expect(
    clippy::inline_always,
    reason = "a call costs an eBPF program registers, and older verifiers limit calls"
)]

pub mod block;
pub mod census;
pub mod counters;
pub mod faults;
pub mod fields;
pub mod histogram;
pub mod lifecycle;
pub mod limits;
pub mod memory;
pub mod net;
#[cfg(feature = "user")]
pub mod pod;
pub mod queue;
pub mod slots;
pub mod waits;
