//! What containers take on file systems, as it was measured last: measuring itself is the surveyor's.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{collect::Collector, sample::ContainerInfo};
use crate::{
    filesystem::{ContainerUsage, Filesystem, Health, Subject, Surveyor},
    model::Source,
    newtypes::CgroupId,
    runtime::storage::Storage,
};

/// What is known of every container's data.
#[derive(Default)]
pub(super) struct FilesystemCache {
    rows: HashMap<CgroupId, Row>,
    mounted: Option<Arc<[Filesystem]>>,
    health: Health,
}

/// One container's run.
struct Row {
    /// What the surveyor was told of it.
    storage: Option<Arc<Storage>>,
    has_pod: bool,
    is_watched: bool,
    /// See [`Subject::ran`].
    ran: Arc<AtomicU64>,
    usage: Option<Arc<ContainerUsage>>,
}

impl FilesystemCache {
    /// Takes what was measured since the last time.
    pub(super) fn take(&mut self, surveyor: &Result<Surveyor, String>) {
        let Ok(surveyor) = surveyor else { return };
        let told = surveyor.take();
        for (id, usage) in told.containers {
            if let Some(row) = self.rows.get_mut(&id) {
                row.usage = Some(usage);
            }
        }
        if told.filesystems.is_some() {
            self.mounted = told.filesystems;
        }
        self.health = told.health;
    }

    /// The file systems that are mounted.
    pub(super) fn mounted(&self) -> Option<Arc<[Filesystem]>> {
        self.mounted.clone()
    }

    /// How measuring fares.
    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// Forgets a run.
    pub(super) fn forget(&mut self, id: CgroupId, surveyor: &Result<Surveyor, String>) {
        if let (Some(Row { is_watched: true, .. }), Ok(surveyor)) = (self.rows.remove(&id), surveyor) {
            surveyor.forget(id);
        }
    }
}

impl Collector {
    /// What a container takes, as measured last. Has it measured, while it runs; `ran_ns` is for how long its tasks have since
    /// the last tick.
    pub(super) fn filesystems_of(
        &mut self,
        id: CgroupId,
        container: &ContainerInfo,
        ran_ns: u64,
    ) -> Option<Arc<ContainerUsage>> {
        let (Ok(surveyor), Some(mount)) = (&self.sources.surveyor, &self.sources.counted) else {
            return None;
        };
        let ContainerInfo { run, metadata, .. } = container;
        let rows = &mut self.filesystems.rows;
        if run.ended_at.is_some() {
            let row = rows.get_mut(&id)?;
            if std::mem::take(&mut row.is_watched) {
                surveyor.forget(id);
            }
            return row.usage.clone();
        }
        let metadata = metadata.as_deref();
        let storage = metadata.and_then(|metadata| metadata.storage.as_ref());
        let has_pod = metadata.is_some_and(|metadata| metadata.pod.is_some());
        let known = rows.get_mut(&id);
        let is_news = known.as_ref().is_none_or(|row| {
            let is_same = match (&row.storage, storage) {
                (Some(known), Some(told)) => Arc::ptr_eq(known, told),
                (None, None) => true,
                _ => false,
            };
            !row.is_watched || !is_same || row.has_pod != has_pod
        });
        if is_news {
            let ran = known.as_ref().map(|row| Arc::clone(&row.ran)).unwrap_or_default();
            surveyor.watch(Subject {
                container: id,
                cgroup: mount.point.join(run.path.trim_start_matches('/')),
                storage: storage.cloned(),
                logs: metadata.and_then(crate::runtime::Metadata::log_place),
                is_new: self.has_ticked && known.is_none(),
                ran: Arc::clone(&ran),
            });
            let usage = known.and_then(|row| row.usage.take());
            rows.insert(id, Row { storage: storage.cloned(), has_pod, is_watched: true, ran, usage });
        }
        let row = rows.get(&id)?;
        row.ran.fetch_add(ran_ns, Ordering::Relaxed);
        row.usage.clone()
    }

    /// Where `filesystems` comes from.
    pub(super) fn filesystems_source(&self) -> Source {
        let source = |state: &str, reason| Source { state: state.to_owned(), reason, origin: None };
        if let Err(reason) = &self.sources.surveyor {
            return source("absent", Some(reason.clone()));
        }
        let Health { skipped_total, without_layer, failing, reason } = self.filesystems.health();
        let mut reasons = Vec::new();
        if *without_layer > 0 {
            reasons.push(format!("of {without_layer} containers no writable layer is to be seen"));
        }
        if *skipped_total > 0 {
            reasons.push("not every file could be counted (see lost)".to_owned());
        }
        if let Some(reason) = reason {
            reasons.push(format!("{failing} trees could not be measured, one of them: {reason}"));
        }
        let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
        source(if reason.is_some() { "partial" } else { "ok" }, reason)
    }
}
