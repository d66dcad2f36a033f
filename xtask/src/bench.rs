//! `cargo xtask bench` and `cargo xtask soak`: long measurements, made by programs of `integration-tests`.

use anyhow::Result;

use crate::checkout::Checkout;
use crate::command::{cargo, run, step};
use crate::docker::Docker;
use crate::{passed_on, run as build, setup, test};

pub(crate) fn bench_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    setup::require_root("`cargo xtask bench`")?;
    setup::for_benchmarks()?;
    measure(checkout, "bench", passed_on(args))
}

pub(crate) fn soak_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    measure(checkout, "soak", passed_on(args))
}

fn measure(checkout: &Checkout, program: &str, args: &[String]) -> Result<()> {
    setup::require_root(&format!("`cargo xtask {program}`"))?;
    build::build(checkout)?;
    let workload = step("build the test workload", || test::build_workload(checkout))?;
    let select = ["--quiet", "--release", "--package", "integration-tests", "--bin", program];
    step(&format!("build {program}"), || run(cargo(checkout, ["build"]).args(select)))?;
    let docker = Docker::start(checkout)?;
    run(cargo(checkout, ["run"])
        .args(select)
        .arg("--")
        .args(args)
        .envs(test::environment(checkout, &workload, &docker)))
}
