//! What file systems hold and what is left, by statvfs(3).

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{StatVfs, statvfs},
};

use super::mounts::{self, Mount};

/// What a file system holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// All of it, what is kept for root included.
    pub capacity_bytes: u64,
    /// The part that is in use.
    pub used_bytes: u64,
    /// What is left for those that are not root.
    pub available_bytes: u64,
    /// Inodes that there can be; `None` where the file system makes them as they are needed.
    pub inodes: Option<u64>,
    /// Those of them that are free.
    pub free_inodes: Option<u64>,
}

impl From<&StatVfs> for Space {
    fn from(stat: &StatVfs) -> Self {
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        let has_inodes = stat.f_files > 0;
        Self {
            capacity_bytes: bytes(stat.f_blocks),
            used_bytes: bytes(stat.f_blocks.saturating_sub(stat.f_bfree)),
            available_bytes: bytes(stat.f_bavail),
            inodes: has_inodes.then_some(stat.f_files),
            free_inodes: has_inodes.then_some(stat.f_ffree),
        }
    }
}

/// A mounted file system that lies on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filesystem {
    /// Where it is mounted; of several places the one nearest to the root.
    pub mount_point: String,
    /// Its number, as in `254:0`.
    pub device: String,
    /// Its type.
    pub fs_type: String,
    /// The device's name.
    pub source: String,
    /// What it holds; `None` where it cannot be asked.
    pub space: Option<Space>,
}

/// Images that nothing can be written to: they are always full.
const IMAGES: [&str; 4] = ["squashfs", "erofs", "iso9660", "cramfs"];

/// The only type of its kind that the kernel lists as having no device.
const ZFS: &str = "zfs";

/// The file systems that are mounted in our mount namespace, each once, without those in memory or on a network.
#[derive(Debug, Default)]
pub(super) struct Mounted {
    /// `/proc/self/mountinfo`, which tells when it has changed: with many containers it is a long list.
    table: Option<File>,
    known: Vec<Filesystem>,
}

impl Mounted {
    /// Asks each what it holds now.
    pub(super) fn ask(&mut self) -> Vec<Filesystem> {
        if self.has_changed() {
            let types = fs::read_to_string("/proc/filesystems").unwrap_or_default();
            self.known = select(&mounts::of_host(), &on_devices(&types)).into_iter().map(named).collect();
        }
        for filesystem in &mut self.known {
            filesystem.space = statvfs(&filesystem.mount_point).ok().as_ref().map(Space::from);
        }
        self.known.clone()
    }

    /// Whether something was mounted or unmounted since this was asked last (`proc_pid_mounts(5)`).
    fn has_changed(&mut self) -> bool {
        let Some(table) = &self.table else {
            self.table = File::open("/proc/self/mountinfo").ok();
            return true;
        };
        let mut asked = [PollFd::new(table, PollFlags::PRI)];
        poll(&mut asked, Some(&Timespec::default())).map_or(true, |changed| changed > 0)
    }
}

fn named(mount: &Mount) -> Filesystem {
    Filesystem {
        mount_point: mount.point.display().to_string(),
        device: mount.device.clone(),
        fs_type: mount.fs_type.clone(),
        source: mount.source.clone(),
        space: None,
    }
}

/// The types in `/proc/filesystems` that need a device.
fn on_devices(filesystems: &str) -> HashSet<&str> {
    let needs_device = |line: &'_ str| !line.starts_with("nodev");
    let types = filesystems.lines().filter(|line| needs_device(line)).map(str::trim);
    types.filter(|fs_type| !IMAGES.contains(fs_type)).chain([ZFS]).collect()
}

/// One mount of each file system of these types.
fn select<'m>(mounts: &'m [Mount], types: &HashSet<&str>) -> Vec<&'m Mount> {
    let mut chosen: BTreeMap<&str, &Mount> = BTreeMap::new();
    for mount in mounts.iter().filter(|mount| types.contains(mount.fs_type.as_str())) {
        let known = chosen.entry(&mount.device).or_insert(mount);
        // Bind mounts of a part lie deeper in general.
        let depth = |mount: &Mount| (mount.root.components().count(), mount.point.components().count());
        if depth(mount) < depth(known) {
            *known = mount;
        }
    }
    let mut chosen: Vec<&Mount> = chosen.into_values().collect();
    chosen.sort_by(|a, b| a.point.cmp(&b.point));
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = "nodev\tsysfs\nnodev\ttmpfs\n\text4\n\txfs\n\tsquashfs\nnodev\toverlay\n";

    #[test]
    fn each_file_system_on_a_device_is_listed_once_by_its_own_root() {
        let mounts = mounts::parse(
            "1 2 8:1 /lib/docker /var/lib/docker rw - ext4 /dev/sda1 rw\n\
             3 2 8:1 / / rw - ext4 /dev/sda1 rw\n\
             4 3 0:5 / /run rw - tmpfs tmpfs rw\n\
             5 3 8:2 / /srv rw - xfs /dev/sda2 rw\n\
             6 3 7:1 / /snap/core ro - squashfs /dev/loop1 ro\n\
             7 3 0:40 / /tank rw - zfs tank rw\n\
             8 3 0:50 / /mnt/share rw - nfs4 server:/share rw\n",
        );
        let points: Vec<_> = select(&mounts, &on_devices(TYPES))
            .iter()
            .map(|mount| mount.point.display().to_string())
            .collect();
        assert_eq!(points, ["/", "/srv", "/tank"]);
    }

    #[test]
    fn the_list_is_read_again_where_something_was_mounted() {
        let mut mounted = Mounted::default();
        let found = mounted.ask();
        let names = |found: &[Filesystem]| found.iter().map(|it| it.mount_point.clone()).collect::<Vec<_>>();
        // Others may mount something meanwhile.
        let is_quiet = (0..5).any(|_| !mounted.has_changed());
        assert!(is_quiet, "a mount table that changes without end");
        assert!(found.iter().all(|it| it.space.is_some()), "{found:?}");
        assert_eq!(names(&mounted.ask()), names(&found));
    }

    #[test]
    fn space_is_counted_in_fragments_and_some_have_no_inodes() {
        let mut stat = rustix::fs::statvfs("/").unwrap();
        stat.f_frsize = 4096;
        (stat.f_blocks, stat.f_bfree, stat.f_bavail) = (100, 40, 30);
        (stat.f_files, stat.f_ffree) = (10, 4);
        let space = Space::from(&stat);
        let bytes = (space.capacity_bytes, space.used_bytes, space.available_bytes);
        assert_eq!(bytes, (409_600, 245_760, 122_880));
        assert_eq!((space.inodes, space.free_inodes), (Some(10), Some(4)));
        (stat.f_files, stat.f_ffree) = (0, 0);
        assert_eq!(Space::from(&stat).inodes, None);
    }
}
