//! The databases and collectors that the tests write to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt::{Apt, file_in};
use crate::checkout::Checkout;
use crate::command::{run, step};
use crate::setup;

/// Debian 12's own takes no OpenTelemetry; this one runs there too.
const VICTORIA_METRICS_SUITE: &str = "trixie";
const VICTORIA_METRICS: &str = "victoria-metrics";

/// Makes sure that they are there, and says where the one is that is not installed.
pub(crate) fn prepare(checkout: &Checkout) -> Result<PathBuf> {
    setup::for_databases()?;
    let folder = checkout.tools().join(VICTORIA_METRICS);
    let program = folder.join(VICTORIA_METRICS);
    if !program.is_file() {
        step(&format!("fetch VictoriaMetrics of Debian {VICTORIA_METRICS_SUITE}"), || {
            fetch(&folder, &program)
        })?;
    }
    Ok(program)
}

fn fetch(folder: &Path, program: &Path) -> Result<()> {
    let apt = Apt::prepare(&folder.join("apt"), VICTORIA_METRICS_SUITE)?;
    run(apt.command("apt-get").arg("update"))?;
    run(apt.command("apt-get").args(["download", VICTORIA_METRICS]).current_dir(&apt.root))?;
    let deb = file_in(&apt.root, |name| name.starts_with(VICTORIA_METRICS))?;
    let unpacked = apt.root.join("unpacked");
    run(Command::new("dpkg-deb").arg("--extract").arg(&deb).arg(&unpacked))?;
    let from = unpacked.join("usr/bin").join(VICTORIA_METRICS);
    fs::rename(&from, program).with_context(|| format!("move {}", from.display()))?;
    setup::remove_dir(&apt.root)
}
