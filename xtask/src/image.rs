//! `cargo xtask image`: `monitor` without a dynamic loader, and an image of nothing else.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::command::{cargo, find_tool, run, say, step, succeeds};
use crate::{build_ebpf, setup, test, web};

const TAG: &str = "monitor:latest";

pub(crate) fn image_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    let tag = match args {
        [] => TAG,
        [tag] if !tag.starts_with('-') => tag,
        _ => bail!("`cargo xtask image` takes the image's name or nothing"),
    };
    web::build_if_possible(checkout);
    let toolchain = setup::for_build(checkout)?;
    step("build the eBPF objects", || build_ebpf::build(checkout, toolchain))?;
    let monitor = step("build monitor, linked statically", || build_static(checkout))?;
    let context = checkout.target().join("image");
    fs::create_dir_all(&context).with_context(|| format!("create {}", context.display()))?;
    for (from, name) in [(monitor, "monitor"), (checkout.root().join("deploy/oci/Dockerfile"), "Dockerfile")]
    {
        fs::copy(&from, context.join(name)).with_context(|| format!("copy {}", from.display()))?;
    }
    let has_docker = find_tool("docker").is_some() && succeeds(Command::new("docker").arg("version"));
    if !has_docker {
        say(&format!(
            "no Docker daemon answers: `docker build --tag {tag} {}` makes the image",
            context.display()
        ));
        return Ok(());
    }
    step(&format!("build the image {tag}"), || {
        run(Command::new("docker").args(["build", "--tag", tag]).arg(&context))
    })
}

/// Builds `monitor` with all that it is linked with inside of it, apart from other builds.
fn build_static(checkout: &Checkout) -> Result<PathBuf> {
    let triple = test::host_triple(checkout)?;
    let target = checkout.target().join("static");
    let what = ["build", "--release", "--package", "monitor", "--bin", "monitor", "--target", &triple];
    run(cargo(checkout, what)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static"))?;
    Ok(target.join(triple).join("release/monitor"))
}
