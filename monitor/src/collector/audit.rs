//! Both sides of the audit: what was counted for all cgroups, and the machine's own counters of the same.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

use jiff::Timestamp;
use procfs::{FromRead as _, process::StatM};
use rustix::time::{ClockId, clock_gettime};

use crate::{
    cgroup::Hierarchy,
    host::HostStats,
    probes::{counters::SchedTotals, load::Probes},
};

/// Both sides at one moment. Their growth since an earlier moment is what is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditPoint {
    /// When.
    pub taken_at: Timestamp,
    /// What was counted for all cgroups together; `None` where no probe counts.
    pub counted: Option<SchedTotals>,
    /// Switches away from tasks other than the idle ones.
    pub switches: Option<u64>,
    /// Page faults.
    pub faults: Option<u64>,
    /// Time on a CPU as the scheduler books it.
    pub on_cpu_ns: Option<u64>,
    /// Time on a CPU as the ticks saw it.
    pub sampled_on_cpu_ns: Option<u64>,
}

/// What this process takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentUsage {
    /// CPU time of all threads.
    pub cpu_ns: u64,
    /// Resident memory.
    pub resident_bytes: Option<u64>,
}

/// What only the audit reads.
#[derive(Debug)]
pub(super) struct AuditFiles {
    root_usage: Option<File>,
    statm: Option<File>,
    since: Option<AuditPoint>,
}

impl AuditFiles {
    pub(super) fn open(hierarchy: Option<&Hierarchy>, proc: &Path) -> Self {
        let cpuacct = hierarchy.and_then(|hierarchy| hierarchy.v1_of("cpuacct"));
        // A root of v2 repeats `/proc/stat` (`root_cgroup_cputime`, kernel/cgroup/rstat.c), so only v1's is of use.
        let whole = cpuacct.map(|v1| &v1.mount).filter(|mount| mount.root == "/");
        Self {
            root_usage: whole.and_then(|mount| File::open(mount.point.join("cpuacct.usage")).ok()),
            statm: File::open(proc.join("self/statm")).ok(),
            since: None,
        }
    }

    /// Reads the machine's side. To be called right after the running tasks were booked, and before `counted` is filled in.
    pub(super) fn read_machine(&self, taken_at: Timestamp, host: &HostStats) -> AuditPoint {
        AuditPoint {
            taken_at,
            counted: None,
            switches: host.processes.map(|counters| counters.switches),
            faults: host.vm.and_then(|vm| vm.faults),
            on_cpu_ns: self.root_usage.as_ref().and_then(|file| read_number(file).ok()),
            sampled_on_cpu_ns: host.cpu.as_ref().map(|cpu| cpu.all.busy_ns()),
        }
    }

    /// Adds what was counted, and tells since when to compare: the first point that has both sides.
    pub(super) fn complete(&mut self, point: &mut AuditPoint, probes: Option<&Probes>) -> AuditPoint {
        let probes = probes.filter(|probes| probes.is_attached("sched_switch"));
        point.counted = probes.map(|probes| probes.reader.total());
        let idle = probes.map(|probes| probes.reader.idle_switches());
        point.switches = point.switches.zip(idle).and_then(|(all, idle)| all.checked_sub(idle));
        *self.since.get_or_insert(*point)
    }

    pub(super) fn agent(&self) -> AgentUsage {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let statm = self.statm.as_ref().and_then(|file| StatM::from_read(At(file, 0)).ok());
        AgentUsage {
            cpu_ns: u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000
                + u64::try_from(time.tv_nsec).unwrap_or_default(),
            resident_bytes: statm.map(|statm| statm.resident * procfs::page_size()),
        }
    }
}

fn read_number(file: &File) -> io::Result<u64> {
    let text = io::read_to_string(At(file, 0))?;
    text.trim().parse().map_err(io::Error::other)
}

/// Reads a file from an offset on, without moving the one that the descriptor has.
struct At<'f>(&'f File, u64);

impl io::Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read_at(buffer, self.1)?;
        self.1 += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_use_is_known() {
        let files = AuditFiles::open(None, Path::new("/proc"));
        let (first, second) = (files.agent(), files.agent());
        assert!(second.cpu_ns >= first.cpu_ns && first.resident_bytes > Some(100_000), "{first:?}");
    }

    #[test]
    fn the_first_point_stays_the_beginning() {
        let mut files = AuditFiles::open(None, Path::new("/nowhere"));
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut first = files.read_machine(at(1), &HostStats::default());
        let mut second = files.read_machine(at(2), &HostStats::default());
        assert_eq!(files.complete(&mut first, None).taken_at, at(1));
        assert_eq!(files.complete(&mut second, None).taken_at, at(1));
        assert_eq!((second.counted, second.switches), (None, None));
    }
}
