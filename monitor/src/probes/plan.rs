//! What to load: pure, from facts about the kernel and the user's settings.

use std::{collections::BTreeMap, sync::Arc};

use monitor_common::{
    block::{BLOCK_ENTRIES, BlockCounters, BlockKey},
    counters::{CpuState, Slot},
    fields::Constants,
    limits::{RING_BYTES, SHORTAGES, WAIT_PAIRS, WAYS},
    memory::Shortage,
    net::{CONNECTION_ENTRIES, ConnectionTimes, DROP_ENTRIES, DropKey, NetSlot, SLOW_CONNECTS},
    queue::{DeviceQueue, QUEUE_PAIRS, QUEUED_DEVICES, QueuePair, QueueWaits},
    slots::{Geometry, SeenTask, TagSet},
    waits::{Turns, WaitPair},
};

use super::support::KernelFacts;

/// A program of the eBPF object and what it needs from the kernel.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name in the object and in coverage.
    pub name: &'static str,
    /// Where it goes.
    pub hook: Hook,
    /// The subject that misses its fields where the program is not there.
    pub family: Family,
    /// The kernel struct members that it reads ([`monitor_common::fields::FIELDS`]).
    pub fields: &'static [&'static str],
}

/// Where a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// A tracepoint whose arguments are typed by BTF. Linux 5.5.
    Tracepoint(&'static str),
    /// Nowhere: the loader runs it, on a CPU of its choice. Linux 5.10.
    OnDemand,
    /// Nowhere: the loader has it run once for every task. Linux 5.8.
    EveryTask,
    /// Nowhere: user space has it run for every task, as often as it wants. Linux 5.8.
    TasksOnDemand,
    /// The root of the cgroup2 tree: packets that its sockets receive. Linux 5.7.
    PacketsIn,
    /// The root of the cgroup2 tree: packets that its sockets send. Linux 5.7.
    PacketsOut,
}

/// The subjects that stand and fall apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Switches, waits, times, migrations, faults.
    Scheduler,
    /// Page-fault exceptions.
    Faults,
    /// Cgroups made, removed, joined.
    Cgroups,
    /// Executions and exits.
    Processes,
    /// Memory reclaimed by those who need it, and processes killed for lack of it.
    Memory,
    /// Packets and connections of sockets.
    Network,
    /// Requests to block devices.
    Block,
    /// What tasks do.
    Tasks,
}

const CGROUP_FIELDS: [&str; 4] = ["task_css_set", "css_set_dfl_cgrp", "cgroup_kn", "kernfs_node_id"];

const SCHED_FIELDS: &[&str] = &[
    "task_tid",
    CGROUP_FIELDS[0],
    CGROUP_FIELDS[1],
    CGROUP_FIELDS[2],
    CGROUP_FIELDS[3],
    "css_set_subsys",
    "css_cgroup",
    "css_serial",
    "cgroup_serial",
    "task_voluntary",
    "task_involuntary",
    "task_minor_faults",
    "task_major_faults",
    "task_on_cpu",
    "task_migrations",
    "task_run_delay",
    "task_state",
    "task_start_time",
    "task_last_queued",
    "task_last_arrival",
];

/// Without these nothing is left out but the telling apart of waits for a quota.
const THROTTLED_FIELDS: [&str; 2] = ["task_cfs_rq", "cfs_rq_throttled"];

const TREE_FIELDS: &[&str] =
    &["task_tid", "task_comm", "cgroup_kn", "kernfs_node_id", "cgroup_root", "cgroup_root_hierarchy"];

const EXEC_FIELDS: &[&str] = &[
    CGROUP_FIELDS[0],
    CGROUP_FIELDS[1],
    CGROUP_FIELDS[2],
    CGROUP_FIELDS[3],
    "css_set_subsys",
    "css_cgroup",
    "task_tgid",
    "task_comm",
    "binprm_filename",
];

const VICTIM_FIELDS: &[&str] = &[
    CGROUP_FIELDS[0],
    CGROUP_FIELDS[1],
    CGROUP_FIELDS[2],
    CGROUP_FIELDS[3],
    "css_set_subsys",
    "css_cgroup",
    "task_tgid",
    "task_comm",
    "task_group_leader",
    "task_start_time",
];

const RECLAIM_FIELDS: &[&str] =
    &[CGROUP_FIELDS[0], CGROUP_FIELDS[1], CGROUP_FIELDS[2], CGROUP_FIELDS[3], "css_set_subsys", "css_cgroup"];

const EXIT_FIELDS: &[&str] = &[
    "task_comm",
    "task_group_leader",
    "task_start_time",
    "signal_oom_mm",
    CGROUP_FIELDS[0],
    CGROUP_FIELDS[1],
    CGROUP_FIELDS[2],
    CGROUP_FIELDS[3],
    "css_set_subsys",
    "css_cgroup",
    "task_tgid",
    "task_signal",
    "task_exit_code",
    "signal_live",
    "signal_pids",
    "pid_level",
    "pid_numbers",
];

const SOCK_FIELDS: &[&str] = &["sock_state", "sock_cgroup", "cgroup_kn", "kernfs_node_id"];

const RETRANSMIT_FIELDS: &[&str] = &[
    SOCK_FIELDS[0],
    SOCK_FIELDS[1],
    SOCK_FIELDS[2],
    SOCK_FIELDS[3],
    "skb_cb",
    "tcp_cb_segments",
    "tcp_retransmit_stamp",
    "tcp_clock",
];

const STATE_FIELDS: &[&str] = &[
    SOCK_FIELDS[0],
    SOCK_FIELDS[1],
    SOCK_FIELDS[2],
    SOCK_FIELDS[3],
    "sock_protocol",
    "tcp_smoothed_rtt",
    "tcp_all_retransmits",
];

const DROP_FIELDS: &[&str] = &[
    SOCK_FIELDS[0],
    SOCK_FIELDS[1],
    SOCK_FIELDS[2],
    SOCK_FIELDS[3],
    "sock_family",
    "skb_sock",
    "skb_protocol",
];

const BLOCK_FIELDS: &[&str] = &[
    "request_operation",
    "request_flags",
    "request_length",
    "request_bio",
    "request_segments",
    "request_begun",
    "request_issued",
    "request_queue",
    "disk_major",
    "disk_first_minor",
    "bio_blkg",
    "blkg_blkcg",
    "blkcg_cgroup",
    "cgroup_kn",
    "kernfs_node_id",
];

const CENSUS_FIELDS: &[&str] = &[
    CGROUP_FIELDS[0],
    CGROUP_FIELDS[1],
    CGROUP_FIELDS[2],
    CGROUP_FIELDS[3],
    "css_set_subsys",
    "css_cgroup",
    "task_state",
    "task_exit_state",
];

/// Every program, in the order in which it is attached: what tells of cgroups before what counts in them, and last what
/// counts most, so that all of it counts since about the same moment.
pub const PROGRAMS: &[Program] = &[
    tracepoint("cgroup_mkdir", Family::Cgroups, TREE_FIELDS),
    tracepoint("cgroup_rmdir", Family::Cgroups, TREE_FIELDS),
    tracepoint("cgroup_attach_task", Family::Cgroups, TREE_FIELDS),
    Program { name: "cgroup_skb_ingress", hook: Hook::PacketsIn, family: Family::Network, fields: &[] },
    Program { name: "cgroup_skb_egress", hook: Hook::PacketsOut, family: Family::Network, fields: &[] },
    tracepoint("tcp_retransmit_skb", Family::Network, RETRANSMIT_FIELDS),
    tracepoint("tcp_retransmit_synack", Family::Network, SOCK_FIELDS),
    tracepoint("tcp_send_reset", Family::Network, SOCK_FIELDS),
    tracepoint("tcp_receive_reset", Family::Network, SOCK_FIELDS),
    tracepoint("inet_sock_set_state", Family::Network, STATE_FIELDS),
    tracepoint("kfree_skb", Family::Network, DROP_FIELDS),
    tracepoint("udp_fail_queue_rcv_skb", Family::Network, SOCK_FIELDS),
    tracepoint("block_rq_complete", Family::Block, BLOCK_FIELDS),
    Program { name: "flush", hook: Hook::OnDemand, family: Family::Scheduler, fields: SCHED_FIELDS },
    Program { name: CENSUS, hook: Hook::TasksOnDemand, family: Family::Tasks, fields: CENSUS_FIELDS },
    tracepoint("sched_process_exec", Family::Processes, EXEC_FIELDS),
    tracepoint("sched_process_exit", Family::Processes, EXIT_FIELDS),
    tracepoint(MARK_VICTIM, Family::Memory, VICTIM_FIELDS),
    tracepoint("mm_vmscan_direct_reclaim_begin", Family::Memory, RECLAIM_FIELDS),
    tracepoint("mm_vmscan_direct_reclaim_end", Family::Memory, RECLAIM_FIELDS),
    tracepoint("mm_vmscan_memcg_reclaim_begin", Family::Memory, RECLAIM_FIELDS),
    tracepoint("mm_vmscan_memcg_reclaim_end", Family::Memory, RECLAIM_FIELDS),
    tracepoint("page_fault_user", Family::Faults, SCHED_FIELDS),
    tracepoint("page_fault_kernel", Family::Faults, SCHED_FIELDS),
    Program { name: "seed", hook: Hook::EveryTask, family: Family::Scheduler, fields: SCHED_FIELDS },
    tracepoint("sched_switch", Family::Scheduler, SCHED_FIELDS),
];

/// What tells of every task what it does.
pub const CENSUS: &str = "census";
const MARK_VICTIM: &str = "mark_victim";

const fn tracepoint(name: &'static str, family: Family, fields: &'static [&'static str]) -> Program {
    Program { name, hook: Hook::Tracepoint(name), family, fields }
}

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
    if program.family == Family::Block && facts.lacks("queue_disk") && facts.lacks("request_disk") {
        return Some("this kernel's requests do not say which device they are for".to_owned());
    }
    if program.name == CENSUS && facts.iowait.is_none() {
        return Some("this kernel's tasks do not say whether they wait for I/O".to_owned());
    }
    if program.name == MARK_VICTIM && !facts.tells_victim {
        return Some("it tells a number, not a task: victims are counted as they end".to_owned());
    }
    if let Some((_, reason)) = facts.missing_fields.iter().find(|(name, _)| program.fields.contains(name)) {
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
        + RING_BYTES as usize
}

#[cfg(test)]
mod tests {
    use monitor_common::fields::{FIELDS, Offsets};

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

    #[test]
    fn every_program_is_planned_where_the_kernel_has_all() {
        let plan = plan(&facts(), V2, Wishes::default());
        assert_eq!(plan.programs.len(), PROGRAMS.len());
        assert!(plan.left_out.is_empty());
    }

    #[test]
    fn a_missing_tracepoint_costs_its_own_program_only() {
        let mut facts = facts();
        facts.tracepoints.retain(|name| *name != "cgroup_rmdir");
        let plan = plan(&facts, V2, Wishes::default());
        let left_out: Vec<_> = plan.left_out.iter().map(|(program, _)| program.name).collect();
        assert_eq!(left_out, ["cgroup_rmdir"]);
    }

    #[test]
    fn a_missing_field_costs_the_programs_that_read_it() {
        let mut facts = facts();
        facts.missing_fields.push(("signal_live", "no such member".to_owned()));
        let plan = plan(&facts, V2, Wishes::default());
        let left_out: Vec<_> = plan.left_out.iter().map(|(program, _)| program.name).collect();
        assert_eq!(left_out, ["sched_process_exit"]);
    }

    #[test]
    fn a_victim_that_is_but_a_number_is_left_to_the_exit() {
        let facts = KernelFacts { tells_victim: false, ..facts() };
        let plan = plan(&facts, V2, Wishes::default());
        assert_eq!(plan.constants.tells_victim, 0);
        let left_out: Vec<_> = plan.left_out.iter().map(|(program, _)| program.name).collect();
        assert_eq!(left_out, ["mark_victim"]);
    }

    #[test]
    fn packets_are_counted_in_the_cgroup2_tree_only() {
        let v1 = Some(CountedHierarchy { number: 4, subsystem: Some(2), block: 5 });
        let left_out = plan(&facts(), v1, Wishes::default()).left_out;
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
    fn fields_are_spelled_as_in_the_table() {
        for name in PROGRAMS.iter().flat_map(|program| program.fields) {
            assert!(FIELDS.iter().any(|field| field.name == *name), "{name}");
        }
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
