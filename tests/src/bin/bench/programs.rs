//! Loaded eBPF programs and what the kernel says that they cost: the empty ones here, monitor's there.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    os::fd::{AsFd as _, AsRawFd as _},
    path::Path,
};

use aya::{
    Btf, Ebpf,
    maps::{MapInfo, loaded_maps},
    programs::{CgroupAttachMode, Program, ProgramError, loaded_programs},
};
use integration_tests::cgroup::Places;

/// What a program has cost while statistics were on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) runs: u64,
    /// The measuring itself included.
    pub(crate) ns: u64,
}

impl Cost {
    /// Nanoseconds a run since `earlier`; `None` where there were fewer than `least` runs.
    pub(crate) fn ns_per_run_since(self, earlier: Self, least: u64) -> Option<f64> {
        let (runs, ns) = (self.runs - earlier.runs, self.ns - earlier.ns);
        (runs > 0 && runs >= least).then(|| ns as f64 / runs as f64)
    }
}

/// The empty programs on some hooks, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Empty {
    _loaded: Ebpf,
}

impl Empty {
    /// Attaches those that this kernel has a hook for.
    pub(crate) fn attach(hooks: &[&str]) -> Self {
        let folder = env::var_os("MONITOR_BPF_DIR").expect("MONITOR_BPF_DIR names the eBPF objects");
        let mut loaded =
            Ebpf::load_file(Path::new(&folder).join("control")).expect("load the empty programs");
        let btf = Btf::from_sys_fs().expect("read the kernel's BTF");
        for hook in hooks {
            let program = loaded.program_mut(hook).unwrap_or_else(|| panic!("no empty program {hook}"));
            attach(program, hook, &btf).unwrap_or_else(|error| panic!("attach an empty {hook}: {error}"));
        }
        Self { _loaded: loaded }
    }
}

fn attach(program: &mut Program, hook: &str, btf: &Btf) -> Result<(), ProgramError> {
    match program {
        Program::BtfTracePoint(program) => {
            program.load(hook, btf)?;
            program.attach()?;
        }
        Program::CgroupSkb(program) => {
            let roots = Places::roots();
            let Some(root) = roots.v2() else { return Ok(()) };
            let root = File::open(root).expect("open the cgroup2 tree");
            let direction = program.expected_attach_type().expect("a direction");
            program.load()?;
            program.attach(root, direction, CgroupAttachMode::Single)?;
        }
        _ => panic!("an empty program of another type on {hook}"),
    }
    Ok(())
}

/// The ids of the programs that a process has attached, by the names of their hooks.
///
/// The name of a program itself would not do: the kernel cuts it to 15 characters.
pub(crate) fn attached(pid: u32) -> BTreeMap<String, u32> {
    let links = descriptors(pid);
    let named = |info: &String| Some((hook(info)?.to_owned(), number(info, "prog_id:")?));
    links.iter().filter_map(named).collect()
}

/// The hook that a link's description names.
fn hook(info: &str) -> Option<&str> {
    // Of `enum bpf_attach_type`.
    match (text(info, "link_type:")?, number(info, "attach_type:")) {
        ("cgroup", Some(0)) => Some("cgroup_skb_ingress"),
        ("cgroup", Some(1)) => Some("cgroup_skb_egress"),
        _ => text(info, "tp_name:"),
    }
}

/// The maps that a process's programs use. It need not have a descriptor of each.
pub(crate) fn maps(pid: u32) -> Vec<MapInfo> {
    let descriptors = descriptors(pid);
    let programs: Vec<u32> = descriptors.iter().filter_map(|info| number(info, "prog_id:")).collect();
    let used: Vec<u32> = loaded_programs()
        .map(|program| program.expect("ask the kernel for its programs"))
        .filter(|program| programs.contains(&program.id()))
        .filter_map(|program| program.map_ids().expect("ask for a program's maps"))
        .flatten()
        .collect();
    let loaded = loaded_maps().map(|map| map.expect("ask the kernel for its maps"));
    loaded.filter(|map| used.contains(&map.id())).collect()
}

/// Bytes that the kernel charges for a map.
pub(crate) fn map_memory(map: &MapInfo) -> u64 {
    let descriptor = map.fd().expect("open a map");
    let path = format!("/proc/self/fdinfo/{}", descriptor.as_fd().as_raw_fd());
    let info = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {path}: {error}"));
    text(&info, "memlock:").and_then(|bytes| bytes.parse().ok()).expect("the memory of a map")
}

/// What every loaded program has cost so far, by id.
pub(crate) fn costs() -> BTreeMap<u32, Cost> {
    loaded_programs()
        .map(|program| program.expect("ask the kernel for its programs"))
        .map(|program| {
            let ns = program.run_time().as_nanos().try_into().expect("nanoseconds of less than 500 years");
            (program.id(), Cost { runs: program.run_count(), ns })
        })
        .collect()
}

/// What the kernel says of each descriptor of a process.
fn descriptors(pid: u32) -> Vec<String> {
    let folder = format!("/proc/{pid}/fdinfo");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("list {folder}: {error}"));
    // One that is closed meanwhile is none that matters.
    entries.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect()
}

fn text<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn number(info: &str, name: &str) -> Option<u32> {
    text(info, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_what_was_added() {
        let (before, after) = (Cost { runs: 10, ns: 1000 }, Cost { runs: 30, ns: 1500 });
        assert_eq!(after.ns_per_run_since(before, 20), Some(25.0));
        assert_eq!(after.ns_per_run_since(before, 21), None);
        assert_eq!(after.ns_per_run_since(after, 0), None);
    }

    #[test]
    fn a_link_names_its_tracepoint() {
        let info = "pos:\t0\nlink_type:\traw_tracepoint\nprog_id:\t17\ntp_name:\tsched_switch\n";
        assert_eq!(text(info, "tp_name:"), Some("sched_switch"));
        assert_eq!(number(info, "prog_id:"), Some(17));
        assert_eq!(number(info, "map_id:"), None);
        assert_eq!(hook(info), Some("sched_switch"));
        assert_eq!(hook("link_type:\tcgroup\ncgroup_id:\t1\nattach_type:\t1\n"), Some("cgroup_skb_egress"));
    }
}
