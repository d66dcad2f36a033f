//! The readers against trees captured from real hosts (testdata/cgroup/README.md) and changed copies of them.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;
use crate::cgroup::{
    Mode, first_pid, list_cgroups,
    stats::{CpuStats, MemoryDetails, MemoryStats, PidsStats, PressureAverages, PressureStats},
};

const CONTAINER: &str = "/docker/4b1f0c9d2e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c";
const USAGE: What = What { limits: false, pressure: false, ..What::ALL };
const LIMITS: What = What { usage: false, tasks: false, io: false, pressure: false, ..What::ALL };

fn captured(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "testdata/cgroup", name].iter().collect()
}

fn detect(tree: &Path) -> Hierarchy {
    Hierarchy::detect_below(&tree.join("proc"), tree).unwrap()
}

fn read(tree: &str, path: &str) -> CgroupStats {
    let mut files = CgroupFiles::open(&detect(&captured(tree)), path).unwrap();
    CgroupStats::clone(files.read(&mut Vec::new(), What::ALL).unwrap())
}

/// A copy of the v2 tree that a test may change.
struct Copy {
    tree: TempDir,
}

impl Copy {
    fn new() -> Self {
        let tree = tempfile::tempdir().unwrap();
        copy_directory(&captured("v2-7.2"), tree.path());
        Self { tree }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.tree.path().join("sys/fs/cgroup").join(CONTAINER.trim_start_matches('/')).join(name)
    }

    /// Overwrites in place, so that a file that is open changes.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    fn open(&self) -> CgroupFiles {
        CgroupFiles::open(&detect(self.tree.path()), CONTAINER).unwrap()
    }

    fn open_below(&self, fd_ceiling: u64) -> CgroupFiles {
        CgroupFiles::open_below(&detect(self.tree.path()), CONTAINER, fd_ceiling).unwrap()
    }
}

fn copy_directory(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn hybrid_takes_cpu_times_from_cgroup2_and_the_rest_from_v1() {
    assert_eq!(detect(&captured("hybrid-6.18")).mode(), Mode::Hybrid);
    let stats = read("hybrid-6.18", CONTAINER);
    let CgroupStats { cpu, memory, pids, pressure, .. } = stats;
    assert_eq!(
        cpu,
        CpuStats {
            usage_ns: Some(681_127_000),
            user_ns: Some(643_072_000),
            system_ns: Some(38_054_000),
            throttled_ns: Some(1_998_227_042),
            periods: Some(30),
            throttled_periods: Some(30),
            quota_us: Some(Limit::Value(20_000)),
            period_us: Some(100_000),
            shares_or_weight: Some(512),
            cpuset: Some("0-1".to_owned()),
        }
    );
    assert_eq!(
        memory,
        MemoryStats {
            current_bytes: Some(503_808),
            limit_bytes: Some(Limit::Value(32 << 20)),
            swap_bytes: Some(0),
            swap_limit_bytes: Some(Limit::Value(16 << 20)),
            working_set_bytes: Some(503_808 - 94_208),
            anon_bytes: Some(180_224),
            file_bytes: Some(102_400),
            kernel_bytes: Some(208_896),
            mapped_file_bytes: Some(0),
            shmem_bytes: Some(0),
            slab_bytes: None,
            inactive_file_bytes: Some(94_208),
            active_file_bytes: Some(8_192),
            peak_bytes: Some(32 << 20),
            page_faults_total: Some(8_857),
            major_page_faults_total: Some(2),
            oom_events: None,
            oom_kills_total: Some(0),
            limit_hits: Some(106),
            high_events: None,
            details: MemoryDetails {
                inactive_anon_bytes: Some(176_128),
                active_anon_bytes: Some(4_096),
                unevictable_bytes: Some(0),
                anon_huge_bytes: Some(0),
                dirty_bytes: Some(0),
                writeback_bytes: Some(0),
                ..MemoryDetails::default()
            },
            numa: None,
        }
    );
    assert_eq!(pids, PidsStats { current: Some(3), limit: Some(Limit::Value(64)) });
    let cpu = pressure.cpu.unwrap();
    let some = PressureAverages { avg10: 13.94, avg60: 2.51, avg300: 0.52, total_us: 2_643_435 };
    assert_eq!((cpu.some, cpu.full.map(|full| full.total_us)), (Some(some), Some(2_643_429)));
    assert_eq!(pressure.memory.unwrap().some.unwrap().total_us, 16_584);
    assert_eq!(pressure.io.unwrap().full.unwrap().total_us, 708);
}

#[test]
fn v2_has_the_finer_parts_of_memory() {
    let details = read("v2-7.2", CONTAINER).memory.details;
    let expected = MemoryDetails {
        inactive_anon_bytes: Some(0),
        active_anon_bytes: Some(106_496),
        unevictable_bytes: Some(0),
        anon_huge_bytes: Some(0),
        dirty_bytes: Some(8_392_704),
        writeback_bytes: Some(0),
        slab_reclaimable_bytes: Some(855_952),
        slab_unreclaimable_bytes: Some(41_888),
        kernel_stack_bytes: Some(32_768),
        page_tables_bytes: Some(90_112),
        sock_bytes: Some(0),
        hugetlb_2mb_bytes: None,
        hugetlb_1gb_bytes: None,
        scanned_pages: Some(0),
        freed_pages: Some(0),
        direct_scanned_pages: Some(0),
        direct_freed_pages: Some(0),
        refaulted_anon_pages: Some(0),
        refaulted_file_pages: Some(0),
        swap_in_pages: Some(0),
        swap_out_pages: Some(0),
    };
    assert_eq!(details, expected);
    let old = read("v2-5.10", CONTAINER).memory.details;
    assert_eq!((old.dirty_bytes, old.page_tables_bytes, old.swap_in_pages), (Some(3_919_872), None, None));
}

#[test]
fn huge_pages_are_read_where_their_controller_is() {
    let copy = Copy::new();
    fs::write(copy.file("hugetlb.2MB.current"), "4194304\n").unwrap();
    let mut files = copy.open();
    let details = files.read(&mut Vec::new(), What::ALL).unwrap().memory.details.clone();
    assert_eq!((details.hugetlb_2mb_bytes, details.hugetlb_1gb_bytes), (Some(4 << 20), None));
}

#[test]
fn v1_takes_cpu_times_from_cpuacct_and_has_no_pressure() {
    let host = detect(&captured("v1-5.10"));
    assert_eq!(host.mode(), Mode::V1);
    assert_eq!(host.v1_of("cpu").unwrap().controllers, ["cpu", "cpuacct"]);
    let CgroupStats { cpu, memory, pids, pressure, .. } = read("v1-5.10", CONTAINER);
    assert_eq!(cpu.usage_ns, Some(648_068_271));
    assert_eq!((cpu.user_ns, cpu.system_ns), (Some(300_000_000), Some(300_000_000)));
    assert_eq!(cpu.throttled_ns, Some(2_561_937_393));
    assert_eq!(memory.current_bytes, Some(9_707_520));
    assert_eq!(memory.file_bytes, Some(8_380_416), "of the child, since these are hierarchical");
    assert_eq!(memory.working_set_bytes, Some(9_707_520 - 8_380_416));
    assert_eq!(memory.kernel_bytes, Some(1_097_728));
    assert_eq!(memory.limit_hits, Some(78));
    assert_eq!(pids.current, Some(3));
    assert_eq!(pressure, PressureStats::default());
}

#[test]
fn v1_without_limits_says_so() {
    let stats = read("v1-5.10", "/");
    assert_eq!(stats.memory.limit_bytes, Some(Limit::Max));
    assert_eq!(stats.memory.swap_limit_bytes, Some(Limit::Max));
    assert_eq!(stats.pids.limit, None, "the root has no pids.max");
}

#[test]
fn v2_of_5_10_leaves_out_what_it_lacks() {
    assert_eq!(detect(&captured("v2-5.10")).mode(), Mode::V2);
    let CgroupStats { cpu, memory, pids, pressure, .. } = read("v2-5.10", CONTAINER);
    assert_eq!(cpu.usage_ns, Some(733_958_000));
    assert_eq!((cpu.periods, cpu.throttled_periods), (Some(36), Some(35)));
    assert_eq!(cpu.throttled_ns, Some(2_847_410_000));
    assert_eq!((memory.peak_bytes, memory.kernel_bytes), (None, None));
    assert_eq!(memory.slab_bytes, Some(917_936));
    assert_eq!((memory.oom_events, memory.oom_kills_total), (Some(1), Some(1)));
    assert_eq!(memory.limit_hits, Some(35));
    assert_eq!(pids, PidsStats { current: Some(3), limit: Some(Limit::Value(64)) });
    let cpu = pressure.cpu.unwrap();
    assert_eq!((cpu.some.unwrap().total_us, cpu.full), (2_329_995, None));
}

#[test]
fn v2_of_7_2_has_everything() {
    let CgroupStats { cpu, memory, .. } = read("v2-7.2", CONTAINER);
    assert_eq!((cpu.quota_us, cpu.period_us), (Some(Limit::Value(20_000)), Some(100_000)));
    assert_eq!(cpu.shares_or_weight, Some(50));
    assert_eq!(memory.peak_bytes, Some(32 << 20));
    assert_eq!(memory.kernel_bytes, Some(1_032_192));
    assert_eq!(memory.swap_limit_bytes, Some(Limit::Value(0)));
    assert_eq!(memory.high_events, Some(0));
}

#[test]
fn the_v2_root_has_no_charge_and_no_limits() {
    let CgroupStats { cpu, memory, pids, pressure, .. } = read("v2-7.2", "/");
    assert!(cpu.usage_ns.is_some_and(|usage| usage > 718_821_000));
    assert_eq!(cpu.quota_us, None);
    assert_eq!((memory.current_bytes, memory.working_set_bytes), (None, None));
    assert!(memory.anon_bytes.is_some());
    assert_eq!(pids, PidsStats::default());
    assert!(pressure.io.is_some());
}

#[test]
fn captured_trees_are_listed_and_their_process_found() {
    for (tree, mount) in [("hybrid-6.18", "unified"), ("v1-5.10", "memory"), ("v2-5.10", ""), ("v2-7.2", "")]
    {
        let mount = captured(tree).join("sys/fs/cgroup").join(mount);
        let mut paths: Vec<String> =
            list_cgroups(&mount).unwrap().into_iter().map(|(_, path)| path).collect();
        paths.sort_unstable();
        assert_eq!(
            paths,
            ["/".into(), "/docker".into(), CONTAINER.to_owned(), format!("{CONTAINER}/worker")]
        );
        assert_eq!(first_pid(&mount.join(CONTAINER.trim_start_matches('/'))), Some(1201), "{tree}");
    }
}

#[test]
fn a_path_that_no_hierarchy_has_is_gone() {
    let host = detect(&captured("hybrid-6.18"));
    assert!(CgroupFiles::open(&host, "/docker/none").is_err_and(|error| error.is_gone()));
}

#[test]
fn a_hierarchy_that_lacks_the_cgroup_makes_it_partial() {
    let tree = tempfile::tempdir().unwrap();
    copy_directory(&captured("v1-5.10"), tree.path());
    fs::remove_dir_all(tree.path().join("sys/fs/cgroup/pids/docker")).unwrap();
    let mut files = CgroupFiles::open(&detect(tree.path()), CONTAINER).unwrap();
    assert!(files.is_partial());
    let stats = files.read(&mut Vec::new(), What::ALL).unwrap();
    assert_eq!(stats.pids, PidsStats::default());
    assert!(stats.memory.current_bytes.is_some());
}

#[test]
fn limits_stay_until_they_are_asked_for_again() {
    let copy = Copy::new();
    let mut files = copy.open();
    let mut buffer = Vec::new();
    assert_eq!(files.read(&mut buffer, USAGE).unwrap().memory.limit_bytes, None);
    assert_eq!(files.read(&mut buffer, LIMITS).unwrap().memory.limit_bytes, Some(Limit::Value(32 << 20)));
    copy.write("memory.max", "max\n");
    assert_eq!(files.read(&mut buffer, USAGE).unwrap().memory.limit_bytes, Some(Limit::Value(32 << 20)));
    assert_eq!(files.read(&mut buffer, LIMITS).unwrap().memory.limit_bytes, Some(Limit::Max));
}

#[test]
fn details_of_an_idle_cgroup_are_read_now_and_then() {
    let copy = Copy::new();
    let mut files = copy.open();
    let mut buffer = Vec::new();
    let mut anon = || files.read(&mut buffer, USAGE).unwrap().memory.anon_bytes;
    assert_eq!(anon(), Some(106_496));
    copy.write("memory.stat", "anon 1\n");
    let stale = (0..QUIET_READINGS).filter(|_| anon() == Some(106_496)).count();
    assert!(stale > 0, "an idle cgroup is not read in full each time");
    assert_eq!(anon(), Some(1), "but within {QUIET_READINGS} readings");

    copy.write("memory.stat", "anon 2\n");
    copy.write("memory.current", "9715713\n");
    assert_eq!(anon(), Some(2), "memory was charged");
}

#[test]
fn a_cgroup_that_ran_may_have_more_tasks() {
    let copy = Copy::new();
    let mut files = copy.open();
    let mut buffer = Vec::new();
    let mut pids = |what| files.read(&mut buffer, what).unwrap().pids.current;
    let before = pids(USAGE);
    copy.write("pids.current", "77\n");
    assert_eq!(pids(USAGE), before, "it did not run");
    copy.write("cpu.stat", "usage_usec 718822\n");
    assert_eq!(pids(What { tasks: false, ..USAGE }), before, "no task started or ended");
    copy.write("cpu.stat", "usage_usec 718823\n");
    assert_eq!(pids(USAGE), Some(77));
}

#[test]
fn running_out_of_descriptors_costs_time_and_nothing_else() {
    let copy = Copy::new();
    let mut buffer = Vec::new();
    let mut kept = copy.open();
    let mut reopened = copy.open_below(0);
    assert_eq!(kept.starved_files(), 0);
    assert_eq!(reopened.starved_files(), 10);
    let what = What::ALL;
    assert_eq!(kept.read(&mut buffer, what).unwrap(), reopened.read(&mut buffer, what).unwrap());

    fs::remove_dir_all(copy.file("")).unwrap();
    assert!(reopened.read(&mut buffer, what).is_err_and(|error| error.is_gone()));
    assert!(reopened.read(&mut buffer, LIMITS).is_err_and(|error| error.is_gone()));
    assert!(reopened.read(&mut buffer, What { pressure: true, ..What::default() }).is_err());
}

#[test]
fn a_controller_taken_away_costs_its_own_fields() {
    let copy = Copy::new();
    let mut files = copy.open_below(0);
    let mut buffer = Vec::new();
    files.read(&mut buffer, What::ALL).unwrap();
    for name in ["memory.current", "memory.stat", "memory.events"] {
        fs::remove_file(copy.file(name)).unwrap();
    }
    let stats = files.read(&mut buffer, USAGE).unwrap();
    assert_eq!(
        (stats.memory.current_bytes, stats.memory.anon_bytes, stats.memory.oom_events),
        (None, None, None)
    );
    assert!(stats.memory.peak_bytes.is_some() && stats.cpu.usage_ns.is_some() && stats.pids.limit.is_some());
    assert!(files.is_partial());
}

#[test]
fn a_file_larger_than_the_buffer_is_read_whole() {
    let copy = Copy::new();
    let cpus = (0..4_000).map(|cpu| (cpu * 2).to_string()).collect::<Vec<_>>().join(",");
    assert!(cpus.len() > 2 * INITIAL_BUFFER_BYTES);
    copy.write("cpuset.cpus.effective", &format!("{cpus}\n"));
    assert_eq!(copy.open().read(&mut Vec::new(), LIMITS).unwrap().cpu.cpuset, Some(cpus));
}

#[test]
fn the_descriptor_limit_is_never_lowered() {
    let before = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    assert!(raise_fd_limit() >= before);
}

#[test]
fn a_reading_survives_json() {
    let stats = read("hybrid-6.18", CONTAINER);
    let text = serde_json::to_string(&stats).unwrap();
    assert_eq!(serde_json::from_str::<CgroupStats>(&text).unwrap(), stats);
}

#[test]
fn memory_by_node_is_read_where_there_is_more_than_one() {
    let copy = Copy::new();
    copy.write("memory.numa_stat", "anon N0=4096 N1=8192\n");
    let numa = |copy: &Copy| {
        let mut files = copy.open();
        files.read(&mut Vec::new(), What::ALL).unwrap().memory.numa.clone()
    };
    assert_eq!(numa(&copy), None);
    let nodes = copy.tree.path().join("sys/devices/system/node");
    fs::create_dir_all(&nodes).unwrap();
    fs::write(nodes.join("online"), "0\n").unwrap();
    assert_eq!(numa(&copy), None);
    fs::write(nodes.join("online"), "0-1\n").unwrap();
    let anon: Vec<_> = numa(&copy).unwrap().iter().map(|node| (node.node, node.anon_bytes)).collect();
    assert_eq!(anon, [(0, Some(4096)), (1, Some(8192))]);
}
