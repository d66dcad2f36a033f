//! What a process sees mounted, from its `/proc/PID/mountinfo` (`proc_pid_mountinfo(5)`).
//!
//! Parsed here and not by procfs, which keeps the kernel's escapes and loses the order of the options.

use super::model::Mount;
use crate::cgroup::{MountLine, unescape};

/// The mounts in their order. A line that is not one is left out.
pub(super) fn parse(mountinfo: &str) -> Vec<Mount> {
    mountinfo.lines().filter_map(mount).collect()
}

fn mount(line: &str) -> Option<Mount> {
    let MountLine { root, point, options, fs_type, source, fs_options, .. } = MountLine::parse(line)?;
    Some(Mount {
        target: unescape(point),
        source: unescape(source),
        root: unescape(root),
        fs_type: unescape(fs_type),
        options: list(options),
        fs_options: list(fs_options),
    })
}

fn list(options: &str) -> Vec<String> {
    options.split(',').filter(|option| !option.is_empty()).map(unescape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bind_mount_has_the_part_that_is_mounted() {
        let line =
            "641 620 254:0 /var/lib/my\\040volumes /data ro,relatime master:1 - ext4 /dev/vda rw,discard\n";
        let expected = Mount {
            target: "/data".to_owned(),
            source: "/dev/vda".to_owned(),
            root: "/var/lib/my volumes".to_owned(),
            fs_type: "ext4".to_owned(),
            options: vec!["ro".to_owned(), "relatime".to_owned()],
            fs_options: vec!["rw".to_owned(), "discard".to_owned()],
        };
        assert_eq!(parse(line), [expected]);
    }

    #[test]
    fn a_source_may_be_empty_and_a_line_may_be_torn() {
        let mounts = parse("1 2 0:5 / /x rw - tmpfs  rw\n641 620 254:0 / /da");
        assert_eq!(mounts.len(), 1);
        assert_eq!(
            (mounts[0].source.as_str(), mounts[0].fs_options.as_slice()),
            ("", &["rw".to_owned()][..])
        );
    }
}
