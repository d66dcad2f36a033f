//! Facts about this kernel, asked once, each kept with its reason.

use std::{collections::BTreeMap, fs, io, sync::Arc};

use monitor_common::fields::{FIELDS, LOAD_MARK, Offsets};

use super::{
    btf::{Btf, BtfError},
    programs::{Hook, PROGRAMS},
};

/// What this kernel offers to the programs.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct KernelFacts {
    /// Why nothing at all can be loaded, where that is so: there are no kernel types, for example.
    pub unusable: Option<String>,
    /// Offsets of the members that were found.
    pub offsets: Offsets,
    /// Members that were not, by their name in [`Offsets`], each with its reason.
    pub missing_fields: Vec<(&'static str, String)>,
    /// The tracepoints among those wanted that this kernel has.
    pub tracepoints: Vec<&'static str>,
    /// Whether programs get the running task with its type.
    pub has_typed_current: bool,
    /// Whether `mark_victim` tells of a task; before Linux 6.1, of its number.
    pub tells_victim: bool,
    /// Whether `sched_process_exit` has a second argument: whether the whole process has ended.
    pub tells_group_dead: bool,
    /// Whether `tcp_retransmit_skb` has a third argument, with the error of one that failed.
    pub tells_retransmit_error: bool,
    /// Whether `kfree_skb` has a third argument: why the packet is thrown away.
    pub tells_drop_reason: bool,
    /// Whether it has a fourth one: the socket that it came for.
    pub tells_drop_receiver: bool,
    /// The reasons that it can tell, by number, without the prefix that all have.
    pub drop_reasons: BTreeMap<u32, Arc<str>>,
    /// The flag of a request to a block device whose flush is being carried out (`RQF_FLUSH_SEQ`).
    pub flush_sequence: u32,
    /// Where `task_struct` has the bit `in_iowait`: byte, and bit in it.
    pub iowait: Option<(u32, u32)>,
    /// CPUs that can ever come online; the maps have room for each.
    pub possible_cpus: u32,
    /// Tasks that there are.
    pub tasks: u32,
    /// Cgroups that there are, in the hierarchy that has most.
    pub cgroups: u32,
}

/// The bit of `RQF_FLUSH_SEQ` while it was a macro, which kernel types do not have: up to Linux 6.11 at least.
const OLD_FLUSH_SEQUENCE_BIT: u32 = 4;

/// Asks the kernel.
#[must_use]
pub fn probe_kernel(btf: &Result<Btf, BtfError>) -> KernelFacts {
    let tasks = fs::read_to_string("/proc/loadavg").ok().and_then(|text| parse_tasks(&text));
    let cgroups = fs::read_to_string("/proc/cgroups").ok().map(|text| parse_cgroups(&text));
    let mut facts = KernelFacts {
        unusable: None,
        offsets: Offsets::default(),
        missing_fields: Vec::new(),
        tracepoints: Vec::new(),
        has_typed_current: false,
        tells_victim: false,
        tells_group_dead: false,
        tells_retransmit_error: false,
        tells_drop_reason: false,
        tells_drop_receiver: false,
        drop_reasons: BTreeMap::new(),
        flush_sequence: 1 << OLD_FLUSH_SEQUENCE_BIT,
        iowait: None,
        possible_cpus: 0,
        tasks: tasks.unwrap_or_default(),
        cgroups: cgroups.unwrap_or_default(),
    };
    match read_possible_cpus() {
        Ok(cpus) => facts.possible_cpus = cpus,
        Err(error) => facts.unusable = Some(format!("ask the kernel for its CPUs: {error}")),
    }
    match btf {
        Ok(btf) => facts.read_types(btf),
        Err(error) => facts.unusable = Some(crate::error::chain(error)),
    }
    facts
}

impl KernelFacts {
    /// Whether this kernel's struct has no such member.
    #[must_use]
    pub fn lacks(&self, field: &str) -> bool {
        self.missing_fields.iter().any(|(name, _)| *name == field)
    }

    fn read_types(&mut self, btf: &Btf) {
        for (field, found) in FIELDS.iter().zip(btf.member_offsets(FIELDS)) {
            match found {
                Ok(offset) if offset < LOAD_MARK => (field.set)(&mut self.offsets, offset),
                Ok(offset) => {
                    self.missing_fields
                        .push((field.name, format!("at {offset}, farther than a load reaches")));
                }
                Err(error) => self.missing_fields.push((field.name, error.to_string())),
            }
        }
        self.tracepoints = PROGRAMS
            .iter()
            .filter_map(|program| match program.hook {
                Hook::Tracepoint(name) => btf.tracepoint_arguments(name).map(|_| name),
                Hook::MajorFaults
                | Hook::OnDemand
                | Hook::EveryTask
                | Hook::TasksOnDemand
                | Hook::PacketsIn
                | Hook::PacketsOut => None,
            })
            .collect();
        let has_more_than = |name, count| btf.tracepoint_arguments(name).is_some_and(|has| has > count);
        self.tells_retransmit_error = has_more_than("tcp_retransmit_skb", 2);
        self.tells_victim = has_more_than("mark_victim", 1);
        self.tells_group_dead = has_more_than("sched_process_exit", 1);
        self.tells_drop_reason = has_more_than("kfree_skb", 2);
        self.tells_drop_receiver = has_more_than("kfree_skb", 3);
        self.drop_reasons = btf.enumerators("skb_drop_reason").map(drop_reason).collect();
        let flush_sequence = btf.enumerator("rqf_flags", "__RQF_FLUSH_SEQ");
        self.flush_sequence = 1 << flush_sequence.unwrap_or(OLD_FLUSH_SEQUENCE_BIT).min(31);
        self.iowait = btf.bit("task_struct", "in_iowait").filter(|(byte, _)| *byte < LOAD_MARK);
        self.has_typed_current = btf.enumerator("bpf_func_id", "BPF_FUNC_get_current_task_btf").is_some();
    }
}

/// `SKB_DROP_REASON_NO_SOCKET` as `NO_SOCKET`, by its number: so the kernel's own tracepoint prints it.
fn drop_reason((name, number): (&[u8], u32)) -> (u32, Arc<str>) {
    let name = String::from_utf8_lossy(name);
    (number, name.strip_prefix("SKB_DROP_REASON_").unwrap_or(&name).into())
}

/// The second number of the fourth field of `/proc/loadavg`: `0.00 0.01 0.05 1/234 5678`.
fn parse_tasks(loadavg: &str) -> Option<u32> {
    loadavg.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

/// The largest number in the third column of `/proc/cgroups`, which is that of a controller's hierarchy.
fn parse_cgroups(controllers: &str) -> u32 {
    let count = |line: &str| line.split_whitespace().nth(2)?.parse().ok();
    controllers.lines().filter_map(count).max().unwrap_or_default()
}

fn read_possible_cpus() -> io::Result<u32> {
    let text = fs::read_to_string("/sys/devices/system/cpu/possible")?;
    parse_cpu_count(text.trim()).ok_or_else(|| io::Error::other("unknown form of CPU list"))
}

/// One more than the highest CPU of a list such as `0-3,8`.
fn parse_cpu_count(list: &str) -> Option<u32> {
    let last = list.rsplit([',', '-']).next()?;
    last.parse::<u32>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_counted_from_the_load() {
        assert_eq!(parse_tasks("0.00 0.01 0.05 1/234 5678\n"), Some(234));
        assert_eq!(parse_tasks(""), None);
    }

    #[test]
    fn reasons_are_named_as_the_kernel_prints_them() {
        assert_eq!(drop_reason((b"SKB_DROP_REASON_NO_SOCKET", 3)), (3, "NO_SOCKET".into()));
        assert_eq!(drop_reason((b"SKB_CONSUMED", 1)), (1, "SKB_CONSUMED".into()));
    }

    #[test]
    fn cgroups_are_those_of_the_fullest_hierarchy() {
        let controllers = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t3\t1\t1\nmemory\t4\t18\t1\npids\t8\t2\t1\n";
        assert_eq!(parse_cgroups(controllers), 18);
        assert_eq!(parse_cgroups(""), 0);
    }

    #[test]
    fn cpu_lists_count_to_the_highest() {
        assert_eq!(parse_cpu_count("0"), Some(1));
        assert_eq!(parse_cpu_count("0-63"), Some(64));
        assert_eq!(parse_cpu_count("0-3,8-11"), Some(12));
        assert_eq!(parse_cpu_count(""), None);
    }
}
