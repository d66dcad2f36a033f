//! `cargo xtask deny`: whether the licences, sources and versions of all dependencies are those that `deny.toml` accepts, and
//! whether any is known to be unsafe. The latter is in a database that has to be downloaded.

use std::fs;

use anyhow::Result;

use crate::checkout::Checkout;
use crate::command::{cargo, in_checkout, output, run, say, step};
use crate::no_args;
use crate::setup::remove_dir;

const CARGO_DENY: &str = "0.20.2";

pub(crate) fn deny_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    no_args("deny", args)?;
    install(checkout)?;
    let program = checkout.tools().join("bin/cargo-deny");
    let deny = |args: &[&str]| {
        let mut command = in_checkout(checkout, &program);
        command.args(["--workspace", "--all-features"]).args(args);
        command
    };
    step("licences, bans and sources", || run(&mut deny(&["check", "licenses", "bans", "sources"])))?;
    match output(&mut deny(&["fetch", "db"])) {
        Ok(_) => step("advisories", || run(&mut deny(&["check", "--disable-fetch", "advisories"]))),
        Err(error) => {
            say(&format!("advisories were not checked, since their database cannot be had: {error:#}"));
            Ok(())
        }
    }
}

/// Builds it where it is missing, or is of another version.
fn install(checkout: &Checkout) -> Result<()> {
    let tools = checkout.tools();
    // cargo's own record of what it installed where.
    let record = fs::read_to_string(tools.join(".crates2.json")).unwrap_or_default();
    if record.contains(&format!("\"cargo-deny {CARGO_DENY} ")) && tools.join("bin/cargo-deny").is_file() {
        return Ok(());
    }
    step(&format!("build cargo-deny {CARGO_DENY} (some minutes, once)"), || {
        let build_dir = checkout.target().join("cargo-deny-build");
        let built =
            run(cargo(checkout, ["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--force"])
                .arg("--root")
                .arg(&tools)
                .env("CARGO_TARGET_DIR", &build_dir));
        remove_dir(&build_dir)?;
        built
    })
}
