//! Builds the eBPF objects: `target/bpf/monitor`, and `target/bpf/control`, whose empty programs are what the
//! real ones are measured against.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::checkout::Checkout;
use crate::command::{cargo, in_checkout, output, run};

const TARGET: &str = "bpfel-unknown-none";
const OBJECTS: [&str; 2] = ["monitor", "control"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO_CLIPPY: &str = "/usr/bin/cargo-clippy";

/// The workspace's release profile is made for the host binary; bpf-linker wants whole-program bitcode with
/// all debug information, which becomes the object's BTF.
const PROFILE: [(&str, &str); 6] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "full"),
    ("CARGO_PROFILE_RELEASE_STRIP", "none"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    // Divides a crate even so, and what is not inlined the verifier refuses.
    ("CARGO_INCREMENTAL", "0"),
];

/// What compiles for the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// Debian's rustc-web, whose `core` comes built for BPF.
    Debian,
    /// Rustup's nightly with rust-src, which builds `core` along.
    Nightly,
}

/// Whether rustup has a nightly with the standard library's source; nothing is downloaded to find out.
pub(crate) fn has_nightly() -> bool {
    let mut rustc = Command::new("rustup");
    rustc.args(["run", "nightly", "rustc", "--print", "sysroot"]);
    output(&mut rustc).is_ok_and(|sysroot| {
        Path::new(sysroot.trim_end()).join("lib/rustlib/src/rust/library/core/src/lib.rs").is_file()
    })
}

/// Builds both objects and puts them into [`Checkout::bpf_dir`].
pub(crate) fn build(checkout: &Checkout, toolchain: Toolchain) -> Result<()> {
    let mut cargo_build = match toolchain {
        Toolchain::Debian => cargo(checkout, ["build", "--bins"]),
        Toolchain::Nightly => {
            let mut rustup = in_checkout(checkout, "rustup");
            rustup.args(["run", "nightly", "cargo", "build", "--bins", "-Zbuild-std=core"]);
            rustup
        }
    };
    run(for_kernel(checkout, toolchain, &mut cargo_build)?)?;
    let built = build_dir(checkout).join(TARGET).join("release");
    for object in OBJECTS {
        copy_if_changed(&built.join(object), &checkout.bpf_dir().join(object))?;
    }
    Ok(())
}

/// Lints the eBPF programs with Debian's clippy, which is as old as Debian's compiler.
pub(crate) fn clippy(checkout: &Checkout) -> Result<()> {
    // Started by its own path, since `cargo clippy` would find rustup's, which cannot read Debian's `core`.
    let mut clippy = in_checkout(checkout, DEBIAN_CARGO_CLIPPY);
    run(for_kernel(checkout, Toolchain::Debian, clippy.arg("clippy"))?.args(["--", "-Dwarnings"]))
}

/// Settings that every cargo call for the kernel side shares, so that it reuses what the others built.
fn for_kernel<'a>(
    checkout: &Checkout,
    toolchain: Toolchain,
    command: &'a mut Command,
) -> Result<&'a mut Command> {
    command
        .args(["--release", "--package", "monitor-ebpf", "--target", TARGET, "--target-dir"])
        .arg(build_dir(checkout))
        .env("PATH", path_with(&checkout.tools().join("bin"))?)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(env::consts::ARCH))
        .envs(PROFILE)
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER");
    match toolchain {
        // aya-ebpf uses one unstable feature.
        Toolchain::Debian => command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1"),
        Toolchain::Nightly => command.env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN"),
    };
    Ok(command)
}

/// Compiler flags as `CARGO_ENCODED_RUSTFLAGS` has them; `arch` is the machine whose registers the programs
/// see.
fn rustflags(arch: &str) -> String {
    [
        &format!("--cfg=bpf_target_arch=\"{arch}\""),
        "-Cdebuginfo=2",
        "-Clink-arg=--btf",
        // aya 0.13 tells functions apart by their place in their section alone, whichever section that is, so all that
        // programs call are to be in one; LLVM would give cold ones a section of their own.
        "-Clink-arg=--llvm-args=-profile-guided-section-prefix=false",
    ]
    .join("\u{1f}")
}

fn build_dir(checkout: &Checkout) -> PathBuf {
    checkout.target().join("bpf-build")
}

fn path_with(first: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(first.to_path_buf()).chain(env::split_paths(&path)))
        .with_context(|| format!("put {} on PATH", first.display()))
}

/// Leaves an equal file alone: its age decides whether `monitor`, which embeds it, is built again.
fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let new = fs::read(from).with_context(|| format!("read {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    }
    fs::write(to, new).with_context(|| format!("write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_separated_as_cargo_wants_them() {
        let flags = rustflags("x86_64");
        assert_eq!(flags.split('\u{1f}').next(), Some("--cfg=bpf_target_arch=\"x86_64\""));
        assert_eq!(flags.split('\u{1f}').count(), 4);
    }

    #[test]
    fn an_equal_object_keeps_its_age() {
        let dir = env::temp_dir().join(format!("xtask-copy-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (from, to) = (dir.join("from"), dir.join("below/to"));
        fs::write(&from, "object").unwrap();
        copy_if_changed(&from, &to).unwrap();
        let first = to.metadata().unwrap().modified().unwrap();
        copy_if_changed(&from, &to).unwrap();
        assert_eq!(to.metadata().unwrap().modified().unwrap(), first);
        fs::write(&from, "another").unwrap();
        copy_if_changed(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "another");
        fs::remove_dir_all(&dir).unwrap();
    }
}
