//! Programs that are executed and end, each in a way that is known before.

use std::{
    env, io,
    process::{Command, Stdio},
};

/// Executes this program so many times, to exit with 0, 1, 2, ...; and once more, to be killed.
pub(crate) fn run(children: u8) -> io::Result<()> {
    for code in 0..children {
        let status = program(&["switch", "--unattended", &code.to_string()])?.status()?;
        if status.code() != Some(code.into()) {
            return Err(io::Error::other(format!(
                "a child that was to exit with {code} ended with {status}"
            )));
        }
    }
    // It has been executed by the time that it is known to run.
    let mut victim = program(&["sleep", "--ms", "3600000", "--unattended", "0"])?.spawn()?;
    victim.kill()?;
    victim.wait().map(|_status| ())
}

fn program(args: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(args).stdin(Stdio::null());
    Ok(command)
}
