//! What the agent takes while it watches many containers.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use integration_tests::container::{docker, docker_output, docker_within, unique};

use crate::{
    agent::Agent,
    cost::{self, Memory},
    interrupt,
    options::Options,
    report::{Bar, Part},
    statistics::median,
};

/// The most that the agent may take of one core with [`MANY`] idle containers, in percent.
const CPU_PERCENT: f64 = 1.0;
/// The most resident memory with as many, in megabytes (10^6 bytes).
const RESIDENT_MB: f64 = 40.0;
const MANY: usize = 300;
/// How long the agent is left alone before it is measured, and for how long it is. What containers take on file systems is
/// looked at twice in that time; after the second look those that do not run are left alone for ten turns.
const SETTLE: Duration = Duration::from_secs(140);
const TIME: Duration = Duration::from_mins(1);
/// The same for a quick run, in which that look may go on.
const QUICK_SETTLE: Duration = Duration::from_secs(10);
const QUICK_TIME: Duration = Duration::from_secs(5);
/// How many are removed by one client, and how long that may take.
const REMOVED_AT_ONCE: usize = 10;
const REMOVAL: Duration = Duration::from_mins(2);
/// Docker clients at a time. Containers start no faster with more.
const CLIENTS: usize = 4;

/// What the containers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Idle,
    Waking,
}

impl Life {
    fn words(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Waking => "each wakes once a second",
        }
    }

    fn command(self) -> &'static [&'static str] {
        match self {
            Self::Idle => &["/busybox", "sleep", "86400"],
            // The shell's own `read`, so that waking up takes no new process.
            Self::Waking => &[
                "/busybox",
                "sh",
                "-c",
                "/busybox mkfifo /never; exec 3<>/never; while :; do read -t 1 nothing <&3; done",
            ],
        }
    }
}

/// Running containers, which never end by themselves; removed on drop, with their image.
pub(crate) struct Fleet {
    name: String,
    life: Life,
    started: usize,
}

impl Fleet {
    pub(crate) fn new(life: Life) -> Self {
        let name = unique("monitor-bench");
        let mut tar = Command::new("tar")
            .args(["-C", "/bin", "-c", "busybox"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("run tar");
        let image = tar.stdout.take().expect("its standard output");
        let imported = docker(&["import", "-", &name]).stdin(image).stdout(Stdio::null()).status();
        assert!(imported.expect("run docker").success(), "docker import failed");
        assert!(tar.wait().expect("wait for tar").success(), "tar failed; busybox-static is needed");
        Self { name, life, started: 0 }
    }

    /// Starts containers until there are `number`.
    pub(crate) fn grow_to(&mut self, number: usize) {
        while self.started < number {
            interrupt::check();
            let batch = self.started..number.min(self.started + CLIENTS);
            self.started = batch.end;
            let fleet = &*self;
            thread::scope(|scope| {
                for member in batch {
                    scope.spawn(move || fleet.start(member));
                }
            });
        }
    }

    fn start(&self, member: usize) {
        let name = self.member(member);
        let mut args = vec!["run", "--detach", "--network", "none", "--name", &name, &self.name];
        args.extend(self.life.command());
        let _id = docker_output(&args);
    }

    fn member(&self, number: usize) -> String {
        format!("{}-{number}", self.name)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let members: Vec<String> = (0..self.started).map(|number| self.member(number)).collect();
        for batch in members.chunks(REMOVED_AT_ONCE) {
            let names = batch.iter().map(String::as_str);
            let args: Vec<_> = ["rm", "--force"].into_iter().chain(names).collect();
            // One that never started is not there to be removed.
            if docker_within(REMOVAL, &args).output().is_ok_and(|output| output.status.code() == Some(124)) {
                eprintln!("bench: `docker {}` did not end within {} s", args.join(" "), REMOVAL.as_secs());
                return;
            }
        }
        let _ = docker(&["rmi", &self.name]).output();
    }
}

/// What the agent took.
struct Taken {
    cpu_percent: f64,
    memory: Memory,
    tick_ms: f64,
    line_kb: f64,
}

pub(crate) fn measure(options: Options) -> Part {
    let mut rows = Vec::new();
    let mut bars = Vec::new();
    for (life, numbers) in [(Life::Idle, [0, 10, 100, MANY].as_slice()), (Life::Waking, &[MANY])] {
        let mut fleet = Fleet::new(life);
        for number in numbers {
            fleet.grow_to(*number);
            let taken = observe(*number, options);
            rows.push(row(life, *number, &taken));
            if life == Life::Idle && *number == MANY {
                let resident = taken.memory.resident_kib as f64 * 1.024e-3;
                let what = "300 idle containers: agent, percent of one core";
                bars.push(Bar { what, most: CPU_PERCENT, measured: taken.cpu_percent });
                bars.push(Bar {
                    what: "300 idle containers: agent, MB resident",
                    most: RESIDENT_MB,
                    measured: resident,
                });
            }
        }
    }
    let (settle, time) = times(options);
    Part {
        title: "The agent",
        method: format!(
            "A fresh `monitor stream` beside real Docker containers without a network, settled for {} s, in which it looks \
             twice at what each takes on file systems (those that do not run are left alone after that for ten turns of a minute), then observed for {} s. CPU time, user and system, is \
             the kernel's (`schedstat` of every thread); memory is of `/proc/PID/status`, and its file part is the program \
             itself and the maps that it shares with the kernel. With no container it is what running costs at all. What \
             programs cost inside of other processes is in the tables above.",
            settle.as_secs(),
            time.as_secs(),
        ),
        columns: &[
            "containers",
            "number",
            "CPU, % of a core",
            "resident, MB",
            "anonymous, MB",
            "file, MB",
            "shared, MB",
            "peak, MB",
            "tick, ms",
            "line, kB",
        ],
        rows,
        bars,
    }
}

/// How long to settle, and how long to observe.
fn times(options: Options) -> (Duration, Duration) {
    if options.is_quick { (QUICK_SETTLE, QUICK_TIME) } else { (SETTLE, TIME) }
}

fn observe(containers: usize, options: Options) -> Taken {
    let agent = Agent::start(&["--interval", "1s"]);
    let (settle, time) = times(options);
    sleep(settle);
    let (before, began) = (cost::cpu_ns(&agent), Instant::now());
    sleep(time);
    let cpu_percent = 100.0 * (cost::cpu_ns(&agent) - before) as f64 / began.elapsed().as_nanos() as f64;
    let memory = Memory::of(&agent);
    let snapshots = cost::unread(&agent);
    let last = snapshots.last().expect("a snapshot a second");
    let seen = last.running();
    assert!(seen >= containers, "monitor sees {seen} of {containers} containers");
    let ticks = snapshots.iter().map(|snapshot| snapshot.coverage.tick_ns as f64 / 1e6);
    Taken {
        cpu_percent,
        memory,
        tick_ms: median(&ticks.collect::<Vec<_>>()),
        line_kb: last.bytes as f64 / 1e3,
    }
}

/// Sleeps, but not through an interrupt.
fn sleep(time: Duration) {
    let deadline = Instant::now() + time;
    loop {
        interrupt::check();
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(Duration::from_millis(200)));
    }
}

fn row(life: Life, number: usize, taken: &Taken) -> Vec<String> {
    let Taken { cpu_percent, memory, tick_ms, line_kb } = taken;
    let mb = |kib: u64| format!("{:.1}", kib as f64 * 1.024e-3);
    vec![
        life.words().to_owned(),
        number.to_string(),
        format!("**{cpu_percent:.2}**"),
        format!("**{}**", mb(memory.resident_kib)),
        mb(memory.anonymous_kib),
        mb(memory.file_kib),
        mb(memory.shared_kib),
        mb(memory.peak_kib),
        format!("{tick_ms:.2}"),
        format!("{line_kb:.0}"),
    ]
}
