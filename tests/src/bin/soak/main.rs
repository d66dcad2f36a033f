//! Whether monitor stays steady: containers come and go for a long time, and the Docker daemon goes away once.
//! `cargo xtask soak` runs it.
//!
//! Like the harness it is made of, it panics where a test would, and undoes what it did while it unwinds.

#[path = "../shared/agent.rs"]
mod agent;
mod churn;
mod daemon;
#[path = "../shared/interrupt.rs"]
mod interrupt;
mod options;
mod starter;
mod trend;
mod watch;

use std::{
    collections::BTreeMap,
    env,
    process::ExitCode,
    time::{Duration, Instant},
};

use integration_tests::snapshot::Snapshot;

use crate::{
    agent::Agent,
    churn::Churn,
    daemon::Daemon,
    options::Options,
    starter::{Runc, Starter},
    trend::{Trend, open_files, resident_kib},
    watch::Watch,
};

/// How long what is remembered of removed cgroups may fill before growth counts: 4 096 of them in each of two tables, which
/// at five containers a second takes 14 minutes. Half of the time in a short run.
const WARM_UP: Duration = Duration::from_mins(15);
/// The most that resident memory of monitor's own may grow over the run. The rest is the maps' pages, each of which becomes
/// resident when it is first used: as much as the maps take, and no more.
const GROWTH_PERCENT: f64 = 5.0;
/// Descriptors that may be open at the end beyond those before the first container: connections come and go, and the
/// cgroup that Docker makes around its first container stays, with at most 14 files.
const SPARE_FILES: u64 = 4 + 14;
/// How long the last containers may take to end, and to leave the stream.
const DRAIN: Duration = Duration::from_secs(30);
/// Faults that are printed.
const SHOWN: usize = 20;

fn main() -> ExitCode {
    let options = match Options::parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("soak: {error}");
            return ExitCode::from(2);
        }
    };
    interrupt::arm().expect("listen to signals");
    let faults = Soak::begin(options).run();
    if faults.is_empty() {
        println!("\nsteady");
        return ExitCode::SUCCESS;
    }
    println!("\n{} faults, of which the first {SHOWN}:\n", faults.len());
    faults.iter().take(SHOWN).for_each(|fault| println!("- {fault}"));
    ExitCode::FAILURE
}

/// A run.
struct Soak {
    options: Options,
    monitor: Agent,
    daemon: Option<Daemon>,
    churn: Churn,
    began: Instant,
    watch: Watch,
    resident: Trend,
    own: Trend,
    files: Trend,
    files_at_first: BTreeMap<String, u64>,
}

impl Soak {
    fn begin(options: Options) -> Self {
        // What runc starts no runtime can tell of.
        let (args, starter) = if options.by_runc {
            (&["--interval", "1s", "--no-runtimes"][..], Starter::Runc(Runc::new()))
        } else {
            (&["--interval", "1s"][..], Starter::docker())
        };
        let monitor = Agent::start(args);
        let mut watch = Watch::default();
        watch.observe(&Snapshot::parse(&monitor.next_line()));
        let files_at_first = open_files(monitor.pid());
        Self {
            options,
            monitor,
            daemon: Daemon::of_environment().filter(|_| options.stops_daemon),
            churn: Churn::start(options.rate, starter),
            began: Instant::now(),
            watch,
            resident: Trend::default(),
            own: Trend::default(),
            files: Trend::default(),
            files_at_first,
        }
    }

    /// Returns what is wrong.
    fn run(mut self) -> Vec<String> {
        let time = self.options.time;
        if self.daemon.is_none() && self.options.stops_daemon {
            println!("the Docker daemon is not ours: it is not stopped");
        }
        self.watch_until(time / 2);
        self.restart_daemon();
        self.watch_until(time);
        self.drain()
    }

    /// Takes snapshots in until so long after the beginning, and says each minute how it goes.
    fn watch_until(&mut self, end: Duration) {
        while self.began.elapsed() < end {
            let minute = self.began.elapsed().as_secs() / 60;
            self.step();
            if self.began.elapsed().as_secs() / 60 > minute {
                self.say_progress();
            }
        }
    }

    fn step(&mut self) {
        let snapshot = Snapshot::parse(&self.monitor.next_line());
        self.watch.observe(&snapshot);
        let (at, pid) = (self.began.elapsed(), self.monitor.pid());
        self.resident.add(at, resident_kib(pid, "VmRSS:"));
        self.own.add(at, resident_kib(pid, "RssAnon:"));
        self.files.add(at, open_files(pid).values().sum());
    }

    fn say_progress(&self) {
        println!(
            "{:>3} min: {} started, {} ended, {} KiB resident, {} files open, {} lost, {} cgroups without a path",
            self.began.elapsed().as_secs() / 60,
            self.churn.count(),
            self.watch.ended(),
            self.resident.last().unwrap_or_default(),
            self.files.last().unwrap_or_default(),
            self.watch.lost().values().sum::<u64>(),
            self.watch.nameless_cgroups(),
        );
    }

    fn restart_daemon(&self) {
        let Some(daemon) = &self.daemon else { return };
        self.churn.pause();
        self.churn.note_stop();
        println!("the Docker daemon stops");
        daemon.restart();
        println!("the Docker daemon is back");
        self.churn.resume();
    }

    /// Lets the last containers end, ends monitor, and judges.
    fn drain(mut self) -> Vec<String> {
        self.churn.pause();
        let (started, failures) = self.churn.so_far();
        let ran = self.began.elapsed();
        while self.began.elapsed() < ran + DRAIN {
            self.step();
        }
        let missing = self.watch.missing(&started);
        let mut faults = self.watch.faults(&started, self.churn.prefix());
        faults.extend(failures);
        faults.extend(self.grown());
        if started.len() < self.options.least {
            faults.push(format!(
                "only {} containers were started, not {}",
                started.len(),
                self.options.least
            ));
        }
        println!("\n| containers | |\n|---|---:|");
        println!("| started | {} |", started.len());
        println!("| started a second | {:.2} |", started.len() as f64 / ran.as_secs_f64());
        println!("| alive when the daemon stopped | {} |", started.iter().filter(|one| one.met_stop).count());
        println!("| not reported as ended | {missing} |");
        println!("| lost observations | {} |", self.watch.lost().values().sum::<u64>());
        let status = self.monitor.end().expect("end monitor");
        if !status.success() {
            faults.push(format!("monitor ended with {status}"));
        }
        faults
    }

    /// What grew that may not.
    fn grown(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let warm_up = WARM_UP.min(self.options.time / 2);
        println!("\n| monitor | mean | growth an hour | growth in the run |\n|---|---:|---:|---:|");
        for (what, trend) in
            [("KiB resident", &self.resident), ("of which its own", &self.own), ("open files", &self.files)]
        {
            if let Some(line) = trend.line(warm_up) {
                println!("| {what} | {:.0} | {:.1} | {:.1} |", line.mean, line.per_hour, line.growth);
            }
        }
        let percent = self.own.line(warm_up).map_or(0.0, |line| 100.0 * line.growth / line.mean);
        if percent > GROWTH_PERCENT {
            faults.push(format!("its own resident memory grew by {percent:.1} % after the warm-up"));
        }
        let files = open_files(self.monitor.pid());
        let (before, after): (u64, u64) = (self.files_at_first.values().sum(), files.values().sum());
        if after > before + SPARE_FILES {
            let of_before = |kind: &String| self.files_at_first.get(kind).copied().unwrap_or_default();
            let grown = files.iter().filter(|(kind, count)| **count > of_before(kind));
            let kinds: Vec<String> =
                grown.map(|(kind, count)| format!("{kind}: {} to {count}", of_before(kind))).collect();
            faults.push(format!("open files: {before} at first, {after} at last ({})", kinds.join(", ")));
        }
        faults
    }
}
