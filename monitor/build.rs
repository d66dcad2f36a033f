//! Finds the eBPF object that `cargo xtask build` has made, for `probes/load.rs` to embed.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=MONITOR_BPF_DIR");
    // Set by xtask, and by .cargo/config.toml for plain cargo.
    let directory = env::var_os("MONITOR_BPF_DIR").map(PathBuf::from).unwrap_or_default();
    let object = directory.join("monitor");
    println!("cargo::rerun-if-changed={}", object.display());
    if object.is_file() {
        println!("cargo::rustc-env=MONITOR_EBPF_OBJECT={}", object.display());
    } else {
        println!(
            "cargo::error=there is no eBPF object at {}: `cargo xtask build` makes it",
            object.display()
        );
    }
}
