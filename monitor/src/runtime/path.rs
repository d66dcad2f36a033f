//! Cgroup path → whose cgroup it is. Pure, and needs no runtime to answer.
//!
//! A cgroup below a container's own belongs to that container. Where containers are nested, the **outermost** owns
//! everything below it: the runtime inside it is not this host's and cannot be asked, and its containers use the
//! outer one's resources. A path is read from the hierarchy's root as the reader sees it.

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

/// `/docker/<id>`, or below a parent of the user's or Kubernetes' choice, which does not tell the runtime.
fn bare<'p>(component: &'p str, parent: Option<Parent<'_>>) -> Option<(RuntimeKind, &'p str)> {
    let runtime = match parent.map(|parent| parent.name) {
        Some("docker") => RuntimeKind::Docker,
        Some("libpod_parent") => RuntimeKind::Podman,
        _ => RuntimeKind::Unknown,
    };
    is_container_id(component).then_some((runtime, component))
}

fn is_container_id(text: &str) -> bool {
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
