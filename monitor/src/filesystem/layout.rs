//! Which trees are a container's.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
};

use super::mounts::{self, Mount};
use crate::{
    cgroup::first_pid,
    newtypes::CgroupId,
    runtime::storage::{LogPlace, Storage, VolumeKind, VolumeMount},
};

/// A container whose data are to be measured.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its own cgroup's id.
    pub container: CgroupId,
    /// That cgroup's directory, where its processes are found.
    pub cgroup: PathBuf,
    /// What its runtime told.
    pub storage: Option<Arc<Storage>>,
    /// Where it logs to.
    pub logs: Option<LogPlace>,
    /// Whether it was only just made, so that it may be gone in a moment.
    pub is_new: bool,
    /// Grows whenever its tasks may have run: what they wrote before was found already where it stands still.
    pub ran: Arc<AtomicU64>,
}

/// What is measured in one go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    /// A directory with all that is in it.
    Tree(PathBuf),
    /// A file, with those beside it that have its name and more.
    Log(PathBuf),
}

impl Target {
    pub(super) fn path(&self) -> &PathBuf {
        let (Self::Tree(path) | Self::Log(path)) = self;
        path
    }

    /// Whether measuring it may mean to look at any number of directories.
    pub(super) fn may_be_walked(&self) -> bool {
        matches!(self, Self::Tree(_))
    }
}

/// The trees of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) layer: Option<Arc<Target>>,
    pub(super) logs: Option<Arc<Target>>,
    /// `None` where no runtime told. What is the host's is not measured.
    pub(super) volumes: Option<Vec<(VolumeMount, Option<Arc<Target>>)>>,
}

impl Layout {
    /// Looks for them; `ours` is what is mounted on the host.
    ///
    /// The mount table of one of its processes is asked for the writable layer: it is the same for every runtime and
    /// storage driver, and right also where the runtime does not answer.
    pub(super) fn find(subject: &Subject, ours: &[Mount]) -> Self {
        let storage = subject.storage.as_deref();
        let tree = |path| Arc::new(Target::Tree(path));
        let volumes = storage.map(|storage| {
            let is_measured = |volume: &VolumeMount| volume.kind == VolumeKind::Volume;
            let with_target = |volume: &VolumeMount| {
                (volume.clone(), is_measured(volume).then(|| tree(volume.source.clone())))
            };
            storage.volumes.iter().map(with_target).collect()
        });
        Self {
            layer: mounted_layer(subject, ours)
                .or_else(|| storage.and_then(|storage| storage.layer.clone()))
                .map(tree),
            logs: subject.logs.as_ref().map(|place| match place {
                LogPlace::File(path) => Arc::new(Target::Log(path.clone())),
                LogPlace::Folder(path) => tree(path.clone()),
            }),
            volumes,
        }
    }

    /// What of it is measured.
    pub(super) fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        let volumes = self.volumes.iter().flatten().filter_map(|(_, target)| target.as_ref());
        self.layer.iter().chain(&self.logs).chain(volumes)
    }
}

fn mounted_layer(subject: &Subject, ours: &[Mount]) -> Option<PathBuf> {
    let pid = first_pid(&subject.cgroup)?;
    mounts::writable_layer(&mounts::of_process(pid), ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(kind: VolumeKind, source: &str) -> VolumeMount {
        VolumeMount { kind, name: None, source: source.into(), destination: "/data".to_owned() }
    }

    #[test]
    fn only_what_is_the_container_s_is_measured() {
        let storage = Storage {
            layer: Some("/layer".into()),
            log: None,
            volumes: vec![volume(VolumeKind::Volume, "/volumes/v"), volume(VolumeKind::Bind, "/etc")],
        };
        let subject = Subject {
            container: CgroupId(1),
            cgroup: "/nonexistent".into(),
            storage: Some(Arc::new(storage)),
            logs: Some(LogPlace::File("/logs/c.log".into())),
            is_new: false,
            ran: Arc::default(),
        };
        let layout = Layout::find(&subject, &[]);
        let targets: Vec<Target> = layout.targets().map(|target| (**target).clone()).collect();
        let expected = [
            Target::Tree("/layer".into()),
            Target::Log("/logs/c.log".into()),
            Target::Tree("/volumes/v".into()),
        ];
        assert_eq!(targets, expected);
        assert_eq!(layout.volumes.as_ref().map(Vec::len), Some(2));
        let untold = Layout::find(&Subject { storage: None, logs: None, ..subject }, &[]);
        assert_eq!(untold, Layout::default());
    }
}
