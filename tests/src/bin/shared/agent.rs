//! The `monitor stream` that is watched.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{lines::Lines, monitor};
use rustix::process::Signal;

use crate::interrupt;

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running `monitor stream`, ended on drop.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    lines: Lines,
}

impl Agent {
    /// Starts it with more arguments, and waits for its first line: by then its programs are attached.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = monitor::command(&["stream", "--format", "ndjson"]);
        command.args(args);
        Self::run(command)
    }

    /// The same by a command that writes NDJSON.
    pub(crate) fn run(mut command: Command) -> Self {
        // Ctrl-C is meant for us, who end it in our own time.
        command.stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("start monitor");
        let lines = Lines::of(child.stdout.take().expect("its standard output"));
        let agent = Self { child, lines };
        agent.next_line();
        agent
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its stream: a snapshot.
    pub(crate) fn next_line(&self) -> String {
        interrupt::check();
        self.lines.next_line().expect("a line of monitor, which ended")
    }

    /// Asks it to end, and makes it end where it does not.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        monitor::send(&self.child, Signal::INT);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                self.child.kill()?;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("end monitor: {error}");
        }
    }
}
