//! The programs of the eBPF object, where each goes, and what it reads of the kernel.

/// A program of the eBPF object and what it needs from the kernel.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name in the object and in coverage.
    pub name: &'static str,
    /// Where it goes.
    pub hook: Hook,
    /// The subject that misses its fields where the program is not there.
    pub family: Family,
    /// The kernel struct members that it reads ([`monitor_common::fields::FIELDS`]), in groups.
    pub fields: &'static [&'static [&'static str]],
}

impl Program {
    /// Whether it reads this member.
    #[must_use]
    pub fn reads(&self, field: &str) -> bool {
        self.fields.iter().any(|group| group.contains(&field))
    }
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
    /// The kernel's event of a major fault, on each CPU. Linux 4.9.
    MajorFaults,
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

/// The way from a task to its cgroup, on v2 and v1.
const TASK_CGROUP: &[&str] =
    &["task_css_set", "css_set_dfl_cgrp", "css_set_subsys", "css_cgroup", "cgroup_kn", "kernfs_node_id"];

const SWITCHES: &[&str] = &[
    "task_tid",
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
pub(super) const THROTTLED_FIELDS: [&str; 2] = ["task_cfs_rq", "cfs_rq_throttled"];

const TREE: &[&str] =
    &["task_tid", "task_comm", "cgroup_kn", "kernfs_node_id", "cgroup_root", "cgroup_root_hierarchy"];

const PROCESS: &[&str] = &["task_tgid", "task_comm"];

/// What tells a process from another one with the same number.
const IDENTITY: &[&str] = &["task_group_leader", "task_start_time"];

const EXIT: &[&str] = &[
    "signal_oom_mm",
    "task_signal",
    "task_exit_code",
    "signal_live",
    "signal_pids",
    "pid_level",
    "pid_numbers",
];

/// The way from a socket to its cgroup, and its state.
const SOCK: &[&str] = &["sock_state", "sock_cgroup", "cgroup_kn", "kernfs_node_id"];

const RETRANSMIT: &[&str] = &["skb_cb", "tcp_cb_segments", "tcp_retransmit_stamp", "tcp_clock"];

const CONNECTION: &[&str] = &["sock_protocol", "tcp_smoothed_rtt", "tcp_all_retransmits"];

const DROP: &[&str] = &["sock_family", "skb_sock", "skb_protocol"];

const REQUEST: &[&str] = &[
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

const STATE: &[&str] = &["task_state", "task_exit_state"];

/// Every program, in the order in which it is attached: what tells of cgroups before what counts in them, and last what
/// counts most, so that all of it counts since about the same moment.
pub const PROGRAMS: &[Program] = &[
    tracepoint("cgroup_mkdir", Family::Cgroups, &[TREE]),
    tracepoint("cgroup_rmdir", Family::Cgroups, &[TREE]),
    tracepoint("cgroup_attach_task", Family::Cgroups, &[TREE]),
    Program { name: "cgroup_skb_ingress", hook: Hook::PacketsIn, family: Family::Network, fields: &[] },
    Program { name: "cgroup_skb_egress", hook: Hook::PacketsOut, family: Family::Network, fields: &[] },
    tracepoint("tcp_retransmit_skb", Family::Network, &[SOCK, RETRANSMIT]),
    tracepoint("tcp_retransmit_synack", Family::Network, &[SOCK]),
    tracepoint("tcp_send_reset", Family::Network, &[SOCK]),
    tracepoint("tcp_receive_reset", Family::Network, &[SOCK]),
    tracepoint("inet_sock_set_state", Family::Network, &[SOCK, CONNECTION]),
    tracepoint("kfree_skb", Family::Network, &[SOCK, DROP]),
    tracepoint("udp_fail_queue_rcv_skb", Family::Network, &[SOCK]),
    tracepoint("block_rq_complete", Family::Block, &[REQUEST]),
    Program {
        name: "flush",
        hook: Hook::OnDemand,
        family: Family::Scheduler,
        fields: &[TASK_CGROUP, SWITCHES],
    },
    Program { name: CENSUS, hook: Hook::TasksOnDemand, family: Family::Tasks, fields: &[TASK_CGROUP, STATE] },
    tracepoint("sched_process_exec", Family::Processes, &[TASK_CGROUP, PROCESS, &["binprm_filename"]]),
    tracepoint("sched_process_exit", Family::Processes, &[TASK_CGROUP, PROCESS, IDENTITY, EXIT]),
    tracepoint(MARK_VICTIM, Family::Memory, &[TASK_CGROUP, PROCESS, IDENTITY]),
    tracepoint("mm_vmscan_direct_reclaim_begin", Family::Memory, &[TASK_CGROUP]),
    tracepoint("mm_vmscan_direct_reclaim_end", Family::Memory, &[TASK_CGROUP]),
    tracepoint("mm_vmscan_memcg_reclaim_begin", Family::Memory, &[TASK_CGROUP]),
    tracepoint("mm_vmscan_memcg_reclaim_end", Family::Memory, &[TASK_CGROUP]),
    tracepoint(PAGE_FAULT_USER, Family::Faults, &[TASK_CGROUP, SWITCHES]),
    tracepoint("page_fault_kernel", Family::Faults, &[TASK_CGROUP, SWITCHES]),
    Program { name: MAJOR_FAULT, hook: Hook::MajorFaults, family: Family::Faults, fields: &[TASK_CGROUP] },
    Program {
        name: "seed",
        hook: Hook::EveryTask,
        family: Family::Scheduler,
        fields: &[TASK_CGROUP, SWITCHES],
    },
    tracepoint("sched_switch", Family::Scheduler, &[TASK_CGROUP, SWITCHES]),
];

/// What tells of every task what it does.
pub const CENSUS: &str = "census";
/// What tells of major faults when they are over.
pub(super) const MAJOR_FAULT: &str = "major_fault";
pub(super) const PAGE_FAULT_USER: &str = "page_fault_user";
pub(super) const MARK_VICTIM: &str = "mark_victim";

const fn tracepoint(
    name: &'static str,
    family: Family,
    fields: &'static [&'static [&'static str]],
) -> Program {
    Program { name, hook: Hook::Tracepoint(name), family, fields }
}

#[cfg(test)]
mod tests {
    use monitor_common::fields::FIELDS;

    use super::*;

    #[test]
    fn fields_are_spelled_as_in_the_table() {
        for name in PROGRAMS.iter().flat_map(|program| program.fields).copied().flatten() {
            assert!(FIELDS.iter().any(|field| field.name == *name), "{name}");
        }
    }
}
