//! What a container takes on file systems, measured once, within a time.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::model::{DataTree, Filesystems, Volume};
use crate::{
    filesystem::{self, ContainerUsage, Subject, TreeUsage, VolumeUsage},
    newtypes::CgroupId,
    runtime::{Metadata, storage::VolumeKind},
};

/// How long measuring may take in all. A large tree is walked at leisure, so as not to disturb, and takes longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Of the container whose own cgroup is this directory, with what its runtime told. `None` where it could not be tried.
pub(super) fn measure(cgroup: PathBuf, metadata: Option<&Metadata>) -> Option<Filesystems> {
    let subject = Subject {
        container: CgroupId(0),
        cgroup,
        storage: metadata.and_then(|metadata| metadata.storage.clone()),
        logs: metadata.and_then(Metadata::log_place),
        is_new: false,
        ran: Arc::default(),
    };
    match filesystem::measure_once(subject, PATIENCE) {
        Ok(usage) => usage.map(|usage| describe(&usage)),
        Err(error) => {
            log::warn!("what it takes on file systems is not measured: {error}");
            None
        }
    }
}

fn describe(usage: &ContainerUsage) -> Filesystems {
    let ContainerUsage { layer, logs, volumes } = usage;
    Filesystems {
        writable_layer: layer.as_ref().map(tree),
        logs: logs.as_ref().map(tree),
        volumes: volumes.as_ref().map(|volumes| volumes.iter().map(volume).collect()),
    }
}

fn tree(tree: &TreeUsage) -> DataTree {
    let measured = tree.measured.as_deref();
    DataTree {
        path: tree.path.to_string(),
        used_bytes: measured.map(|measured| measured.bytes),
        used_inodes: measured.map(|measured| measured.inodes),
        limit_bytes: measured.and_then(|measured| measured.limit_bytes),
    }
}

fn volume(volume: &VolumeUsage) -> Volume {
    Volume {
        destination: volume.destination.clone(),
        name: volume.name.clone(),
        is_of_host: volume.kind == VolumeKind::Bind,
        tree: tree(&volume.tree),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_in_time_is_named_and_unknown() {
        let tree = |path: &str| TreeUsage { path: path.into(), measured: None };
        let usage = ContainerUsage {
            layer: Some(tree("/upper")),
            logs: None,
            volumes: Some(vec![VolumeUsage {
                kind: VolumeKind::Bind,
                name: None,
                destination: "/data".to_owned(),
                tree: tree("/srv"),
            }]),
        };
        let unknown = |path: &str| DataTree {
            path: path.to_owned(),
            used_bytes: None,
            used_inodes: None,
            limit_bytes: None,
        };
        let described = describe(&usage);
        assert_eq!((described.writable_layer, described.logs), (Some(unknown("/upper")), None));
        let (destination, name) = ("/data".to_owned(), None);
        let volume = Volume { destination, name, is_of_host: true, tree: unknown("/srv") };
        assert_eq!(described.volumes, Some(vec![volume]));
    }
}
