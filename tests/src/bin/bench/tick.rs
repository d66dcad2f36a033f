//! What one tick takes, by the number of cgroups.

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::unique,
};

use crate::{
    agent::Agent,
    cost::{self, Memory},
    helpers::{Helper, Role},
    interrupt,
    options::Options,
    report::{Bar, Part},
    statistics::{median, most, percentile},
};

/// The most that a tick over [`MANY`] cgroups may take, in milliseconds.
const TICK_MS: f64 = 20.0;
const MANY: usize = 1000;
/// The most over [`VERY_MANY`], of which [`AWAKE`] run.
const LARGE_TICK_MS: f64 = 150.0;
const VERY_MANY: usize = 10_000;
const AWAKE: usize = 1000;
const TICKS: usize = 30;
/// First ticks that are left out: they open files.
const WARM_UP: usize = 3;

/// What there is to watch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    idle: usize,
    waking: usize,
    /// Whether the cgroups are made while monitor runs, which has made room for those that there were.
    is_late: bool,
}

impl Load {
    const fn idle(idle: usize) -> Self {
        Self { idle, waking: 0, is_late: false }
    }

    const fn waking(waking: usize) -> Self {
        Self { idle: 0, waking, is_late: false }
    }

    /// Of which every other one wakes once a second.
    pub(crate) const fn half_waking(cgroups: usize) -> Self {
        Self { idle: cgroups / 2, waking: cgroups - cgroups / 2, is_late: false }
    }

    fn cgroups(self) -> usize {
        self.idle + self.waking
    }

    fn words(self) -> String {
        let what = match (self.idle, self.waking) {
            (_, 0) => "idle".to_owned(),
            (0, _) => "each wakes once a second".to_owned(),
            (_, waking) => format!("{waking} wake once a second, the others are idle"),
        };
        if self.is_late { what + "; made while `monitor` ran" } else { what }
    }
}

const LARGE: Load = Load { idle: VERY_MANY - AWAKE, waking: AWAKE, is_late: false };
pub(crate) const LOADS: [Load; 6] = [
    Load::idle(10),
    Load::waking(10),
    Load::idle(100),
    Load::waking(100),
    Load::idle(MANY),
    Load::waking(MANY),
];
pub(crate) const LARGE_LOADS: [Load; 2] = [LARGE, Load { is_late: true, ..LARGE }];

/// Cgroups with paths like those of Docker's containers, each with a process.
pub(crate) struct Tree {
    // In the order in which they must go.
    _processes: Vec<Helper>,
    _leaves: Vec<Cgroup>,
    _docker: Cgroup,
    _top: Cgroup,
}

impl Tree {
    pub(crate) fn grow(load: Load) -> Self {
        let top = Cgroup::make(&Places::roots(), &unique("monitor-bench"));
        let docker = Cgroup::make(top.places(), "docker");
        let (mut processes, mut cgroups) = (Vec::new(), Vec::new());
        for number in 0..load.cgroups() {
            interrupt::check();
            let cgroup = Cgroup::make(docker.places(), &container_id(number));
            let process = Helper::start(if number < load.idle { Role::Idle } else { Role::Waking });
            cgroup.take(process.pid());
            cgroups.push(cgroup);
            processes.push(process);
        }
        Self { _processes: processes, _leaves: cgroups, _docker: docker, _top: top }
    }
}

/// 64 hexadecimal digits, of which the first tell it from others.
pub(crate) fn container_id(number: usize) -> String {
    format!("{number:064x}").chars().rev().collect()
}

pub(crate) fn measure(options: Options, loads: &[Load]) -> Part {
    let mut rows = Vec::new();
    let mut bars = Vec::new();
    for &load in loads {
        let ticks = observe(load, options.rounds(TICKS));
        rows.push(ticks.row(load));
        let mut bar = |what, most, measured| bars.push(Bar { what, most, measured });
        match load {
            Load { idle: 0, waking: MANY, .. } => {
                bar("1 000 cgroups that all ran: ms a tick, median", TICK_MS, median(&ticks.times));
            }
            Load { idle, waking: AWAKE, is_late: false } if idle > 0 => {
                bar(
                    "10 000 cgroups of which 1 000 ran: ms a tick, median",
                    LARGE_TICK_MS,
                    median(&ticks.times),
                );
            }
            _ => {}
        }
    }
    Part {
        title: "One tick",
        method: format!(
            "`coverage.tick_ns`: reading the maps, the cgroup files and the host's, everything up to the finished \
             sample. Cgroups made by hand in every hierarchy, under paths like those of Docker's containers, each \
             with one process; {} ticks of a second each, after {WARM_UP} that open files. CPU time is the \
             kernel's, of the whole agent, the writing of the snapshot included. Memory is what the agent has resident at the \
             end, and what its maps take in the kernel, part of which is in the first. Lost is what `coverage.lost` has \
             of all kinds but hidden tasks. The control is the row above: what is there with ten cgroups is the price of a tick \
             itself.",
            options.rounds(TICKS),
        ),
        columns: &[
            "cgroups",
            "number",
            "median, ms",
            "p99, ms",
            "longest, ms",
            "CPU a tick, ms",
            "resident, MB",
            "maps, MB",
            "lost",
        ],
        rows,
        bars,
    }
}

/// What ticks took, in milliseconds.
struct Ticks {
    /// Each, from its beginning to its end.
    times: Vec<f64>,
    /// CPU time of the whole agent, over the number of ticks.
    cpu: f64,
    resident_kib: u64,
    map_bytes: u64,
    lost: Vec<String>,
}

impl Ticks {
    fn row(&self, load: Load) -> Vec<String> {
        let Self { times, cpu, resident_kib, map_bytes, lost } = self;
        vec![
            load.words(),
            load.cgroups().to_string(),
            format!("**{:.2}**", median(times)),
            format!("{:.2}", percentile(times, 99)),
            format!("{:.2}", most(times)),
            format!("{cpu:.2}"),
            format!("{:.1}", *resident_kib as f64 * 1.024e-3),
            format!("{:.1}", *map_bytes as f64 / 1e6),
            if lost.is_empty() { "0".to_owned() } else { lost.join(", ") },
        ]
    }
}

fn observe(load: Load, count: usize) -> Ticks {
    // They are no containers that Docker could be asked about.
    let start = || Agent::start(&["--interval", "1s", "--no-docker"]);
    let (agent, _tree);
    if load.is_late {
        agent = start();
        _tree = Tree::grow(load);
        while cost::unread(&agent).last().is_none_or(|last| last.running() < load.cgroups()) {}
    } else {
        _tree = Tree::grow(load);
        agent = start();
    }
    for _ in 0..WARM_UP {
        cost::next(&agent);
    }
    let before = cost::cpu_ns(&agent);
    let (mut times, mut last) = (Vec::new(), None);
    for _ in 0..count {
        let snapshot = cost::next(&agent);
        let seen = snapshot.running();
        assert!(seen >= load.cgroups(), "monitor sees {seen} of {} cgroups", load.cgroups());
        times.push(snapshot.coverage.tick_ns as f64 / 1e6);
        last = Some(snapshot);
    }
    let cpu = (cost::cpu_ns(&agent) - before) as f64 / 1e6 / count as f64;
    let coverage = last.expect("a snapshot").coverage;
    let resident_kib = Memory::of(&agent).resident_kib;
    Ticks { times, cpu, resident_kib, map_bytes: coverage.map_bytes, lost: coverage.lost() }
}
