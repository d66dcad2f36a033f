//! Stops the Docker daemon that `cargo xtask soak` started, and starts it again.

use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use integration_tests::container::docker;
use rustix::process::{Pid, Signal, kill_process};

/// How long it is away.
const AWAY: Duration = Duration::from_secs(5);
/// How long it may take to stop or to answer.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);

/// A daemon that is ours to stop.
#[derive(Debug)]
pub(crate) struct Daemon {
    pidfile: PathBuf,
    script: PathBuf,
}

impl Daemon {
    /// `None` where it is the host's own.
    pub(crate) fn of_environment() -> Option<Self> {
        let path = |name| env::var_os(name).map(PathBuf::from);
        Some(Self { pidfile: path("DOCKERD_PIDFILE")?, script: path("DOCKERD_SCRIPT")? })
    }

    /// Stops it, leaves it away for a while, and waits until it answers again.
    pub(crate) fn restart(&self) {
        let pid = fs::read_to_string(&self.pidfile)
            .unwrap_or_else(|error| panic!("read {}: {error}", self.pidfile.display()));
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::TERM).expect("stop the Docker daemon");
        let process = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
        wait_until("the end of the Docker daemon", || !is_alive(&process));
        thread::sleep(AWAY);
        let mut command = Command::new(&self.script);
        // It belongs to whoever started the first one, and outlives us.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.script.display()));
        thread::spawn(move || child.wait());
        wait_until("the Docker daemon to answer", answers);
    }
}

/// Whether it runs; a zombie does not.
fn is_alive(process: &Path) -> bool {
    fs::read_to_string(process.join("stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

fn answers() -> bool {
    docker(&["version"]).output().expect("run docker").status.success()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited {} s in vain: {what}", PATIENCE.as_secs());
        thread::sleep(POLL);
    }
}
