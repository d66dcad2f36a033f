//! What rights that are given up cost: system calls that pass a filter, and pages that go through TLS.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    certificates::Authority, container::succeeded, monitor, server::Server, threads::threads, truth, wait,
};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    agent::Agent,
    cost, interrupt,
    options::Options,
    report::Part,
    statistics::{median, percentile},
    tick::{Load, Tree},
};

/// Cgroups, half of which wake once a second.
const CGROUPS: usize = 300;
/// Looks at file systems are rare, long, and not a tick's.
const STREAM: [&str; 5] = ["stream", "--format", "ndjson", "--no-docker", "--no-filesystem-usage"];
/// Fresh agents with filters, and as many without, in turns.
const ROUNDS: usize = 4;
/// Ticks of each, a second apart, after some that open files.
const TICKS: usize = 20;
const WARM_UP: usize = 5;
/// Scrapes in one go.
const SCRAPES: usize = 100;

pub(crate) fn measure(options: Options) -> Vec<Part> {
    let _tree = Tree::grow(Load::half_waking(CGROUPS));
    vec![ticks(options), scrapes(options)]
}

/// What ticks took, in milliseconds.
#[derive(Default)]
struct Ticks {
    times: Vec<f64>,
    /// CPU time of the whole agent for each of them, one value a round.
    cpu: Vec<f64>,
}

impl Ticks {
    fn observe(&mut self, agent: &Agent) {
        for _ in 0..WARM_UP {
            cost::next(agent);
        }
        let before = cost::cpu_ns(agent);
        self.times.extend((0..TICKS).map(|_| cost::next(agent).coverage.tick_ns as f64 / 1e6));
        self.cpu.push((cost::cpu_ns(agent) - before) as f64 / 1e6 / TICKS as f64);
    }

    fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            self.times.len().to_string(),
            format!("**{:.2}**", median(&self.times)),
            format!("{:.2}", percentile(&self.times, 99)),
            format!("**{:.2}**", median(&self.cpu)),
            format!("{:.2} – {:.2}", percentile(&self.cpu, 0), percentile(&self.cpu, 100)),
        ]
    }
}

fn ticks(options: Options) -> Part {
    let rounds = options.rounds(ROUNDS);
    let (mut filtered, mut free) = (Ticks::default(), Ticks::default());
    for round in 0..rounds {
        for is_filtered in [round % 2 == 0, round % 2 == 1] {
            if is_filtered {
                let agent = Agent::run(monitor::command(&STREAM));
                assert!(threads(agent.pid()).values().any(|thread| thread.text("Seccomp") == "2"));
                filtered.observe(&agent);
            } else {
                free.observe(&unfiltered());
            }
        }
    }
    Part {
        title: "Ticks and filters of system calls",
        method: format!(
            "{CGROUPS} cgroups, half of which wake once a second; {rounds} fresh `monitor stream --no-filesystem-usage` as it is, and as many that strace \
             has told that their filters are in place, which they are not, before it left them alone; in turns, {TICKS} ticks of \
             each. CPU time is the kernel's, of the whole agent, a tick; medians of the rounds.",
        ),
        columns: &["", "ticks", "a tick, median, ms", "99 %, ms", "CPU a tick, ms", "least – most"],
        rows: vec![free.row("without filters"), filtered.row("with filters")],
        bars: Vec::new(),
    }
}

/// An agent that believes to have given up system calls.
fn unfiltered() -> Agent {
    let agent = Agent::run(deceived(&monitor::command(&STREAM)));
    let settled = wait::until("all threads to have given up their rights", || {
        let threads = threads(agent.pid());
        threads.values().all(|thread| thread.text("NoNewPrivs") == "1").then_some(threads)
    });
    let tracer = settled.values().next().expect("a thread").text("TracerPid").parse().expect("a number");
    // Whoever is traced goes on when the tracer is no more; asked to end it would end us.
    kill_process(Pid::from_raw(tracer).expect("a tracer"), Signal::KILL).expect("end strace");
    wait::until("the tracer's end", || {
        threads(agent.pid()).values().all(|thread| thread.text("TracerPid") == "0").then_some(())
    });
    assert!(threads(agent.pid()).values().all(|thread| thread.text("Seccomp") == "0"));
    agent
}

/// The same, told that seccomp(2) has worked. It stays our child.
fn deceived(command: &Command) -> Command {
    let mut strace = Command::new("strace");
    strace.args([
        "-D",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=seccomp",
        "-e",
        "inject=seccomp:retval=0",
    ]);
    strace.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace
}

/// How one asks.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    is_tls: bool,
    /// Whether one connection is for all.
    is_kept: bool,
}

const WAYS: [Way; 4] = [
    Way { name: "HTTP, one connection", is_tls: false, is_kept: true },
    Way { name: "HTTPS, one connection", is_tls: true, is_kept: true },
    Way { name: "HTTP, each its own", is_tls: false, is_kept: false },
    Way { name: "HTTPS, each its own", is_tls: true, is_kept: false },
];

#[derive(Default)]
struct Scrapes {
    /// From the beginning of the connection, or of the request where that is kept, to the last byte, in milliseconds.
    times: Vec<f64>,
    /// CPU time of the server's thread, one value a round, in milliseconds.
    cpu: Vec<f64>,
    bytes: f64,
}

fn scrapes(options: Options) -> Part {
    let rounds = options.rounds(ROUNDS);
    let authority = Authority::make();
    let certificate = authority.certify("server");
    let text = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let (cert, key) = (text(&certificate.certificate), text(&certificate.key));
    let usual = ["--interval", "1s", "--no-docker"];
    let plain = Server::start(&usual);
    let tls = Server::start_tls(&[&usual[..], &["--tls-cert-file", &cert, "--tls-key-file", &key]].concat());
    let ca = text(&authority.certificate());
    thread::sleep(Duration::from_secs(3));
    let mut seen = WAYS.map(|_| Scrapes::default());
    for _ in 0..rounds {
        for (way, seen) in WAYS.into_iter().zip(&mut seen) {
            interrupt::check();
            seen.observe(way, if way.is_tls { &tls } else { &plain }, &ca);
        }
    }
    Part {
        title: "Scrapes and TLS",
        method: format!(
            "`/metrics` of the same cgroups; curl on the same machine asks {SCRAPES} times in one go, {rounds} goes each, in turns. \
             TLS 1.3 with a P-256 certificate and full handshakes. CPU time is the kernel's, of the server's thread, a scrape, what it \
             takes without scrapes included; medians of the goes.",
        ),
        columns: &["", "scrapes", "MB", "median, ms", "99 %, ms", "CPU a scrape, ms", "least – most"],
        rows: WAYS.iter().zip(&seen).map(|(way, seen)| seen.row(way.name)).collect(),
        bars: Vec::new(),
    }
}

impl Scrapes {
    fn observe(&mut self, way: Way, server: &Server, ca: &str) {
        let scheme = if way.is_tls { "https" } else { "http" };
        // What is behind # is curl's own affair.
        let url = format!("{scheme}://{}/metrics#[1-{SCRAPES}]", server.address());
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--cacert", ca, "--output", "/dev/null"]);
        curl.args(["--write-out", "%{time_total} %{size_download}\n"]);
        if !way.is_kept {
            curl.args(["--no-sessionid", "--header", "Connection: close"]);
        }
        let before = server_ns(server);
        let began = Instant::now();
        let told = succeeded("curl", curl.arg(url).output().expect("run curl"));
        let cpu = (server_ns(server) - before) as f64 / 1e6 / SCRAPES as f64;
        let told = String::from_utf8(told).expect("UTF-8");
        let pairs: Vec<(f64, f64)> = told
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(time, bytes)| (time.parse().expect("seconds"), bytes.parse().expect("bytes")))
            .collect();
        assert_eq!(pairs.len(), SCRAPES, "in {:?}: {told}", began.elapsed());
        self.bytes = pairs.iter().map(|(_, bytes)| bytes).sum::<f64>() / SCRAPES as f64;
        self.times.extend(pairs.iter().map(|(seconds, _)| seconds * 1000.0));
        self.cpu.push(cpu);
    }

    fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            self.times.len().to_string(),
            format!("{:.2}", self.bytes / 1e6),
            format!("**{:.2}**", median(&self.times)),
            format!("{:.2}", percentile(&self.times, 99)),
            format!("**{:.2}**", median(&self.cpu)),
            format!("{:.2} – {:.2}", percentile(&self.cpu, 0), percentile(&self.cpu, 100)),
        ]
    }
}

/// CPU time of the thread that answers.
fn server_ns(server: &Server) -> u64 {
    let folder = format!("/proc/{}/task", server.child().id());
    let tasks = fs::read_dir(&folder).expect("list threads").flatten().map(|task| task.path());
    let serves = |task: &std::path::PathBuf| {
        truth::read(&task.join("comm")).is_some_and(|name| name.trim() == "serve")
    };
    let task = tasks.into_iter().find(serves).expect("the server's thread");
    let text = truth::read(&task.join("schedstat")).expect("what it ran");
    text.split_ascii_whitespace().next().and_then(|ns| ns.parse().ok()).expect("nanoseconds")
}
