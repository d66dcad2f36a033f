//! What runs inside a guest that xtask has booted: it reports on the second serial port and switches the machine off.

use std::{
    fmt::Display,
    fs::{self, File},
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
};

use rustix::system::{RebootCommand, reboot};

/// Where the report goes, which xtask reads.
const REPORT: &str = "/dev/ttyS1";

/// The kernel's release.
pub fn release() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned())
}

/// Ends the guest.
pub fn switch_off() {
    rustix::fs::sync();
    if let Err(error) = reboot(RebootCommand::PowerOff) {
        eprintln!("guest: switch off: {error}");
    }
}

/// The lines that xtask reads:
///
/// ```text
/// kernel RELEASE
/// check NAME ok FINDING
/// check NAME failed FINDING
/// end
/// ```
#[derive(Debug)]
pub struct Report(File);

impl Report {
    /// Names the kernel.
    pub fn begin() -> io::Result<Self> {
        let mut report = Self(File::options().write(true).open(REPORT)?);
        report.line(format_args!("kernel {}", release()?))?;
        Ok(report)
    }

    /// Adds a line.
    pub fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.0, "{line}")
    }

    /// Runs a check, which panics where it fails, and tells what it found.
    pub fn check(&mut self, name: &str, check: impl FnOnce() -> String) -> io::Result<()> {
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

    /// Says that nothing was left out.
    pub fn end(&mut self) -> io::Result<()> {
        self.line("end")
    }
}
