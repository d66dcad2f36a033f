//! One reading of everything: raw, cumulative, timestamped, identified.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    audit::{AgentUsage, AuditPoint},
    block::BlockTotals,
    census::Activity,
    throttling::ThrottledPeriods,
};
use crate::{
    cgroup::{CgroupStats, Mode},
    filesystem::{ContainerUsage, Filesystem},
    host::{HostFacts, HostStats, Interface},
    model::Coverage,
    newtypes::CgroupId,
    probes::{counters::CgroupCounters, sockets::Drops, waits::Waited},
    registry::Run,
    runtime::Metadata,
};

/// All that was read in one tick.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Wall time, for display.
    pub taken_at: Timestamp,
    /// `CLOCK_MONOTONIC`, for arithmetic.
    pub monotonic_ns: u64,
    /// The machine.
    pub host: HostFacts,
    /// What the machine has done.
    pub host_stats: HostStats,
    /// Its file systems; `None` until they were looked at.
    pub filesystems: Option<Arc<[Filesystem]>>,
    /// How the cgroup file systems are set up.
    pub mode: Option<Mode>,
    /// Containers and other cgroups.
    pub series: Vec<Series>,
    /// What was counted and what the machine counted, now and at the beginning.
    pub audit: AuditPoint,
    /// See `audit`.
    pub audit_since: AuditPoint,
    /// What this process takes.
    pub agent: AgentUsage,
    /// Packets of no socket that were thrown away; `None` where no probe tells.
    pub ownerless_drops: Option<Drops>,
    /// The quality of this sample.
    pub coverage: Coverage,
}

/// One container's run, or one cgroup that is no container's.
///
/// What is as it was in the sample before is shared with it, so that a thousand idle containers are not copied each tick.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its own cgroup, which names the series until reboot.
    pub cgroup: CgroupId,
    /// That cgroup's path.
    pub path: Option<Arc<str>>,
    /// The container, if it is one's.
    pub container: Option<ContainerInfo>,
    /// Since when the counters count.
    pub counting_since: Timestamp,
    /// Whether its cgroup was made while we counted, so that nothing of it was before.
    pub is_whole: bool,
    /// Whether the counters began at 0 after the sample before this one was taken.
    pub is_new: bool,
    /// What the probes counted, nested cgroups included; `None` where no probe counts.
    pub counters: Option<Arc<CgroupCounters>>,
    /// Which of these are counted.
    pub counted: Counted,
    /// What its tasks waited for; `None` where no probe tells.
    pub waited: Option<WaitRow>,
    /// What its requests to block devices were, nested cgroups included; `None` where there were none that were counted.
    pub block: Option<Arc<BlockTotals>>,
    /// Whom its requests to block devices stood in line behind; `None` where that is not counted.
    pub queued: Option<WaitRow>,
    /// What its tasks did when they were last looked at; `None` where they were not.
    pub activity: Option<Arc<Activity>>,
    /// The periods in which its quota ran out; `None` where nothing tells of a quota.
    pub throttled: Option<Arc<ThrottledPeriods>>,
    /// What the cgroup files said.
    pub files: Arc<CgroupStats>,
    /// When they said it, by `CLOCK_MONOTONIC`; `None` where they were never read.
    pub files_read_ns: Option<u64>,
    /// What the interfaces of a container's network namespace said; `None` where they were never read.
    pub interfaces: Option<Arc<[Interface]>>,
    /// What a container takes on file systems; `None` where nothing was measured yet.
    pub filesystems: Option<Arc<ContainerUsage>>,
}

impl Series {
    /// Whether it is a container's whose cgroup is gone.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.container.as_ref().is_some_and(|info| info.run.ended_at.is_some())
    }
}

/// What a series waited for.
pub type WaitRow = Arc<BTreeMap<Blamed, Waited>>;

/// Whom or what a wait is blamed on, as a victim sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blamed {
    /// Its own tasks.
    Own,
    /// Another container's run, by its own cgroup.
    Container(CgroupId),
    /// Containers that have ended and are no longer shown.
    Ended,
    /// What is no container's.
    System,
    /// A CPU quota.
    Quota,
    /// The time that an idle CPU takes to wake up.
    Wakeup,
    /// It is not known.
    Unknown,
}

/// Which families of probes count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each stands and falls with a probe of its own")]
pub struct Counted {
    /// Switches, waits, faults.
    pub scheduler: bool,
    /// Executions.
    pub execs: bool,
    /// Exits.
    pub exits: bool,
    /// Processes killed for lack of memory.
    pub oom_kills: bool,
    /// Memory reclaimed because the machine is short of it.
    pub direct_reclaims: bool,
    /// Memory reclaimed because a cgroup is at its limit.
    pub limit_reclaims: bool,
    /// Page-fault exceptions in user mode.
    pub user_exceptions: bool,
    /// Page-fault exceptions in kernel mode.
    pub kernel_exceptions: bool,
    /// How long major faults take.
    pub major_times: bool,
    /// Packets received.
    pub received: bool,
    /// Packets sent.
    pub sent: bool,
    /// TCP segments sent again.
    pub retransmits: bool,
    /// TCP resets sent.
    pub resets_sent: bool,
    /// TCP resets received.
    pub resets_received: bool,
    /// TCP connections opened, accepted, failed, closed.
    pub connections: bool,
    /// Packets thrown away.
    pub drops: bool,
    /// Datagrams that UDP sockets had no room for.
    pub udp_drops: bool,
    /// Requests to block devices.
    pub requests: bool,
}

impl Counted {
    /// Whether no task starts, ends or becomes another program unseen.
    #[must_use]
    pub fn tells_of_tasks(self) -> bool {
        self.scheduler && self.execs && self.exits
    }
}

/// Who a container is.
#[derive(Clone, Debug)]
pub struct ContainerInfo {
    /// From the cgroup tree.
    pub run: Arc<Run>,
    /// From the runtime, if it told.
    pub metadata: Option<Arc<Metadata>>,
    /// From its first process.
    pub namespaces: Arc<BTreeMap<String, u64>>,
}

impl ContainerInfo {
    /// What its runtime calls it, or its path.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.metadata.as_ref().and_then(|metadata| metadata.name.as_deref()).or(self.run.name())
    }

    /// The uid of the pod that it is part of.
    #[must_use]
    pub fn pod_uid(&self) -> Option<&str> {
        let told = self.metadata.as_ref().and_then(|metadata| metadata.pod.as_ref()?.uid.as_deref());
        self.run.pod_uid.as_deref().or(told)
    }
}
