//! CRI's answers → our words. Pure.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use super::api::{
    Container, ContainerState, ContainerStatus, ImageSpec, Mount, PodSandbox, PodSandboxMetadata,
    PodSandboxState,
};
use crate::{
    newtypes::ContainerId,
    runtime::{
        Metadata, PodInfo, RuntimeKind, State, path,
        storage::{Storage, VolumeKind, VolumeMount},
    },
};

/// What a pod's sandbox has been called since dockershim.
const SANDBOX_NAME: &str = "POD";

/// Who answers, by what it calls itself.
pub(super) fn runtime(name: &str) -> RuntimeKind {
    match name {
        "containerd" => RuntimeKind::Containerd,
        "cri-o" => RuntimeKind::Crio,
        "docker" => RuntimeKind::Docker,
        _ => RuntimeKind::Unknown,
    }
}

/// Both lists as one: a pod's sandbox is a container that holds its namespaces.
pub(super) fn list(runtime: RuntimeKind, pods: Vec<PodSandbox>, containers: Vec<Container>) -> Vec<Metadata> {
    let by_sandbox: HashMap<String, PodInfo> =
        pods.iter().filter_map(|pod| Some((pod.id.clone(), info(pod.metadata.as_ref()?)))).collect();
    let containers = containers.into_iter().map(|one| {
        let pod = by_sandbox.get(&one.pod_sandbox_id).cloned();
        container(runtime, one, pod)
    });
    pods.into_iter().map(|pod| sandbox(runtime, pod)).chain(containers).collect()
}

fn sandbox(runtime: RuntimeKind, pod: PodSandbox) -> Metadata {
    let is_ready = pod.state() == PodSandboxState::Ready;
    let PodSandbox { id, metadata: named, state: _, created_at, labels } = pod;
    let mut metadata = Metadata::new(ContainerId::new(&id), runtime);
    metadata.name = Some(SANDBOX_NAME.to_owned());
    metadata.set_labels(labels);
    set_pod(&mut metadata, named.as_ref().map(info));
    metadata.created_at = instant(created_at);
    metadata.state = Some(if is_ready { State::Running } else { State::Exited });
    metadata
}

fn container(runtime: RuntimeKind, container: Container, pod: Option<PodInfo>) -> Metadata {
    let state = state(container.state());
    let Container { id, pod_sandbox_id: _, metadata: named, image, state: _, created_at, labels } = container;
    let mut metadata = Metadata::new(ContainerId::new(&id), runtime);
    metadata.name = named.map(|named| named.name).filter(|name| !name.is_empty());
    metadata.image = image.as_ref().and_then(image_name);
    metadata.set_labels(labels);
    set_pod(&mut metadata, pod);
    metadata.created_at = instant(created_at);
    metadata.state = state;
    metadata
}

/// All that is known of one container, at the moment of an event or of a question.
pub(super) fn status(
    runtime: RuntimeKind,
    status: ContainerStatus,
    pod: Option<&PodSandboxMetadata>,
) -> Metadata {
    let (state, storage) = (state(status.state()), storage(&status));
    let ContainerStatus {
        id,
        metadata: named,
        state: _,
        created_at,
        started_at,
        finished_at,
        exit_code,
        image,
        labels,
        mounts: _,
        log_path: _,
    } = status;
    let mut metadata = Metadata::new(ContainerId::new(&id), runtime);
    metadata.name = named.map(|named| named.name).filter(|name| !name.is_empty());
    metadata.image = image.and_then(|image| image_name(&image).or(Some(image.image)));
    metadata.set_labels(labels);
    set_pod(&mut metadata, pod.map(info));
    metadata.created_at = instant(created_at);
    metadata.started_at = instant(started_at);
    metadata.state = state;
    metadata.storage = storage;
    if state == Some(State::Exited) {
        metadata.finished_at = instant(finished_at);
        metadata.exit_code = Some(exit_code.into());
    }
    metadata
}

/// Where its data lie: all mounts are the host's to a runtime that speaks CRI. `None` where it tells nothing.
pub(super) fn storage(status: &ContainerStatus) -> Option<Arc<Storage>> {
    let path = |text: &str| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    let volume = |mount: &Mount| {
        Some(VolumeMount {
            kind: VolumeKind::Bind,
            name: None,
            source: path(&mount.host_path)?,
            destination: mount.container_path.clone(),
        })
    };
    let log = path(&status.log_path);
    let volumes: Vec<VolumeMount> = status.mounts.iter().filter_map(volume).collect();
    (log.is_some() || !volumes.is_empty()).then(|| Arc::new(Storage { layer: None, log, volumes }))
}

/// The sandbox's own names count more than labels, which another client than the kubelet may not set.
fn set_pod(metadata: &mut Metadata, pod: Option<PodInfo>) {
    if pod.is_some() {
        metadata.pod = pod;
    }
}

fn info(pod: &PodSandboxMetadata) -> PodInfo {
    let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    PodInfo { uid: told(&pod.uid), name: told(&pod.name), namespace: told(&pod.namespace) }
}

/// A list may have an id for an image whose status has the name: None for an id.
fn image_name(image: &ImageSpec) -> Option<String> {
    let ImageSpec { image, user_specified_image } = image;
    let is_name =
        |name: &&String| !name.is_empty() && !name.starts_with("sha256:") && !path::is_container_id(name);
    [user_specified_image, image].into_iter().find(is_name).cloned()
}

fn state(state: ContainerState) -> Option<State> {
    match state {
        ContainerState::Created => Some(State::Created),
        ContainerState::Running => Some(State::Running),
        ContainerState::Exited => Some(State::Exited),
        ContainerState::Unknown => None,
    }
}

/// Nanoseconds; 0 is never.
fn instant(nanosecond: i64) -> Option<Timestamp> {
    (nanosecond > 0).then(|| Timestamp::from_nanosecond(nanosecond.into()).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::{super::api::ContainerMetadata, *};

    fn pod() -> PodSandbox {
        PodSandbox {
            id: "s".to_owned(),
            metadata: Some(PodSandboxMetadata {
                name: "web-0".to_owned(),
                uid: "u".to_owned(),
                namespace: "shop".to_owned(),
            }),
            state: PodSandboxState::Ready.into(),
            created_at: 1_795_398_415_000_000_007,
            labels: HashMap::from([("app".to_owned(), "web".to_owned())]),
        }
    }

    fn listed(state: ContainerState) -> Container {
        Container {
            id: "c".to_owned(),
            pod_sandbox_id: "s".to_owned(),
            metadata: Some(ContainerMetadata { name: "nginx".to_owned() }),
            image: Some(ImageSpec {
                image: "sha256:1".to_owned(),
                user_specified_image: "nginx:1".to_owned(),
            }),
            state: state.into(),
            created_at: 1,
            labels: HashMap::new(),
        }
    }

    #[test]
    fn a_container_is_listed_with_its_pod() {
        let told = list(RuntimeKind::Crio, vec![pod()], vec![listed(ContainerState::Running)]);
        let [sandbox, container] = told.as_slice() else { panic!("both are listed") };
        let expected = PodInfo {
            uid: Some("u".to_owned()),
            name: Some("web-0".to_owned()),
            namespace: Some("shop".to_owned()),
        };
        assert_eq!((sandbox.name.as_deref(), sandbox.pod.as_ref()), (Some("POD"), Some(&expected)));
        assert_eq!((container.name.as_deref(), container.pod.as_ref()), (Some("nginx"), Some(&expected)));
        assert_eq!((container.image.as_deref(), container.state), (Some("nginx:1"), Some(State::Running)));
        assert_eq!(sandbox.labels["app"], "web");
    }

    #[test]
    fn only_what_has_ended_has_an_end() {
        let told = |state: ContainerState| {
            let told = ContainerStatus {
                id: "c".to_owned(),
                metadata: None,
                state: state.into(),
                created_at: 1,
                started_at: 2,
                finished_at: 3,
                exit_code: 137,
                image: None,
                labels: HashMap::new(),
                mounts: Vec::new(),
                log_path: String::new(),
            };
            status(RuntimeKind::Crio, told, None)
        };
        let running = told(ContainerState::Running);
        assert_eq!((running.exit_code, running.finished_at), (None, None));
        let ended = told(ContainerState::Exited);
        assert_eq!((ended.state, ended.exit_code), (Some(State::Exited), Some(137)));
        assert!(ended.finished_at > ended.started_at);
        assert_eq!(ended.storage, None);
    }

    /// Bytes as protobuf has them, by the numbers of `ContainerStatus` and `Mount` in api.proto: fields that are unknown here
    /// among them.
    #[test]
    fn mounts_and_the_log_are_where_the_status_tells() {
        fn field(number: u8, content: &[u8]) -> Vec<u8> {
            let head = [number << 3 | 2, u8::try_from(content.len()).unwrap()];
            [&head[..], content].concat()
        }
        let mount = [field(1, b"/data"), field(2, b"/srv/data"), vec![3 << 3, 1]].concat();
        let of_image = [field(1, b"/models"), field(9, b"")].concat();
        let bytes =
            [field(1, b"c"), field(14, &mount), field(14, &of_image), field(15, b"/var/log/pods/p/c/0.log")];
        let told = ContainerStatus::decode(bytes.concat().as_slice()).unwrap();
        let storage = storage(&told).unwrap();
        assert_eq!(storage.log.as_deref(), Some("/var/log/pods/p/c/0.log".as_ref()));
        let [volume] = storage.volumes.as_slice() else { panic!("{:?}", storage.volumes) };
        assert_eq!((volume.source.as_path(), volume.destination.as_str()), ("/srv/data".as_ref(), "/data"));
        assert_eq!(volume.kind, VolumeKind::Bind);
    }
}
