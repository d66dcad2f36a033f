//! Cgroups that containers and tests of ours were in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::say;

const TOP: &str = "/sys/fs/cgroup";

/// Removes what tests that were killed have left: a thousand empty cgroups of containers that nobody knows make each
/// later test slow, and some wrong. Only what is empty and, by its name, of our tests; and, as long as no Docker daemon
/// runs (`has_docker`), what has the name of one of its containers.
pub(crate) fn remove_leftovers(has_docker: bool) {
    let is_left = |name: &str| is_of_tests(name) || (!has_docker && is_id(name));
    let parents = roots().chain(docker());
    let left: Vec<PathBuf> = parents
        .flat_map(|parent| entries(&parent))
        .filter(|dir| dir.file_name().and_then(|name| name.to_str()).is_some_and(is_left))
        .filter(|dir| dir.is_dir() && pids_in(dir).is_empty())
        .collect();
    for dir in &left {
        remove(dir);
    }
    if !left.is_empty() {
        say(&format!("removed {} empty cgroups that tests had left which were killed", left.len()));
    }
}

/// A name that tests and the soak give (`unique` of `tests/src/container.rs`), and the containers that `web/tests/harness.ts`
/// invents.
fn is_of_tests(name: &str) -> bool {
    let is_unique = ["monitor-test", "monitor-soak"].iter().any(|prefix| name.starts_with(prefix));
    is_unique || (is_id(name) && name.starts_with("dada00000000"))
}

/// A container's id, as Docker names its cgroup.
fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The `docker` cgroup of each hierarchy; on pure cgroup v2 there is one, at the top.
fn docker() -> Vec<PathBuf> {
    roots().map(|root| root.join("docker")).filter(|dir| dir.is_dir()).collect()
}

/// The top and what is mounted below it on cgroup v1; on pure v2 those are cgroups, which does not matter here.
fn roots() -> impl Iterator<Item = PathBuf> {
    let top = Path::new(TOP);
    std::iter::once(top.to_owned()).chain(entries(top)).filter(|dir| dir.is_dir())
}

pub(crate) fn of_containers(ids: &[String]) -> Vec<PathBuf> {
    let parents = docker();
    parents
        .iter()
        .flat_map(|parent| ids.iter().map(|id| parent.join(id)))
        .filter(|dir| dir.is_dir())
        .collect()
}

/// The processes in a cgroup and below it.
pub(crate) fn pids_in(cgroup: &Path) -> Vec<u32> {
    let text = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let below = entries(cgroup).into_iter().filter(|path| path.is_dir());
    text.lines().filter_map(|line| line.parse().ok()).chain(below.flat_map(|dir| pids_in(&dir))).collect()
}

/// Removes a cgroup and those below it. The kernel refuses while there is a process in it, which is as it
/// should be.
pub(crate) fn remove(dir: &Path) {
    for below in entries(dir).into_iter().filter(|path| path.is_dir()) {
        remove(&below);
    }
    let _ = fs::remove_dir(dir);
}

/// Removes the `docker` cgroups, unless another daemon has containers in them.
pub(crate) fn remove_docker() {
    for dir in docker() {
        let _ = fs::remove_dir(dir);
    }
}

pub(crate) fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_tests_and_of_containers_are_left_behind() {
        let invented = format!("dada{:060x}", 690);
        let real = "583e4cad4a0bbfebdc5244ee2b9bf2062fe311a71a9af9d20c3870ca82aabe5c";
        assert!(is_of_tests(&invented) && is_of_tests("monitor-test-7-1.slice"));
        assert!(!is_of_tests(real) && is_id(real));
        for other in ["system.slice", "docker", "init.scope", &real[..63], &real.to_uppercase()] {
            assert!(!is_of_tests(other) && !is_id(other), "{other}");
        }
    }

    #[test]
    fn processes_below_a_cgroup_count() {
        let dir = std::env::temp_dir().join(format!("xtask-cgroup-{}", std::process::id()));
        fs::create_dir_all(dir.join("below")).unwrap();
        fs::write(dir.join("cgroup.procs"), "1\n2\n").unwrap();
        fs::write(dir.join("below/cgroup.procs"), "3\n").unwrap();
        assert_eq!(pids_in(&dir), [1, 2, 3]);
        fs::remove_dir_all(&dir).unwrap();
    }
}
