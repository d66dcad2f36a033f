//! Who is who, in a Snapshot.

use std::collections::BTreeMap;

use crate::{
    collector::sample::{ContainerInfo, Series},
    model::{About, Cgroup, CgroupEntry, CgroupKind, ContainerState, Measurements, Namespaces, Pod},
    runtime::{State, path},
};

/// Who a container is.
pub(super) fn about(series: &Series, info: &ContainerInfo) -> About {
    let ContainerInfo { run, metadata, namespaces } = info;
    let told = metadata.as_ref();
    let has_ended = run.ended_at.is_some();
    let state = match told.and_then(|metadata| metadata.state) {
        _ if has_ended => ContainerState::Exited,
        Some(State::Paused) => ContainerState::Paused,
        _ => ContainerState::Running,
    };
    About {
        id: run.id.as_str().to_owned(),
        short_id: run.id.short().to_owned(),
        name: info.name().map(str::to_owned),
        image: told.and_then(|metadata| metadata.image.clone()),
        runtime: told.map_or(run.runtime, |metadata| metadata.runtime).to_string(),
        state,
        exit_code: run.exit_code.filter(|_| has_ended),
        created_at: told.and_then(|metadata| metadata.created_at),
        started_at: started_at(info),
        finished_at: run.finished_at.or(run.ended_at).filter(|_| has_ended),
        labels: told.map(|metadata| metadata.labels.clone()).unwrap_or_default(),
        pod: pod(info),
        counting_since: series.counting_since,
        cgroup: Cgroup { id: series.cgroup.0, path: Some(run.path.clone()) },
        namespaces: namespaces_of(namespaces),
    }
}

fn pod(info: &ContainerInfo) -> Option<Pod> {
    let told = info.metadata.as_ref().and_then(|metadata| metadata.pod.clone()).unwrap_or_default();
    Some(Pod { name: told.name, namespace: told.namespace, uid: info.pod_uid()?.to_owned() })
}

/// A cgroup that is no container's.
pub(super) fn cgroup_entry(series: &Series, measurements: Measurements) -> CgroupEntry {
    let (kind, name) = series.path.as_deref().map(path::kind).unzip();
    CgroupEntry {
        cgroup: Cgroup { id: series.cgroup.0, path: series.path.as_deref().map(str::to_owned) },
        kind: kind.map(|kind| match kind {
            path::CgroupKind::Root => CgroupKind::Root,
            path::CgroupKind::Slice => CgroupKind::Slice,
            path::CgroupKind::Service => CgroupKind::Service,
            path::CgroupKind::Scope => CgroupKind::Scope,
            path::CgroupKind::OtherUnit => CgroupKind::Unit,
            path::CgroupKind::Pod => CgroupKind::Pod,
            path::CgroupKind::Plain => CgroupKind::Cgroup,
        }),
        name: name.flatten(),
        counting_since: series.counting_since,
        measurements,
    }
}

/// When this run began: the runtime speaks of the last start only, so an earlier run has its cgroup's birth.
fn started_at(info: &ContainerInfo) -> Option<jiff::Timestamp> {
    let told = info.metadata.as_ref().and_then(|metadata| metadata.started_at);
    match (told, info.run.ended_at) {
        (Some(told), Some(ended)) if told > ended => info.run.made_at,
        (told, _) => told.or(info.run.made_at),
    }
}

fn namespaces_of(inodes: &BTreeMap<String, u64>) -> Namespaces {
    let inode = |name: &str| inodes.get(name).copied();
    Namespaces {
        cgroup: inode("cgroup"),
        ipc: inode("ipc"),
        mnt: inode("mnt"),
        net: inode("net"),
        pid: inode("pid"),
        time: inode("time"),
        user: inode("user"),
        uts: inode("uts"),
    }
}
