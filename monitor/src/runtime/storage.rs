//! Where a container's data lie on the host, as its runtime tells.

use std::path::PathBuf;

use super::{Metadata, PAIR_BYTES};

/// Kubernetes' name of a container in its pod (pkg/kubelet/types/labels.go).
pub(super) const KUBERNETES_NAME: &str = "io.kubernetes.container.name";

/// Where the kubelet has containers log to (`BuildContainerLogsDirectory`, pkg/kubelet/kuberuntime/helpers.go).
const KUBELET_LOGS: &str = "/var/log/pods";

/// What does not change in a container's life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The directory of its writable layer, where the storage driver has one and tells.
    pub layer: Option<PathBuf>,
    /// The file of its log; rotated ones have the same name with a dot and something added.
    pub log: Option<PathBuf>,
    /// What of the host it has mounted.
    pub volumes: Vec<VolumeMount>,
}

/// A directory or file of the host that a container has mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeMount {
    /// Whose it is.
    pub kind: VolumeKind,
    /// What the runtime calls it.
    pub name: Option<String>,
    /// Where it lies on the host.
    pub source: PathBuf,
    /// Where it is in the container.
    pub destination: String,
}

/// Who looks after what is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolumeKind {
    /// The runtime made it and can delete it.
    Volume,
    /// A part of the host.
    Bind,
}

/// Where logs are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogPlace {
    /// A file, with rotated ones beside it.
    File(PathBuf),
    /// A directory with nothing else in it.
    Folder(PathBuf),
}

impl Storage {
    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let Self { layer, log, volumes } = self;
        let path = |path: &Option<PathBuf>| path.as_ref().map_or(0, |path| path.as_os_str().len());
        let volume = |volume: &VolumeMount| {
            let VolumeMount { kind: _, name, source, destination } = volume;
            let name = name.as_ref().map_or(0, String::len);
            name + source.as_os_str().len() + destination.len() + PAIR_BYTES
        };
        path(layer) + path(log) + volumes.iter().map(volume).sum::<usize>()
    }
}

impl Metadata {
    /// Where the container's logs are: where its runtime said, or where the kubelet puts them.
    #[must_use]
    pub fn log_place(&self) -> Option<LogPlace> {
        if let Some(file) = self.storage.as_ref().and_then(|storage| storage.log.clone()) {
            return Some(LogPlace::File(file));
        }
        let pod = self.pod.as_ref()?;
        let (namespace, name, uid) = (pod.namespace.as_deref()?, pod.name.as_deref()?, pod.uid.as_deref()?);
        let container = self.labels.get(KUBERNETES_NAME)?;
        // Labels are free text for whoever may make containers; names in Kubernetes have no slash.
        let parts = [namespace, name, uid, container.as_str()];
        if parts.iter().any(|part| part.is_empty() || part.contains('/') || *part == "..") {
            return None;
        }
        let folder = format!("{KUBELET_LOGS}/{namespace}_{name}_{uid}/{container}");
        Some(LogPlace::Folder(folder.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        newtypes::ContainerId,
        runtime::{PodInfo, RuntimeKind},
    };

    #[test]
    fn a_pod_s_logs_are_where_the_kubelet_puts_them() {
        let mut metadata = Metadata::new(ContainerId::new("c"), RuntimeKind::Containerd);
        assert_eq!(metadata.log_place(), None);
        let some = |text: &str| Some(text.to_owned());
        metadata.pod = Some(PodInfo { uid: some("u-1"), name: some("web-0"), namespace: some("shop") });
        metadata.labels.insert(KUBERNETES_NAME.to_owned(), "nginx".to_owned());
        let folder = LogPlace::Folder("/var/log/pods/shop_web-0_u-1/nginx".into());
        assert_eq!(metadata.log_place(), Some(folder));
        metadata.labels.insert(KUBERNETES_NAME.to_owned(), "../../..".to_owned());
        assert_eq!(metadata.log_place(), None);
    }
}
