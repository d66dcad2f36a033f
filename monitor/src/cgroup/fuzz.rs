//! Promises of the readers of cgroup files and of what tells where they are: [`crate::fuzzing`].

use std::path::PathBuf;

use super::{
    hierarchy::Mount,
    parse::{self, MountLine},
    stats::{CgroupStats, Limit},
    v1, v2,
};
use crate::fuzzing::{self, made};

/// Files of one cgroup, of either version, in the order in which they are read.
pub(crate) fn files(input: &[u8]) {
    let mut stats = CgroupStats::default();
    for (name, text) in fuzzing::files(input) {
        for spec in v1::FILES.iter().chain(v2::FILES).filter(|spec| spec.is_called(name)) {
            spec.merge(&mut stats, text);
        }
    }
    stats.memory.derive();
    let memory = &stats.memory;
    assert!(memory.working_set_bytes <= memory.current_bytes || memory.current_bytes.is_none());
    let devices = stats.io.devices.unwrap_or_default();
    assert!(
        devices.len() <= input.len() && memory.numa.as_ref().is_none_or(|nodes| nodes.len() <= input.len())
    );
}

/// What is read once of one cgroup, and the numbers that all files are made of.
pub(crate) fn limits(input: &[u8]) {
    made((parse::io_max(input), parse::default_weight(input), parse::cpu_list(input)));
    made((parse::cpu_max(input), parse::v1_quota(input), parse::pressure(input)));
    made((parse::v1_memory_limit(input), parse::v1_hugetlb_limit(input)));
    parse::device_limits(input).for_each(made);
    assert!(parse::pids(input).iter().all(|pid| *pid > 0));
    let limit = parse::limit(input);
    assert_eq!(limit.is_some(), parse::number(input).is_some() || input.trim_ascii() == b"max");
    if let Some(limit @ Limit::Value(value)) = limit {
        assert_eq!(parse::limit(format!("{value}\n").as_bytes()), Some(limit));
    }
}

/// `mountinfo`, `cgroup` and `cgroups` of `/proc`.
pub(crate) fn mounts(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mounts = parse::cgroup_mounts(&text);
    assert!(mounts.len() <= text.lines().count());
    for line in text.lines() {
        let plain = parse::unescape(line);
        assert!(plain == line || line.contains('\\'), "{line:?} became {plain:?}");
        if let Some(MountLine { point, root, .. }) = MountLine::parse(line) {
            assert!(line.contains(point) && line.contains(root));
        }
    }
    made((parse::v1_hierarchies(&text), parse::disabled_controllers(&text)));
    let mount = |root: String| Mount { point: PathBuf::from("/mnt"), root };
    for membership in parse::memberships(&text) {
        for root in mounts.iter().map(|mount| mount.root.clone()) {
            let below = mount(root).strip_root(&membership.path).map(str::to_owned);
            assert!(below.is_none_or(|below| membership.path.ends_with(&below) || below == "/"));
        }
        assert_eq!(mount("/".to_owned()).strip_root(&membership.path), Some(membership.path.as_str()));
    }
}
