//! What containers take on file systems, against `du`, `df` and what the runtimes say.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use integration_tests::{
    container::{Container, Image, docker_output, succeeded, unique},
    containerd::Containerd,
    monitor::{Monitor, command},
    podman::Podman,
    snapshot::{Filesystems, Snapshot, Tree, Volume},
};

const MIB: usize = 1 << 20;

/// Trees are walked again as soon as the budget allows.
const OFTEN: [&str; 2] = ["--filesystem-interval", "200ms"];

/// What a program prints, without white space at its ends.
fn printed(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().expect(program);
    String::from_utf8(succeeded(program, output)).expect("UTF-8").trim().to_owned()
}

fn du(paths: &[PathBuf], option: &str) -> u64 {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut args = vec!["--summarize", "--one-file-system", "--total", option];
    args.extend(paths.iter().map(String::as_str));
    let total = printed("du", &args);
    total
        .lines()
        .last()
        .and_then(|line| line.split_whitespace().next())
        .expect("a sum")
        .parse()
        .expect("a number")
}

/// A container's root, as the host may write to it.
fn root_of(container: &Container) -> PathBuf {
    format!("/proc/{}/root", container.inspect("{{.State.Pid}}")).into()
}

fn write(path: &Path, bytes: usize) {
    let mut file = File::create(path).expect("make a file");
    file.write_all(&vec![7; bytes]).expect("write to a file");
    // Blocks are chosen now, so that their number is final.
    file.sync_all().expect("write to the disk");
}

/// Waits until a tree was measured to be as `du` has it.
fn wait_for_du<'t>(
    monitor: &mut Monitor,
    what: &str,
    paths: &[PathBuf],
    tree: impl Fn(&Snapshot) -> Option<Tree> + 't,
) -> Tree {
    monitor.wait_for(what, |snapshot| {
        let tree = tree(snapshot)?;
        (tree.used_bytes == Some(du(paths, "--block-size=1"))
            && tree.used_inodes == Some(du(paths, "--inodes")))
        .then_some(tree)
    })
}

fn filesystems_of(snapshot: &Snapshot, id: &str) -> Option<Filesystems> {
    Some(snapshot.find(id)?.measured.filesystems.clone())
}

#[test]
fn a_container_s_layer_is_what_du_and_docker_say() {
    let container = Container::start(&["sleep", "--ms", "1"]);
    let mut monitor = Monitor::start_with(&OFTEN);
    let root = root_of(&container);
    fs::create_dir_all(root.join("new/deep")).expect("make folders");
    write(&root.join("new/deep/big"), 3 * MIB);
    fs::hard_link(root.join("new/deep/big"), root.join("new/again")).expect("link a file");
    File::create(root.join("sparse")).and_then(|file| file.set_len(1 << 30)).expect("make a sparse file");
    // Leaves a whiteout: the process that runs keeps it.
    fs::remove_file(root.join("workload")).expect("remove a file of the image");

    let upper = PathBuf::from(container.inspect("{{.GraphDriver.Data.UpperDir}}"));
    let id = container.id();
    let layer = wait_for_du(&mut monitor, "the writable layer", std::slice::from_ref(&upper), |snapshot| {
        filesystems_of(snapshot, id)?.writable_layer
    });
    assert_eq!(Path::new(&layer.path), upper);
    assert_eq!(layer.method.as_deref(), Some("walk"));
    assert_eq!(layer.uncounted_entries, Some(0));
    assert!(layer.used_bytes.expect("bytes") >= 3 << 20);
    let docker_s: u64 =
        docker_output(&["inspect", "--size", "--format", "{{.SizeRw}}", id]).parse().expect("a size");
    assert_eq!(layer.apparent_bytes, Some(docker_s));
    assert_eq!(docker_s, (3 << 20) + (1 << 30));

    let snapshot = monitor.next_snapshot();
    let ours = filesystems_of(&snapshot, id).expect("the container");
    let df = |column: &str| -> u64 {
        let column = format!("--output={column}");
        let table = printed("df", &["--block-size=1", &column, &upper.display().to_string()]);
        table.lines().last().expect("a line").trim().parse().expect("a number")
    };
    assert_eq!(ours.capacity_bytes, Some(df("size")));
    assert_eq!(ours.inodes, Some(df("itotal")));
    // Others use it too, and it is asked every 15 s.
    let (left, now) = (ours.available_bytes.expect("what is left"), df("avail"));
    assert!(left.abs_diff(now) < (1 << 30) + now / 20, "{left} left, by df {now}");
    let age = ours.writable_layer.expect("the layer").age_ns.expect("an age");
    assert!(age < 60_000_000_000, "{age} ns old");
    assert_eq!(snapshot.coverage.lost.get("uncounted_entries_total"), Some(&0));
    assert_eq!(snapshot.coverage.sources["filesystems"].state, "ok");
}

#[test]
fn a_log_is_counted_with_the_rotated_ones() {
    let options = ["--log-driver", "json-file", "--log-opt", "max-size=1m", "--log-opt", "max-file=3"];
    let container = Container::start_with(&Image::import(), &options, &["sleep", "--ms", "1"]);
    let mut monitor = Monitor::start_with(&OFTEN);
    let pid = container.inspect("{{.State.Pid}}");
    let mut output =
        OpenOptions::new().write(true).open(format!("/proc/{pid}/fd/1")).expect("its standard output");
    let line = "x".repeat(1023) + "\n";
    for _ in 0..2 * 1024 {
        output.write_all(line.as_bytes()).expect("write to its log");
    }
    let log = PathBuf::from(container.inspect("{{.LogPath}}"));
    let rotated = || -> Vec<PathBuf> {
        let name = log.file_name().expect("a name").to_string_lossy().into_owned();
        let siblings = fs::read_dir(log.parent().expect("a folder")).expect("its folder").flatten();
        let siblings = siblings.filter(|entry| entry.file_name().to_string_lossy().starts_with(&name));
        siblings.map(|entry| entry.path()).collect()
    };
    // All of it is there once the daemon has caught up.
    integration_tests::wait::until_still("the log", || du(&rotated(), "--apparent-size"));
    let files = rotated();
    assert!(files.len() >= 2, "{files:?}");
    let id = container.id();
    let logs = wait_for_du(&mut monitor, "the log", &files, |snapshot| filesystems_of(snapshot, id)?.logs);
    assert_eq!(Path::new(&logs.path), log);
    assert!(logs.used_bytes.expect("bytes") > 2 << 20, "{logs:?}");
    // Its layer is walked by a thread that every other one goes before.
    let is_whole = |ours: &Filesystems| ours.used_bytes.is_some();
    let ours = monitor.wait_for("the layer", |snapshot| filesystems_of(snapshot, id).filter(is_whole));
    let layer = ours.writable_layer.expect("the layer");
    assert_eq!(ours.used_bytes, Some(layer.used_bytes.expect("bytes") + logs.used_bytes.expect("bytes")));
}

/// A Docker volume. Removed on drop.
struct DockerVolume(String);

impl DockerVolume {
    fn create() -> Self {
        let name = unique("monitor-test-volume");
        let _name = docker_output(&["volume", "create", &name]);
        Self(name)
    }
}

impl Drop for DockerVolume {
    fn drop(&mut self) {
        let _ = integration_tests::container::docker(&["volume", "rm", "--force", &self.0]).output();
    }
}

#[test]
fn volumes_are_measured_and_what_is_the_host_s_is_only_named() {
    let volume = DockerVolume::create();
    let of_the_host = tempfile::tempdir().expect("make a folder");
    let (mounted, bound) = (format!("{}:/data", volume.0), format!("{}:/host", of_the_host.path().display()));
    let options = ["--volume", &mounted, "--volume", &bound];
    let image = Image::import();
    let mut monitor = Monitor::start_with(&OFTEN);
    // Started while monitor runs: nothing but an inspection tells of its volumes.
    let container = Container::start_with(&image, &options, &["sleep", "--ms", "1"]);
    write(&root_of(&container).join("data/five"), 5 * MIB);
    let source = docker_output(&["volume", "inspect", "--format", "{{.Mountpoint}}", &volume.0]);
    let id = container.id();
    let find = |volumes: &[Volume], kind: &str| volumes.iter().find(|volume| volume.kind == kind).cloned();
    wait_for_du(&mut monitor, "the volume", &[source.clone().into()], |snapshot| {
        Some(find(&filesystems_of(snapshot, id)?.volumes?, "volume")?.tree)
    });
    let ours = filesystems_of(&monitor.next_snapshot(), id).expect("the container");
    let volumes = ours.volumes.expect("volumes");
    let own = find(&volumes, "volume").expect("the volume");
    assert_eq!((own.name.as_deref(), own.destination.as_str()), (Some(volume.0.as_str()), "/data"));
    assert_eq!(own.tree.path, source);
    assert_eq!(ours.volumes_bytes, own.tree.used_bytes);
    let bind = find(&volumes, "bind").expect("the bind mount");
    assert_eq!((Path::new(&bind.tree.path), bind.destination.as_str()), (of_the_host.path(), "/host"));
    assert_eq!((bind.tree.used_bytes, bind.tree.method), (None, None));
}

/// `monitor inspect`, which measures for itself and waits for no stream.
#[test]
fn an_inspection_measures_once_what_du_says() {
    let volume = DockerVolume::create();
    let mounted = format!("{}:/data", volume.0);
    let options = ["--log-driver", "json-file", "--volume", &mounted, "--volume", "/etc:/host:ro"];
    let container = Container::start_with(&Image::import(), &options, &["sleep", "--ms", "1"]);
    write(&root_of(&container).join("data/five"), 5 * MIB);
    write(&root_of(&container).join("three"), 3 * MIB);
    let output = command(&["inspect", container.id(), "--format", "json"]).output().expect("run monitor");
    let inspection: serde_json::Value =
        serde_json::from_slice(&succeeded("monitor inspect", output)).expect("JSON");
    let ours = &inspection["filesystems"];
    let volumes = ours["volumes"].as_array().expect("volumes");
    let at = |destination: &str| {
        let found = volumes.iter().find(|volume| volume["destination"] == destination);
        found.unwrap_or_else(|| panic!("no {destination} in {ours:#}"))
    };
    for tree in [&ours["writable_layer"], at("/data")] {
        let path = PathBuf::from(tree["path"].as_str().expect("a path"));
        assert_eq!(tree["used_bytes"], du(&[path], "--block-size=1"), "{tree}");
    }
    assert!(ours["writable_layer"]["used_bytes"].as_u64() >= Some(3 << 20), "{ours:#}");
    assert_eq!((&at("/data")["name"], &at("/data")["is_of_host"]), (&volume.0.clone().into(), &false.into()));
    assert_eq!(
        (&at("/host")["path"], &at("/host")["used_bytes"]),
        (&"/etc".into(), &serde_json::Value::Null)
    );
    assert_eq!(ours["logs"]["path"], container.inspect("{{.LogPath}}"));
}

#[test]
fn an_overlay_of_containerd_s_is_what_its_snapshotter_says() {
    let image = Image::import();
    let containerd = Containerd::start_with("overlayfs", "none");
    let image = containerd.load(containerd.namespace(), &image);
    let name = unique("overlay");
    let _workload = containerd.run(&image, &name, &[], &["sleep", "--ms", "1"]);
    let socket = format!("containerd={}", containerd.socket().display());
    let mut monitor = Monitor::start_with(&[&OFTEN[..], &["--runtime", &socket]].concat());
    let id = format!("{}/{name}", containerd.namespace());
    let tasks = containerd.output(&["task", "list"]);
    let line = tasks.lines().find(|line| line.starts_with(&name)).expect("its task");
    let pid = line.split_whitespace().nth(1).expect("a process id");
    write(&Path::new("/proc").join(pid).join("root/big"), 3 * MIB);
    let layer = monitor.wait_for("the snapshot's size", |snapshot| {
        let layer = filesystems_of(snapshot, &id)?.writable_layer?;
        (layer.used_bytes? >= 3 << 20).then_some(layer)
    });
    let usage = containerd.output(&["snapshots", "--snapshotter", "overlayfs", "usage", "-b", &name]);
    let figures: Vec<u64> = usage
        .lines()
        .last()
        .expect("a line")
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    assert_eq!(figures, [layer.used_bytes.expect("bytes"), layer.used_inodes.expect("inodes")], "{usage}");
    assert!(layer.path.ends_with("/fs"), "{}", layer.path);
}

#[test]
fn a_copied_root_of_podman_s_is_what_du_says() {
    let image = Image::import();
    let podman = Podman::start();
    podman.load(&image);
    let (name, _workload) = podman.run(&image, &["--volume", "v:/data"], &["sleep", "--ms", "1"]);
    let mut monitor = Monitor::start_with(&[&OFTEN[..], &["--runtime", &podman.runtime()]].concat());
    let id = podman.output(&["inspect", "--format", "{{.Id}}", &name]);
    let pid = podman.output(&["inspect", "--format", "{{.State.Pid}}", &name]);
    let root = PathBuf::from(podman.output(&["mount", &name]));
    write(&Path::new("/proc").join(&pid).join("root/big"), 2 * MIB);
    write(&Path::new("/proc").join(&pid).join("root/data/one"), MIB);
    wait_for_du(&mut monitor, "the copied root", std::slice::from_ref(&root), |snapshot| {
        filesystems_of(snapshot, &id)?.writable_layer
    });
    let source = podman.output(&["volume", "inspect", "--format", "{{.Mountpoint}}", "v"]);
    wait_for_du(&mut monitor, "the volume", &[source.into()], |snapshot| {
        filesystems_of(snapshot, &id)?
            .volumes?
            .into_iter()
            .find(|volume| volume.kind == "volume")
            .map(|it| it.tree)
    });
}

#[test]
fn the_host_s_file_systems_are_those_of_df() {
    let mut monitor = Monitor::start();
    let listed = monitor.wait_for("the file systems", |snapshot| snapshot.host.filesystems.clone());
    assert!(!listed.is_empty());
    for ours in &listed {
        let df = printed("df", &["--block-size=1", "--output=size,itotal", &ours.mount_point]);
        let figures: Vec<Option<u64>> = df
            .lines()
            .last()
            .expect("a line")
            .split_whitespace()
            .map(|figure| figure.parse().ok().filter(|figure| *figure > 0))
            .collect();
        assert_eq!(figures, [ours.capacity_bytes, ours.inodes], "{ours:?}");
        assert!(ours.used_bytes <= ours.capacity_bytes && ours.available_bytes <= ours.capacity_bytes);
        assert!(ours.fs_type != "tmpfs" && ours.fs_type != "proc", "{ours:?}");
    }
}

#[test]
fn nothing_is_measured_where_it_is_switched_off() {
    let container = Container::start(&["sleep", "--ms", "1"]);
    let mut monitor = Monitor::start_with(&["--no-filesystem-usage"]);
    let snapshot = monitor.next_snapshot();
    let ours = filesystems_of(&snapshot, container.id()).expect("the container");
    assert_eq!((ours.used_bytes, ours.writable_layer, ours.volumes), (None, None, None));
    assert!(snapshot.host.filesystems.is_none());
    let source = &snapshot.coverage.sources["filesystems"];
    assert_eq!(source.state, "absent");
    assert!(source.reason.as_deref().is_some_and(|reason| reason.contains("--no-filesystem-usage")));
    let tid_names = fs::read_dir(format!("/proc/{}/task", monitor.pid())).expect("its threads");
    let names = tid_names.flatten().filter_map(|tid| fs::read_to_string(tid.path().join("comm")).ok());
    assert!(names.into_iter().all(|name| name.trim() != "file-systems"));
}

#[test]
fn an_interval_for_what_is_switched_off_is_refused() {
    let args = ["stream", "--no-filesystem-usage", "--filesystem-interval", "5s"];
    assert_eq!(command(&args).output().expect("run monitor").status.code(), Some(2));
}
