//! `monitor`, run as a user runs it, on real containers, against the kernel's own figures. Needs root and Docker;
//! `cargo xtask test` runs it with all that it needs.

mod block;
mod cadvisor;
mod cli;
mod complete;
mod events;
mod exact;
mod faults;
mod files;
mod filesystems;
mod host;
mod identity;
mod inspect;
mod interference;
mod memory;
mod nested;
mod network;
mod output;
mod queueing;
mod recording;
mod runtimes;
mod serve;
mod sockets;
mod tasks;
mod tcp;
