//! What the tests of the `monitor` binary stand on: it, real containers, and the kernel's own figures beside them.
//!
//! Everything that is started, made or mounted here is undone on drop, also when a test panics. The programs and the
//! daemon to use come from the environment, which `cargo xtask test` sets; see [`mod@env`].
#![expect(clippy::missing_panics_doc, reason = "a harness fails its test by panicking")]

pub mod bpf;
pub mod bracket;
pub mod certificates;
pub mod cgroup;
pub mod collector;
pub mod container;
pub mod containerd;
pub mod cri;
pub mod database;
pub mod delay;
pub mod disk;
pub mod duckdb;
pub mod env;
pub mod events;
pub mod guest;
pub mod helm;
pub mod http;
pub mod lines;
pub mod lxc;
pub mod monitor;
pub mod net;
pub mod podman;
pub mod prometheus;
pub mod schema;
pub mod server;
pub mod snapshot;
pub mod terminal;
pub mod threads;
pub mod truth;
pub mod wait;
pub mod workload;
