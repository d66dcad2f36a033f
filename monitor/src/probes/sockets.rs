//! What happened to cgroups' sockets that their slots do not have: how long connections took, and why packets were thrown away.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    sync::Arc,
};

use aya::{
    Ebpf,
    maps::{Array, HashMap as KernelMap, Map, MapData, MapError},
};
use monitor_common::net::{ConnectionTimes, DropKey, LOST_REASONS, LOST_TIMES, NO_REASON};

use super::load::{LoadError, take_map};
use crate::newtypes::CgroupId;

/// Packets thrown away by the kernel's reason; `None` where the kernel tells none.
pub type Drops = BTreeMap<Option<Arc<str>>, u64>;

/// Reads the tables, which take a system call for each entry, where something has changed.
pub(super) struct Sockets {
    connections: KernelMap<MapData, u64, ConnectionTimes>,
    drops: KernelMap<MapData, DropKey, u64>,
    lost: Array<MapData, u64>,
    /// The names of reasons.
    reasons: BTreeMap<u32, Arc<str>>,
    /// What was in the table of drops.
    known: HashSet<DropKey>,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sockets").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Sockets {
    pub(super) fn open(ebpf: &mut Ebpf, reasons: &BTreeMap<u32, Arc<str>>) -> Result<Self, LoadError> {
        Ok(Self {
            connections: open(ebpf, "CONNECTIONS")?,
            drops: open(ebpf, "DROPS")?,
            lost: open(ebpf, "NET_LOST")?,
            reasons: reasons.clone(),
            known: HashSet::new(),
        })
    }

    /// How long a cgroup's connections took; `None` where none was timed.
    pub(super) fn connections(&self, id: CgroupId) -> Option<Box<ConnectionTimes>> {
        self.connections.get(&id.0, 0).ok().map(Box::new)
    }

    /// What was thrown away of every cgroup's packets, and, under the id 0, of those without a socket.
    pub(super) fn drops(&mut self) -> BTreeMap<CgroupId, Drops> {
        let mut found: BTreeMap<CgroupId, Drops> = BTreeMap::new();
        for (key, packets) in self.drops.iter().filter_map(Result::ok) {
            let reason = reason(&self.reasons, key.reason);
            *found.entry(CgroupId(key.cgroup)).or_default().entry(reason).or_default() += packets;
            self.known.insert(key);
        }
        found
    }

    /// Connections and packets that found no room in their table.
    pub(super) fn lost(&self) -> (u64, u64) {
        let at = |place| self.lost.get(&place, 0).unwrap_or_default();
        (at(LOST_TIMES), at(LOST_REASONS))
    }

    /// Whether the kernel lets us read them.
    pub(super) fn can_be_read(&self) -> bool {
        self.lost.get(&LOST_TIMES, 0).is_ok()
    }

    /// Frees the entries of a removed cgroup, whose last counts have been taken.
    pub(super) fn release(&mut self, id: CgroupId) {
        // They fail only where the entry is not there.
        let _ = self.connections.remove(&id.0);
        for key in self.known.extract_if(|key| key.cgroup == id.0) {
            let _ = self.drops.remove(&key);
        }
    }
}

fn open<M: TryFrom<Map, Error = MapError>>(ebpf: &mut Ebpf, name: &'static str) -> Result<M, LoadError> {
    M::try_from(take_map(ebpf, name)?)
        .map_err(|error| LoadError::Map { name, source: io::Error::other(error) })
}

/// What a reason is called; one that the kernel has no name for, as those of its modules, by its number.
fn reason(names: &BTreeMap<u32, Arc<str>>, number: u32) -> Option<Arc<str>> {
    let named = || names.get(&number).cloned().unwrap_or_else(|| number.to_string().into());
    (number != NO_REASON).then(named)
}

/// Adds what another cgroup's packets were thrown away for.
pub(super) fn add_drops(sum: &mut Drops, other: &Drops) {
    for (reason, packets) in other {
        *sum.entry(reason.clone()).or_default() += packets;
    }
}

/// Adds how long another cgroup's connections took.
pub(super) fn add_connections(sum: &mut Option<Box<ConnectionTimes>>, other: &ConnectionTimes) {
    let ConnectionTimes { connect_max_ns, rtt_max_ns, connect, rtt } = other;
    let sum = sum.get_or_insert_default();
    sum.connect_max_ns = sum.connect_max_ns.max(*connect_max_ns);
    sum.rtt_max_ns = sum.rtt_max_ns.max(*rtt_max_ns);
    for (sum, count) in sum.connect.iter_mut().zip(connect) {
        *sum += count;
    }
    for (sum, count) in sum.rtt.iter_mut().zip(rtt) {
        *sum += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_its_name_or_else_its_number() {
        let names = BTreeMap::from([(3, Arc::from("NO_SOCKET"))]);
        assert_eq!(reason(&names, 3).as_deref(), Some("NO_SOCKET"));
        assert_eq!(reason(&names, 0x1_0001).as_deref(), Some("65537"));
        assert_eq!(reason(&names, NO_REASON), None);
    }

    #[test]
    fn sums_have_the_longest_of_both_and_the_reasons_of_each() {
        let times = |place: usize, max| {
            let mut times = ConnectionTimes { connect_max_ns: max, ..ConnectionTimes::default() };
            times.connect[place] = 2;
            times
        };
        let mut sum = None;
        add_connections(&mut sum, &times(3, 50));
        add_connections(&mut sum, &times(3, 40));
        let sum = sum.unwrap();
        assert_eq!((sum.connect[3], sum.connect_max_ns, sum.rtt_max_ns), (4, 50, 0));

        let drops = |reason: Option<&str>, packets| Drops::from([(reason.map(Arc::from), packets)]);
        let mut sum = drops(Some("NO_SOCKET"), 1);
        add_drops(&mut sum, &drops(Some("NO_SOCKET"), 2));
        add_drops(&mut sum, &drops(None, 4));
        assert_eq!(sum, [(None, 4), (Some(Arc::from("NO_SOCKET")), 3)].into());
    }
}
