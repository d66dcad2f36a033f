//! A Python of the checkout's own, with what the tests ask recordings with, and what reads the Helm chart.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::checkout::Checkout;
use crate::command::{output, run, step};
use crate::setup::{self, remove_dir};

/// As `pip` installs them.
const PACKAGES: [&str; 3] = ["duckdb==2.0.0", "helm-python-sdk==0.2.2", "kubernetes-validate==1.37.0"];

/// Prints the packages that are there with their versions, as `pip` names them.
const LIST: &str = "import importlib.metadata as m
for d in m.distributions(): print(d.name.lower() + '==' + d.version)";

/// Makes sure that a Python with these packages is there, and says where.
pub(crate) fn with_packages(checkout: &Checkout) -> Result<PathBuf> {
    let home = checkout.tools().join("python");
    let python = home.join("bin/python");
    let there = output(Command::new(&python).args(["-c", LIST])).unwrap_or_default();
    if PACKAGES.iter().all(|package| there.lines().any(|line| line == *package)) {
        return Ok(python);
    }
    setup::for_python()?;
    step(&format!("install {}", PACKAGES.join(" ")), || {
        remove_dir(&home)?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))
    })?;
    Ok(python)
}
