//! What the environment says, each variable with a clear word when it is missing: a test never skips for it.

use std::{env, path::PathBuf};

/// The binary under test.
#[must_use]
pub fn monitor_bin() -> PathBuf {
    path("MONITOR_BIN", "the monitor binary")
}

/// The statically linked program of the package `workload`.
#[must_use]
pub fn workload_bin() -> PathBuf {
    path("WORKLOAD_BIN", "the statically linked workload")
}

/// A Python that has `duckdb`, and what reads Helm charts.
#[must_use]
pub fn duckdb_python() -> PathBuf {
    path("DUCKDB_PYTHON", "a Python with the package duckdb")
}

/// `VictoriaMetrics`.
#[must_use]
pub fn victoria_metrics_bin() -> PathBuf {
    path("VICTORIA_METRICS_BIN", "the program victoria-metrics")
}

/// How long databases are away in the tests of that, in seconds.
#[must_use]
pub fn outage_seconds() -> u64 {
    env::var("MONITOR_OUTAGE_SECONDS")
        .map_or(15, |text| text.parse().expect("MONITOR_OUTAGE_SECONDS is a number"))
}

/// Where the Docker daemon listens, in `DOCKER_HOST`'s own form.
#[must_use]
pub fn docker_host() -> String {
    let host =
        required("DOCKER_HOST", "where the Docker daemon listens, such as unix:///var/run/docker.sock");
    assert!(host.starts_with("unix:///"), "DOCKER_HOST={host}: the tests need a daemon on a Unix socket");
    host
}

/// Fails unless the eBPF objects are named, which `monitor` itself reads from there.
pub fn require_bpf_dir() {
    path("MONITOR_BPF_DIR", "the folder of the eBPF objects");
}

fn path(name: &str, what: &str) -> PathBuf {
    let path = PathBuf::from(required(name, what));
    // The tests change no folder, but what they start may.
    let path = std::path::absolute(&path).expect("make a path absolute");
    assert!(path.exists(), "{name}={}: {what} is not there; build it first", path.display());
    path
}

fn required(name: &str, what: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: it names {what}; `cargo xtask test` sets it"))
}
