//! A Python of the checkout's own, with what the tests ask recordings with.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::checkout::Checkout;
use crate::command::{output, run, step};
use crate::setup::{self, remove_dir};

const DUCKDB: &str = "2.0.0";

/// Makes sure that a Python with `DuckDB` is there, and says where.
pub(crate) fn with_duckdb(checkout: &Checkout) -> Result<PathBuf> {
    let home = checkout.tools().join("python");
    let python = home.join("bin/python");
    let ask = ["-c", "import duckdb; print(duckdb.__version__)"];
    if output(Command::new(&python).args(ask)).is_ok_and(|version| version.trim() == DUCKDB) {
        return Ok(python);
    }
    setup::for_python()?;
    step(&format!("install DuckDB {DUCKDB}"), || {
        remove_dir(&home)?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        let package = format!("duckdb=={DUCKDB}");
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &package]))
    })?;
    Ok(python)
}
