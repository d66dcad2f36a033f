//! containerd's answers → our words. Pure.

use std::{path::PathBuf, sync::Arc};

use prost::Message;
use serde::Deserialize;

use super::api::{Container, ContainerEvent, Envelope, Process, TaskEvent, TaskExit, TaskStatus};
use crate::{
    newtypes::ContainerId,
    runtime::{
        Metadata, RuntimeKind, State, path,
        storage::{KUBERNETES_NAME, Storage, VolumeKind, VolumeMount},
    },
};

/// The name that `nerdctl` gives (pkg/labels/labels.go).
const NERDCTL_NAME: &str = "nerdctl/name";
/// What containerd's CRI plugin made: `container`, or `sandbox` for the one that holds a pod's namespaces
/// (pkg/cri/server/helpers.go).
const CRI_KIND: &str = "io.cri-containerd.kind";
/// What a pod's sandbox has been called since dockershim.
const SANDBOX_NAME: &str = "POD";

/// The longest path that Linux knows (`PATH_MAX`): no cgroup has a longer one.
pub(super) const LONGEST_PATH: usize = 4096;

/// What happened to a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// It was made, or made otherwise: there is more to ask.
    Changed(Box<Metadata>),
    /// It is in another state.
    Moved(Box<Metadata>),
    /// It was deleted.
    Deleted(ContainerId),
}

/// Ids are unique in a namespace only, unless they are random.
pub(super) fn container_id(namespace: &str, id: &str) -> ContainerId {
    if path::is_container_id(id) {
        ContainerId::new(id)
    } else {
        ContainerId::new(&format!("{namespace}/{id}"))
    }
}

/// What is known of a container by its id alone: the name, where the id is one, and the cgroup that clients put it
/// into unless told otherwise (`createDefaultSpec`, oci/spec.go).
fn known_by_id(namespace: &str, id: &str) -> Metadata {
    let mut metadata = Metadata::new(container_id(namespace, id), RuntimeKind::Containerd);
    if !path::is_container_id(id) {
        metadata.name = Some(id.to_owned());
        metadata.cgroup_path = Some(format!("/{namespace}/{id}"));
    }
    metadata
}

/// A container as it is stored. None for one without an id.
pub(super) fn container(namespace: &str, container: Container) -> Option<Metadata> {
    let Container { id, labels, image, spec, created_at } = container;
    if id.is_empty() {
        return None;
    }
    let mut metadata = known_by_id(namespace, &id);
    let is_sandbox = labels.get(CRI_KIND).is_some_and(|kind| kind == "sandbox");
    let name = labels.get(KUBERNETES_NAME).or_else(|| labels.get(NERDCTL_NAME)).cloned();
    metadata.name = name.or_else(|| is_sandbox.then(|| SANDBOX_NAME.to_owned())).or(metadata.name);
    metadata.image = Some(image).filter(|image| !image.is_empty());
    metadata.created_at = created_at.and_then(super::Instant::wall);
    metadata.set_labels(labels);
    if let Some(spec) = spec.and_then(|spec| serde_json::from_slice::<Spec>(&spec.value).ok()) {
        metadata.cgroup_path =
            spec.linux.and_then(|linux| cgroup_path(linux.cgroups_path?)).or(metadata.cgroup_path);
        let volumes = spec.mounts.into_iter().flatten().filter_map(volume).collect();
        metadata.storage = Some(Arc::new(Storage { volumes, ..Storage::default() }));
    }
    Some(metadata)
}

/// The state of a container's task.
pub(super) fn task(namespace: &str, task: &Process) -> Metadata {
    let mut metadata = Metadata::new(container_id(namespace, &task.id), RuntimeKind::Containerd);
    metadata.pid = pid(task.pid);
    metadata.state = match task.status() {
        TaskStatus::Unknown => None,
        TaskStatus::Created => Some(State::Created),
        // One that is being frozen still runs.
        TaskStatus::Running | TaskStatus::Pausing => Some(State::Running),
        TaskStatus::Paused => Some(State::Paused),
        TaskStatus::Stopped => {
            metadata.exit_code = Some(task.exit_status.into());
            metadata.finished_at = task.exited_at.and_then(super::Instant::wall);
            Some(State::Exited)
        }
    };
    metadata
}

/// An event, or None where it tells nothing that we keep (a snapshot, an exec, an image).
pub(super) fn event(envelope: &Envelope) -> Option<Happened> {
    let namespace = &envelope.namespace;
    let value = envelope.event.as_ref()?.value.as_slice();
    let at = envelope.timestamp.and_then(super::Instant::wall);
    let moved = |state| {
        let TaskEvent { container_id: id, pid: first } = TaskEvent::decode(value).ok()?;
        let mut metadata = Metadata::new(container_id(namespace, &id), RuntimeKind::Containerd);
        metadata.state = Some(state);
        metadata.pid = pid(first);
        Some(metadata)
    };
    let metadata = match envelope.topic.as_str() {
        "/containers/create" | "/containers/update" => {
            let ContainerEvent { id, image } = ContainerEvent::decode(value).ok()?;
            let mut metadata = known_by_id(namespace, &id);
            metadata.image = Some(image).filter(|image| !image.is_empty());
            return Some(Happened::Changed(Box::new(metadata)));
        }
        "/containers/delete" => {
            let ContainerEvent { id, .. } = ContainerEvent::decode(value).ok()?;
            return Some(Happened::Deleted(container_id(namespace, &id)));
        }
        "/tasks/start" => {
            let mut metadata = moved(State::Running)?;
            metadata.started_at = at;
            metadata
        }
        "/tasks/paused" => moved(State::Paused)?,
        "/tasks/resumed" => moved(State::Running)?,
        "/tasks/exit" => {
            let TaskExit { container_id: id, id: process, exit_status, exited_at } =
                TaskExit::decode(value).ok()?;
            if id != process {
                return None;
            }
            let mut metadata = Metadata::new(container_id(namespace, &id), RuntimeKind::Containerd);
            metadata.state = Some(State::Exited);
            metadata.exit_code = Some(exit_status.into());
            metadata.finished_at = exited_at.and_then(super::Instant::wall).or(at);
            metadata
        }
        _ => return None,
    };
    Some(Happened::Moved(Box::new(metadata)))
}

fn pid(pid: u32) -> Option<i32> {
    i32::try_from(pid).ok().filter(|pid| *pid > 0)
}

/// All that is read of an OCI runtime specification; its environment is never looked at.
#[derive(Deserialize)]
struct Spec {
    linux: Option<Linux>,
    mounts: Option<Vec<Mount>>,
}

#[derive(Deserialize)]
struct Mount {
    destination: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    source: Option<PathBuf>,
    options: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Linux {
    #[serde(rename = "cgroupsPath")]
    cgroups_path: Option<String>,
}

/// A part of the host that is mounted. containerd itself has no volumes: those of its clients are parts of the host to it.
fn volume(mount: Mount) -> Option<VolumeMount> {
    let Mount { destination, kind, source, options } = mount;
    let is_bind = kind.as_deref() == Some("bind")
        || options.iter().flatten().any(|option| matches!(option.as_str(), "bind" | "rbind"));
    let source = source.filter(|source| is_bind && source.is_absolute())?;
    Some(VolumeMount { kind: VolumeKind::Bind, name: None, source, destination })
}

/// The cgroup's path below the hierarchy's root; None where it is relative to the runtime's own, which we do not know.
fn cgroup_path(path: String) -> Option<String> {
    match path.split(':').collect::<Vec<_>>().as_slice() {
        // Each part of a slice's name is a folder that has all parts before it in its name.
        _ if path.len() > LONGEST_PATH => None,
        [slice, prefix, name] => {
            Some(systemd_scope(slice, prefix, name)).filter(|scope| scope.len() <= LONGEST_PATH)
        }
        _ => path.starts_with('/').then_some(path),
    }
}

/// `a-b.slice:docker:web` → `/a.slice/a-b.slice/docker-web.scope`, as runc's systemd driver makes it
/// (`ExpandSlice` and `getUnitName`, libcontainer/cgroups/systemd/common.go).
fn systemd_scope(slice: &str, prefix: &str, name: &str) -> String {
    let slice = if slice.is_empty() { "system.slice" } else { slice };
    let mut path = String::new();
    let mut outer = String::new();
    for part in slice.trim_end_matches(".slice").split('-').filter(|part| !part.is_empty()) {
        outer.push_str(part);
        path.push('/');
        path.push_str(&outer);
        path.push_str(".slice");
        outer.push('-');
    }
    let scope = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}-{name}") };
    format!("{path}/{scope}.scope")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::grpc::{Any, Instant};

    const ID: &str = "475672e2940a57f26c4aef59047ca612c3e7aaa2d754026151043952d1d7b253";

    fn envelope(topic: &str, event: &impl Message) -> Envelope {
        Envelope {
            timestamp: Some(Instant { seconds: 1_795_398_415, nanos: 7 }),
            namespace: "default".to_owned(),
            topic: topic.to_owned(),
            event: Some(Any { type_url: String::new(), value: event.encode_to_vec() }),
        }
    }

    fn moved(topic: &str, event: &impl Message) -> Metadata {
        match super::event(&envelope(topic, event)) {
            Some(Happened::Moved(metadata)) => *metadata,
            other => panic!("{topic}: {other:?}"),
        }
    }

    fn stored(id: &str, labels: &[(&str, &str)], spec: &str) -> Metadata {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let spec = Some(Any { type_url: String::new(), value: spec.as_bytes().to_vec() });
        let image = "docker.io/library/bb:1".to_owned();
        let created_at = Some(Instant { seconds: 1_795_398_415, nanos: 7 });
        container("default", Container { id: id.to_owned(), labels, image, spec, created_at }).unwrap()
    }

    #[test]
    fn parts_of_the_host_that_are_mounted_are_named() {
        let spec = r#"{"mounts":[
            {"destination":"/proc","type":"proc","source":"proc","options":["nosuid"]},
            {"destination":"/etc/hosts","type":"bind","source":"/run/hosts","options":["rbind","ro"]},
            {"destination":"/data","source":"/srv/data","options":["bind"]}]}"#;
        let storage = stored("web", &[], spec).storage.unwrap();
        let volume = |source: &str, destination: &str| VolumeMount {
            kind: VolumeKind::Bind,
            name: None,
            source: source.into(),
            destination: destination.to_owned(),
        };
        assert_eq!(storage.volumes, [volume("/run/hosts", "/etc/hosts"), volume("/srv/data", "/data")]);
        assert_eq!(stored("web", &[], "not JSON").storage, None);
    }

    #[test]
    fn a_chosen_id_is_a_name_and_names_the_cgroup() {
        let web = stored("web", &[("colour", "blue")], "{}");
        assert_eq!(web.id.as_str(), "default/web");
        assert_eq!(
            (web.name.as_deref(), web.image.as_deref()),
            (Some("web"), Some("docker.io/library/bb:1"))
        );
        assert_eq!(web.cgroup_path.as_deref(), Some("/default/web"));
        assert_eq!(web.labels["colour"], "blue");
        let random = stored(ID, &[("nerdctl/name", "db")], "{}");
        assert_eq!((random.id.as_str(), random.name.as_deref()), (ID, Some("db")));
        assert_eq!(random.cgroup_path, None, "the path tells");
    }

    #[test]
    fn a_pod_s_containers_have_their_names() {
        let labels = [
            ("io.cri-containerd.kind", "container"),
            ("io.kubernetes.container.name", "nginx"),
            ("io.kubernetes.pod.name", "web-0"),
            ("io.kubernetes.pod.uid", "u"),
        ];
        let nginx = stored(ID, &labels, "{}");
        assert_eq!(nginx.name.as_deref(), Some("nginx"));
        assert_eq!(nginx.pod.unwrap().name.as_deref(), Some("web-0"));
        assert_eq!(stored(ID, &[("io.cri-containerd.kind", "sandbox")], "{}").name.as_deref(), Some("POD"));
    }

    #[test]
    fn the_specification_has_the_cgroup() {
        let path = |path: &str| {
            stored(
                "web",
                &[],
                &format!(r#"{{"process":{{"env":["A=b"]}},"linux":{{"cgroupsPath":"{path}"}}}}"#),
            )
            .cgroup_path
        };
        assert_eq!(path("/batch/web").as_deref(), Some("/batch/web"));
        assert_eq!(path("batch/web").as_deref(), Some("/default/web"), "relative to what is not told");
        assert_eq!(path("kube-a.slice:cri:web").as_deref(), Some("/kube.slice/kube-a.slice/cri-web.scope"));
        assert_eq!(path(":nerdctl:web").as_deref(), Some("/system.slice/nerdctl-web.scope"));
        assert_eq!(stored("web", &[], "no JSON").cgroup_path.as_deref(), Some("/default/web"));
        // Each part adds a folder that is longer than the one before: of a long name there would be no end.
        let nested = format!("{}a.slice:cri:web", "a-".repeat(2000));
        assert_eq!(path(&nested).as_deref(), Some("/default/web"));
    }

    #[test]
    fn events_move_a_container_through_its_life() {
        let start = moved("/tasks/start", &TaskEvent { container_id: "web".to_owned(), pid: 12 });
        assert_eq!(
            (start.id.as_str(), start.state, start.pid),
            ("default/web", Some(State::Running), Some(12))
        );
        assert!(start.started_at.is_some());
        let frozen = TaskEvent { container_id: "web".to_owned(), pid: 0 };
        assert_eq!(moved("/tasks/paused", &frozen).state, Some(State::Paused));
        assert_eq!(moved("/tasks/resumed", &frozen).state, Some(State::Running));
        let mut exit = TaskExit {
            container_id: "web".to_owned(),
            id: "web".to_owned(),
            exit_status: 137,
            exited_at: Some(Instant { seconds: 1_795_398_416, nanos: 0 }),
        };
        let ended = moved("/tasks/exit", &exit);
        assert_eq!((ended.state, ended.exit_code), (Some(State::Exited), Some(137)));
        assert_eq!(ended.finished_at.unwrap().as_second(), 1_795_398_416);
        exit.id = "exec-1".to_owned();
        assert_eq!(event(&envelope("/tasks/exit", &exit)), None, "an exec's end is not the container's");
    }

    #[test]
    fn making_and_deleting_are_told() {
        let made = ContainerEvent { id: "web".to_owned(), image: "bb".to_owned() };
        let Some(Happened::Changed(metadata)) = event(&envelope("/containers/create", &made)) else {
            panic!("it is made")
        };
        assert_eq!((metadata.name.as_deref(), metadata.image.as_deref()), (Some("web"), Some("bb")));
        let deleted = event(&envelope("/containers/delete", &made));
        assert_eq!(deleted, Some(Happened::Deleted(ContainerId::new("default/web"))));
        assert_eq!(event(&envelope("/snapshot/prepare", &made)), None);
        let garbage = Any { type_url: String::new(), value: vec![0xff; 9] };
        assert_eq!(event(&Envelope { event: Some(garbage), ..envelope("/tasks/start", &made) }), None);
    }

    #[test]
    fn a_listed_task_has_its_state() {
        let task = |status: TaskStatus| {
            task(
                "default",
                &Process {
                    id: "web".to_owned(),
                    pid: 7,
                    status: status.into(),
                    exit_status: 3,
                    exited_at: Some(Instant { seconds: 5, nanos: 0 }),
                },
            )
        };
        assert_eq!(task(TaskStatus::Running).exit_code, None);
        assert_eq!(task(TaskStatus::Paused).state, Some(State::Paused));
        let stopped = task(TaskStatus::Stopped);
        assert_eq!((stopped.state, stopped.exit_code), (Some(State::Exited), Some(3)));
        assert_eq!(task(TaskStatus::Unknown).state, None);
    }
}
