//! One container, measured once.

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{ContainerUsage, Subject, Surveyor, TreeUsage};
use crate::runtime::storage::VolumeKind;

/// How often it is asked whether all is done.
const POLL: Duration = Duration::from_millis(10);

/// Measures as much of a container's data as is done within `patience`, with the same bounds as always; `None` where not
/// even their places were found. What is large stays unmeasured.
pub fn measure_once(subject: Subject, patience: Duration) -> io::Result<Option<Arc<ContainerUsage>>> {
    let container = subject.container;
    let surveyor = Surveyor::start(patience)?;
    surveyor.watch(subject);
    let deadline = Instant::now() + patience;
    let mut usage = None;
    loop {
        usage = surveyor.take().containers.remove(&container).or(usage);
        if usage.as_deref().is_some_and(is_measured) || Instant::now() >= deadline {
            return Ok(usage);
        }
        thread::sleep(POLL);
    }
}

fn is_measured(usage: &ContainerUsage) -> bool {
    let ContainerUsage { layer, logs, volumes } = usage;
    let of_runtime = volumes.iter().flatten().filter(|volume| volume.kind == VolumeKind::Volume);
    let mut trees = layer.iter().chain(logs).chain(of_runtime.map(|volume| &volume.tree));
    trees.all(|tree: &TreeUsage| tree.measured.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        newtypes::CgroupId,
        runtime::storage::{Storage, VolumeMount},
    };

    #[test]
    fn a_volume_is_measured_and_the_host_s_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), vec![1; 5000]).unwrap();
        let volume = |kind| VolumeMount {
            kind,
            name: None,
            source: folder.path().to_owned(),
            destination: "/data".to_owned(),
        };
        let volumes = vec![volume(VolumeKind::Volume), volume(VolumeKind::Bind)];
        let subject = Subject {
            container: CgroupId(1),
            cgroup: folder.path().to_owned(),
            storage: Some(Arc::new(Storage { volumes, ..Storage::default() })),
            logs: None,
            is_new: false,
            ran: Arc::default(),
        };
        let usage = measure_once(subject, Duration::from_secs(10)).unwrap().unwrap();
        let volumes = usage.volumes.as_deref().unwrap();
        let measured = volumes[0].tree.measured.as_deref().unwrap();
        assert_eq!((measured.inodes, volumes[1].tree.measured.is_some()), (2, false));
        assert!(measured.bytes >= 5000);
    }
}
