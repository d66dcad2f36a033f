//! A container in trees captured from real hosts: testdata/inspect/README.md and testdata/cgroup/README.md.

use std::{os::unix::fs::symlink, path::PathBuf};

use tempfile::TempDir;

use super::*;
use crate::inspect::{
    model::{Mount, Namespace, Seccomp},
    text,
};

const ID: &str = "4b1f0c9d2e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c";
const PROC: &str = "inspect/hybrid-6.18/proc";

fn captured(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "testdata", name].iter().collect()
}

/// The machine whose cgroups are in `tree` and whose processes are in `proc`.
fn host<'a>(tree: &str, proc: &'a Path) -> Host<'a> {
    let tree = captured("cgroup").join(tree);
    let hierarchy = Hierarchy::detect_below(&tree.join("proc"), &tree).unwrap();
    Host { proc, hierarchy, booted_at: read_boot_time(&captured(PROC)).unwrap() }
}

fn told() -> Metadata {
    let mut metadata = Metadata::new(ContainerId::new(ID), RuntimeKind::Docker);
    metadata.name = Some("web\u{1b}[2J".to_owned());
    metadata.image = Some("nginx:1".to_owned());
    metadata
}

/// The captured processes, the first one's `cgroup` replaced: links cannot be copied as files are.
fn with_cgroup(membership: &str) -> TempDir {
    let proc = tempfile::tempdir().unwrap();
    fs::create_dir(proc.path().join("1201")).unwrap();
    let from = captured(PROC).join("1201");
    for name in ["status", "stat", "cmdline", "mountinfo", "ns", "fd"] {
        symlink(from.join(name), proc.path().join("1201").join(name)).unwrap();
    }
    fs::write(proc.path().join("1201/cgroup"), membership).unwrap();
    proc
}

#[test]
fn a_hybrid_host_s_container_is_read_whole() {
    let proc = captured(PROC);
    let inspection = host("hybrid-6.18", &proc).inspect("4b1f", &[told()]).unwrap();
    assert_eq!((inspection.id.as_str(), inspection.short_id.as_str()), (ID, "4b1f0c9d2e8a"));
    assert_eq!((inspection.runtime.as_str(), inspection.first_pid), ("docker", 1201));
    assert_eq!(inspection.image.as_deref(), Some("nginx:1"));

    let capabilities = &inspection.security.capabilities;
    assert_eq!(capabilities.effective.len(), 14);
    assert_eq!(capabilities.ambient, Some(Vec::new()));
    assert_eq!(
        (inspection.security.seccomp, inspection.security.seccomp_filters),
        (Some(Seccomp::Filter), Some(1))
    );
    assert_eq!(inspection.security.no_new_privs, Some(true));
    assert_eq!(inspection.security.lsm_label, None);

    assert_eq!((inspection.open_files, inspection.open_sockets), (Some(6), Some(1)));
    let [process] = inspection.processes.as_slice() else { panic!("{:?}", inspection.processes) };
    assert_eq!((process.pid, process.namespace_pid, process.parent_pid), (1201, Some(1), 1190));
    assert_eq!((process.state.as_str(), process.threads, process.user_id), ("S", 1, 0));
    assert_eq!(process.resident_bytes, Some(1808 * 1024));
    assert_eq!(process.arguments, ["sleep", "600"]);
    assert_eq!((process.open_files, process.open_sockets), (Some(6), Some(2)));
    // 16 753.63 s after the boot.
    assert_eq!(process.started_at.duration_since(read_boot_time(&proc).unwrap()).as_millis(), 16_753_630);
}

#[test]
fn namespaces_are_compared_with_those_of_process_1() {
    let proc = captured(PROC);
    let inspection = host("hybrid-6.18", &proc).inspect(ID, &[]).unwrap();
    let of = |kind: &str| -> Namespace {
        inspection.namespaces.iter().find(|namespace| namespace.kind == kind).unwrap().clone()
    };
    assert_eq!((of("net").inode, of("net").is_host), (Some(4_026_533_250), Some(false)));
    assert_eq!((of("user").inode, of("user").is_host), (Some(4_026_531_837), Some(true)));
}

#[test]
fn the_container_s_cgroup_is_the_one_above_its_first_process() {
    let proc = captured(PROC);
    let inspection = host("hybrid-6.18", &proc).inspect(ID, &[]).unwrap();
    assert_eq!(inspection.cgroups.len(), 10);
    for place in &inspection.cgroups {
        let is_named = place.controllers == ["name=systemd"];
        assert_eq!(place.is_own, !is_named, "{place:?}");
        assert_eq!(place.path, if is_named { "/".to_owned() } else { format!("/docker/{ID}") });
    }
    let limits = &inspection.limits;
    assert_eq!((limits.cpu.quota_us, limits.cpu.period_us), (Some(20_000), Some(100_000)));
    assert_eq!((limits.cpu.shares, limits.cpu.weight), (Some(512), None));
    assert_eq!((limits.memory.limit_bytes, limits.memory.swap_bytes), (Some(32 << 20), Some(16 << 20)));
    assert_eq!(limits.pids, Some(64));
    assert_eq!(limits.memory.reservation_bytes, None, "it was not captured");
}

#[test]
fn limits_come_from_v2_and_v1_alike() {
    for (tree, membership) in
        [("v2-7.2", format!("0::/docker/{ID}/worker\n")), ("v1-5.10", read_v1_memberships())]
    {
        let proc = with_cgroup(&membership);
        let limits = host(tree, proc.path()).inspect(ID, &[]).unwrap().limits;
        assert_eq!((limits.cpu.quota_us, limits.cpu.period_us), (Some(20_000), Some(100_000)), "{tree}");
        assert_eq!(limits.memory.limit_bytes, Some(32 << 20), "{tree}");
        assert_eq!(limits.pids, Some(64), "{tree}");
        assert_eq!(limits.cpu.shares.is_some(), tree.starts_with("v1"), "{tree}");
        assert_eq!(limits.cpu.weight.is_some(), tree.starts_with("v2"), "{tree}");
    }
}

/// As the captured process's would be on the v1 host: its own hierarchies, the container's path.
fn read_v1_memberships() -> String {
    let own = fs::read_to_string(captured("cgroup/v1-5.10/proc/self/cgroup")).unwrap();
    let lines = own.lines().filter_map(|line| line.rsplit_once(':'));
    let lines: Vec<String> = lines.map(|(hierarchy, _)| format!("{hierarchy}:/docker/{ID}/worker")).collect();
    lines.join("\n")
}

#[test]
fn mounts_keep_order_and_lose_escapes() {
    let proc = captured(PROC);
    let mounts = host("hybrid-6.18", &proc).inspect(ID, &[]).unwrap().mounts;
    let targets: Vec<&str> = mounts.iter().map(|mount| mount.target.as_str()).collect();
    assert_eq!(targets, ["/", "/proc", "/dev", "/data"]);
    let Some(Mount { source, root, fs_type, options, .. }) = mounts.last() else { panic!("no mount") };
    assert_eq!((source.as_str(), root.as_str(), fs_type.as_str()), ("/dev/vda", "/srv/my data", "ext4"));
    assert_eq!(options.join(","), "ro,relatime");
}

#[test]
fn a_process_with_a_number_that_was_given_anew_is_not_the_container_s() {
    let proc = with_cgroup("4:memory:/system.slice/cron.service\n0::/system.slice/cron.service\n");
    let error = host("hybrid-6.18", proc.path()).inspect(ID, &[]).unwrap_err();
    assert!(matches!(error, InspectError::NotRunning { .. }), "{error}");
}

#[test]
fn a_container_whose_processes_are_gone_has_ended() {
    let proc = tempfile::tempdir().unwrap();
    let error = host("v2-7.2", proc.path()).inspect(ID, &[told()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "container 4b1f0c9d2e8a (web\u{fffd}[2J) is not running: it has just ended"
    );
}

#[test]
fn the_text_has_every_section_and_nothing_for_the_terminal_to_obey() {
    let proc = captured(PROC);
    let text = text::encode(&host("hybrid-6.18", &proc).inspect(ID, &[told()]).unwrap());
    assert!(text.starts_with("web\u{fffd}[2J · docker · image nginx:1 · first process 1201\n"), "{text}");
    for line in [
        "  net                  4026533250   its own",
        "  user                 4026531837   shared with the host",
        "  permitted            as effective",
        "  seccomp              1 filter",
        "  cpu quota            20000 µs of every 100000 µs: 0.20 CPUs",
        "  memory               32.0 MiB",
        "  pids                 64",
    ] {
        assert!(text.lines().any(|shown| shown == line), "no line {line:?} in\n{text}");
    }
    let mount = "  /data  ext4     ro,relatime                      /dev/vda[/srv/my data]";
    assert!(text.lines().any(|shown| shown == mount), "no line {mount:?} in\n{text}");
    let path = format!("  /docker/{ID}\n    in pids, blkio, ");
    assert!(text.contains(&path), "{text}");
    assert!(!text.contains(|character: char| character.is_control() && character != '\n'));
}
