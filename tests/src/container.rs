//! Real containers, by the Docker client.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    cgroup::Places,
    env,
    truth::{self, Tasks},
    workload::{Report, Workload},
};

/// An image with the workload in it and nothing else. Removed with its last clone.
#[derive(Clone, Debug)]
pub struct Image(Arc<ImageTag>);

#[derive(Debug)]
struct ImageTag(String);

impl Image {
    /// Makes it.
    #[must_use]
    pub fn import() -> Self {
        Self::import_with(&[])
    }

    /// With more arguments to `docker import`.
    #[must_use]
    pub fn import_with(args: &[&str]) -> Self {
        Self::import_of(&["workload"], args)
    }

    /// With the workload under these names, one of which is `workload`.
    #[must_use]
    pub fn import_of(names: &[&str], args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        for name in names {
            fs::copy(env::workload_bin(), folder.path().join(name)).expect("copy the workload");
        }
        let tar = Command::new("tar").arg("-C").arg(folder.path()).args(["-c", "."]).output();
        let tar = succeeded("tar", tar.expect("run tar"));
        let tag = unique("monitor-test-image") + ":latest";
        let args = [&["import"], args, &["-", &tag]].concat();
        let mut docker = docker(&args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("run docker");
        docker.stdin.take().expect("its standard input").write_all(&tar).expect("pass the image on");
        let _id = succeeded("docker import", docker.wait_with_output().expect("wait for docker"));
        Self(Arc::new(ImageTag(tag)))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.0
    }

    /// Writes it to a file, as other runtimes take images.
    pub fn save(&self, archive: &Path) {
        let _printed = docker_output(&["save", "--output", &archive.display().to_string(), self.name()]);
    }
}

impl Drop for ImageTag {
    fn drop(&mut self) {
        // For a moment after `docker run --rm` its container still holds it. In vain where the daemon is gone.
        for _ in 0..50 {
            if docker(&["image", "rm", &self.0]).output().is_ok_and(|output| output.status.success()) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        eprintln!("docker image rm {} failed", self.0);
    }
}

/// A container that runs a workload under our control. Removed on drop.
#[derive(Debug)]
pub struct Container {
    // Dropped in this order: the container, the client that is attached to it, its image.
    created: Created,
    name: String,
    workload: Workload,
    ready: Report,
    places: Places,
    _image: Image,
}

/// The id of a container that is removed on drop.
#[derive(Debug)]
struct Created(String);

impl Container {
    /// Starts one and waits until its workload is ready.
    #[must_use]
    pub fn start(workload: &[&str]) -> Self {
        Self::start_with(&Image::import(), &[], workload)
    }

    /// With more arguments to `docker create`. Without one on the network it has none.
    #[must_use]
    pub fn start_with(image: &Image, create: &[&str], workload: &[&str]) -> Self {
        let name = unique("monitor-test");
        let mut args = vec!["create", "--interactive", "--name", &name];
        if !create.iter().any(|arg| arg.starts_with("--network")) {
            args.extend(["--network", "none"]);
        }
        args.extend(create);
        args.extend([image.name(), "/workload"]);
        args.extend(workload);
        let created = Created(docker_output(&args));
        let (workload, ready, places) = started(&created.0);
        Self { created, name, workload, ready, places, _image: image.clone() }
    }

    /// Starts it again after its end.
    pub fn restart(&mut self) {
        (self.workload, self.ready, self.places) = started(&self.created.0);
    }

    /// The full id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.created.0
    }

    /// The name that it was made with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it reported when it was ready.
    #[must_use]
    pub fn ready(&self) -> Report {
        self.ready
    }

    /// Its cgroups.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// What it is to be told.
    pub fn workload(&mut self) -> &mut Workload {
        &mut self.workload
    }

    /// The truth about its tasks, once they stand still.
    #[must_use]
    pub fn still_tasks(&self) -> Tasks {
        Tasks::of_still_cgroup(self.places.any())
    }

    /// The truth about its tasks at this moment.
    #[must_use]
    pub fn tasks(&self) -> Tasks {
        Tasks::of_cgroup(self.places.any())
    }

    /// The truth about its CPU time, by v1 `cpuacct.usage`, else by v2 `cpu.stat`. In microseconds, finer than which
    /// v2 is not.
    #[must_use]
    pub fn cpu_usage_us(&self) -> u64 {
        if let Some(file) = self.places.file("cpuacct.usage") {
            return truth::read_number(&file).expect("cpuacct.usage") / 1000;
        }
        let file = self.places.v2().expect("a v2 cgroup").join("cpu.stat");
        truth::field(&truth::read(&file).expect("cpu.stat"), "usage_usec")
    }

    /// What Docker says of it.
    #[must_use]
    pub fn inspect(&self, format: &str) -> String {
        docker_output(&["inspect", "--format", format, self.id()])
    }

    /// Does something to it by its id, as in `docker pause ID`.
    pub fn docker(&self, action: &[&str]) {
        let args: Vec<&str> = action.iter().copied().chain([self.id()]).collect();
        let _printed = docker_output(&args);
    }

    /// Lets its workload exit, and waits until the container has ended.
    pub fn exit(&mut self, code: u8) -> ExitStatus {
        self.workload.exit(code)
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        // In vain only where the daemon is gone, which shows by itself.
        let _ = docker(&["rm", "--force", &self.0]).output();
    }
}

/// Starts a container that exists, and waits until its workload is ready.
fn started(id: &str) -> (Workload, Report, Places) {
    let mut workload = Workload::spawn(docker(&["start", "--attach", "--interactive", id]));
    let ready = workload.wait_ready();
    let pid = docker_output(&["inspect", "--format", "{{.State.Pid}}", id]).parse().expect("a process id");
    (workload, ready, Places::of_process(pid))
}

/// The Docker client with these arguments.
#[must_use]
pub fn docker(args: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(args).env("DOCKER_HOST", env::docker_host()).stdin(Stdio::null());
    command
}

/// As [`docker`], but ended with status 124 after a time: daemons of old versions lock up when much is removed at once.
#[must_use]
pub fn docker_within(limit: Duration, args: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.args([&limit.as_secs().to_string(), "docker"]).args(args);
    command.env("DOCKER_HOST", env::docker_host()).stdin(Stdio::null());
    command
}

/// What the Docker client prints; panics with what it says when it fails.
#[must_use]
pub fn docker_output(args: &[&str]) -> String {
    let output = docker(args).output().expect("run docker");
    let output = succeeded(&format!("docker {}", args.join(" ")), output);
    String::from_utf8(output).expect("UTF-8").trim().to_owned()
}

/// The daemon's socket.
#[must_use]
pub fn docker_socket() -> PathBuf {
    PathBuf::from(env::docker_host().trim_start_matches("unix://"))
}

/// A name that no other test, run or process has.
#[must_use]
pub fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A program that ends with the test, even where that is killed and drops nothing.
#[must_use]
pub fn mortal(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", program]);
    command
}

/// What a program printed; panics with what it said where it failed.
#[must_use]
pub fn succeeded(what: &str, output: Output) -> Vec<u8> {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}: {said}", output.status);
    output.stdout
}
