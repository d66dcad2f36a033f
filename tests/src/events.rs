//! A running `monitor events`.

use std::process::{Child, ChildStdout, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    cgroup::{Cgroup, Places},
    container::unique,
    lines::Lines,
    monitor::{command, send},
    wait,
};

/// What it tells, kept in order.
#[derive(Debug)]
pub struct Events {
    child: Child,
    lines: Lines,
    told: Vec<Value>,
}

impl Events {
    /// Starts it for every kind of event, and waits until it tells what happens.
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        let mut child = command(&["events", "--format", "ndjson", "--interval", "200ms"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("start monitor");
        let stdout: ChildStdout = child.stdout.take().expect("its standard output");
        let mut events = Self { child, lines: Lines::of(stdout), told: Vec::new() };
        events.catch_up();
        events.told.clear();
        events
    }

    /// Everything it has told.
    #[must_use]
    pub fn told(&self) -> &[Value] {
        &self.told
    }

    /// Those of a kind and a container.
    #[must_use]
    pub fn of(&self, kind: &str, container: &str) -> Vec<&Value> {
        self.told
            .iter()
            .filter(|event| event["kind"] == kind && event["container"]["id"] == container)
            .collect()
    }

    /// Waits until it has told all that the kernel told before this call.
    pub fn catch_up(&mut self) {
        loop {
            // Its programs may not be attached yet.
            let name = unique("monitor-test-marker");
            let _marker = Cgroup::make(&Places::roots(), &name);
            let is_marker = |event: &Value| {
                let path = event["cgroup"]["path"].as_str().unwrap_or_default();
                event["kind"] == "cgroup_made" && path.ends_with(&name)
            };
            if self.read_until(is_marker, wait::SHORT) {
                return;
            }
        }
    }

    /// Waits until it has told one of this kind and container.
    pub fn wait_for(&mut self, kind: &str, container: &str) {
        if self.of(kind, container).is_empty() {
            let is_it = |event: &Value| event["kind"] == kind && event["container"]["id"] == container;
            assert!(self.read_until(is_it, wait::LONG), "no {kind} was told: {:#?}", self.told);
        }
    }

    /// Lets it run or not, as `SIGSTOP` and `SIGCONT` do.
    pub fn signal(&self, signal: Signal) {
        send(&self.child, signal);
    }

    /// Ends it, and all that it has told; panics unless it ends well.
    #[must_use]
    pub fn end(mut self) -> Vec<Value> {
        send(&self.child, Signal::INT);
        let status = wait::until("the end of monitor", || self.child.try_wait().expect("wait for monitor"));
        assert!(status.success(), "monitor ended with {status}");
        while let Some(line) = self.lines.next_line() {
            self.told.push(parse(&line));
        }
        std::mem::take(&mut self.told)
    }

    fn read_until(&mut self, is_it: impl Fn(&Value) -> bool, patience: std::time::Duration) -> bool {
        let deadline = std::time::Instant::now() + patience;
        while let Some(line) = self.lines.line_before(deadline) {
            self.told.push(parse(&line));
            if self.told.last().is_some_and(&is_it) {
                return true;
            }
        }
        false
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // The kernel detaches the programs of the dead.
            let _ = self.child.kill().and_then(|()| self.child.wait());
        }
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))
}
