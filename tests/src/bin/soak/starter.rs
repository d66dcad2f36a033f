//! What starts the containers: Docker, or runc alone, which can start many more a second.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio, id},
    time::Duration,
};

use integration_tests::{
    cgroup,
    container::{Image, docker, unique},
    env,
};
use serde_json::json;
use tempfile::TempDir;

/// As whom a container is to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) id: String,
    /// `None` where no runtime could tell.
    pub(crate) name: Option<String>,
    pub(crate) image: Option<String>,
}

/// What a container is to do: it has a number, sleeps, and exits with a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) number: usize,
    pub(crate) sleeps: Duration,
    pub(crate) code: u8,
}

impl Life {
    fn args(self, workload: &str) -> [String; 6] {
        let (ms, code) = (self.sleeps.as_millis().to_string(), self.code.to_string());
        [workload, "sleep", "--ms", &ms, "--unattended", &code].map(str::to_owned)
    }
}

/// One of the two.
#[derive(Debug)]
pub(crate) enum Starter {
    Docker { prefix: String, images: [Image; 2] },
    Runc(Runc),
}

impl Starter {
    pub(crate) fn docker() -> Self {
        Self::Docker { prefix: unique("monitor-soak"), images: [Image::import(), Image::import()] }
    }

    /// What every container's name begins with, or its id where it has no name.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::Docker { prefix, .. } => prefix,
            Self::Runc(runc) => &runc.prefix,
        }
    }

    /// Starts a container. Docker answers once it runs, runc once it has ended.
    pub(crate) fn start(&self, life: Life) -> Result<Identity, String> {
        match self {
            Self::Docker { prefix, images } => {
                let image = images.get(life.number % images.len()).ok_or("there is no image")?;
                run_by_docker(format!("{prefix}-{}", life.number), image.name(), life)
            }
            Self::Runc(runc) => runc.run(life),
        }
    }

    /// Removes what did not remove itself.
    pub(crate) fn clean_up(&self) {
        let Self::Docker { prefix, .. } = self else { return };
        // They remove themselves, unless the daemon was stopped in between.
        let filter = format!("name={prefix}-");
        let list = docker(&["ps", "--all", "--quiet", "--filter", &filter]).output();
        let left = list.map(|list| String::from_utf8_lossy(&list.stdout).into_owned()).unwrap_or_default();
        let ids = left.split_ascii_whitespace();
        let arguments: Vec<&str> = ["rm", "--force"].into_iter().chain(ids).collect();
        if arguments.len() > 2 {
            let _ = docker(&arguments).output();
        }
    }
}

fn run_by_docker(name: String, image: &str, life: Life) -> Result<Identity, String> {
    let output = docker(&["run", "--detach", "--rm", "--network", "none", "--name", &name, image])
        .args(life.args("/workload"))
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Ok(Identity { id, name: Some(name), image: Some(image.to_owned()) })
        }
        Ok(output) => Err(format!("docker run {name}: {}", said(&output))),
        Err(error) => Err(format!("docker run {name}: {error}")),
    }
}

/// A folder that runc's containers share, in cgroups named as Docker's are. Removed on drop.
#[derive(Debug)]
pub(crate) struct Runc {
    folder: TempDir,
    prefix: String,
    /// The cgroup around its containers.
    cgroup: String,
}

impl Runc {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir_in("/run").expect("make a folder");
        let root = folder.path().join("root");
        for name in ["proc", "dev"] {
            fs::create_dir_all(root.join(name)).expect("make a folder");
        }
        fs::copy(env::workload_bin(), root.join("workload")).expect("copy the workload");
        // The containers' root is not ours.
        for path in [folder.path(), &root] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("open a folder to all");
        }
        Self { folder, prefix: format!("{:032x}", id()), cgroup: unique("monitor-soak") }
    }

    fn run(&self, life: Life) -> Result<Identity, String> {
        let id = format!("{}{:032x}", self.prefix, life.number);
        let bundle = self.folder.path().join(&id);
        let output = self.bundle(&bundle, &id, life).and_then(|()| {
            let mut runc = Command::new("runc");
            runc.arg("--root").arg(self.folder.path().join("state")).args(["run", "--bundle"]);
            runc.arg(&bundle).arg(&id).stdin(Stdio::null()).output()
        });
        let output = output.map_err(|error| format!("runc run {id}: {error}"))?;
        // In vain only where it was not made.
        let _ = fs::remove_dir_all(&bundle);
        if output.status.code() != Some(i32::from(life.code)) {
            return Err(format!("runc run {id}: {}, not {}: {}", output.status, life.code, said(&output)));
        }
        Ok(Identity { id, name: None, image: None })
    }

    fn bundle(&self, bundle: &Path, id: &str, life: Life) -> std::io::Result<()> {
        let namespaces = ["pid", "mount", "ipc", "uts"].map(|kind| json!({ "type": kind }));
        let config = json!({
            "ociVersion": "1.0.2",
            "process": { "user": { "uid": 0, "gid": 0 }, "args": life.args("/workload"), "cwd": "/" },
            "root": { "path": self.folder.path().join("root"), "readonly": true },
            "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc" },
                { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"] },
            ],
            "linux": { "cgroupsPath": format!("/{}/docker-{id}", self.cgroup), "namespaces": namespaces },
        });
        fs::create_dir(bundle)?;
        fs::write(bundle.join("config.json"), config.to_string())
    }
}

impl Drop for Runc {
    fn drop(&mut self) {
        cgroup::remove_empty(&self.cgroup);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
