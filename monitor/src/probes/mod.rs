//! Everything behind bpf(2): facts about the kernel, a plan, the loaded programs and what they have counted.

pub mod block;
pub mod btf;
pub mod census;
pub mod constants;
pub mod counters;
pub mod events;
mod faults;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod load;
pub mod plan;
pub mod programs;
pub mod queue;
pub mod read;
mod shortages;
pub mod sockets;
pub mod support;
pub mod sys;
mod table;
pub mod waits;
