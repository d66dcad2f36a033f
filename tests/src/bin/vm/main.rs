//! What `cargo xtask vm` runs as the first process of its guests: it sets the machine up, runs `monitor` there, compares
//! what it says with the kernel's own figures, and switches the machine off.
//!
//! It reports in lines on the second serial port:
//!
//! ```text
//! kernel RELEASE
//! program NAME attached
//! program NAME absent REASON
//! check NAME ok FINDING
//! check NAME failed FINDING
//! end
//! ```

mod checks;
mod machine;
mod work;

use std::{
    fmt::Display,
    fs::File,
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
};

use crate::machine::Mode;

/// Where the report goes, which xtask reads.
const REPORT: &str = "/dev/ttyS1";

fn main() -> ExitCode {
    if std::process::id() != 1 {
        eprintln!("vm: this is the first process of a guest; `cargo xtask vm` starts it");
        return ExitCode::from(2);
    }
    // Whatever happens, the machine goes off: a guest that hangs costs its host the whole time limit.
    if let Err(error) = run() {
        eprintln!("vm: {error}");
    }
    machine::switch_off();
    ExitCode::FAILURE
}

fn run() -> io::Result<()> {
    let mode = machine::set_up()?;
    let mut report = Report(File::options().write(true).open(REPORT)?);
    report.line(format_args!("kernel {}", machine::release()?))?;
    check_all(mode, &mut report)?;
    report.line("end")
}

fn check_all(mode: Mode, report: &mut Report) -> io::Result<()> {
    report.check("doctor", checks::doctor)?;
    report.check("snapshot", || checks::snapshot(mode))?;
    report.check("rights", checks::rights)?;
    let mut watched = None;
    report.check("start", || {
        let (watch, programs) = checks::Watched::start();
        watched = Some((watch, programs));
        "it streams".to_owned()
    })?;
    let Some((mut watched, programs)) = watched else { return Ok(()) };
    for (name, state) in programs {
        report.line(format_args!("program {name} {state}"))?;
    }
    for (name, args) in work::EXACT {
        report.check(name, || watched.exact(args))?;
    }
    report.check("forks", || watched.forks())?;
    report.check("block", || watched.block())?;
    report.check("major faults", || watched.major_faults())?;
    report.check("network", || watched.network(mode))?;
    report.check("files", || watched.files())?;
    report.check("an end", || watched.end_of_a_container())?;
    report.check("losses", || watched.losses())?;
    report.check("stop", || watched.stop())
}

/// The lines that xtask reads.
struct Report(File);

impl Report {
    fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.0, "{line}")
    }

    /// Runs a check, which panics where it fails, and tells what it found.
    fn check(&mut self, name: &str, check: impl FnOnce() -> String) -> io::Result<()> {
        let (verdict, finding) = match catch_unwind(AssertUnwindSafe(check)) {
            Ok(finding) => ("ok", finding),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                ("failed", text.unwrap_or("it panicked").to_owned())
            }
        };
        self.line(format_args!("check {} {verdict} {}", name.replace(' ', "-"), finding.replace('\n', " / ")))
    }
}
