//! Podman's containers, by a Podman that shares nothing with the host's.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    cgroup,
    container::{Image, mortal, succeeded, unique},
    monitor::send,
    wait,
    workload::Workload,
};

/// Podman with its own storage, and its service on a socket. All of it is gone on drop, containers first.
#[derive(Debug)]
pub struct Podman {
    folder: TempDir,
    service: Child,
}

impl Podman {
    /// Starts the service, and waits for its socket.
    #[must_use]
    pub fn start() -> Self {
        // Socket paths are short.
        let folder = tempfile::Builder::new().prefix("podman").tempdir_in("/run").expect("make a folder");
        let socket = format!("unix://{}", socket_in(folder.path()).display());
        let service = command_in(folder.path(), &["system", "service", "--time", "0", &socket])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start podman");
        let podman = Self { folder, service };
        wait::until("Podman's socket", || podman.socket().exists().then_some(()));
        podman
    }

    /// Where its service listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket_in(self.folder.path())
    }

    /// Ends the service; containers go on without it.
    pub fn stop_service(&self) {
        // It is waited for on drop, so that until then its number is its own.
        send(&self.service, Signal::TERM);
    }

    /// What monitor is told of it.
    #[must_use]
    pub fn runtime(&self) -> String {
        format!("podman={}", self.socket().display())
    }

    /// Takes over an image of Docker's, by its name.
    pub fn load(&self, image: &Image) {
        let archive = self.folder.path().join("image.tar");
        image.save(&archive);
        let _printed = self.output(&["load", "--quiet", "--input", &archive.display().to_string()]);
    }

    /// Starts a container with a workload that is ready. Its name, and the workload.
    #[must_use]
    pub fn run(&self, image: &Image, options: &[&str], workload: &[&str]) -> (String, Workload) {
        let name = unique("monitor-test-podman");
        let mut args = vec!["run", "--interactive", "--name", &name];
        args.extend(RUN_ANYWHERE);
        args.extend(options);
        args.extend([image.name(), "/workload"]);
        args.extend(workload);
        let mut workload = Workload::spawn(command_in(self.folder.path(), &args));
        let _report = workload.wait_ready();
        (name, workload)
    }

    /// Runs a container to its end, without anyone to talk with it.
    pub fn run_alone(&self, image: &Image, options: &[&str], workload: &[&str]) {
        let mut args = vec!["run", "--rm"];
        args.extend(RUN_ANYWHERE);
        args.extend(options);
        args.extend([image.name(), "/workload"]);
        args.extend(workload);
        // Its exit status is the container's.
        let _status =
            command_in(self.folder.path(), &args).stdin(Stdio::null()).status().expect("run podman");
    }

    /// What a command prints; panics with what it says when it fails.
    #[must_use]
    pub fn output(&self, args: &[&str]) -> String {
        let output = self.quiet(args);
        let output = succeeded(&format!("podman {}", args.join(" ")), output);
        String::from_utf8(output).expect("UTF-8").trim().to_owned()
    }

    fn quiet(&self, args: &[&str]) -> Output {
        command_in(self.folder.path(), args).stdin(Stdio::null()).output().expect("run podman")
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let removed = self.quiet(&["rm", "--all", "--force", "--time", "0"]);
        send(&self.service, Signal::TERM);
        let _status = self.service.wait();
        cgroup::remove_empty("libpod_parent");
        assert!(removed.status.success() || thread::panicking(), "podman rm: {removed:?}");
    }
}

/// No network to set up, and limits that any host allows.
const RUN_ANYWHERE: [&str; 6] =
    ["--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];

fn socket_in(folder: &Path) -> PathBuf {
    folder.join("podman.sock")
}

/// The plainest drivers there are, and runc: crun refuses hybrid hosts whose v2 tree has controllers.
fn command_in(folder: &Path, args: &[&str]) -> Command {
    let mut command = mortal("podman");
    for (option, place) in [("--root", "storage"), ("--runroot", "run"), ("--tmpdir", "tmp")] {
        command.arg(option).arg(folder.join(place));
    }
    command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]);
    command.args(["--runtime", "runc"]).args(args);
    command
}
