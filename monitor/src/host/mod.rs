//! The machine's own /proc and /sys, without its cgroups.

mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod interfaces;
mod machine;
mod parse;
mod processes;

use std::{collections::BTreeMap, fs};

use procfs::Current;

pub use self::{
    files::HostFiles,
    interfaces::{Direction, Interface, NetworkView},
    machine::{Cache, DiskDevice, HugePagePool, InterfaceDevice, Machine, Node, Processor, read_machine},
    parse::{CpuTimes, CpuUse, HostStats, ProcessCounters, Stall, VmCounters},
    processes::{Process, parse_stat, parse_users, read_process},
};

/// What does not change while we run, or hardly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// The machine's name.
    pub hostname: String,
    /// `uname -r`.
    pub kernel_release: String,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: Option<String>,
    /// CPUs online.
    pub cpus: u32,
    /// `MemTotal`.
    pub memory_bytes: Option<u64>,
}

/// Asks the kernel.
#[must_use]
pub fn read_facts() -> HostFacts {
    let uname = rustix::system::uname();
    HostFacts {
        hostname: uname.nodename().to_string_lossy().into_owned(),
        kernel_release: uname.release().to_string_lossy().into_owned(),
        boot_id: fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned()),
        cpus: fs::read_to_string("/sys/devices/system/cpu/online")
            .ok()
            .and_then(|list| parse_cpu_list(list.trim()))
            .unwrap_or(1),
        memory_bytes: procfs::Meminfo::current().ok().map(|info| info.mem_total),
    }
}

/// How many CPUs a list such as `0-3,8` names.
fn parse_cpu_list(list: &str) -> Option<u32> {
    list.split(',').try_fold(0_u32, |sum, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

/// Inode numbers of a process's namespaces by the names in `/proc/PID/ns`; empty when it is gone or hidden from us.
#[must_use]
pub fn read_namespaces(pid: i32) -> BTreeMap<String, u64> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/ns")) else { return BTreeMap::new() };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let target = fs::read_link(entry.path()).ok()?;
            let inode = parse_namespace(target.to_str()?)?;
            Some((entry.file_name().into_string().ok()?, inode))
        })
        .collect()
}

/// The inode number in `net:[4026531840]`.
fn parse_namespace(target: &str) -> Option<u64> {
    target.split_once('[')?.1.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists_are_counted() {
        assert_eq!(parse_cpu_list("0-1"), Some(2));
        assert_eq!(parse_cpu_list("0,2-3,7"), Some(4));
        assert_eq!(parse_cpu_list("3-1"), None);
        assert_eq!(parse_cpu_list(""), None);
    }

    #[test]
    fn namespaces_are_inodes() {
        assert_eq!(parse_namespace("net:[4026531840]"), Some(4_026_531_840));
        assert_eq!(parse_namespace("net"), None);
    }

    #[test]
    fn our_own_namespaces_are_readable() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(read_namespaces(pid).contains_key("pid"));
    }
}
