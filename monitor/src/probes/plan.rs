//! What to load: pure, from facts about the kernel and the user's settings.

use monitor_common::{
    counters::{Losses, Slot},
    fields::{Offsets, Settings},
    limits::{RING_BYTES, SEEN_TASKS, WAYS},
    slots::{Geometry, Running, SeenTask, TagSet},
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
    "task_voluntary",
    "task_involuntary",
    "task_minor_faults",
    "task_major_faults",
    "task_on_cpu",
    "task_migrations",
    "task_run_delay",
    "task_exit_state",
];

const TREE_FIELDS: &[&str] =
    &["task_tid", "cgroup_kn", "kernfs_node_id", "cgroup_root", "cgroup_root_hierarchy"];

const EXIT_FIELDS: &[&str] = &[
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

/// Every program, in the order in which it is attached: what tells of cgroups before what counts in them, and last what
/// counts most, so that all of it counts since about the same moment.
pub const PROGRAMS: &[Program] = &[
    tracepoint("cgroup_mkdir", Family::Cgroups, TREE_FIELDS),
    tracepoint("cgroup_rmdir", Family::Cgroups, TREE_FIELDS),
    tracepoint("cgroup_attach_task", Family::Cgroups, TREE_FIELDS),
    Program { name: "flush", hook: Hook::OnDemand, family: Family::Scheduler, fields: SCHED_FIELDS },
    tracepoint("sched_process_exec", Family::Processes, SCHED_FIELDS),
    tracepoint("sched_process_exit", Family::Processes, EXIT_FIELDS),
    tracepoint("page_fault_user", Family::Faults, SCHED_FIELDS),
    tracepoint("page_fault_kernel", Family::Faults, SCHED_FIELDS),
    Program { name: "seed", hook: Hook::EveryTask, family: Family::Scheduler, fields: SCHED_FIELDS },
    tracepoint("sched_switch", Family::Scheduler, SCHED_FIELDS),
];

const fn tracepoint(name: &'static str, family: Family, fields: &'static [&'static str]) -> Program {
    Program { name, hook: Hook::Tracepoint(name), family, fields }
}

/// Which hierarchy's cgroups are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedHierarchy {
    /// Its number in `/proc/self/cgroup`; 0 is v2.
    pub number: u32,
    /// Of a v1 hierarchy, the controller's number in the kernel (`enum cgroup_subsys_id`).
    pub subsystem: Option<u32>,
}

/// What the user may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Bytes that the counters may take, all CPUs together.
    pub map_bytes: usize,
    /// Whether page-fault exceptions are counted, at the price of a program run at each fault.
    pub fault_exceptions: bool,
    /// What the programs themselves log ([`log::LevelFilter`] as a number); what is below costs nothing.
    pub log_level: u8,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { map_bytes: 64 << 20, fault_exceptions: true, log_level: 0 }
    }
}

/// What will be loaded and how.
#[derive(Debug)]
pub struct Plan {
    /// Member offsets that the programs get.
    pub offsets: Offsets,
    /// Their other read-only settings.
    pub settings: Settings,
    /// What the programs log.
    pub log_level: u8,
    /// The programs to load, in this order.
    pub programs: Vec<&'static Program>,
    /// The programs that cannot or shall not be loaded, each with its reason.
    pub left_out: Vec<(&'static Program, String)>,
}

/// Bytes that one slot and its tag take on one CPU.
pub const SLOT_BYTES: usize = size_of::<u64>() + size_of::<Slot>();

/// Slots on a CPU are never fewer, whatever the memory limit, and never more.
const SET_BITS: std::ops::RangeInclusive<u32> = 6..=11;

/// Chooses programs and map sizes.
#[must_use]
pub fn plan(facts: &KernelFacts, hierarchy: CountedHierarchy, wishes: Wishes) -> Plan {
    let (mut programs, mut left_out) = (Vec::new(), Vec::new());
    for program in PROGRAMS {
        match refusal(program, facts, wishes) {
            None => programs.push(program),
            Some(reason) => left_out.push((program, reason)),
        }
    }
    let settings = Settings {
        geometry: geometry(facts.possible_cpus, wishes.map_bytes),
        hierarchy: hierarchy.number,
        subsystem: hierarchy.subsystem.unwrap_or_default(),
    };
    Plan { offsets: facts.offsets, settings, log_level: wishes.log_level, programs, left_out }
}

/// Why a program stays out, if it does.
fn refusal(program: &Program, facts: &KernelFacts, wishes: Wishes) -> Option<String> {
    if let Some(reason) = &facts.no_btf {
        return Some(reason.clone());
    }
    if program.family == Family::Faults && !wishes.fault_exceptions {
        return Some("switched off".to_owned());
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

/// The largest slot tables within the limit.
fn geometry(cpus: u32, map_bytes: usize) -> Geometry {
    let slots = map_bytes / (SLOT_BYTES * cpus.max(1) as usize);
    let sets = (slots / WAYS as usize).max(1);
    let set_bits = sets.ilog2().clamp(*SET_BITS.start(), *SET_BITS.end());
    Geometry::new(set_bits, cpus)
}

/// Bytes that the maps take in the kernel.
#[must_use]
pub fn map_bytes(geometry: Geometry) -> usize {
    geometry.tag_entries() as usize * size_of::<TagSet>()
        + geometry.counter_entries() as usize * size_of::<Slot>()
        + geometry.cpus as usize * (size_of::<Running>() + size_of::<Losses>())
        + SEEN_TASKS as usize * size_of::<SeenTask>()
        + RING_BYTES as usize
}

#[cfg(test)]
mod tests {
    use monitor_common::fields::FIELDS;

    use super::*;

    fn facts() -> KernelFacts {
        KernelFacts {
            no_btf: None,
            offsets: Offsets::default(),
            missing_fields: Vec::new(),
            tracepoints: PROGRAMS
                .iter()
                .filter_map(|program| match program.hook {
                    Hook::Tracepoint(name) => Some(name),
                    Hook::OnDemand | Hook::EveryTask => None,
                })
                .collect(),
            possible_cpus: 2,
        }
    }

    const V2: CountedHierarchy = CountedHierarchy { number: 0, subsystem: None };

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
    fn without_btf_nothing_is_loaded() {
        let facts = KernelFacts { no_btf: Some("no BTF".to_owned()), ..facts() };
        assert!(plan(&facts, V2, Wishes::default()).programs.is_empty());
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
            let geometry = geometry(cpus, limit);
            let slots = geometry.counter_entries() as usize * SLOT_BYTES;
            let fewest = geometry.set_bits == *SET_BITS.start();
            assert!(fewest || slots <= limit + (limit >> 3), "{cpus} CPUs take {slots} bytes");
        }
        assert_eq!(geometry(2, 64 << 20).owned_slots, 16384);
        assert_eq!(geometry(64, 64 << 20).owned_slots, 1024);
    }
}
