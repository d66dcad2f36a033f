//! Runs other programs and says which one failed.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;

/// What cargo and rustup set for the processes they start, and what would make a cargo below us behave
/// differently from one that the user types.
const CARGO_LEFTOVERS: [&str; 7] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION",
    "LD_LIBRARY_PATH",
    "RUSTC",
];

/// Directories that a user's `PATH` may lack and where Debian keeps what root runs.
const SYSTEM_DIRS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The host's cargo in the checkout.
pub(crate) fn cargo<I, S>(checkout: &Checkout, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = in_checkout(checkout, "cargo");
    command.args(args);
    command
}

/// A program that may call cargo, set up so that every call sees the same settings and reuses what the
/// others built.
pub(crate) fn in_checkout(checkout: &Checkout, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in CARGO_LEFTOVERS {
        command.env_remove(name);
    }
    command.current_dir(checkout.root());
    command.env("CARGO_TARGET_DIR", checkout.target());
    command.env("MONITOR_BPF_DIR", checkout.bpf_dir());
    command
}

/// Runs a command to its end; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` failed with {status}", shown(command));
    }
    Ok(())
}

/// How a command ends, for those whose codes tell more than success or failure.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| format!("start `{}`", shown(command)))
}

/// What a command prints on standard output; anything but success is an error that carries its last
/// line of standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("start `{shown}`"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message");
        bail!("`{shown}` failed with {}: {last}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("read what `{shown}` printed"))
}

/// Whether a command can be started and ends well; what it prints is thrown away.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The first executable of that name on `PATH` or among the system's own directories.
pub(crate) fn find_tool(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM_DIRS.map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Says what is about to be done, does it, and says how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    say(&format!("{what} ..."));
    let result = work()?;
    say(&format!("{what}: {:.1} s", began.elapsed().as_secs_f64()));
    Ok(result)
}

/// Like [`step`] for a test runner, which closes with its own count and duration: nothing is said after it.
pub(crate) fn runner_step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&format!("{what} ..."));
    work()
}

/// One line about what xtask itself does, on standard error: standard output is for the program that is run.
pub(crate) fn say(line: &str) {
    // A closed standard error is no reason to stop the work.
    let _ = writeln!(io::stderr(), "xtask: {line}");
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_named_with_its_status() {
        let error = run(Command::new("false").arg("--really")).unwrap_err().to_string();
        assert_eq!(error, "`false --really` failed with exit status: 1");
    }

    #[test]
    fn a_failed_command_s_last_words_are_kept() {
        let error =
            output(Command::new("sh").args(["-c", "echo first >&2; echo last >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().ends_with("exit status: 3: last"), "{error}");
    }

    #[test]
    fn a_missing_program_is_an_error_and_not_a_panic() {
        assert!(run(&mut Command::new("no-such-program-here")).is_err());
        assert!(!succeeds(&mut Command::new("no-such-program-here")));
        assert_eq!(find_tool("no-such-program-here"), None);
    }

    #[test]
    fn sh_is_found() {
        assert!(find_tool("sh").is_some_and(|path| path.is_absolute()));
    }
}
