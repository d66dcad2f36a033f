//! Cgroup path → whose cgroup it is. Pure, and needs no runtime to answer.
//!
//! A cgroup below a container's own belongs to that container. Where containers are nested, the **outermost** owns
//! everything below it: the runtime inside it is not this host's and cannot be asked, and its containers use the
//! outer one's resources. A path is read from the hierarchy's root as the reader sees it.

use std::collections::HashMap;

use crate::{newtypes::ContainerId, runtime::RuntimeKind};

/// What a cgroup's path tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathIdentity {
    /// The container that it belongs to: itself, or the outermost one above it.
    pub container: Option<(RuntimeKind, ContainerId)>,
    /// How many bytes of the path name the container's own cgroup; 0 without a container.
    pub container_path_len: usize,
    /// The Kubernetes pod that it belongs to; a pod's own cgroup has a pod and no container.
    pub pod: Option<PodRef>,
    /// The innermost systemd unit that it belongs to, such as `ssh.service`; looked for down to the container's own
    /// cgroup and not inside of it. Raw, with systemd's escapes.
    pub unit: Option<String>,
}

/// A pod as a path knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodRef {
    /// Kubernetes' uid of the pod, with dashes; a static pod's is a hash of 32 digits.
    pub uid: String,
}

impl PathIdentity {
    /// The container's own cgroup, given the path that this was parsed from.
    #[must_use]
    pub fn container_path<'p>(&self, path: &'p str) -> Option<&'p str> {
        self.container.as_ref().and_then(|_| path.get(..self.container_path_len))
    }
}

/// The cgroups that runtimes have said to be their containers', where the path by itself does not tell.
#[derive(Clone, Debug, Default)]
pub struct Claims(HashMap<String, (RuntimeKind, ContainerId)>);

impl Claims {
    /// A runtime says that the cgroup at this path is a container's own. Whether that is news.
    pub fn add(&mut self, path: &str, runtime: RuntimeKind, id: &ContainerId) -> bool {
        // The outermost container owns what is below it, and the root belongs to nobody.
        if path.len() < 2 || self.identify(path).container.is_some() {
            return false;
        }
        self.remove(id);
        self.0.insert(path.to_owned(), (runtime, id.clone()));
        true
    }

    /// Forgets what was said of a container.
    pub fn remove(&mut self, id: &ContainerId) {
        self.0.retain(|_, (_, claimed)| claimed != id);
    }

    /// Forgets what was said of containers that are not known any more.
    pub fn keep(&mut self, is_known: impl Fn(&ContainerId) -> bool) {
        self.0.retain(|_, (_, claimed)| is_known(claimed));
    }

    /// Reads a path like [`parse`], with what runtimes have said.
    #[must_use]
    pub fn identify(&self, path: &str) -> PathIdentity {
        let identity = parse(path);
        if self.0.is_empty() {
            return identity;
        }
        let end = if identity.container.is_some() { identity.container_path_len } else { path.len() + 1 };
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).filter(|at| *at < end);
        let claimed = ends.filter_map(|at| path.get(..at)).find_map(|own| Some((own, self.0.get(own)?)));
        match claimed {
            Some((own, container)) => PathIdentity {
                container: Some(container.clone()),
                container_path_len: own.len(),
                ..parse(own)
            },
            None => identity,
        }
    }
}

/// What a cgroup that is no container's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupKind {
    /// The hierarchy's root.
    Root,
    /// A unit of systemd's that only groups others.
    Slice,
    /// A unit that systemd started.
    Service,
    /// A unit of processes that systemd did not start, such as a session.
    Scope,
    /// A unit of another type that may have processes.
    OtherUnit,
    /// A Kubernetes pod's own.
    Pod,
    /// None of these.
    Plain,
}

/// What the cgroup at this path is, and its name: a unit's with systemd's escapes, a pod's uid, else the folder's. For
/// paths that are no container's.
#[must_use]
pub fn kind(path: &str) -> (CgroupKind, Option<String>) {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return (CgroupKind::Root, None);
    }
    if path.contains("kubepods")
        && let Some(uid) = pod_uid(name)
    {
        return (CgroupKind::Pod, Some(uid));
    }
    let kind = match name.rsplit_once('.') {
        Some((_, "slice")) if is_unit(name) => CgroupKind::Slice,
        Some((_, "service")) if is_unit(name) => CgroupKind::Service,
        Some((_, "scope")) if is_unit(name) => CgroupKind::Scope,
        _ if is_unit(name) => CgroupKind::OtherUnit,
        _ => CgroupKind::Plain,
    };
    (kind, Some(name.to_owned()))
}

/// Reads a path as the kernel prints it: from the hierarchy's root, with a leading slash.
#[must_use]
pub fn parse(path: &str) -> PathIdentity {
    let mut identity = PathIdentity::default();
    let mut parent = None;
    let mut is_kubernetes = false;
    let mut end = 0;
    for (depth, component) in path.split('/').enumerate() {
        end += component.len() + usize::from(depth > 0);
        if component.is_empty() {
            continue;
        }
        // The form `slice:prefix:id` is a systemd driver's path used with the cgroupfs driver: its first part is
        // what the parent's name would have been.
        let outer = component.split(':').next().unwrap_or(component);
        is_kubernetes |= outer.contains("kubepods");
        if is_kubernetes && let Some(uid) = pod_uid(outer) {
            identity.pod = Some(PodRef { uid });
        }
        if is_unit(component) {
            identity.unit = Some(component.to_owned());
        }
        if let Some((runtime, id)) = container(component, parent) {
            identity.container = Some((runtime, ContainerId::new(id)));
            identity.container_path_len = end;
            break;
        }
        if let Some(name) = nspawn(component, parent) {
            identity.container = Some((RuntimeKind::Nspawn, ContainerId::new(&name)));
            identity.container_path_len = end;
            break;
        }
        parent = Some(Parent { name: component, is_at_root: parent.is_none() });
    }
    identity
}

/// The component before the one that is looked at.
#[derive(Clone, Copy)]
struct Parent<'p> {
    name: &'p str,
    is_at_root: bool,
}

fn container<'p>(component: &'p str, parent: Option<Parent<'_>>) -> Option<(RuntimeKind, &'p str)> {
    prefixed(component.strip_suffix(".scope").unwrap_or(component))
        .or_else(|| colon_form(component))
        .or_else(|| lxc(component, parent))
        .or_else(|| bare(component, parent))
}

/// `docker-<id>`, as scopes of the systemd driver and, for some runtimes, as plain directories. Monitor processes
/// (`libpod-conmon-<id>`, `crio-conmon-<id>`) have cgroups too, which are no containers.
fn prefixed(name: &str) -> Option<(RuntimeKind, &str)> {
    const PREFIXES: [(&str, RuntimeKind); 6] = [
        ("docker-", RuntimeKind::Docker),
        ("cri-containerd-", RuntimeKind::Containerd),
        ("nerdctl-", RuntimeKind::Containerd),
        ("crio-", RuntimeKind::Crio),
        ("libpod-", RuntimeKind::Podman),
        ("libpod-payload-", RuntimeKind::Podman),
    ];
    PREFIXES.into_iter().find_map(|(prefix, runtime)| {
        name.strip_prefix(prefix).filter(|id| is_container_id(id)).map(|id| (runtime, id))
    })
}

/// `system.slice:docker:<id>`.
fn colon_form(component: &str) -> Option<(RuntimeKind, &str)> {
    let (slice_and_prefix, id) = component.rsplit_once(':')?;
    let (_slice, prefix) = slice_and_prefix.rsplit_once(':')?;
    let runtime = match prefix {
        "docker" => RuntimeKind::Docker,
        "cri-containerd" | "nerdctl" => RuntimeKind::Containerd,
        "crio" => RuntimeKind::Crio,
        "libpod" => RuntimeKind::Podman,
        _ => RuntimeKind::Unknown,
    };
    is_container_id(id).then_some((runtime, id))
}

/// `/lxc/<name>` at the root and `lxc.payload.<name>` or `lxc.payload/<name>` anywhere. LXC has no ids: names are
/// unique per host.
fn lxc<'p>(component: &'p str, parent: Option<Parent<'_>>) -> Option<(RuntimeKind, &'p str)> {
    let is_below_lxc = parent
        .is_some_and(|parent| parent.name == "lxc.payload" || (parent.name == "lxc" && parent.is_at_root));
    let name = match component.strip_prefix("lxc.payload.") {
        Some(name) => name,
        None if is_below_lxc => component,
        None => return None,
    };
    (!name.is_empty()).then_some((RuntimeKind::Lxc, name))
}

/// `machine.slice/systemd-nspawn@<name>.service`, or `machine-<name>.scope` where nspawn was called by hand: machined's
/// names, unique per host. libvirt's machines, which are there too, have a driver before their name.
fn nspawn(component: &str, parent: Option<Parent<'_>>) -> Option<String> {
    const LIBVIRT: [&str; 3] = ["qemu-", "lxc-", "xen-"];
    if parent?.name != "machine.slice" {
        return None;
    }
    let service = component.strip_prefix("systemd-nspawn@").and_then(|rest| rest.strip_suffix(".service"));
    let scope = component.strip_prefix("machine-").and_then(|rest| rest.strip_suffix(".scope"));
    let name = unescape(service.or(scope)?);
    (!name.is_empty() && !LIBVIRT.iter().any(|driver| name.starts_with(driver))).then_some(name)
}

/// A unit's name without systemd's escapes: `\x2d` is a dash (systemd.unit(5)).
fn unescape(name: &str) -> String {
    let mut parts = name.split("\\x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = digits.filter(u8::is_ascii) {
            plain.push(char::from(byte));
            plain.push_str(part.get(2..).unwrap_or_default());
        } else {
            plain.push_str("\\x");
            plain.push_str(part);
        }
    }
    plain
}

/// `/docker/<id>`, or below a parent of the user's or Kubernetes' choice, which does not tell the runtime.
fn bare<'p>(component: &'p str, parent: Option<Parent<'_>>) -> Option<(RuntimeKind, &'p str)> {
    let runtime = match parent.map(|parent| parent.name) {
        Some("docker") => RuntimeKind::Docker,
        Some("libpod_parent") => RuntimeKind::Podman,
        _ => RuntimeKind::Unknown,
    };
    is_container_id(component).then_some((runtime, component))
}

/// Whether it is an id as runtimes draw them: 64 hexadecimal digits.
pub(super) fn is_container_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(is_hex_digit)
}

/// Runtimes write ids in lower case only.
fn is_hex_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// `pod<uid>`, or `kubepods-burstable-pod<uid>.slice` with underscores, because a dash separates slices.
fn pod_uid(name: &str) -> Option<String> {
    let (before, uid) = name.strip_suffix(".slice").unwrap_or(name).rsplit_once("pod")?;
    if !before.is_empty() && !before.ends_with('-') {
        return None;
    }
    let uid = uid.replace('_', "-");
    let is_hash = uid.len() == 32 && uid.bytes().all(is_hex_digit);
    let is_uuid = uid.len() == 36
        && uid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => is_hex_digit(byte),
        });
    (is_hash || is_uuid).then_some(uid)
}

/// Whether systemd would name one of its cgroups so; no other unit types have cgroups.
fn is_unit(component: &str) -> bool {
    component.rsplit_once('.').is_some_and(|(name, suffix)| {
        !name.is_empty() && matches!(suffix, "service" | "scope" | "slice" | "socket" | "mount" | "swap")
    })
}

#[cfg(test)]
mod tests;
