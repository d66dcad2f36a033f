//! The other end of the program in `workload/`: see there for what is said between the two.

use std::{
    io::Write as _,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
};

use serde::Deserialize;

use crate::{env, lines::Lines, truth::Tasks, wait};

/// A started workload, whatever it runs in.
#[derive(Debug)]
pub struct Workload {
    child: Child,
    orders: Option<ChildStdin>,
    reports: Lines,
}

/// What a workload reports at a barrier.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Report {
    /// `ru_minflt` of `RUSAGE_SELF` and `RUSAGE_CHILDREN` together.
    pub minor_faults: u64,
    /// `ru_majflt` likewise.
    pub major_faults: u64,
    /// What its children did, all of which have ended.
    pub dead: Tasks,
}

impl Workload {
    /// On the host, in the test's own cgroups.
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env::workload_bin());
        command.args(args);
        Self::spawn(command)
    }

    /// By a command whose standard input and output are the workload's.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start a workload");
        let orders = child.stdin.take();
        let reports = Lines::of(child.stdout.take().expect("its standard output"));
        Self { child, orders, reports }
    }

    /// The process that was started: itself, or the Docker client.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the barrier before its work.
    #[must_use]
    pub fn wait_ready(&mut self) -> Report {
        self.report("ready")
    }

    /// Lets it work.
    pub fn go(&mut self) {
        self.order("go");
    }

    /// Ends what works without end.
    pub fn stop(&mut self) {
        self.order("stop");
    }

    /// Waits for the barrier after its work.
    #[must_use]
    pub fn wait_done(&mut self) -> Report {
        self.report("done")
    }

    /// Lets it exit and waits for that.
    pub fn exit(&mut self, code: u8) -> ExitStatus {
        self.order(&format!("exit {code}"));
        self.wait_end()
    }

    /// Waits for its end.
    pub fn wait_end(&mut self) -> ExitStatus {
        wait::until("the end of a workload", || self.child.try_wait().expect("wait for a workload"))
    }

    fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("its standard input");
        writeln!(orders, "{order}").expect("tell a workload");
    }

    fn report(&mut self, event: &str) -> Report {
        let line = self.reports.next_line().unwrap_or_else(|| panic!("a workload ended before {event:?}"));
        let json = line.strip_prefix(event).unwrap_or_else(|| panic!("{event:?} was due, not {line:?}"));
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {line}"))
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Only a test that fails leaves one running, and its own error is the one to show.
            let killed = self.child.kill().and_then(|()| self.child.wait());
            assert!(killed.is_ok() || thread::panicking(), "end a workload: {killed:?}");
        }
    }
}
