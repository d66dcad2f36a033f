//! The supervisor: starts the daemon, waits for the end of its standard input, stops and cleans up.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Paths, READY, ping};
use crate::cgroups::{self, entries};
use crate::checkout::Checkout;
use crate::command::{find_tool, say};
use crate::setup::remove_dir;

const SYSTEM_CONTAINERD: &str = "/run/containerd";

/// How long a daemon may take to answer; it is ready in about two seconds.
const START: Duration = Duration::from_mins(1);
/// How long a daemon may take to stop its containers and itself.
const STOP: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Runs the daemon until standard input ends.
pub(crate) fn supervise_command(checkout: &Checkout) -> Result<()> {
    let paths = Paths::new(checkout);
    let _lock = lock(&paths)?;
    // What a supervisor that was killed itself has left.
    clean_up(&paths)?;
    let outcome = start(&paths).and_then(|daemon| serve(&paths, daemon));
    stop(&paths);
    clean_up(&paths)?;
    outcome
}

fn lock(paths: &Paths) -> Result<File> {
    let path = paths.lock();
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    }
    let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say("waiting for the Docker daemon of another `cargo xtask` in this checkout to be gone");
            file.lock().with_context(|| format!("lock {}", path.display()))?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("lock {}", path.display()));
        }
    }
    Ok(file)
}

fn start(paths: &Paths) -> Result<Child> {
    for dir in [&paths.state, &paths.run] {
        fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    }
    let dockerd = find_tool("dockerd").context("missing dockerd: `apt-get install docker.io`")?;
    // An empty one of our own: the host's daemon.json is meant for the host's daemon.
    let config = paths.state.join("daemon.json");
    fs::write(&config, "{}\n").with_context(|| format!("write {}", config.display()))?;
    let script = paths.script();
    fs::write(&script, script_text(paths, &dockerd))
        .with_context(|| format!("write {}", script.display()))?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("make {} executable", script.display()))?;
    let log = File::create(paths.log()).with_context(|| format!("create {}", paths.log().display()))?;
    Command::new(&script)
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("share the daemon's log")?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {}", script.display()))
}

/// The script that becomes the daemon. It hides a containerd that the system runs, which would otherwise be
/// used and would not see mounts made in our namespace.
fn script_text(paths: &Paths, dockerd: &Path) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    format!(
        "#!/bin/sh\n\
         # Written by `cargo xtask`: a Docker daemon in a mount and a network namespace of its own.\n\
         if [ \"$1\" != inside ]; then exec unshare --mount --net --propagation private \"$0\" inside; fi\n\
         set -eu\n\
         ip link set lo up\n\
         mkdir -p {SYSTEM_CONTAINERD}\n\
         mount -t tmpfs -o mode=711 tmpfs {SYSTEM_CONTAINERD}\n\
         exec {dockerd} --config-file {config} --data-root {data} --exec-root {exec} --pidfile {pidfile} \
         --host {host} --shutdown-timeout 5\n",
        dockerd = quoted(dockerd),
        config = quoted(&paths.state.join("daemon.json")),
        data = quoted(&paths.data_root()),
        exec = quoted(&paths.run.join("exec")),
        pidfile = quoted(&paths.pidfile()),
        host = quoted(Path::new(&paths.host())),
    )
}

/// Says that the daemon answers, and waits until nobody needs it.
fn serve(paths: &Paths, mut daemon: Child) -> Result<()> {
    wait_for_answer(paths, &mut daemon)?;
    // Reaped whenever it ends, so that a test which stops it sees it gone.
    thread::spawn(move || daemon.wait());
    let mut stdout = io::stdout();
    stdout.write_all(READY).and_then(|()| stdout.flush()).context("say that the Docker daemon is ready")?;
    let mut rest = Vec::new();
    io::stdin().read_to_end(&mut rest).context("wait for the end of standard input")?;
    Ok(())
}

fn wait_for_answer(paths: &Paths, daemon: &mut Child) -> Result<()> {
    let began = Instant::now();
    while !ping::answers(&paths.host(), Duration::from_secs(1)) {
        if let Some(status) = daemon.try_wait().context("wait for dockerd")? {
            bail!("dockerd ended with {status}: {}", last_words(paths));
        }
        if began.elapsed() > START {
            bail!("dockerd did not answer in {} s: {}", START.as_secs(), last_words(paths));
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// The log's last line, since the log itself is about to be removed.
fn last_words(paths: &Paths) -> String {
    let log = fs::read_to_string(paths.log()).unwrap_or_default();
    log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}

/// Ends the containers, which nobody needs any more and which could take ten seconds each to stop, then the
/// daemon, in the way in which it takes its own processes along.
fn stop(paths: &Paths) {
    for cgroup in cgroups::of_containers(&container_ids(paths)) {
        for pid in cgroups::pids_in(&cgroup) {
            signal(pid, "KILL");
        }
    }
    // Not the child's id: a test may have stopped the daemon and started it again.
    for pid in pids_with(&paths.run).into_iter().filter(|pid| is_dockerd(*pid)) {
        signal(pid, "TERM");
    }
    let began = Instant::now();
    while !pids_with(&paths.run).is_empty() && began.elapsed() < STOP {
        thread::sleep(POLL);
    }
}

/// Ends whatever is left of a daemon and removes what it made. Mounts, bridge and firewall rules go with its
/// namespaces, that is with its last process.
fn clean_up(paths: &Paths) -> Result<()> {
    let of_containers = cgroups::of_containers(&container_ids(paths));
    let began = Instant::now();
    loop {
        let left: Vec<u32> = pids_with(&paths.run)
            .into_iter()
            .chain(of_containers.iter().flat_map(|dir| cgroups::pids_in(dir)))
            .collect();
        if left.is_empty() {
            break;
        }
        if began.elapsed() > STOP {
            bail!("cannot end the Docker daemon's processes {left:?}");
        }
        for pid in left {
            signal(pid, "KILL");
        }
        thread::sleep(POLL);
    }
    for dir in &of_containers {
        cgroups::remove(dir);
    }
    cgroups::remove_docker();
    // Stays if the system has something in it.
    let _ = fs::remove_dir(SYSTEM_CONTAINERD);
    remove_dir(&paths.run)?;
    remove_dir(&paths.state)
}

/// Processes whose command line names `dir`: the daemon, its containerd and its shims.
fn pids_with(dir: &Path) -> Vec<u32> {
    let dir = dir.as_os_str().as_encoded_bytes();
    all_pids().filter(|pid| command_line(*pid).windows(dir.len()).any(|part| part == dir)).collect()
}

fn is_dockerd(pid: u32) -> bool {
    command_line(pid).split(|byte| *byte == 0).next().is_some_and(|program| program.ends_with(b"dockerd"))
}

/// Empty for a zombie and for a process that is gone.
fn command_line(pid: u32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn all_pids() -> impl Iterator<Item = u32> {
    entries(Path::new("/proc")).into_iter().filter_map(|path| path.file_name()?.to_str()?.parse().ok())
}

/// The ids of the containers that our daemon knows, from its files.
fn container_ids(paths: &Paths) -> Vec<String> {
    entries(&paths.data_root().join("containers"))
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect()
}

/// Signals one process. A shell does it: std can only kill, and only children. A process that is gone
/// meanwhile is fine.
fn signal(pid: u32, name: &str) {
    let _ = Command::new("sh").args(["-c", &format!("kill -s {name} {pid}")]).stderr(Stdio::null()).status();
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_script_survives_quotes_and_spaces_in_paths() {
        let paths = Paths { state: PathBuf::from("/tmp/it's here"), run: PathBuf::from("/run/x") };
        let script = script_text(&paths, Path::new("/usr/sbin/dockerd"));
        assert!(script.contains(r"--data-root '/tmp/it'\''s here/data'"), "{script}");
        assert!(script.contains("--host 'unix:///run/x/docker.sock'"), "{script}");
    }

    #[test]
    fn a_process_is_found_by_its_command_line_and_signalled() {
        let marker = format!("/run/monitor-xtask-unit-{}", std::process::id());
        let mut child =
            Command::new("sh").args(["-c", "read line", &marker]).stdin(Stdio::piped()).spawn().unwrap();
        // The kernel wakes the parent before the new command line is in place.
        while pids_with(Path::new(&marker)) != [child.id()] {
            assert_eq!(child.try_wait().unwrap(), None);
            thread::sleep(Duration::from_millis(1));
        }
        assert!(!is_dockerd(child.id()));
        signal(child.id(), "TERM");
        let status = child.wait().unwrap();
        assert!(!status.success());
        assert!(pids_with(Path::new(&marker)).is_empty());
    }
}
