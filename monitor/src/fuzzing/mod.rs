//! What text and bytes from elsewhere may do to those that read them: one function for each kind, which panics where a
//! promise is broken.
//!
//! Every reader promises not to panic, whatever it is given, and to take memory in proportion to it; where more can be
//! promised, as that what was written is read back, it is checked too. The functions stand beside the readers, each in its
//! module's `fuzz.rs`. `cargo test` runs them over `fuzz/seeds` and over some changes to these, which are the same each
//! time; `cargo xtask fuzz` has libFuzzer look for inputs that reach code no other has reached.

use crate::{
    cadvisor, cgroup, config, filesystem, history, host, inspect, output, plugin, probes, recording, runtime,
    serve, sinks, tui, url,
};

/// A kind of input and what it is given to.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of the folder with its seeds.
    pub name: &'static str,
    /// Panics where a promise is broken.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident: $run:path,)*) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $run }),*];

        #[cfg(test)]
        mod tests {
            use super::*;

            $(#[test]
            fn $name() {
                exercise::exercise(stringify!($name), $run);
            })*
        }
    };
}

targets! {
    btf: probes::fuzz::btf,
    cadvisor_request: cadvisor::fuzz::request,
    cgroup_files: cgroup::fuzz::files,
    cgroup_limits: cgroup::fuzz::limits,
    cgroup_mounts: cgroup::fuzz::mounts,
    container_path: runtime::fuzz::path,
    containerd: runtime::containerd::fuzz::messages,
    cri: runtime::cri::fuzz::messages,
    docker: runtime::docker::fuzz::answers,
    history_file: history::fuzz::file,
    history_rows: history::fuzz::rows,
    host_files: host::fuzz::files,
    http_request: serve::fuzz::request,
    inspect_files: inspect::fuzz::files,
    mount_table: filesystem::fuzz::mounts,
    plugin_answer: plugin::fuzz::answer,
    prometheus_text: output::fuzz::prometheus,
    recording_ndjson: recording::fuzz::ndjson,
    recording_parquet: recording::fuzz::parquet,
    ring_buffer: probes::fuzz::ring_buffer,
    settings: config::fuzz::settings,
    sink_answer: sinks::fuzz::answer,
    tui_filter: tui::fuzz::filter,
    url: url::fuzz::url,
}

/// The files that an input stands for: the name of each in a line before its text, and a zero byte between two.
pub(crate) fn files(input: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    input.split(|&byte| byte == 0).filter_map(|file| {
        let end = file.iter().position(|&byte| byte == b'\n')?;
        let (name, text) = file.split_at_checked(end)?;
        Some((str::from_utf8(name).ok()?, text.get(1..)?))
    })
}

/// What is only to be made: no compiler may find that nobody needs it.
pub(crate) fn made<T>(value: T) {
    let _ = std::hint::black_box(value);
}

#[cfg(test)]
mod exercise;
