//! Namespaces, and who is in them.

use std::{collections::BTreeMap, path::Path};

use procfs::process::StatFlags;

use super::{
    model::{ContainerRef, Namespace},
    process::ProcessDirectory,
};
use crate::host::parse_stat;

/// The kinds, as in `/proc/PID/ns`.
const KINDS: [&str; 8] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"];

/// Inode numbers of one process's namespaces by kind, of those that the kernel has and lets us see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inodes(BTreeMap<&'static str, u64>);

/// Another container and the namespaces of a process in it.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    pub(super) container: ContainerRef,
    pub(super) namespaces: Inodes,
}

impl Inodes {
    pub(super) fn read(directory: &ProcessDirectory) -> Self {
        let inode = |kind: &'static str| {
            let target = directory.read_link(&format!("ns/{kind}")).ok()?;
            Some((kind, parse_link(kind, &target)?))
        };
        Self(KINDS.into_iter().filter_map(inode).collect())
    }

    /// Those of process 1 or, where it may do more than we and is hidden from us, of the kernel's own threads, which
    /// stay in the namespaces that the machine was booted with. None where we cannot tell.
    pub(super) fn of_host(proc: &Path) -> Self {
        let read = |pid| Some(Self::read(&ProcessDirectory::open(proc, pid).ok()?));
        let is_visible = |inodes: &Self| !inodes.0.is_empty();
        let of_kernel = || read(2).filter(|_| is_kernel_thread(proc, 2));
        read(1).filter(is_visible).or_else(of_kernel).unwrap_or_default()
    }
}

/// In a container's pid namespace process 2 is anything.
fn is_kernel_thread(proc: &Path, pid: i32) -> bool {
    let stat = ProcessDirectory::open(proc, pid).and_then(|directory| directory.read_text("stat"));
    let stat = stat.ok().and_then(|text| parse_stat(text.as_bytes()).ok());
    // The newest of the flags may be ones that procfs has no names for.
    stat.is_some_and(|stat| stat.flags & StatFlags::PF_KTHREAD.bits() != 0)
}

/// The eight kinds, with who else is there.
pub(super) fn describe(own: &Inodes, host: &Inodes, neighbours: &[Neighbour]) -> Vec<Namespace> {
    let namespace = |kind: &&'static str| {
        let inode = own.0.get(kind);
        let is_here = |other: &Neighbour| inode.is_some() && other.namespaces.0.get(kind) == inode;
        let sharing = neighbours.iter().filter(|other| is_here(other));
        Namespace {
            kind: (*kind).to_owned(),
            inode: inode.copied(),
            is_host: inode.zip(host.0.get(kind)).map(|(own, host)| own == host),
            shared_with: sharing.map(|other| other.container.clone()).collect(),
        }
    };
    KINDS.iter().map(namespace).collect()
}

/// The inode number in `net:[4026531840]`.
pub(super) fn parse_link(kind: &str, target: &str) -> Option<u64> {
    target.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inodes(net: u64, pid: u64) -> Inodes {
        Inodes(BTreeMap::from([("net", net), ("pid", pid)]))
    }

    fn neighbour(id: &str, namespaces: Inodes) -> Neighbour {
        Neighbour { container: ContainerRef { id: id.to_owned(), name: None }, namespaces }
    }

    #[test]
    fn sharing_is_told_by_equal_numbers_of_a_kind() {
        let neighbours = [neighbour("a", inodes(7, 8)), neighbour("b", inodes(8, 9))];
        let described = describe(&inodes(7, 1), &inodes(6, 1), &neighbours);
        assert_eq!(described.len(), 8);
        let of = |kind: &str| described.iter().find(|namespace| namespace.kind == kind).unwrap();
        assert_eq!((of("net").inode, of("net").is_host), (Some(7), Some(false)));
        assert_eq!(of("net").shared_with, [ContainerRef { id: "a".to_owned(), name: None }]);
        assert_eq!(of("pid").is_host, Some(true));
        assert!(of("pid").shared_with.is_empty());
    }

    #[test]
    fn a_kind_that_is_not_there_is_shared_with_nobody() {
        let described =
            describe(&Inodes::default(), &Inodes::default(), &[neighbour("a", Inodes::default())]);
        for namespace in described {
            assert_eq!((namespace.inode, namespace.is_host), (None, None));
            assert!(namespace.shared_with.is_empty());
        }
    }

    #[test]
    fn a_link_names_its_kind() {
        assert_eq!(parse_link("net", "net:[4026531840]"), Some(4_026_531_840));
        assert_eq!(parse_link("net", "mnt:[4026531840]"), None);
        assert_eq!(parse_link("net", "net:"), None);
    }

    #[test]
    fn this_machine_s_own_are_known() {
        let host = Inodes::of_host(Path::new("/proc"));
        assert!(host.0.contains_key("net"), "{host:?}");
    }
}
