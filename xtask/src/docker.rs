//! A Docker daemon for the tests: the one that answers, else one of our own that leaves nothing behind.
//!
//! Our own runs in a mount and a network namespace of its own, so its mounts, its bridge and its firewall
//! rules never touch the host and are gone when its last process is. It is started by a supervisor, a second
//! xtask that does nothing but wait for the end of its standard input: however the first one ends, by Ctrl-C
//! or by SIGKILL, the supervisor stops the daemon and cleans up.

mod ping;
mod supervise;

use std::env;
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cgroups;
use crate::checkout::Checkout;
use crate::command::{say, step};
use crate::setup;

pub(crate) use supervise::supervise_command;

/// The hidden command that a supervisor is started with.
pub(crate) const SUPERVISE: &str = "supervise-dockerd";

/// What the supervisor prints once the daemon answers.
const READY: &[u8] = b"ready\n";

/// Where Docker listens unless told otherwise.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// A daemon that answers for as long as this value lives.
pub(crate) struct Docker {
    host: String,
    ours: Option<(Child, Paths)>,
}

impl Docker {
    /// Finds a daemon or starts one, with the packages for it.
    pub(crate) fn start(checkout: &Checkout) -> Result<Self> {
        let host = env::var("DOCKER_HOST").unwrap_or_else(|_| DEFAULT_HOST.to_owned());
        let answers = ping::answers(&host, Duration::from_secs(5));
        setup::for_containers(answers)?;
        cgroups::remove_leftovers(answers || is_running("dockerd"));
        if answers {
            say(&format!("the Docker daemon at {host} answers: using it"));
            return Ok(Self { host, ours: None });
        }
        let paths = Paths::new(checkout);
        let host = paths.host();
        step("start a Docker daemon", || {
            let supervisor = start_supervisor(checkout)?;
            Ok(Self { host, ours: Some((supervisor, paths)) })
        })
    }

    /// What a program needs to know to use this daemon, or to stop it and start it again.
    pub(crate) fn env(&self) -> Vec<(&'static str, OsString)> {
        let mut env = vec![("DOCKER_HOST", OsString::from(&self.host))];
        if let Some((_, paths)) = &self.ours {
            env.push(("DOCKERD_PIDFILE", paths.pidfile().into()));
            env.push(("DOCKERD_SCRIPT", paths.script().into()));
        }
        env
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if let Some((supervisor, _)) = &mut self.ours {
            drop(supervisor.stdin.take());
            // It says itself what it could not clean up.
            let _ = supervisor.wait();
        }
    }
}

/// Whether any process has this name, in whatever namespaces.
fn is_running(name: &str) -> bool {
    let processes = cgroups::entries(Path::new("/proc"));
    processes.iter().any(|process| {
        std::fs::read_to_string(process.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    })
}

fn start_supervisor(checkout: &Checkout) -> Result<Child> {
    let program = env::current_exe().context("find this program's own file")?;
    let mut supervisor = Command::new(program)
        .arg(SUPERVISE)
        .current_dir(checkout.root())
        .env("CARGO_TARGET_DIR", checkout.target())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Ctrl-C is meant for us: the supervisor goes on until it has cleaned up.
        .process_group(0)
        .spawn()
        .context("start the Docker daemon's supervisor")?;
    let mut said = Vec::new();
    if let Some(stdout) = supervisor.stdout.take() {
        let mut line = stdout.take(READY.len() as u64);
        line.read_to_end(&mut said).context("wait for the Docker daemon")?;
    }
    if said != READY {
        drop(supervisor.stdin.take());
        supervisor.wait().context("wait for the Docker daemon's supervisor")?;
        bail!("no Docker daemon: see above");
    }
    Ok(supervisor)
}

/// Where our own daemon keeps its things.
#[derive(Clone, Debug)]
struct Paths {
    /// Large and private: images, containers, the log.
    state: PathBuf,
    /// Short, since the paths of the sockets below must stay under 108 bytes.
    run: PathBuf,
}

impl Paths {
    /// The same for every call in a checkout, so that what a killed one left is found by the next.
    fn new(checkout: &Checkout) -> Self {
        let mut hasher = DefaultHasher::new();
        checkout.target().hash(&mut hasher);
        Self {
            state: checkout.target().join("docker"),
            run: PathBuf::from(format!("/run/monitor-test-{:08x}", hasher.finish() & 0xffff_ffff)),
        }
    }

    fn host(&self) -> String {
        format!("unix://{}", self.run.join("docker.sock").display())
    }

    fn data_root(&self) -> PathBuf {
        self.state.join("data")
    }

    fn pidfile(&self) -> PathBuf {
        self.run.join("dockerd.pid")
    }

    /// A script that becomes the daemon; for tests that stop it and want it back.
    fn script(&self) -> PathBuf {
        self.state.join("dockerd.sh")
    }

    fn log(&self) -> PathBuf {
        self.state.join("dockerd.log")
    }

    /// Held while the daemon or its remains are there. Beside `state`, which is removed.
    fn lock(&self) -> PathBuf {
        self.state.with_extension("lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_paths_are_short_wherever_the_checkout_is() {
        let paths =
            Paths { state: PathBuf::from("/a".repeat(100)), run: Paths::new(&Checkout::find().unwrap()).run };
        let longest = paths.run.join("exec/containerd/containerd-debug.sock.ttrpc");
        assert!(longest.as_os_str().len() < 108, "{}", longest.display());
    }

    #[test]
    fn one_checkout_has_one_place() {
        let checkout = Checkout::find().unwrap();
        assert_eq!(Paths::new(&checkout).run, Paths::new(&checkout).run);
    }
}
