//! LXC's containers, by `lxc-start`.

use std::{fs, path::PathBuf, process::Command, thread};

use tempfile::TempDir;

use crate::{
    cgroup,
    container::{succeeded, unique},
    env,
};

/// A container with a root file system of its own, in the host's network. Ended and deleted on drop.
#[derive(Debug)]
pub struct Lxc {
    folder: TempDir,
    name: String,
}

impl Lxc {
    /// Starts one whose first process is a workload that nobody talks with.
    #[must_use]
    pub fn start(workload: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        let root = folder.path().join("root");
        for place in ["proc", "sys", "dev"] {
            fs::create_dir_all(root.join(place)).expect("make a root file system");
        }
        fs::copy(env::workload_bin(), root.join("workload")).expect("copy the workload");
        let config = format!(
            "lxc.net.0.type = none\n\
             lxc.apparmor.profile = unconfined\n\
             lxc.rootfs.path = dir:{}\n\
             lxc.mount.auto = proc:mixed sys:ro\n\
             lxc.init.cmd = /workload {}\n",
            root.display(),
            workload.join(" "),
        );
        fs::write(folder.path().join("config"), config).expect("write LXC's settings");
        fs::create_dir(folder.path().join("var")).expect("make a folder");
        let lxc = Self { folder, name: unique("monitor-test-lxc") };
        let config = lxc.folder.path().join("config");
        let log = lxc.folder.path().join("log");
        let mut start = lxc.command("lxc-start");
        start.arg("--daemon").arg("--rcfile").arg(config).arg("--logfile").arg(&log);
        let output = start.output().expect("run lxc-start");
        if !output.status.success() {
            eprintln!("{}", fs::read_to_string(log).unwrap_or_default());
        }
        let _printed = succeeded("lxc-start", output);
        lxc
    }

    /// Its name, which is all the id it has.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["--name", &self.name]).arg("--lxcpath").arg(self.var());
        command
    }

    fn var(&self) -> PathBuf {
        self.folder.path().join("var")
    }
}

impl Drop for Lxc {
    fn drop(&mut self) {
        let stopped = self.command("lxc-stop").arg("--kill").output();
        cgroup::remove_empty("lxc.pivot");
        assert!(stopped.is_ok() || thread::panicking(), "lxc-stop: {stopped:?}");
    }
}
