//! Where a container's root is, and which file systems are mounted, by `mountinfo` (`proc_pid_mountinfo(5)`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::cgroup::{MountLine, unescape};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// The file system's number, as in `254:0`.
    pub(super) device: String,
    /// The part of it that is mounted.
    pub(super) root: PathBuf,
    /// Where.
    pub(super) point: PathBuf,
    pub(super) fs_type: String,
    /// The device's name, for those that have one.
    pub(super) source: String,
    /// The file system's own options, still escaped.
    options: String,
}

/// What a process sees mounted; nothing once it is gone.
pub(super) fn of_process(pid: i32) -> Vec<Mount> {
    parse(&fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default())
}

/// What we see mounted.
pub(super) fn of_host() -> Vec<Mount> {
    parse(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
}

/// The mounts in their order. A line that is not one is left out.
pub(super) fn parse(mountinfo: &str) -> Vec<Mount> {
    mountinfo.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    let MountLine { device, root, point, fs_type, source, fs_options, .. } = MountLine::parse(line)?;
    Some(Mount {
        device: device.to_owned(),
        root: unescape(root).into(),
        point: unescape(point).into(),
        fs_type: fs_type.to_owned(),
        source: unescape(source),
        options: fs_options.to_owned(),
    })
}

impl Mount {
    /// The upper directory of an overlay, unless it is written relative to where it was mounted from.
    fn upper_directory(&self) -> Option<PathBuf> {
        let upper = self.options.split(',').find_map(|option| option.strip_prefix("upperdir="))?;
        Some(PathBuf::from(unescape(upper))).filter(|upper| upper.is_absolute())
    }
}

/// The directory that a process's root lets it write to, as the host sees it.
///
/// `own` are the mounts of its mount namespace, `ours` those of the host's. An overlay names its upper directory. Where the
/// root is a plain directory (LXC, systemd-nspawn, drivers that copy the image), it is the directory; where it is a
/// whole file system there is none. Nor is there one where the root is the host's own, as it is until a runtime has
/// changed it.
pub(super) fn writable_layer(own: &[Mount], ours: &[Mount]) -> Option<PathBuf> {
    // Mounted over each other, the last one is seen.
    let root_of = |mounts: &'_ [Mount]| mounts.iter().rfind(|mount| mount.point == Path::new("/")).cloned();
    let root = root_of(own)?;
    if root_of(ours).is_some_and(|ours| ours.device == root.device && ours.root == root.root) {
        return None;
    }
    if root.fs_type == "overlay" {
        return root.upper_directory();
    }
    if root.root == Path::new("/") {
        return None;
    }
    place_of(&root.device, &root.root, ours)
}

/// Where the host sees a directory of a file system.
fn place_of(device: &str, directory: &Path, ours: &[Mount]) -> Option<PathBuf> {
    ours.iter()
        .filter(|mount| mount.device == device)
        .filter_map(|mount| Some((mount, directory.strip_prefix(&mount.root).ok()?)))
        .max_by_key(|(mount, _)| mount.root.components().count())
        .map(|(mount, below)| mount.point.join(below))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 27 254:1 / /srv rw - xfs /dev/vdb rw
31 27 254:1 /data /mnt/my\\040data rw - xfs /dev/vdb rw
22 27 0:21 / /proc rw - proc proc rw
";

    fn layer(own: &str) -> Option<PathBuf> {
        writable_layer(&parse(own), &parse(HOST))
    }

    #[test]
    fn an_overlay_names_its_upper_directory() {
        let own = "641 620 0:99 / / rw,relatime master:1 - overlay overlay \
                   rw,lowerdir=/d/l/A:/d/l/B,upperdir=/var/lib/my\\040docker/overlay2/1/diff,workdir=/d/work\n\
                   642 641 0:100 / /proc rw - proc proc rw\n";
        assert_eq!(layer(own).unwrap(), Path::new("/var/lib/my docker/overlay2/1/diff"));
        let relative = "641 620 0:99 / / rw - overlay overlay rw,lowerdir=l/A,upperdir=1/diff,workdir=1/work";
        assert_eq!(layer(relative), None);
        let read_only = "641 620 0:99 / / ro - overlay overlay ro,lowerdir=/d/l/A:/d/l/B";
        assert_eq!(layer(read_only), None);
    }

    #[test]
    fn a_plain_directory_is_found_where_the_host_has_it() {
        assert_eq!(layer("1 2 254:0 /lib/vfs/1 / rw - ext4 /dev/vda rw").unwrap(), Path::new("/lib/vfs/1"));
        let nearest = layer("1 2 254:1 /data/rootfs / rw - xfs /dev/vdb rw").unwrap();
        assert_eq!(nearest, Path::new("/mnt/my data/rootfs"));
        assert_eq!(layer("1 2 254:7 /lib/vfs/1 / rw - ext4 /dev/vdz rw"), None);
    }

    #[test]
    fn the_whole_host_is_nobody_s_layer() {
        assert_eq!(layer("1 2 254:0 / / rw - ext4 /dev/vda rw"), None);
        assert_eq!(layer(""), None);
        let subvolume = parse("1 0 0:30 /@ / rw - btrfs /dev/vda rw");
        assert_eq!(writable_layer(&subvolume, &subvolume), None);
    }

    #[test]
    fn the_last_root_is_seen_and_torn_lines_are_left_out() {
        let own = "1 2 254:0 /a / rw - ext4 /dev/vda rw\n3 1 254:0 /b / rw - ext4 /dev/vda rw\n4 1 254:0 /c";
        assert_eq!(layer(own).unwrap(), Path::new("/b"));
    }
}
