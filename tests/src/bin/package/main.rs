//! What `cargo xtask package --test` runs as a service of a guest with Debian: it installs the package of `monitor`, uses it as
//! its owner would, removes it, and switches the machine off.

mod checks;

use std::{fs, io, process::ExitCode};

use integration_tests::guest::{self, Report};

/// What xtask tells the guest's kernel, and no other machine's.
const MARK: &str = "monitor.guest";

fn main() -> ExitCode {
    let told = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    if !told.split_whitespace().any(|word| word == MARK) {
        eprintln!(
            "package: this installs, removes and switches off; `cargo xtask package --test` starts it in a guest"
        );
        return ExitCode::from(2);
    }
    // Whatever happens, the machine goes off: a guest that hangs costs its host the whole time limit.
    if let Err(error) = run() {
        eprintln!("package: {error}");
    }
    guest::switch_off();
    ExitCode::FAILURE
}

fn run() -> io::Result<()> {
    let mut report = Report::begin()?;
    report.check("boot", checks::boot)?;
    let before = checks::files();
    report.check("install", checks::install)?;
    report.check("service", checks::service)?;
    report.check("answers", checks::answers)?;
    report.check("coverage", checks::coverage)?;
    report.check("manual", checks::manual)?;
    report.check("completions", checks::completions)?;
    report.check("restart", checks::restart)?;
    report.check("watchdog", checks::watchdog)?;
    report.check("journal", checks::journal)?;
    report.check("settings", checks::settings)?;
    report.check("stop and start", checks::stop_and_start)?;
    report.check("the owner's word", checks::owners_word)?;
    report.check("remove", checks::remove)?;
    report.check("purge", || checks::purge(&before))?;
    report.end()
}
