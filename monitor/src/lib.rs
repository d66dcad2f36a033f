//! monitor, an eBPF-based, kernel-level container profiler.
//!
//! A kernel event runs a program ([`probes`]), which adds to counters keyed by cgroup id. At each tick the
//! [`collector`] reads them and the [`cgroup`] files; the [`registry`] says which container a cgroup belongs to, from
//! its path and from what the [`runtime`] tells; two such readings make a window, and a window is a snapshot
//! ([`model`]), which [`output`] encodes and [`serve`] hands out over HTTP, [`cadvisor`] in another program's words; [`sinks`]
//! write it to databases, [`tui`] shows it on a terminal. [`plugin`] asks for what is served, for other monitoring systems. [`recording`] keeps snapshots in
//! files, on which [`report`] does statistics ([`stats`]). [`inspect`] looks at one container once and takes no part in this. Who
//! may know whom is checked by `cargo xtask layers`.

pub mod app;
pub mod cadvisor;
pub mod cgroup;
pub mod cli;
pub mod collector;
pub mod config;
pub mod confine;
pub mod console;
pub mod credentials;
pub mod dashboards;
pub mod doctor;
pub mod error;
pub mod filesystem;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod generate;
pub mod history;
pub mod host;
pub mod inspect;
pub mod model;
pub mod newtypes;
pub mod output;
pub mod plugin;
pub mod privileges;
pub mod probes;
pub mod recording;
pub mod registry;
pub mod report;
pub mod runtime;
pub mod serve;
pub mod settings;
pub mod sinks;
pub mod stats;
pub mod tui;
pub mod url;
