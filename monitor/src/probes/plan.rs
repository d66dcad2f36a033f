//! What to load: pure, from facts about the kernel and the user's settings.

use std::{collections::BTreeMap, sync::Arc};

use monitor_common::{
    block::{BLOCK_ENTRIES, BlockCounters, BlockKey},
    counters::{CpuState, Slot},
    faults::{FAULT_ENTRIES, FAULTING_TASKS, FaultBegin, FaultTimes},
    fields::Constants,
    limits::{RING_BYTES, SHORTAGES, WAIT_PAIRS, WAYS},
    memory::Shortage,
    net::{CONNECTION_ENTRIES, ConnectionTimes, DROP_ENTRIES, DropKey, NetSlot, SLOW_CONNECTS},
    queue::{DeviceQueue, QUEUE_PAIRS, QUEUED_DEVICES, QueuePair, QueueWaits},
    slots::{Geometry, SeenTask, TagSet},
    waits::{Turns, WaitPair},
};

use super::{
    programs::{
        CENSUS, Family, Hook, MAJOR_FAULT, MARK_VICTIM, PAGE_FAULT_USER, PROGRAMS, Program, THROTTLED_FIELDS,
    },
    support::KernelFacts,
};

/// Which hierarchy's cgroups are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountedHierarchy {
    /// Its number in `/proc/self/cgroup`; 0 is v2.
    pub number: u32,
    /// Of a v1 hierarchy, the controller's number in the kernel (`enum cgroup_subsys_id`).
    pub subsystem: Option<u32>,
    /// The number of the hierarchy that the block controller is in.
    pub block: u32,
}

/// What the user may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Bytes that the counters may take, all CPUs together.
    pub map_bytes: usize,
    /// Cgroups to make room for, even if there are fewer at the start.
    pub cgroups: u32,
    /// Whether page-fault exceptions are counted, at the price of a program run at each fault.
    pub fault_exceptions: bool,
    /// Whether major faults are timed, for which the beginning of every fault is kept.
    pub major_fault_latency: bool,
    /// Whether packets and TCP's events are counted.
    pub network: bool,
    /// The processes that are told of one by one
    /// ([`monitor_common::lifecycle::process_records`]), at the price of a record each.
    pub process_records: u32,
    /// What the programs themselves log ([`log::LevelFilter`] as a number); what is below costs nothing.
    pub log_level: u8,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            map_bytes: 64 << 20,
            cgroups: 0,
            fault_exceptions: true,
            major_fault_latency: false,
            network: true,
            process_records: 0,
            log_level: 0,
        }
    }
}

/// What will be loaded and how.
#[derive(Debug)]
pub struct Plan {
    /// What is written into the programs.
    pub constants: Constants,
    /// The reasons for which the kernel throws packets away, by number.
    pub drop_reasons: BTreeMap<u32, Arc<str>>,
    /// What the programs log.
    pub log_level: u8,
    /// The programs to load, in this order.
    pub programs: Vec<&'static Program>,
    /// The programs that cannot or shall not be loaded, each with its reason.
    pub left_out: Vec<(&'static Program, String)>,
}

/// Bytes that one slot and its tag take on one CPU, the network's included.
pub const SLOT_BYTES: usize = size_of::<u64>() + size_of::<Slot>() + size_of::<u64>() + size_of::<NetSlot>();

/// Slots on a CPU are never fewer, whatever the memory limit, and never more.
const SET_BITS: std::ops::RangeInclusive<u32> = 6..=13;
/// Slots on a CPU for each cgroup that there is at the start: room for more to come, and tables that are not crowded.
const SLOTS_PER_CGROUP: u32 = 4;
/// Slots on a CPU that even a host with few cgroups gets, if the memory limit allows: what no cgroup is in costs memory, and
/// a table cannot grow.
const FEWEST_WANTED: u32 = 4096;

/// Entries of the table of tasks for each task that there is at the start: room for more to come.
const ENTRIES_PER_TASK: u32 = 4;
/// log2 of the entries that the table of tasks may have: 4 MiB to 256 MiB.
const SEEN_BITS: std::ops::RangeInclusive<u32> = 16..=22;

/// Chooses programs and map sizes. Without a hierarchy there is nothing to count anything for.
#[must_use]
pub fn plan(facts: &KernelFacts, hierarchy: Option<CountedHierarchy>, wishes: Wishes) -> Plan {
    let (mut programs, mut left_out) = (Vec::new(), Vec::new());
    for program in PROGRAMS {
        match refusal(program, facts, hierarchy, wishes) {
            None => programs.push(program),
            Some(reason) => left_out.push((program, reason)),
        }
    }
    let CountedHierarchy { number, subsystem, block } = hierarchy.unwrap_or_default();
    let mut offsets = facts.offsets;
    offsets.css_set_subsys += subsystem.unwrap_or_default() * POINTER_BYTES;
    offsets.skb_cb += offsets.tcp_cb_segments;
    offsets.signal_pids += PIDTYPE_TGID * POINTER_BYTES;
    let times_faults = programs.iter().any(|program| program.name == MAJOR_FAULT);
    let constants = Constants {
        offsets,
        geometry: geometry(facts.possible_cpus, facts.cgroups.max(wishes.cgroups), wishes.map_bytes),
        seen_bits: seen_bits(facts.tasks),
        hierarchy: number,
        has_typed_current: facts.has_typed_current.into(),
        has_throttled: THROTTLED_FIELDS.iter().all(|name| !facts.lacks(name)).into(),
        tells_victim: facts.tells_victim.into(),
        tells_group_dead: facts.tells_group_dead.into(),
        process_records: wishes.process_records,
        tells_retransmit_error: facts.tells_retransmit_error.into(),
        tells_drop_reason: facts.tells_drop_reason.into(),
        tells_drop_receiver: facts.tells_drop_receiver.into(),
        block_hierarchy: block,
        flush_sequence: facts.flush_sequence,
        has_queue_disk: (!facts.lacks("queue_disk")).into(),
        iowait_byte: facts.iowait.map_or(0, |(byte, _)| byte),
        iowait_bit: facts.iowait.map_or(0, |(_, bit)| bit),
        times_faults: times_faults.into(),
    };
    let drop_reasons = facts.drop_reasons.clone();
    Plan { constants, drop_reasons, log_level: wishes.log_level, programs, left_out }
}

/// Of the pointers in the arrays that two members are.
const POINTER_BYTES: u32 = 8;
/// Of `enum pid_type`, in the kernel.
const PIDTYPE_TGID: u32 = 1;

fn seen_bits(tasks: u32) -> u32 {
    let entries = tasks.saturating_mul(ENTRIES_PER_TASK).max(1);
    entries.ilog2().saturating_add(1).clamp(*SEEN_BITS.start(), *SEEN_BITS.end())
}

/// Why a program stays out, if it does.
fn refusal(
    program: &Program,
    facts: &KernelFacts,
    hierarchy: Option<CountedHierarchy>,
    wishes: Wishes,
) -> Option<String> {
    if let Some(reason) = &facts.unusable {
        return Some(reason.clone());
    }
    let Some(hierarchy) = hierarchy else {
        return Some("no cgroup hierarchy that could be counted is mounted".to_owned());
    };
    if program.family == Family::Network && hierarchy.number != 0 {
        return Some("containers are in v1 hierarchies, and sockets know their cgroup2 alone".to_owned());
    }
    let is_switched_off = match program.family {
        Family::Faults => !wishes.fault_exceptions,
        Family::Network => !wishes.network,
        _ => false,
    };
    if is_switched_off {
        return Some("switched off".to_owned());
    }
    if program.hook == Hook::MajorFaults {
        if !wishes.major_fault_latency {
            return Some("not asked for: --major-fault-latency switches it on".to_owned());
        }
        if !facts.tracepoints.contains(&PAGE_FAULT_USER) {
            return Some(format!(
                "this kernel does not tell when a fault begins: no tracepoint {PAGE_FAULT_USER}"
            ));
        }
    }
    if program.family == Family::Block && facts.lacks("queue_disk") && facts.lacks("request_disk") {
        return Some("this kernel's requests do not say which device they are for".to_owned());
    }
    if program.name == CENSUS && facts.iowait.is_none() {
        return Some("this kernel's tasks do not say whether they wait for I/O".to_owned());
    }
    if program.name == MARK_VICTIM && !facts.tells_victim {
        return Some("it tells a number, not a task: victims are counted as they end".to_owned());
    }
    if let Some((_, reason)) = facts.missing_fields.iter().find(|(name, _)| program.reads(name)) {
        return Some(reason.clone());
    }
    match program.hook {
        Hook::Tracepoint(name) if !facts.tracepoints.contains(&name) => {
            Some(format!("this kernel has no tracepoint {name}"))
        }
        _ => None,
    }
}

/// Slot tables with room for the cgroups that there are and more to come, within the memory limit.
fn geometry(cpus: u32, cgroups: u32, map_bytes: usize) -> Geometry {
    let wanted = cgroups.saturating_mul(SLOTS_PER_CGROUP).max(FEWEST_WANTED).checked_next_power_of_two();
    let affordable = map_bytes / (SLOT_BYTES * cpus.max(1) as usize);
    let slots = wanted.map_or(affordable, |wanted| affordable.min(wanted as usize));
    let sets = (slots / WAYS as usize).max(1);
    let set_bits = sets.ilog2().clamp(*SET_BITS.start(), *SET_BITS.end());
    Geometry::new(set_bits, cpus)
}

/// Entries of the table of faults that have begun: but one where they are not timed.
pub(super) fn faulting_tasks(constants: &Constants) -> u32 {
    if constants.times_faults == 0 { 1 } else { FAULTING_TASKS }
}

/// Entries of the table of faults' times.
pub(super) fn fault_entries(constants: &Constants) -> u32 {
    if constants.times_faults == 0 { 1 } else { FAULT_ENTRIES }
}

/// Bytes that the maps take in the kernel.
#[must_use]
pub fn map_bytes(constants: &Constants) -> usize {
    let Constants { geometry, seen_bits, .. } = constants;
    2 * geometry.tag_entries() as usize * size_of::<TagSet>()
        + geometry.counter_entries() as usize * (size_of::<Slot>() + size_of::<NetSlot>())
        + geometry.cpus as usize * (size_of::<CpuState>() + size_of::<Turns>())
        + (geometry.cpus * WAIT_PAIRS) as usize * size_of::<WaitPair>()
        + (geometry.cpus * SHORTAGES) as usize * size_of::<Shortage>()
        + (size_of::<SeenTask>() << seen_bits)
        + BLOCK_ENTRIES as usize * (size_of::<BlockKey>() + size_of::<BlockCounters>())
        + CONNECTION_ENTRIES as usize * (size_of::<u64>() + size_of::<ConnectionTimes>())
        + SLOW_CONNECTS as usize * 2 * size_of::<u64>()
        + DROP_ENTRIES as usize * (size_of::<DropKey>() + size_of::<u64>())
        + QUEUED_DEVICES as usize * size_of::<DeviceQueue>()
        + QUEUE_PAIRS as usize * (size_of::<QueuePair>() + size_of::<QueueWaits>())
        + faulting_tasks(constants) as usize * size_of::<FaultBegin>()
        + fault_entries(constants) as usize * (size_of::<u64>() + size_of::<FaultTimes>())
        + RING_BYTES as usize
}

#[cfg(test)]
mod tests {
    use monitor_common::fields::Offsets;

    use super::*;

    fn facts() -> KernelFacts {
        KernelFacts {
            unusable: None,
            offsets: Offsets::default(),
            missing_fields: Vec::new(),
            tracepoints: PROGRAMS
                .iter()
                .filter_map(|program| match program.hook {
                    Hook::Tracepoint(name) => Some(name),
                    _ => None,
                })
                .collect(),
            has_typed_current: true,
            tells_victim: true,
            tells_group_dead: true,
            tells_retransmit_error: true,
            tells_drop_reason: true,
            tells_drop_receiver: true,
            drop_reasons: BTreeMap::new(),
            flush_sequence: 2,
            iowait: Some((1234, 4)),
            possible_cpus: 2,
            tasks: 200,
            cgroups: 50,
        }
    }

    const V2: Option<CountedHierarchy> = Some(CountedHierarchy { number: 0, subsystem: None, block: 0 });

    /// Everything, what is off by default included.
    const ALL: fn() -> Wishes = || Wishes { major_fault_latency: true, ..Wishes::default() };

    fn left_out(plan: &Plan) -> Vec<&str> {
        plan.left_out.iter().map(|(program, _)| program.name).collect()
    }

    #[test]
    fn every_program_is_planned_where_the_kernel_has_all() {
        let plan = plan(&facts(), V2, ALL());
        assert_eq!(plan.programs.len(), PROGRAMS.len());
        assert!(plan.left_out.is_empty());
    }

    #[test]
    fn major_faults_are_timed_where_asked_for_and_where_their_beginning_is_told() {
        let by_default = plan(&facts(), V2, Wishes::default());
        assert_eq!((left_out(&by_default), by_default.constants.times_faults), (vec![MAJOR_FAULT], 0));
        assert_eq!(plan(&facts(), V2, ALL()).constants.times_faults, 1);
        let mut blind = facts();
        blind.tracepoints.retain(|name| *name != PAGE_FAULT_USER);
        let blind = plan(&blind, V2, ALL());
        assert_eq!((left_out(&blind), blind.constants.times_faults), (vec![PAGE_FAULT_USER, MAJOR_FAULT], 0));
    }

    #[test]
    fn a_missing_tracepoint_costs_its_own_program_only() {
        let mut facts = facts();
        facts.tracepoints.retain(|name| *name != "cgroup_rmdir");
        let plan = plan(&facts, V2, ALL());
        assert_eq!(left_out(&plan), ["cgroup_rmdir"]);
    }

    #[test]
    fn a_missing_field_costs_the_programs_that_read_it() {
        let mut facts = facts();
        facts.missing_fields.push(("signal_live", "no such member".to_owned()));
        let plan = plan(&facts, V2, ALL());
        assert_eq!(left_out(&plan), ["sched_process_exit"]);
    }

    #[test]
    fn a_victim_that_is_but_a_number_is_left_to_the_exit() {
        let facts = KernelFacts { tells_victim: false, ..facts() };
        let plan = plan(&facts, V2, ALL());
        assert_eq!(plan.constants.tells_victim, 0);
        assert_eq!(left_out(&plan), ["mark_victim"]);
    }

    #[test]
    fn packets_are_counted_in_the_cgroup2_tree_only() {
        let v1 = Some(CountedHierarchy { number: 4, subsystem: Some(2), block: 5 });
        let left_out = plan(&facts(), v1, ALL()).left_out;
        assert!(
            !left_out.is_empty() && left_out.iter().all(|(program, _)| program.family == Family::Network)
        );
    }

    #[test]
    fn without_btf_or_hierarchy_every_program_is_left_out_with_the_reason() {
        let facts_without = KernelFacts { unusable: Some("no BTF".to_owned()), ..facts() };
        for (plan, reason) in [
            (plan(&facts_without, V2, Wishes::default()), "no BTF"),
            (plan(&facts(), None, Wishes::default()), "no cgroup hierarchy"),
        ] {
            assert_eq!(plan.left_out.len(), PROGRAMS.len());
            assert!(plan.left_out.iter().all(|(_, said)| said.starts_with(reason)));
        }
    }

    #[test]
    fn offsets_into_arrays_are_those_of_the_entries_wanted() {
        let v1 = Some(CountedHierarchy { number: 4, subsystem: Some(2), block: 5 });
        let mut facts = facts();
        facts.offsets.css_set_subsys = 100;
        facts.offsets.signal_pids = 200;
        let Constants { offsets, hierarchy, .. } = plan(&facts, v1, Wishes::default()).constants;
        assert_eq!((offsets.css_set_subsys, offsets.signal_pids, hierarchy), (116, 208, 4));
    }

    #[test]
    fn the_table_of_tasks_has_room_for_four_times_as_many() {
        assert_eq!((seen_bits(0), seen_bits(200), seen_bits(16_384), seen_bits(u32::MAX)), (16, 16, 17, 22));
    }

    #[test]
    fn maps_stay_within_the_limit_until_the_fewest_slots() {
        for cpus in [1, 2, 3, 64, 255] {
            let limit = 64 << 20;
            let geometry = geometry(cpus, 1_000_000, limit);
            let slots = geometry.counter_entries() as usize * SLOT_BYTES;
            let fewest = geometry.set_bits == *SET_BITS.start();
            assert!(fewest || slots <= limit + (limit >> 3), "{cpus} CPUs take {slots} bytes");
        }
        assert_eq!(geometry(64, 50, 64 << 20).owned_slots, 1024);
    }

    #[test]
    fn room_is_made_for_cgroups_that_are_expected() {
        let slots = |cgroups| {
            plan(&facts(), V2, Wishes { cgroups, ..Wishes::default() }).constants.geometry.owned_slots
        };
        assert_eq!([0, 40, 10_000].map(slots), [4096, 4096, 32768]);
    }

    #[test]
    fn slots_are_four_times_the_cgroups() {
        let owned = |cgroups| geometry(2, cgroups, 64 << 20).owned_slots;
        assert_eq!([50, 2048, 2049, 10_000].map(owned), [4096, 8192, 16384, 32768]);
    }
}
