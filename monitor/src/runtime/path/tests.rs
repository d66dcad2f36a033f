use proptest::prelude::*;

use super::*;

const A: &str = "475672e2940a57f26c4aef59047ca612c3e7aaa2d754026151043952d1d7b253";
const B: &str = "ff89b2a0bae8a7b4d3f11452eecc1fc4a5dcd5944ed4ef09fb5b3caa1bc770a1";
const UID: &str = "1c0a7a3e-5b5c-4d5e-9f0e-3a7d2a9f6b11";
const UID_ESCAPED: &str = "1c0a7a3e_5b5c_4d5e_9f0e_3a7d2a9f6b11";

/// `path` is written with `A`, `B`, `UID` and `UID_ESCAPED` in braces; `own` is how it ends for the container itself.
fn filled(path: &str) -> String {
    path.replace("{A}", A).replace("{B}", B).replace("{UID}", UID).replace("{UID_}", UID_ESCAPED)
}

#[test]
fn a_container_is_found_with_its_own_cgroup() {
    use RuntimeKind::{Containerd, Crio, Docker, Lxc, Nspawn, Podman, Unknown};
    let table = [
        // Docker: cgroupfs driver, custom parents, systemd driver.
        ("/docker/{A}", Docker, "{A}", "/docker/{A}"),
        ("/docker/{A}/child/grandchild", Docker, "{A}", "/docker/{A}"),
        ("/batch/{A}", Unknown, "{A}", "/batch/{A}"),
        ("/{A}", Unknown, "{A}", "/{A}"),
        ("/system.slice/docker-{A}.scope", Docker, "{A}", "/system.slice/docker-{A}.scope"),
        ("/system.slice/docker-{A}.scope/init.scope", Docker, "{A}", "/system.slice/docker-{A}.scope"),
        (
            "/my.slice/my-batch.slice/docker-{A}.scope",
            Docker,
            "{A}",
            "/my.slice/my-batch.slice/docker-{A}.scope",
        ),
        ("/system.slice:docker:{A}", Docker, "{A}", "/system.slice:docker:{A}"),
        // Podman: rootful, rootless, split, cgroupfs.
        ("/machine.slice/libpod-{A}.scope/container", Podman, "{A}", "/machine.slice/libpod-{A}.scope"),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope",
            Podman,
            "{A}",
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope",
        ),
        (
            "/system.slice/web.service/libpod-payload-{A}",
            Podman,
            "{A}",
            "/system.slice/web.service/libpod-payload-{A}",
        ),
        ("/libpod_parent/libpod-{A}", Podman, "{A}", "/libpod_parent/libpod-{A}"),
        // Kubernetes: cgroupfs, systemd, and the form that mixes them.
        ("/kubepods/burstable/pod{UID}/{A}", Unknown, "{A}", "/kubepods/burstable/pod{UID}/{A}"),
        ("/kubepods/pod{UID}/crio-{A}", Crio, "{A}", "/kubepods/pod{UID}/crio-{A}"),
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID_}.slice/cri-containerd-{A}.scope/x",
            Containerd,
            "{A}",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID_}.slice/cri-containerd-{A}.scope",
        ),
        (
            "/kubepods.slice/kubepods-pod{UID_}.slice/crio-{A}.scope",
            Crio,
            "{A}",
            "/kubepods.slice/kubepods-pod{UID_}.slice/crio-{A}.scope",
        ),
        (
            "/system.slice/containerd.service/kubepods-besteffort-pod{UID_}.slice:cri-containerd:{A}",
            Containerd,
            "{A}",
            "/system.slice/containerd.service/kubepods-besteffort-pod{UID_}.slice:cri-containerd:{A}",
        ),
        // LXC names.
        ("/lxc/web 1", Lxc, "web 1", "/lxc/web 1"),
        ("/lxc.payload.db/system.slice/ssh.service", Lxc, "db", "/lxc.payload.db"),
        ("/user.slice/lxc.payload/db/init", Lxc, "db", "/user.slice/lxc.payload/db"),
        // machined's names.
        (
            "/machine.slice/systemd-nspawn@web.service/payload",
            Nspawn,
            "web",
            "/machine.slice/systemd-nspawn@web.service",
        ),
        (
            "/machine.slice/machine-my\\x2dweb.scope/init.scope",
            Nspawn,
            "my-web",
            "/machine.slice/machine-my\\x2dweb.scope",
        ),
        // The outermost of nested containers owns all.
        ("/docker/{A}/docker/{B}", Docker, "{A}", "/docker/{A}"),
        ("/lxc.payload.host/docker/{B}", Lxc, "host", "/lxc.payload.host"),
        (
            "/docker/{A}/kubelet.slice/kubelet-kubepods-pod{UID_}.slice/cri-containerd-{B}.scope",
            Docker,
            "{A}",
            "/docker/{A}",
        ),
    ];
    for (path, runtime, id, own) in table {
        let path = filled(path);
        let identity = parse(&path);
        assert_eq!(identity.container, Some((runtime, ContainerId::new(&filled(id)))), "{path}");
        assert_eq!(identity.container_path(&path), Some(filled(own).as_str()), "{path}");
    }
}

#[test]
fn what_is_no_container_stays_a_cgroup() {
    for path in [
        "",
        "/",
        "//",
        "/docker",
        "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
        "/system.slice/machine-web.scope",
        "/machine.slice/machine-.scope",
        "/lxc",
        "/lxc/",
        "/lxc.payload.",
        "/srv/lxc/web",
        "/default/web",
        "/docker/475672e2940a",
        "/docker/475672E2940A57F26C4AEF59047CA612C3E7AAA2D754026151043952D1D7B253",
        "/machine.slice/libpod-conmon-{A}.scope",
        "/kubepods.slice/crio-conmon-{A}.scope",
        "/x:{A}",
        "/docker-{A}0.scope",
        "/system.slice/docker.service",
    ] {
        let path = filled(path);
        let identity = parse(&path);
        assert_eq!(identity.container, None, "{path}");
        assert_eq!(identity.container_path(&path), None, "{path}");
    }
}

#[test]
fn a_pod_is_found_with_and_without_its_container() {
    const STATIC: &str = "0123456789abcdef0123456789abcdef";
    let table = [
        ("/kubepods/burstable/pod{UID}", Some(UID)),
        ("/kubepods/burstable/pod{UID}/{A}", Some(UID)),
        ("/kubepods.slice/kubepods-pod{UID_}.slice", Some(UID)),
        ("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{UID_}.slice/crio-{A}.scope", Some(UID)),
        ("/kubepods-besteffort-pod{UID_}.slice:cri-containerd:{A}", Some(UID)),
        ("/kubepods/pod0123456789abcdef0123456789abcdef/{A}", Some(STATIC)),
        ("/kubepods/besteffort", None),
        ("/kubepods/podcast", None),
        ("/kubepods/xpod{UID}", None),
        ("/elsewhere/pod{UID}", None),
        ("/docker/{A}/kubepods/pod{UID}", None),
    ];
    for (path, uid) in table {
        let path = filled(path);
        assert_eq!(parse(&path).pod.map(|pod| pod.uid).as_deref(), uid, "{path}");
    }
}

#[test]
fn the_innermost_unit_outside_the_container_is_found() {
    let table = [
        ("/system.slice/ssh.service", Some("ssh.service")),
        ("/system.slice/ssh.service/session", Some("ssh.service")),
        ("/system.slice/system-getty.slice/getty@tty1.service", Some("getty@tty1.service")),
        (
            "/user.slice/user-0.slice/user@0.service/app.slice/dev\\x2dtools.service",
            Some("dev\\x2dtools.service"),
        ),
        ("/user.slice", Some("user.slice")),
        ("/docker/{A}/system.slice/ssh.service", None),
        ("/.service", None),
        ("/docker", None),
    ];
    for (path, unit) in table {
        let path = filled(path);
        assert_eq!(parse(&path).unit.as_deref(), unit, "{path}");
    }
}

#[test]
fn a_runtime_s_word_joins_cgroups_whose_path_does_not_tell() {
    let mut claims = Claims::default();
    let web = ContainerId::new("default/web");
    assert!(claims.add("/default/web", RuntimeKind::Containerd, &web));
    assert!(!claims.add("/default/web", RuntimeKind::Containerd, &web), "it was said before");
    for path in ["/default/web", "/default/web/init.scope", "/default/web/docker/{A}"] {
        let path = filled(path);
        let identity = claims.identify(&path);
        assert_eq!(identity.container, Some((RuntimeKind::Containerd, web.clone())), "{path}");
        assert_eq!(identity.container_path(&path), Some("/default/web"), "{path}");
        assert_eq!(identity.unit, None, "{path}");
    }
    for path in ["/default", "/default/webx", "/default/other", "/", ""] {
        assert_eq!(claims.identify(path).container, None, "{path}");
    }
    assert!(!claims.add(&filled("/docker/{A}"), RuntimeKind::Containerd, &web), "the path tells");
    assert!(!claims.add("/", RuntimeKind::Containerd, &web), "nobody owns the root");
    assert!(claims.add("/batch/web", RuntimeKind::Containerd, &web));
    assert_eq!(claims.identify("/default/web").container, None, "it was moved");
    claims.remove(&web);
    assert_eq!(claims.identify("/batch/web").container, None);
}

#[test]
fn what_is_no_container_has_a_kind_and_a_name() {
    use CgroupKind::{OtherUnit, Plain, Pod, Root, Scope, Service, Slice};
    let table = [
        ("/", Root, None),
        ("/system.slice", Slice, Some("system.slice")),
        ("/system.slice/ssh.service", Service, Some("ssh.service")),
        ("/user.slice/user-0.slice/session-1.scope", Scope, Some("session-1.scope")),
        ("/system.slice/dbus.socket", OtherUnit, Some("dbus.socket")),
        ("/system.slice/ssh.service/sub", Plain, Some("sub")),
        ("/kubepods.slice/kubepods-pod{UID_}.slice", Pod, Some(UID)),
        ("/kubepods/burstable/pod{UID}", Pod, Some(UID)),
        ("/batch", Plain, Some("batch")),
        ("/.service", Plain, Some(".service")),
    ];
    for (path, expected, name) in table {
        let path = filled(path);
        let (kind, named) = kind(&path);
        assert_eq!((kind, named.as_deref()), (expected, name), "{path}");
    }
}

/// Paths of real pieces in any order, with a hostile one among them.
fn any_path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "docker",
            "lxc",
            "lxc.payload",
            "kubepods",
            "pod",
            ".slice",
            ".scope",
            ":",
            "/",
            "-",
            "libpod-",
            "cri-containerd",
            UID,
            UID_ESCAPED,
            A,
            B,
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_path_is_parsed_and_its_prefix_stands_for_it(path in any_path()) {
        let identity = parse(&path);
        if let Some(own) = identity.container_path(&path) {
            prop_assert_eq!(&parse(own), &identity);
            prop_assert_eq!(&parse(&format!("{own}/child")), &identity);
        } else {
            prop_assert_eq!(identity.container, None);
            prop_assert_eq!(identity.container_path_len, 0);
        }
    }
}
