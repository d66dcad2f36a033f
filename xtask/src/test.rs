//! `cargo xtask test`: every check there is, in the order in which a mistake is cheapest to find.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build_ebpf::{self, Toolchain};
use crate::checkout::Checkout;
use crate::command::{cargo, output, run, runner_step, say, status, step, succeeds};
use crate::docker::Docker;
use crate::options::{self, Options};
use crate::{codegen, databases, layers, python, run as build, setup, vm, web};

/// The host's part of the workspace: `monitor-ebpf` is for another target, and `fuzz` needs a compiler for C++.
const HOST: [&str; 5] = ["--workspace", "--exclude", "monitor-ebpf", "--exclude", "fuzz"];

pub(crate) fn test_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    let options = options::parse("test", args)?;
    setup::require_root("`cargo xtask test`, which loads eBPF programs and starts containers,")?;
    let toolchain = setup::for_build(checkout)?;
    let is_all = options.filter.is_none();
    if is_all {
        step("format", || run(&mut cargo(checkout, ["fmt", "--all", "--", "--check"])))?;
        step("layers", || layers::check(checkout))?;
    }
    step("build the eBPF objects", || build_ebpf::build(checkout, toolchain))?;
    if is_all {
        lint(checkout, toolchain)?;
    }
    web::build(checkout)?;
    step("build monitor", || build::build_host(checkout))?;
    if is_all {
        step("generated files", || codegen::generate(checkout, options.bless))?;
    }
    let runner = Runner::find(checkout);
    let has_unit_tests =
        runner_step("unit tests", || runner.run(&mut runner.unit_tests(checkout, &options)))?;
    let has_web_tests = runner_step("unit tests of the dashboard", || web::unit_tests(checkout, &options))?;
    let workload = step("build the test workload", || build_workload(checkout))?;
    step("build the privileged tests", || run(&mut runner.build_privileged(checkout)))?;
    let docker = Docker::start(checkout)?;
    setup::for_other_runtimes()?;
    setup::for_readers()?;
    setup::for_terminal()?;
    let mut environment = environment(checkout, &workload, &docker);
    environment.push(("DUCKDB_PYTHON", python::with_packages(checkout)?.into()));
    environment.push(("VICTORIA_METRICS_BIN", databases::prepare(checkout)?.into()));
    let mut privileged_tests = runner.privileged_tests(checkout, &options);
    let has_privileged_tests =
        runner_step("privileged tests", || runner.run(privileged_tests.envs(environment.clone())))?;
    let has_browser_tests =
        runner_step("tests in a browser", || web::browser_tests(checkout, &options, environment))?;
    if is_all {
        runner_step("a guest with another kernel", || vm::check_usual(checkout))?;
    }
    let has_any = has_unit_tests || has_web_tests || has_privileged_tests || has_browser_tests;
    match options.filter {
        Some(filter) if !has_any => bail!("no test's name contains `{filter}`"),
        None if !has_privileged_tests => bail!("there are no privileged tests"),
        _ => Ok(()),
    }
}

fn lint(checkout: &Checkout, toolchain: Toolchain) -> Result<()> {
    step("clippy", || {
        run(cargo(checkout, ["clippy", "--quiet", "--all-targets"]).args(HOST).args(["--", "-Dwarnings"]))
    })?;
    match toolchain {
        Toolchain::Debian => {
            setup::for_debian_clippy()?;
            step("clippy of the eBPF programs", || build_ebpf::clippy(checkout))?;
        }
        Toolchain::Nightly => say("no clippy of the eBPF programs: only Debian's compiler has one here"),
    }
    step("documentation", || {
        run(cargo(checkout, ["doc", "--quiet", "--no-deps"]).args(HOST).env("RUSTDOCFLAGS", "-Dwarnings"))
    })
}

/// nextest's exit code when no test matched: <https://docs.rs/nextest-metadata>, `NextestExitCode`.
const NEXTEST_NO_TESTS: i32 = 4;

/// What runs tests: nextest where it is installed, else cargo's own, one test at a time where they share a
/// kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Nextest,
    Cargo,
}

impl Runner {
    fn find(checkout: &Checkout) -> Self {
        if succeeds(&mut cargo(checkout, ["nextest", "--version"])) { Self::Nextest } else { Self::Cargo }
    }

    /// Runs one of the commands below; `false` if it had no test to run, which cargo's own runner does not
    /// tell.
    fn run(self, command: &mut Command) -> Result<bool> {
        match status(command)? {
            status if status.success() => Ok(true),
            status if self == Self::Nextest && status.code() == Some(NEXTEST_NO_TESTS) => Ok(false),
            status => bail!("tests failed ({status})"),
        }
    }

    fn unit_tests(self, checkout: &Checkout, options: &Options) -> Command {
        // One selection of packages for every call, so that cargo builds each dependency once.
        let mut command = match self {
            Self::Nextest => cargo(checkout, ["nextest", "run"]),
            Self::Cargo => cargo(checkout, ["test", "--exclude", "integration-tests", "--all-targets"]),
        };
        command.args(HOST);
        if self == Self::Nextest {
            command.args(["--filterset", "not binary(privileged)"]);
        }
        if options.bless {
            command.env("BLESS", "1");
        }
        command.args(&options.filter);
        command
    }

    fn build_privileged(self, checkout: &Checkout) -> Command {
        match self {
            Self::Nextest => {
                let mut command = cargo(checkout, ["nextest", "run", "--no-run"]);
                command.args(HOST);
                command
            }
            Self::Cargo => cargo(checkout, ["test", "--no-run", "--package", "integration-tests"]),
        }
    }

    fn privileged_tests(self, checkout: &Checkout, options: &Options) -> Command {
        let mut command = match self {
            Self::Nextest => cargo(checkout, ["nextest", "run", "--profile", "privileged"]),
            Self::Cargo => {
                cargo(checkout, ["test", "--package", "integration-tests", "--test", "privileged"])
            }
        };
        match self {
            Self::Nextest => command.args(HOST).args(["--filterset", "binary(privileged)"]),
            Self::Cargo => command.args(["--", "--test-threads=1"]),
        };
        command.args(&options.filter);
        command
    }
}

/// Builds the program that runs inside the tests' containers, where there is no libc: statically linked.
pub(crate) fn build_workload(checkout: &Checkout) -> Result<PathBuf> {
    let triple = host_triple(checkout)?;
    let target = checkout.target().join("workload");
    run(cargo(checkout, ["build", "--quiet", "--release", "--package", "workload", "--target", &triple])
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static"))?;
    Ok(target.join(triple).join("release/workload"))
}

/// The target that programs are built for unless another is named.
pub(crate) fn host_triple(checkout: &Checkout) -> Result<String> {
    parse_host(&output(Command::new("rustc").arg("-vV").current_dir(checkout.root()))?)
}

/// The `host:` line of `rustc -vV`.
fn parse_host(version: &str) -> Result<String> {
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("find the host in what `rustc -vV` says")
}

/// What the programs of `integration-tests` are told.
pub(crate) fn environment(
    checkout: &Checkout,
    workload: &Path,
    docker: &Docker,
) -> Vec<(&'static str, OsString)> {
    let mut environment = docker.env();
    environment.push(("MONITOR_BIN", checkout.monitor_bin().into()));
    environment.push(("WORKLOAD_BIN", workload.into()));
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options> {
        options::parse("test", &args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn options_and_filter_come_in_any_order() {
        let expected = Options { bless: true, filter: Some("sched".to_owned()) };
        assert_eq!(parsed(&["--bless", "sched"]).unwrap(), expected);
        assert_eq!(parsed(&["sched", "--bless"]).unwrap(), expected);
        assert_eq!(parsed(&[]).unwrap(), Options::default());
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        assert!(parsed(&["--fast"]).is_err());
        assert!(parsed(&["sched", "fault"]).is_err());
    }

    #[test]
    fn the_host_triple_is_rustc_s_own() {
        let version = "rustc 1.95.0\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";
        assert_eq!(parse_host(version).unwrap(), "x86_64-unknown-linux-gnu");
        assert!(parse_host("rustc 1.95.0").is_err());
    }

    #[test]
    fn privileged_tests_run_one_at_a_time_with_either_runner() {
        let checkout = Checkout::find().unwrap();
        let options = Options { filter: Some("sched".to_owned()), ..Options::default() };
        for (runner, proof) in [(Runner::Nextest, "privileged"), (Runner::Cargo, "--test-threads=1")] {
            let command = runner.privileged_tests(&checkout, &options);
            assert!(command.get_args().any(|arg| arg == proof), "{command:?}");
            assert_eq!(command.get_args().last(), Some("sched".as_ref()));
        }
    }
}
