//! Where things are in this checkout.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// This checkout and the directory it is built in, both absolute.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    root: PathBuf,
    target: PathBuf,
}

impl Checkout {
    /// The checkout that this xtask was compiled from, built in `target` or where `CARGO_TARGET_DIR` says.
    pub(crate) fn find() -> Result<Self> {
        // cargo sets it for `cargo run` too, so a checkout that was moved is found where it is now.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().context("find the checkout above xtask")?.to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => std::path::absolute(&dir).context("make CARGO_TARGET_DIR absolute")?,
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The directory that holds the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds for the host.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The binary that `cargo xtask build` makes.
    pub(crate) fn monitor_bin(&self) -> PathBuf {
        self.target.join("release/monitor")
    }

    /// Where the finished eBPF objects are: `monitor`, and `control` with empty programs on the same hooks.
    pub(crate) fn bpf_dir(&self) -> PathBuf {
        self.target.join("bpf")
    }

    /// Tools that set-up built for this checkout; `bin` is below it.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }
}
