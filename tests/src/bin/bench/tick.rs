//! What one tick takes, by the number of cgroups.

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::unique,
};

use crate::{
    agent::Agent,
    cost,
    helpers::{Helper, Role},
    interrupt,
    options::Options,
    report::{Bar, Part},
    statistics::{median, most, percentile},
};

/// The most that a tick over [`MANY`] cgroups may take, in milliseconds.
const TICK_MS: f64 = 20.0;
const MANY: usize = 1000;
const TICKS: usize = 30;
/// First ticks that are left out: they open files.
const WARM_UP: usize = 3;

/// Cgroups with paths like those of Docker's containers, each with a process.
struct Tree {
    // In the order in which they must go.
    _processes: Vec<Helper>,
    _leaves: Vec<Cgroup>,
    _docker: Cgroup,
    _top: Cgroup,
}

impl Tree {
    fn grow(leaves: usize, role: Role) -> Self {
        let top = Cgroup::make(&Places::roots(), &unique("monitor-bench"));
        let docker = Cgroup::make(top.places(), "docker");
        let (mut processes, mut cgroups) = (Vec::new(), Vec::new());
        for number in 0..leaves {
            interrupt::check();
            let cgroup = Cgroup::make(docker.places(), &format!("{number:064x}"));
            let process = Helper::start(role);
            cgroup.take(process.pid());
            cgroups.push(cgroup);
            processes.push(process);
        }
        Self { _processes: processes, _leaves: cgroups, _docker: docker, _top: top }
    }
}

pub(crate) fn measure(options: Options) -> Part {
    let mut rows = Vec::new();
    let mut bars = Vec::new();
    for cgroups in [10, 100, MANY] {
        for (role, what) in [(Role::Idle, "idle"), (Role::Waking, "each wakes once a second")] {
            let tree = Tree::grow(cgroups, role);
            let Ticks { times, cpu } = observe(cgroups, options.rounds(TICKS));
            drop(tree);
            rows.push(vec![
                what.to_owned(),
                cgroups.to_string(),
                format!("**{:.2}**", median(&times)),
                format!("{:.2}", percentile(&times, 99)),
                format!("{:.2}", most(&times)),
                format!("{cpu:.2}"),
            ]);
            if cgroups == MANY && role == Role::Waking {
                let what = "1 000 cgroups that all ran: ms a tick, median";
                bars.push(Bar { what, most: TICK_MS, measured: median(&times) });
            }
        }
    }
    Part {
        title: "One tick",
        method: format!(
            "`coverage.tick_ns`: reading the maps, the cgroup files and the host's, everything up to the finished \
             sample. Cgroups made by hand in every hierarchy, under paths like those of Docker's containers, each \
             with one process; {} ticks of a second each, after {WARM_UP} that open files. CPU time is the \
             kernel's, of the whole agent, the writing of the snapshot included. The control is the row \
             above: what is there with ten cgroups is the price of a tick itself.",
            options.rounds(TICKS),
        ),
        columns: &["cgroups", "number", "median, ms", "p99, ms", "longest, ms", "CPU a tick, ms"],
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
}

fn observe(cgroups: usize, count: usize) -> Ticks {
    // They are no containers that Docker could be asked about.
    let agent = Agent::start(&["--interval", "1s", "--no-docker"]);
    for _ in 0..WARM_UP {
        cost::next(&agent);
    }
    let before = cost::cpu_ns(&agent);
    let mut times = Vec::new();
    for _ in 0..count {
        let snapshot = cost::next(&agent);
        let seen = snapshot.running();
        assert!(seen >= cgroups, "monitor sees {seen} of {cgroups} cgroups");
        times.push(snapshot.coverage.tick_ns as f64 / 1e6);
    }
    Ticks { times, cpu: (cost::cpu_ns(&agent) - before) as f64 / 1e6 / count as f64 }
}
