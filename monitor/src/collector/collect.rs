//! One tick: ask each source, keep what answered, note what did not.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    audit::AuditFiles,
    blame::Ledger,
    block::BlockLedger,
    census::Census,
    clock::Now,
    files::{FileCache, FileHealth, Subject},
    filesystems::FilesystemCache,
    interfaces::{self, InterfaceCache},
    sample::{ContainerInfo, Counted, Sample, Series},
    throttling::ThrottleLedger,
    witness::{Witness, Witnessed},
};
use crate::{
    cgroup::{Hierarchy, Mount, cgroup_id, first_pid, list_cgroups},
    filesystem::Surveyor,
    host::{HostFacts, HostFiles, Interface, read_namespaces},
    model::{Lost, Source, is_called},
    newtypes::CgroupId,
    probes::{
        counters::CgroupCounters,
        events::{Event, What},
        load::{ProbeStatus, Probes},
        sockets::Drops,
        waits::{Culprit, Waited},
    },
    registry::{CgroupInfo, Registry, Run},
    runtime::{ConnectionState, RuntimeEvent, SourceName},
};

/// How long after a cgroup's removal its counters may still move: a task leaves its cgroup before it is switched
/// away from for the last time. Until then a run is not called ended.
const SETTLE_NS: u64 = 50_000_000;
/// Ticks in which the namespaces of a run that has no process yet are looked for.
const NAMESPACE_TRIES: u8 = 20;

/// What the collector reads from.
pub struct Sources {
    /// The machine.
    pub host: HostFacts,
    /// Its own figures.
    pub host_files: HostFiles,
    /// The cgroup file systems, or why there are none.
    pub hierarchy: Result<Hierarchy, String>,
    /// The mount of the hierarchy whose cgroups are counted.
    pub counted: Option<Mount>,
    /// The programs, or why there are none.
    pub probes: Result<Probes, String>,
    /// Probes that were never loaded, with their reasons: shown when `probes` is an error.
    pub absent_probes: Vec<ProbeStatus>,
    /// Sources that need no reading: what is not measured, and why.
    pub fixed: BTreeMap<String, Source>,
    /// Who measures what containers take on file systems, or why that is not done.
    pub surveyor: Result<Surveyor, String>,
}

/// What each series has counted.
type Sums = HashMap<CgroupId, Arc<CgroupCounters>>;

/// What a cgroup, and those below it, did since the last tick.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    /// For how long its tasks ran.
    ran_ns: u64,
    /// Whether tasks have started, ended or become another program.
    tasks: bool,
}

/// Keeps what lasts from tick to tick.
pub struct Collector {
    pub(super) sources: Sources,
    pub(super) registry: Registry,
    pub(super) files: FileCache,
    audit: AuditFiles,
    pub(super) interfaces: InterfaceCache,
    pub(super) filesystems: FilesystemCache,
    pub(super) connections: BTreeMap<SourceName, ConnectionState>,
    started_at: Timestamp,
    pub(super) lost: Lost,
    /// Who waited for whom.
    pub(super) ledger: Ledger,
    /// Who did what to block devices.
    pub(super) block: BlockLedger,
    /// What tasks do.
    pub(super) census: Census,
    pub(super) throttling: ThrottleLedger,
    /// What removed cgroups of a run had counted when their slots were freed.
    pub(super) folded: Sums,
    pub(super) namespaces: HashMap<CgroupId, (Arc<BTreeMap<String, u64>>, u8)>,
    /// Removed cgroups that still have slots.
    pub(super) retiring: Vec<CgroupId>,
    /// Runs that were shown as ended, and since when (`CLOCK_BOOTTIME`).
    pub(super) shown_ended: HashMap<CgroupId, u64>,
    pub(super) tombstones: VecDeque<CgroupId>,
    pub(super) keep_ended_ns: u64,
    /// Series of the last tick, to tell new ones.
    known: HashSet<CgroupId>,
    pub(super) has_ticked: bool,
    walk_is_due: bool,
    /// Whether the hierarchy is mounted from its root, so that what a walk does not find does not exist.
    pub(super) sees_all: bool,
    events: Vec<Event>,
    /// Notes what happens one by one, where that is wanted.
    witness: Option<Witness>,
}

impl Collector {
    /// Walks the cgroup tree once and begins to count.
    #[must_use]
    pub fn new(sources: Sources, keep_ended: Duration) -> Self {
        let sees_all = sources.counted.as_ref().is_some_and(is_whole);
        let audit = AuditFiles::open(sources.hierarchy.as_ref().ok(), Path::new("/proc"));
        let block = BlockLedger::new(sources.hierarchy.as_ref().ok(), sources.counted.as_ref());
        let mut collector = Self {
            sources,
            audit,
            registry: Registry::default(),
            files: FileCache::default(),
            interfaces: InterfaceCache::default(),
            filesystems: FilesystemCache::default(),
            connections: BTreeMap::new(),
            started_at: Timestamp::now(),
            lost: Lost::default(),
            ledger: Ledger::default(),
            block,
            census: Census::new(),
            throttling: ThrottleLedger::default(),
            folded: HashMap::new(),
            namespaces: HashMap::new(),
            retiring: Vec::new(),
            shown_ended: HashMap::new(),
            tombstones: VecDeque::new(),
            keep_ended_ns: u64::try_from(keep_ended.as_nanos()).unwrap_or(u64::MAX),
            known: HashSet::new(),
            has_ticked: false,
            walk_is_due: true,
            sees_all,
            events: Vec::new(),
            witness: None,
        };
        collector.walk();
        collector
    }

    /// From now on notes what happens one by one.
    #[must_use]
    pub fn with_witness(mut self) -> Self {
        self.witness = Some(Witness::default());
        self
    }

    /// What happened since this was asked last; nothing without a witness.
    pub fn take_witnessed(&mut self) -> Vec<Witnessed> {
        self.witness.as_mut().map(Witness::take).unwrap_or_default()
    }

    /// How the programs fared.
    pub fn probes(&self) -> impl Iterator<Item = ProbeStatus> + '_ {
        let loaded = self.sources.probes.as_ref().ok().map(Probes::status);
        loaded.into_iter().flatten()
    }

    /// What of the programs is to be read with the rights that the calling thread has now (see [`Probes::answers`]).
    pub fn answers(&mut self) -> Option<[bool; 3]> {
        self.sources.probes.as_mut().ok().map(Probes::answers)
    }

    /// Who is who.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Takes in what a runtime tells.
    pub fn runtime_told(&mut self, source: &SourceName, event: RuntimeEvent) {
        if let Some(witness) = &mut self.witness {
            witness.heard(source, &event, Timestamp::now(), &self.registry);
        }
        if let RuntimeEvent::Connection(state) = &event {
            self.connections.insert(source.clone(), state.clone());
        }
        if let RuntimeEvent::Updated(told) = &event {
            let runs = self.registry.runs().filter(|(_, run)| run.id == told.id);
            runs.for_each(|(own, _)| self.files.expire_limits(own));
        }
        self.registry.runtime_told(source, event);
    }

    /// Whether some container is known by this name, id or the beginning of its id.
    #[must_use]
    pub fn knows_container(&self, wanted: &str) -> bool {
        self.registry.runs().any(|(_, run)| {
            let told = self.registry.metadata(&run.id).and_then(|metadata| metadata.name.as_deref());
            let name = told.or(run.name());
            is_called(wanted, run.id.as_str(), name)
        })
    }

    /// Takes the lifecycle records that have arrived, so that the ring buffer does not fill between ticks.
    pub fn take_events(&mut self) {
        let Ok(probes) = &mut self.sources.probes else { return };
        let now = Now::read();
        let mut events = std::mem::take(&mut self.events);
        probes.flush_log();
        probes.lifecycle.drain(&mut events, &mut self.lost.discarded_records_total);
        for event in events.drain(..) {
            self.take_event(event, &now);
        }
        self.events = events;
    }

    fn take_event(&mut self, event: Event, now: &Now) {
        let at = now.wall_of(event.boot_ns);
        let id = event.cgroup;
        if let Some(witness) = &mut self.witness {
            witness.saw(&event, at);
        }
        match event.what {
            What::Made(Some(path)) => match self.below_mount(&path) {
                Some(path) => {
                    let path = path.to_owned();
                    self.walk_is_due |= !self.registry.cgroup_made(id, &path, Some(at));
                }
                None => self.walk_is_due = true,
            },
            What::Made(None) => self.walk_is_due = true,
            What::Removed(_) => {
                self.registry.cgroup_removed(id, event.boot_ns, at);
                self.retiring.push(id);
            }
            // Where a task is counted, the switch itself finds out; these records are for `monitor events`.
            What::Attached { .. } | What::Exec { .. } | What::Exit { .. } | What::OomKill { .. } => {}
            what @ (What::BlockMade(_) | What::BlockRemoved) => self.block.told(id, &what, at),
            What::InitExited { wait_status, level, .. } => {
                self.registry.init_exited(id, wait_status, level);
            }
        }
    }

    /// A path from the hierarchy's root as one below its mount point.
    fn below_mount<'p>(&self, path: &'p str) -> Option<&'p str> {
        self.sources.counted.as_ref().and_then(|mount| mount.strip_root(path))
    }

    /// Reads every source once.
    pub fn tick(&mut self) -> Sample {
        let began = Now::read();
        self.take_events();
        if let Ok(probes) = &mut self.sources.probes {
            probes.reader.flush_running();
        }
        // Close to the reading of the counters, which the audit compares with it.
        let host_stats = self.sources.host_files.read();
        let mut audit = self.audit.read_machine(began.wall, &host_stats);
        if let Ok(probes) = &mut self.sources.probes {
            probes.reader.read();
        }
        let audit_since = self.audit.complete(&mut audit, self.sources.probes.as_ref().ok());
        self.meet_unknown(&began);
        self.read_waits();
        if let Ok(probes) = &mut self.sources.probes {
            self.block.read(&mut probes.blocks, &self.registry);
            self.census.look(probes, &self.registry);
        }
        self.filesystems.take(&self.sources.surveyor);
        let series = self.read_series(&began);
        let ended = Now::read();
        let sample = Sample {
            taken_at: began.wall,
            monotonic_ns: began.monotonic_ns,
            host: self.sources.host.clone(),
            host_stats,
            filesystems: self.filesystems.mounted(),
            audit,
            audit_since,
            agent: self.audit.agent(),
            ownerless_drops: self.ownerless_drops(),
            mode: self.sources.hierarchy.as_ref().ok().map(Hierarchy::mode),
            coverage: self.coverage(ended.monotonic_ns - began.monotonic_ns, &series.1),
            series: series.0,
        };
        if let Some(witness) = &mut self.witness {
            witness.compared(&sample);
        }
        self.retire(&began);
        self.has_ticked = true;
        sample
    }

    /// Packets of no socket that were thrown away.
    fn ownerless_drops(&self) -> Option<Drops> {
        let probes = self.sources.probes.as_ref().ok().filter(|probes| probes.is_attached("kfree_skb"))?;
        Some(probes.reader.ownerless_drops())
    }

    /// Who waited for whom since the last tick.
    fn read_waits(&mut self) {
        let Ok(probes) = &mut self.sources.probes else { return };
        probes.reader.waits.read(|victim, culprit, waited| {
            self.ledger.add(&self.registry, victim, culprit, waited);
        });
        for (id, _, changed) in
            probes.reader.cgroups().filter(|(.., changed)| changed.own_waited != Waited::default())
        {
            self.ledger.add(&self.registry, id, Culprit::Cgroup(id), changed.own_waited);
        }
    }

    /// Learns of cgroups that no record told of.
    fn meet_unknown(&mut self, now: &Now) {
        let mut unknown = self.unknown_ids();
        // A cgroup may have been made since the records were taken.
        if !unknown.is_empty() {
            self.take_events();
            unknown = self.unknown_ids();
        }
        let has_records = self
            .sources
            .probes
            .as_ref()
            .is_ok_and(|probes| probes.is_attached("cgroup_mkdir") && probes.is_attached("cgroup_rmdir"));
        let lost = self.sources.probes.as_ref().map_or(0, |probes| probes.reader.losses().lifecycle_records);
        let has_lost = lost > self.lost.lifecycle_records_total;
        self.lost.lifecycle_records_total = lost;
        if self.walk_is_due || has_lost || !has_records || !unknown.is_empty() {
            self.walk();
        }
        for id in unknown {
            if self.registry.get(id).is_some() {
                continue;
            }
            self.lost.unknown_cgroups_total += 1;
            if !self.sees_all {
                self.registry.cgroup_unknown(id, None);
                continue;
            }
            if !self.tombstones.contains(&id) {
                self.registry.cgroup_unknown(id, Some(now.boot_ns));
            }
            self.retiring.push(id);
        }
    }

    fn unknown_ids(&self) -> Vec<CgroupId> {
        let Ok(probes) = &self.sources.probes else { return Vec::new() };
        probes.reader.cgroups().map(|(id, ..)| id).filter(|id| self.registry.get(*id).is_none()).collect()
    }

    fn walk(&mut self) {
        let Some(mount) = &self.sources.counted else { return };
        let before = Now::read();
        match list_cgroups(&mount.point) {
            Ok(found) => {
                let seen_before = self.sees_all.then_some((before.boot_ns, before.wall));
                self.registry.walked(&found, seen_before);
                let gone = self.registry.cgroups().filter(|(_, info)| info.removed_boot_ns.is_some());
                let retiring: HashSet<CgroupId> = self.retiring.iter().copied().collect();
                let missed: Vec<_> = gone.map(|(id, _)| id).filter(|id| !retiring.contains(id)).collect();
                self.retiring.extend(missed);
                self.walk_is_due = false;
            }
            Err(error) => log::warn!("{}", crate::error::chain(&error)),
        }
    }

    /// Every run of a container and every other cgroup, with what was counted and read.
    fn read_series(&mut self, now: &Now) -> (Vec<Series>, FileHealth) {
        let (counters, counted, active) = self.sum_counters();
        let mut health = FileHealth::default();
        let ids = self.own_cgroups();
        let mut series = Vec::with_capacity(ids.len());
        let mut known = HashSet::with_capacity(ids.len());
        for id in ids {
            let Some(info) = self.registry.get(id) else { continue };
            let is_live = info.removed_boot_ns.is_none();
            let info = info.clone();
            let moved = active.get(&id).copied().unwrap_or_default();
            let ran_ns = if counted.scheduler { moved.ran_ns } else { u64::MAX };
            let stats = match (&self.sources.hierarchy, &info.path) {
                (Ok(hierarchy), Some(path)) if is_live => {
                    let subject = Subject {
                        id,
                        path,
                        ran_ns,
                        have_tasks_changed: !counted.tells_of_tasks() || moved.tasks,
                        has_done_io: !counted.requests || self.block.has_moved(id),
                        made_at: info.made_at,
                    };
                    self.files.read(hierarchy, &subject, now, &mut health)
                }
                _ => self.files.last(id),
            };
            let (files, files_read_ns) =
                stats.map_or((Arc::default(), None), |(stats, at)| (Arc::clone(stats), Some(at)));
            let container = self.container_info(id, &info, now);
            let counters = counters.as_ref().map(|sums| sums.get(&id).cloned().unwrap_or_default());
            let interfaces = container.as_ref().and_then(|container| {
                self.interfaces_of(container, id, counters.as_deref().filter(|_| counted.received), now)
            });
            let filesystems =
                container.as_ref().and_then(|container| self.filesystems_of(id, container, ran_ns));
            known.insert(id);
            series.push(Series {
                cgroup: id,
                path: info.path,
                container,
                counting_since: info.made_at.unwrap_or(self.started_at),
                is_whole: info.made_at.is_some(),
                is_new: self.has_ticked && info.made_at.is_some() && !self.known.contains(&id),
                counters,
                waited: counted.scheduler.then(|| self.ledger.row(id)),
                counted,
                block: self.block.row(id).filter(|_| counted.requests),
                queued: counted.requests.then(|| self.block.waited(id)),
                activity: self.census.row(id, info.made_at),
                throttled: self.throttling.follow(id, &files.cpu, info.made_at.is_some()),
                files,
                files_read_ns,
                interfaces,
                filesystems,
            });
        }
        self.known = known;
        (series, health)
    }

    /// Every cgroup that is a series of its own, which nested ones of containers are not, in the order of paths.
    fn own_cgroups(&self) -> Vec<CgroupId> {
        let is_own = |(id, info): &(CgroupId, &CgroupInfo)| info.run.is_none_or(|run| run == *id);
        let mut own: Vec<(Option<&str>, CgroupId)> =
            self.registry.cgroups().filter(is_own).map(|(id, info)| (info.path.as_deref(), id)).collect();
        own.sort_unstable();
        own.into_iter().map(|(_, id)| id).collect()
    }

    /// Counters by series, nested cgroups added to their run; and what moved in each cgroup and those below it.
    fn sum_counters(&self) -> (Option<Sums>, Counted, HashMap<CgroupId, Moved>) {
        let Ok(probes) = &self.sources.probes else { return (None, Counted::default(), HashMap::new()) };
        let counted = Counted {
            scheduler: probes.is_attached("sched_switch"),
            execs: probes.is_attached("sched_process_exec"),
            exits: probes.is_attached("sched_process_exit"),
            oom_kills: probes.is_attached("mark_victim") || probes.is_attached("sched_process_exit"),
            direct_reclaims: probes.is_attached("mm_vmscan_direct_reclaim_end"),
            limit_reclaims: probes.is_attached("mm_vmscan_memcg_reclaim_end"),
            user_exceptions: probes.is_attached("page_fault_user"),
            kernel_exceptions: probes.is_attached("page_fault_kernel"),
            major_times: probes.is_attached("major_fault"),
            received: probes.is_attached("cgroup_skb_ingress"),
            sent: probes.is_attached("cgroup_skb_egress"),
            retransmits: probes.is_attached("tcp_retransmit_skb"),
            resets_sent: probes.is_attached("tcp_send_reset"),
            resets_received: probes.is_attached("tcp_receive_reset"),
            connections: probes.is_attached("inet_sock_set_state"),
            drops: probes.is_attached("kfree_skb"),
            udp_drops: probes.is_attached("udp_fail_queue_rcv_skb"),
            requests: probes.is_attached("block_rq_complete"),
        };
        if counted == Counted::default() {
            return (None, counted, HashMap::new());
        }
        let mut sums = self.folded.clone();
        sums.reserve(self.known.len());
        let mut active: HashMap<CgroupId, Moved> = HashMap::new();
        for (id, counters, changed) in probes.reader.cgroups() {
            let run = self.registry.get(id).and_then(|info| info.run);
            sums.entry(run.unwrap_or(id))
                .and_modify(|sum| Arc::make_mut(sum).add(counters))
                .or_insert_with(|| Arc::clone(counters));
            if changed.any {
                for id in self.registry.with_ancestors(id) {
                    let moved = active.entry(id).or_default();
                    moved.ran_ns += changed.ran_ns;
                    moved.tasks |= changed.tasks;
                }
            }
        }
        (Some(sums), counted, active)
    }

    /// Who the container is whose own cgroup this is.
    fn container_info(&mut self, id: CgroupId, info: &CgroupInfo, now: &Now) -> Option<ContainerInfo> {
        info.run?;
        let mut run = Arc::clone(self.registry.run(id)?);
        if info.removed_boot_ns.is_some_and(|removed| removed + SETTLE_NS > now.boot_ns) {
            Arc::make_mut(&mut run).ended_at = None;
        }
        if run.ended_at.is_some() {
            self.shown_ended.entry(id).or_insert(now.boot_ns);
        }
        let metadata = self.registry.metadata(&run.id).cloned();
        let namespaces = self.namespaces_of(id, &run);
        Some(ContainerInfo { run, metadata, namespaces })
    }

    fn namespaces_of(&mut self, id: CgroupId, run: &Run) -> Arc<BTreeMap<String, u64>> {
        let (known, tries) = self.namespaces.entry(id).or_default();
        if known.is_empty() && *tries < NAMESPACE_TRIES && run.ended_at.is_none() {
            *tries += 1;
            if let Some(mount) = &self.sources.counted
                && let Some(pid) = first_pid(&mount.point.join(run.path.trim_start_matches('/')))
            {
                *known = Arc::new(read_namespaces(pid));
            }
        }
        known.clone()
    }

    fn interfaces_of(
        &mut self,
        container: &ContainerInfo,
        id: CgroupId,
        counters: Option<&CgroupCounters>,
        now: &Now,
    ) -> Option<Arc<[Interface]>> {
        if container.run.ended_at.is_some() {
            return self.interfaces.last(id).cloned();
        }
        let packets = counters.map(|counters| counters.net.packets());
        let mount = self.sources.counted.as_ref()?;
        let first_pid = || first_pid(&mount.point.join(container.run.path.trim_start_matches('/')));
        let namespace = container.namespaces.get("net").copied();
        let subject = interfaces::Subject { id, namespace, packets };
        self.interfaces.read(&subject, now.monotonic_ns, first_pid).cloned()
    }
}

/// Whether a mount shows its hierarchy from the root, which has the first id.
fn is_whole(mount: &Mount) -> bool {
    const ROOT: CgroupId = CgroupId(1);
    mount.root == "/" && cgroup_id(&mount.point).is_ok_and(|id| id == ROOT)
}
