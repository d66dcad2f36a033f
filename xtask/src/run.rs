//! `cargo xtask build` and `cargo xtask run`.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build_ebpf;
use crate::checkout::Checkout;
use crate::command::{cargo, run, step};
use crate::{no_args, passed_on, setup, test, web};

pub(crate) fn build_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    no_args("build", args)?;
    web::build_if_possible(checkout);
    build(checkout)
}

/// Becomes `monitor`, so that signals and the exit code are its own.
pub(crate) fn run_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    // Nothing else shows it, so nobody else needs Node.
    if passed_on(args).first().is_some_and(|command| command == "serve") {
        web::build_if_possible(checkout);
    }
    build(checkout)?;
    let monitor = checkout.monitor_bin();
    let mut command = Command::new(&monitor);
    match passed_on(args) {
        [] => command.arg("stream"),
        args => command.args(args),
    };
    Err(command.exec()).with_context(|| format!("start {}", monitor.display()))
}

/// Sets up and builds what users run.
pub(crate) fn build(checkout: &Checkout) -> Result<()> {
    let toolchain = setup::for_build(checkout)?;
    step("build the eBPF objects", || build_ebpf::build(checkout, toolchain))?;
    step("build monitor", || build_host(checkout))?;
    Ok(())
}

/// Builds the `monitor` binary; the eBPF objects must be there.
pub(crate) fn build_host(checkout: &Checkout) -> Result<()> {
    run(&mut cargo(checkout, ["build", "--release", "--package", "monitor", "--bin", "monitor"]))
}

/// Sets up and builds `monitor` with all that it is linked with inside of it, apart from other builds, and says where it is.
pub(crate) fn build_static(checkout: &Checkout) -> Result<PathBuf> {
    let toolchain = setup::for_build(checkout)?;
    step("build the eBPF objects", || build_ebpf::build(checkout, toolchain))?;
    let triple = test::host_triple(checkout)?;
    let target = static_target(checkout);
    let what = ["build", "--release", "--package", "monitor", "--bin", "monitor", "--target", &triple];
    step("build monitor, linked statically", || {
        run(cargo(checkout, what)
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static"))
    })?;
    Ok(target.join(triple).join("release/monitor"))
}

/// Where cargo puts what is linked statically.
pub(crate) fn static_target(checkout: &Checkout) -> PathBuf {
    checkout.target().join("static")
}
