//! What `cargo xtask vm` runs as the first process of its guests: it sets the machine up, runs `monitor` there, compares
//! what it says with the kernel's own figures, and switches the machine off.
//!
//! Besides what [`Report`] has it tells of programs:
//!
//! ```text
//! program NAME attached
//! program NAME absent REASON
//! ```

mod checks;
mod machine;
mod work;

use std::{io, process::ExitCode};

use integration_tests::guest::{self, Report};

use crate::machine::Mode;

fn main() -> ExitCode {
    if std::process::id() != 1 {
        eprintln!("vm: this is the first process of a guest; `cargo xtask vm` starts it");
        return ExitCode::from(2);
    }
    // Whatever happens, the machine goes off: a guest that hangs costs its host the whole time limit.
    if let Err(error) = run() {
        eprintln!("vm: {error}");
    }
    guest::switch_off();
    ExitCode::FAILURE
}

fn run() -> io::Result<()> {
    let mode = machine::set_up()?;
    let mut report = Report::begin()?;
    check_all(mode, &mut report)?;
    report.end()
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
