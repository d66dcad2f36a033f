//! containerd's own containers, by `ctr`, in a containerd that shares nothing with the host's.

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

/// A daemon. All that was made with it is gone on drop, containers first.
#[derive(Debug)]
pub struct Containerd {
    folder: TempDir,
    daemon: Child,
    namespace: String,
    snapshotter: &'static str,
}

impl Containerd {
    /// Starts it and waits until it answers. `sandbox_image` is what its CRI plugin makes pods of.
    #[must_use]
    pub fn start(sandbox_image: &str) -> Self {
        // The one snapshotter that works on any file system.
        Self::start_with("native", sandbox_image)
    }

    /// With another snapshotter for what `ctr` makes.
    #[must_use]
    pub fn start_with(snapshotter: &'static str, sandbox_image: &str) -> Self {
        // Socket paths are short.
        let folder = tempfile::Builder::new().prefix("containerd").tempdir_in("/run").expect("make a folder");
        let config = folder.path().join("config.toml");
        fs::write(&config, config_in(folder.path(), sandbox_image)).expect("write containerd's settings");
        let log = fs::File::create(folder.path().join("log")).expect("make a log");
        let daemon = mortal("containerd")
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("start containerd");
        let containerd = Self { folder, daemon, namespace: unique("monitor-test-ns"), snapshotter };
        wait::until("containerd", || containerd.quiet(&["version"]).status.success().then_some(()));
        containerd
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket_in(self.folder.path())
    }

    /// The namespace of `ctr`'s containers.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Takes over an image of Docker's. Its name here.
    #[must_use]
    pub fn load(&self, namespace: &str, image: &Image) -> String {
        let archive = self.folder.path().join("image.tar");
        image.save(&archive);
        let archive = archive.display().to_string();
        let args =
            ["--namespace", namespace, "images", "import", "--snapshotter", self.snapshotter, &archive];
        let _printed = succeeded("ctr images import", self.quiet(&args));
        format!("docker.io/library/{}", image.name())
    }

    /// Starts a container with a workload that is ready.
    #[must_use]
    pub fn run(&self, image: &str, name: &str, options: &[&str], workload: &[&str]) -> Workload {
        let mut workload = Workload::spawn(self.run_command(image, name, options, workload));
        let _report = workload.wait_ready();
        workload
    }

    /// Runs a container to its end, without anyone to talk with it.
    pub fn run_alone(&self, image: &str, name: &str, workload: &[&str]) {
        let mut command = self.run_command(image, name, &["--rm"], workload);
        // Its exit status is the container's.
        let _status = command.stdin(Stdio::null()).status().expect("run ctr");
    }

    fn run_command(&self, image: &str, name: &str, options: &[&str], workload: &[&str]) -> Command {
        let mut command =
            self.command(&["--namespace", &self.namespace, "run", "--snapshotter", self.snapshotter]);
        command.args(options).args([image, name, "/workload"]).args(workload);
        command
    }

    /// What `ctr` prints; panics with what it says when it fails.
    #[must_use]
    pub fn output(&self, args: &[&str]) -> String {
        let args: Vec<&str> = ["--namespace", &self.namespace].iter().chain(args).copied().collect();
        let output = succeeded(&format!("ctr {}", args.join(" ")), self.quiet(&args));
        String::from_utf8(output).expect("UTF-8").trim().to_owned()
    }

    fn quiet(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().expect("run ctr")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(self.socket()).args(args);
        command
    }

    /// Ends and deletes every container of a namespace.
    fn empty(&self, namespace: &str) {
        let list = |kind: &str| {
            let printed = self.quiet(&["--namespace", namespace, kind, "list", "--quiet"]).stdout;
            String::from_utf8_lossy(&printed).split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        for task in list("task") {
            self.quiet(&["--namespace", namespace, "task", "rm", "--force", &task]);
        }
        for container in list("container") {
            self.quiet(&["--namespace", namespace, "container", "rm", &container]);
        }
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        self.empty(&self.namespace);
        self.empty("k8s.io");
        send(&self.daemon, Signal::TERM);
        let ended = self.daemon.wait();
        cgroup::remove_empty(&self.namespace);
        assert!(ended.is_ok() || thread::panicking(), "end containerd: {ended:?}");
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join("c.sock")
}

/// Its own place for all it has, and the one snapshotter that works on any file system.
fn config_in(folder: &Path, sandbox_image: &str) -> String {
    let folder = folder.display();
    format!(
        "version = 2\n\
         root = \"{folder}/root\"\n\
         state = \"{folder}/state\"\n\
         [grpc]\n\
         address = \"{folder}/c.sock\"\n\
         [ttrpc]\n\
         address = \"{folder}/t.sock\"\n\
         [plugins.\"io.containerd.grpc.v1.cri\"]\n\
         sandbox_image = \"{sandbox_image}\"\n\
         restrict_oom_score_adj = true\n\
         disable_apparmor = true\n\
         disable_cgroup = false\n\
         [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n\
         snapshotter = \"native\"\n"
    )
}
