//! `cargo xtask vm`: the release binary in guests with other kernels and other cgroup set-ups.
//!
//! What is booted, and what must come out, is the table in docs/kernel-support.md. A guest is a kernel as Debian packages
//! it and an initramfs that is made here; its first process is `tests/src/bin/vm`, which does the checks and reports on a
//! serial port. Nothing is emulated but by QEMU, so no right beyond running it is needed.

mod expected;
mod guest;
mod initramfs;
mod kernel;
mod report;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::expected::Row;
use self::kernel::Kernel;
use self::report::Report;
use crate::checkout::Checkout;
use crate::command::{cargo, run, say, step};
use crate::options::{self, Options};
use crate::{run as build, setup, test};

/// Holds the table, from the checkout's root.
const SUPPORT: &str = "docs/kernel-support.md";

/// A guest that was run.
struct Outcome {
    row: Row,
    report: Report,
    seconds: f64,
    faults: Vec<String>,
}

pub(crate) fn vm_command(checkout: &Checkout, args: &[String]) -> Result<()> {
    let options = options::parse("vm", args)?;
    let file = checkout.root().join(SUPPORT);
    let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let rows =
        chosen(expected::rows(&text).with_context(|| format!("read the table in {SUPPORT}"))?, &options)?;
    if cfg!(not(target_arch = "x86_64")) {
        bail!("the guests are x86-64 machines, and this is none: monitor built here does not run there");
    }
    setup::for_virtual_machines()?;
    let initramfs = step("build what the guests run", || prepare(checkout))?;
    let kernels = fetch_kernels(checkout, &rows)?;
    let mut outcomes = Vec::new();
    for row in rows {
        let Some(kernel) = kernels.get(row.suite.as_str()) else { bail!("no kernel for {}", row.suite) };
        outcomes.push(boot(checkout, row, kernel, &initramfs)?);
    }
    if options.bless {
        let blessed = outcomes
            .iter()
            .try_fold(text, |text, outcome| expected::blessed(&text, &outcome.row, &outcome.report))?;
        fs::write(&file, blessed).with_context(|| format!("write {}", file.display()))?;
    }
    conclude(&outcomes, options.bless)
}

fn chosen(rows: Vec<Row>, options: &Options) -> Result<Vec<Row>> {
    let Some(filter) = &options.filter else { return Ok(rows) };
    let chosen: Vec<Row> = rows.into_iter().filter(|row| row.to_string().contains(filter.as_str())).collect();
    if chosen.is_empty() {
        bail!("no row of the table in {SUPPORT} contains `{filter}`");
    }
    Ok(chosen)
}

/// Builds `monitor`, the workload and the first process, and packs them.
fn prepare(checkout: &Checkout) -> Result<PathBuf> {
    build::build(checkout)?;
    let workload = test::build_workload(checkout)?;
    let guest = ["build", "--quiet", "--release", "--package", "integration-tests", "--bin", "vm"];
    run(&mut cargo(checkout, guest))?;
    let init = checkout.target().join("release/vm");
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
    let text = guest::run(&place, kernel, initramfs, &row.mode)?;
    let report = report::parse(&text);
    let faults = report.faults(&row);
    let seconds = began.elapsed().as_secs_f64();
    say(&format!(
        "{row}: {} in {seconds:.0} s",
        if faults.is_empty() { "as expected" } else { "NOT as expected" }
    ));
    Ok(Outcome { row, report, seconds, faults })
}

fn folder(checkout: &Checkout) -> Result<PathBuf> {
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
        let with = |filter: &str| Options { bless: false, filter: Some(filter.to_owned()) };
        assert_eq!(chosen(rows(), &Options::default()).unwrap().len(), 3);
        assert_eq!(chosen(rows(), &with("v2")).unwrap().len(), 2);
        assert_eq!(chosen(rows(), &with("bookworm v1")).unwrap().len(), 1);
        assert!(chosen(rows(), &with("sid v1")).is_err());
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        assert!(options::parse("vm", &strings(&["--fast"])).is_err());
        assert!(options::parse("vm", &strings(&["sid", "v2"])).is_err());
        assert!(options::parse("vm", &strings(&["--bless", "sid"])).unwrap().bless);
    }

    /// Whoever adds a kernel or a program meets this table first.
    #[test]
    fn the_table_of_this_checkout_can_be_read() {
        let file = Checkout::find().unwrap().root().join(SUPPORT);
        let rows = expected::rows(&fs::read_to_string(file).unwrap()).unwrap();
        assert!(rows.len() >= 4, "{rows:?}");
    }
}
