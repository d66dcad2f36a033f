//! The file systems' part of a Snapshot.

use std::sync::Arc;

use crate::{
    collector::sample::{Sample, Series},
    filesystem::{self, ContainerUsage, Filesystem, Measured, Method, Space, VolumeUsage},
    model::{FilesystemSpace, Filesystems, HostFilesystem, Tree, TreeUsage, UsageMethod, Volume, VolumeKind},
    runtime::storage,
};

/// What a series takes.
pub(super) fn filesystems(series: &Series, now: &Sample) -> Filesystems {
    let Some(usage) = series.filesystems.as_deref() else { return Filesystems::default() };
    let ContainerUsage { layer, logs, volumes } = usage;
    let layer_usage = layer.as_ref().and_then(|tree| tree.measured.as_deref());
    let space =
        layer_usage.and_then(|layer| space_for(layer, now.filesystems.as_deref().unwrap_or_default()));
    let tree = |tree: &filesystem::TreeUsage| tree_of(tree, now.monotonic_ns);
    Filesystems {
        used_bytes: with_logs(usage, |measured| measured.bytes),
        used_inodes: with_logs(usage, |measured| measured.inodes),
        volumes_bytes: of_volumes(volumes.as_deref(), |measured| measured.bytes),
        volumes_inodes: of_volumes(volumes.as_deref(), |measured| measured.inodes),
        capacity_bytes: space.map(|space| space.capacity_bytes),
        available_bytes: space.map(|space| space.available_bytes),
        inodes: space.and_then(|space| space.inodes),
        free_inodes: space.and_then(|space| space.free_inodes),
        writable_layer: layer.as_ref().map(tree),
        logs: logs.as_ref().map(tree),
        volumes: volumes
            .as_ref()
            .map(|volumes| volumes.iter().map(|volume| volume_of(volume, tree(&volume.tree))).collect()),
    }
}

/// The writable layer and the logs, where there are any.
fn with_logs(usage: &ContainerUsage, read: fn(&Measured) -> u64) -> Option<u64> {
    let of = |tree: &filesystem::TreeUsage| tree.measured.as_deref().map(read);
    let layer = usage.layer.as_ref().and_then(of)?;
    Some(layer + usage.logs.as_ref().map_or(Some(0), of)?)
}

/// All volumes, where each of them was measured. What is the host's is none.
fn of_volumes(volumes: Option<&[VolumeUsage]>, read: fn(&Measured) -> u64) -> Option<u64> {
    volumes?
        .iter()
        .filter(|volume| volume.kind == storage::VolumeKind::Volume)
        .map(|volume| volume.tree.measured.as_deref().map(read))
        .sum()
}

/// What is left for a tree: under a quota what that leaves, else what the machine's list has, which is asked more often.
fn space_for(measured: &Measured, mounted: &[Filesystem]) -> Option<Space> {
    let device = measured.device;
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let listed = mounted.iter().find(|filesystem| filesystem.device == device);
    match measured.method {
        Method::Quota => measured.space,
        Method::Walk => listed.and_then(|listed| listed.space).or(measured.space),
    }
}

fn tree_of(tree: &filesystem::TreeUsage, now_ns: u64) -> Tree {
    let path = Arc::clone(&tree.path);
    let Some(measured) = tree.measured.as_deref() else { return Tree { path, ..Tree::default() } };
    Tree {
        path,
        method: Some(match measured.method {
            Method::Quota => UsageMethod::Quota,
            Method::Walk => UsageMethod::Walk,
        }),
        measured_at: Some(measured.at),
        usage: TreeUsage {
            used_bytes: Some(measured.bytes),
            apparent_bytes: measured.apparent_bytes,
            used_inodes: Some(measured.inodes),
            limit_bytes: measured.limit_bytes,
            limit_inodes: measured.limit_inodes,
            age_ns: Some(now_ns.saturating_sub(measured.monotonic_ns)),
            took_ns: Some(measured.busy_ns),
            uncounted_entries: Some(measured.skipped),
        },
    }
}

fn volume_of(volume: &VolumeUsage, tree: Tree) -> Volume {
    Volume {
        kind: match volume.kind {
            storage::VolumeKind::Volume => VolumeKind::Volume,
            storage::VolumeKind::Bind => VolumeKind::Bind,
        },
        name: volume.name.clone(),
        destination: volume.destination.clone(),
        tree,
    }
}

/// What is mounted on the machine.
pub(super) fn mounted(filesystems: &[Filesystem]) -> Vec<HostFilesystem> {
    let listed = |filesystem: &Filesystem| {
        let Filesystem { mount_point, device, fs_type, source, space } = filesystem.clone();
        HostFilesystem {
            mount_point,
            device,
            fs_type,
            source,
            space: space.map(space_of).unwrap_or_default(),
        }
    };
    filesystems.iter().map(listed).collect()
}

fn space_of(space: Space) -> FilesystemSpace {
    let Space { capacity_bytes, used_bytes, available_bytes, inodes, free_inodes } = space;
    FilesystemSpace {
        capacity_bytes: Some(capacity_bytes),
        used_bytes: Some(used_bytes),
        available_bytes: Some(available_bytes),
        inodes,
        free_inodes,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn measured(bytes: u64, method: Method) -> Arc<Measured> {
        let space = Space { available_bytes: 5, ..Space::default() };
        Arc::new(Measured {
            bytes,
            apparent_bytes: None,
            inodes: 2,
            limit_bytes: None,
            limit_inodes: None,
            method,
            skipped: 0,
            device: rustix::fs::makedev(8, 1),
            space: Some(space),
            at: Timestamp::UNIX_EPOCH,
            monotonic_ns: 40,
            busy_ns: 7,
        })
    }

    fn tree(measured: Option<Arc<Measured>>) -> filesystem::TreeUsage {
        filesystem::TreeUsage { path: "/t".into(), measured }
    }

    fn volume(kind: storage::VolumeKind, measured: Option<Arc<Measured>>) -> VolumeUsage {
        VolumeUsage { kind, name: None, destination: "/v".to_owned(), tree: tree(measured) }
    }

    #[test]
    fn a_sum_with_a_part_unmeasured_is_unknown() {
        let walked = || Some(measured(10, Method::Walk));
        let mut usage = ContainerUsage { layer: Some(tree(walked())), logs: None, volumes: None };
        assert_eq!(with_logs(&usage, |measured| measured.bytes), Some(10));
        usage.logs = Some(tree(None));
        assert_eq!(with_logs(&usage, |measured| measured.bytes), None);
        usage.logs = Some(tree(walked()));
        assert_eq!(with_logs(&usage, |measured| measured.bytes), Some(20));
        let (own, bind) = (storage::VolumeKind::Volume, storage::VolumeKind::Bind);
        let volumes = [volume(own, walked()), volume(bind, None)];
        assert_eq!(of_volumes(Some(&volumes), |measured| measured.bytes), Some(10));
        let volumes = [volume(own, walked()), volume(own, None)];
        assert_eq!(of_volumes(Some(&volumes), |measured| measured.bytes), None);
        assert_eq!(of_volumes(Some(&[]), |measured| measured.bytes), Some(0));
        assert_eq!(of_volumes(None, |measured| measured.bytes), None);
    }

    #[test]
    fn an_age_is_the_time_since_the_measuring() {
        let shown = tree_of(&tree(Some(measured(10, Method::Walk))), 100);
        assert_eq!((shown.usage.age_ns, shown.usage.took_ns), (Some(60), Some(7)));
        assert_eq!(shown.method, Some(UsageMethod::Walk));
        let unmeasured = tree_of(&tree(None), 100);
        assert_eq!(unmeasured, Tree { path: "/t".into(), ..Tree::default() });
    }

    #[test]
    fn what_is_left_is_the_file_system_s_or_the_quota_s() {
        let space = Some(Space { available_bytes: 9, ..Space::default() });
        let listed = Filesystem {
            mount_point: "/".to_owned(),
            device: "8:1".to_owned(),
            fs_type: "ext4".to_owned(),
            source: String::new(),
            space,
        };
        let left = |method, mounted: &[Filesystem]| {
            space_for(&measured(1, method), mounted).map(|space| space.available_bytes)
        };
        assert_eq!(left(Method::Walk, std::slice::from_ref(&listed)), Some(9));
        assert_eq!(left(Method::Quota, &[listed]), Some(5));
        assert_eq!(left(Method::Walk, &[]), Some(5));
    }
}
