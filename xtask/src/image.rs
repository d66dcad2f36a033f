//! `cargo xtask image`: `monitor` without a dynamic loader, and an image of nothing else.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::command::{find_tool, run, say, step, succeeds};
use crate::{run as build, web};

const TAG: &str = "monitor:latest";

pub(crate) fn image_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    let tag = match args {
        [] => TAG,
        [tag] if !tag.starts_with('-') => tag,
        _ => bail!("`cargo xtask image` takes the image's name or nothing"),
    };
    web::build_if_possible(checkout);
    let monitor = build::build_static(checkout)?;
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
