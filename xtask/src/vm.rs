//! `cargo xtask vm`: the release binary in guests with other kernels and other cgroup set-ups.
//!
//! What may be booted, and what must come out, is the table in docs/kernel-support.md. A guest is a kernel as Debian packages
//! it and an initramfs that is made here; its first process is `tests/src/bin/vm`, which does the checks and reports on a
//! serial port. Nothing is emulated but by QEMU, so no right beyond running it is needed.

mod expected;
pub(crate) mod guest;
mod initramfs;
pub(crate) mod kernel;
pub(crate) mod report;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use self::expected::Row;
use self::guest::System;
use self::kernel::Kernel;
use self::report::Report;
use crate::checkout::Checkout;
use crate::command::{cargo, run, say, step};
use crate::{options, run as build, setup, test};

/// Holds the table, from the checkout's root.
const SUPPORT: &str = "docs/kernel-support.md";
/// The row that is booted unless others are named, by `cargo xtask test` too: a recent kernel with the hierarchy that most
/// machines have, and with no other one, as the machine that tests run on may have.
const USUAL: &str = "trixie v2";
/// The guests' first process, a program of `integration-tests`.
const CHECKS: &str = "vm";
/// What names no row and stands for all of them.
const ALL: &str = "--all";
/// A guest takes half a minute.
const LIMIT: Duration = Duration::from_mins(3);
/// Whether `monitor` as it is built here runs in the guests.
pub(crate) const IS_POSSIBLE: bool = cfg!(target_arch = "x86_64");

/// A guest that was run.
struct Outcome {
    row: Row,
    report: Report,
    seconds: f64,
    faults: Vec<String>,
}

/// Which rows are booted.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    All,
    /// Those that have this in their names.
    Named(String),
}

pub(crate) fn vm_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    let (choice, is_blessing) = parse(args)?;
    if !IS_POSSIBLE {
        bail!("the guests are x86-64 machines, and this is none: monitor built here does not run there");
    }
    build::build(checkout)?;
    step("build what checks it there", || build_program(checkout, CHECKS))?;
    boot_and_check(checkout, &choice, is_blessing)
}

/// Boots the usual guest with `monitor` and the programs of `integration-tests` as the tests have built them.
pub(crate) fn check_usual(checkout: &Checkout) -> Result<()> {
    if !IS_POSSIBLE {
        say("no guest is booted: the guests are x86-64 machines, and this is none");
        return Ok(());
    }
    boot_and_check(checkout, &Choice::Named(USUAL.to_owned()), false)
}

fn parse(args: &[String]) -> Result<(Choice, bool)> {
    let (all, rest): (Vec<String>, Vec<String>) = args.iter().cloned().partition(|arg| arg == ALL);
    let options = options::parse("vm", &rest)?;
    let choice = match (all.is_empty(), options.filter) {
        (true, filter) => Choice::Named(filter.unwrap_or_else(|| USUAL.to_owned())),
        (false, None) => Choice::All,
        (false, Some(filter)) => bail!("`cargo xtask vm` takes {ALL} or `{filter}`, not both"),
    };
    Ok((choice, options.bless))
}

fn boot_and_check(checkout: &Checkout, choice: &Choice, is_blessing: bool) -> Result<()> {
    let file = checkout.root().join(SUPPORT);
    let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let rows = expected::rows(&text).with_context(|| format!("read the table in {SUPPORT}"))?;
    let rows = chosen(rows, choice)?;
    setup::for_virtual_machines()?;
    let initramfs = step("pack what the guests run", || prepare(checkout))?;
    let kernels = fetch_kernels(checkout, &rows)?;
    let mut outcomes = Vec::new();
    for row in rows {
        let Some(kernel) = kernels.get(row.suite.as_str()) else { bail!("no kernel for {}", row.suite) };
        outcomes.push(boot(checkout, row, kernel, &initramfs)?);
    }
    if is_blessing {
        let blessed = outcomes
            .iter()
            .try_fold(text, |text, outcome| expected::blessed(&text, &outcome.row, &outcome.report))?;
        fs::write(&file, blessed).with_context(|| format!("write {}", file.display()))?;
    }
    conclude(&outcomes, is_blessing)
}

fn chosen(rows: Vec<Row>, choice: &Choice) -> Result<Vec<Row>> {
    let Choice::Named(name) = choice else { return Ok(rows) };
    let chosen: Vec<Row> = rows.into_iter().filter(|row| row.to_string().contains(name.as_str())).collect();
    if chosen.is_empty() {
        bail!("no row of the table in {SUPPORT} contains `{name}`");
    }
    Ok(chosen)
}

/// Builds a program of `integration-tests` that runs in guests, where the build of the tests puts it too.
pub(crate) fn build_program(checkout: &Checkout, name: &str) -> Result<()> {
    run(&mut cargo(checkout, ["build", "--quiet", "--package", "integration-tests", "--bin", name]))
}

/// The same without what debuggers read, which is most of it: guests have little memory.
pub(crate) fn stripped(checkout: &Checkout, name: &str) -> Result<PathBuf> {
    let stripped = folder(checkout)?.join(name);
    let mut strip = Command::new("strip");
    run(strip.arg("--strip-debug").arg("-o").arg(&stripped).arg(checkout.target().join("debug").join(name)))?;
    Ok(stripped)
}

/// Builds the workload, and packs it with `monitor` and the first process.
fn prepare(checkout: &Checkout) -> Result<PathBuf> {
    let workload = test::build_workload(checkout)?;
    let init = stripped(checkout, CHECKS)?;
    let programs = [
        ("init", init.as_path()),
        ("bin/monitor", &checkout.monitor_bin()),
        ("bin/workload", workload.as_path()),
    ];
    let archive = folder(checkout)?.join("initramfs");
    let bytes = initramfs::pack(&programs)?;
    fs::write(&archive, bytes).with_context(|| format!("write {}", archive.display()))?;
    Ok(archive)
}

fn fetch_kernels(checkout: &Checkout, rows: &[Row]) -> Result<BTreeMap<String, Kernel>> {
    let mut kernels = BTreeMap::new();
    for row in rows {
        if !kernels.contains_key(&row.suite) {
            let kernel = kernel::fetch(&folder(checkout)?.join("kernels"), &row.suite)?;
            kernels.insert(row.suite.clone(), kernel);
        }
    }
    Ok(kernels)
}

fn boot(checkout: &Checkout, row: Row, kernel: &Kernel, initramfs: &std::path::Path) -> Result<Outcome> {
    let began = Instant::now();
    let place = folder(checkout)?.join(format!("{}-{}", row.suite, row.mode));
    let system = System::Programs { archive: initramfs, mode: &row.mode };
    let text = guest::run(&place, kernel, system, LIMIT)?;
    let report = report::parse(&text);
    let faults = report.faults(&row);
    let seconds = began.elapsed().as_secs_f64();
    say(&format!(
        "{row}: {} in {seconds:.0} s",
        if faults.is_empty() { "as expected" } else { "NOT as expected" }
    ));
    Ok(Outcome { row, report, seconds, faults })
}

/// Where kernels, disks and consoles are kept.
pub(crate) fn folder(checkout: &Checkout) -> Result<PathBuf> {
    let folder = checkout.target().join("vm");
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}

/// Prints the table and what is wrong; an error if something is.
fn conclude(outcomes: &[Outcome], is_blessed: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<30} {:<7} {:<10} {:<9} {:>7}  result",
        "kernel", "cgroups", "programs", "checks", "seconds"
    )?;
    for Outcome { row, report, seconds, faults } in outcomes {
        let programs = format!("{} of {}", report.attached(), report.programs.len());
        let checks = format!("{} of {}", report.passed(), report.checks.len());
        let result = if faults.is_empty() { "as expected" } else { "NOT as expected" };
        let kernel = report.kernel.as_deref().unwrap_or("did not boot");
        writeln!(out, "{kernel:<30} {:<7} {programs:<10} {checks:<9} {seconds:>7.1}  {result}", row.mode)?;
    }
    let faults: Vec<String> = outcomes
        .iter()
        .flat_map(|outcome| outcome.faults.iter().map(|fault| format!("{}: {fault}", outcome.row)))
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    let hint = if is_blessed {
        "the table was rewritten; read the diff"
    } else {
        "guests' consoles are in target/vm"
    };
    bail!(
        "{} things are not as {SUPPORT} says or as the kernel counts ({hint}):\n{}",
        faults.len(),
        faults.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(args: &[&str]) -> Vec<String> {
        args.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rows_are_chosen_by_what_they_are_called() {
        let row = |suite: &str, mode: &str| Row {
            suite: suite.to_owned(),
            mode: mode.to_owned(),
            ..Row::default()
        };
        let rows = || vec![row("bookworm", "v2"), row("bookworm", "v1"), row("sid", "v2")];
        let named = |name: &str| chosen(rows(), &Choice::Named(name.to_owned()));
        assert_eq!(chosen(rows(), &Choice::All).unwrap().len(), 3);
        assert_eq!(named("v2").unwrap().len(), 2);
        assert_eq!(named("bookworm v1").unwrap().len(), 1);
        assert!(named("sid v1").is_err());
    }

    #[test]
    fn one_row_is_booted_unless_others_are_asked_for() {
        let parsed = |args: &[&str]| parse(&strings(args)).unwrap();
        assert_eq!(parsed(&[]), (Choice::Named(USUAL.to_owned()), false));
        assert_eq!(parsed(&["sid"]), (Choice::Named("sid".to_owned()), false));
        assert_eq!(parsed(&["--bless", "--all"]), (Choice::All, true));
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        for args in [&["--fast"][..], &["sid", "v2"], &["--all", "sid"]] {
            assert!(parse(&strings(args)).is_err(), "{args:?}");
        }
    }

    /// Whoever adds a kernel or a program meets this table first.
    #[test]
    fn the_table_of_this_checkout_can_be_read() {
        let file = Checkout::find().unwrap().root().join(SUPPORT);
        let rows = expected::rows(&fs::read_to_string(file).unwrap()).unwrap();
        assert!(rows.len() >= 4, "{rows:?}");
        let usual = chosen(rows, &Choice::Named(USUAL.to_owned())).unwrap();
        assert_eq!(usual.len(), 1, "{usual:?}");
    }
}
