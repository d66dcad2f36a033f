//! Podman's containers, by a Podman that shares nothing with the host's.

use std::{
    fs,
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
        let service = start_service(folder.path());
        Self { folder, service }
    }

    /// Where its service listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket_in(self.folder.path())
    }

    /// Ends the service and lets the test do something; containers go on without it. Then it is started again.
    pub fn without_service(&mut self, test: impl FnOnce()) {
        send(&self.service, Signal::TERM);
        let _status = self.service.wait();
        let _ = fs::remove_file(self.socket());
        test();
        self.service = start_service(self.folder.path());
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

/// Starts the service, and waits for its socket.
fn start_service(folder: &Path) -> Child {
    let socket = socket_in(folder);
    let endpoint = format!("unix://{}", socket.display());
    let service = command_in(folder, &["system", "service", "--time", "0", &endpoint])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("start podman");
    wait::until("Podman's socket", || socket.exists().then_some(()));
    service
}

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
