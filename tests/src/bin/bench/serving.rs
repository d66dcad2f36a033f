//! What clients of `monitor serve` do to its tick and its memory: nothing.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Child,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{server::Server, wait};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    cost::{self, Memory},
    helpers, interrupt,
    load::{POLLING, STALLED, STREAMING, Seen},
    options::Options,
    report::{Bar, Part},
    scrapes,
    statistics::{median, most, percentile},
    tick::{Load, Tree},
};

/// Containers, half of which wake once a second.
pub(crate) const CONTAINERS: usize = 1000;
const INTERVAL_MS: f64 = 1000.0;
/// Stretches of time without clients, and as many with them, in turns.
const ROUNDS: usize = 5;
const ROUND: Round = Round { alone: Duration::from_mins(1), loaded: Duration::from_mins(2) };
const QUICK_ROUND: Round = Round { alone: Duration::from_secs(20), loaded: Duration::from_secs(20) };
/// The most that clients may add to the 99th percentile of how late ticks are, in milliseconds.
const LATER_MS: f64 = 2.0;
/// The most that may be resident with all clients there, in MB.
const RESIDENT_MB: f64 = 400.0;

/// One tick, as a stream tells of it.
pub(crate) struct Tick {
    at: Timestamp,
    /// What it took.
    ms: f64,
}

/// How long both take.
#[derive(Clone, Copy)]
struct Round {
    alone: Duration,
    loaded: Duration,
}

/// What was seen of the server over a while.
#[derive(Default)]
struct Phase {
    /// How far each tick was from an interval after the one before, in milliseconds.
    jitter: Vec<f64>,
    /// What each tick took, in milliseconds.
    ticks: Vec<f64>,
    /// Memory, second by second.
    resident_mb: Vec<f64>,
    cpu_ns: f64,
    elapsed_ns: f64,
}

pub(crate) fn measure(options: Options) -> Vec<Part> {
    let (rounds, round) = if options.is_quick { (1, QUICK_ROUND) } else { (ROUNDS, ROUND) };
    let _tree = Tree::grow(Load::half_waking(CONTAINERS));
    let server = Server::start(&["--interval", "1s", "--no-docker"]);
    wait::until("every cgroup to be seen", || {
        let shown = server.metric("monitor_history_subjects")?;
        (shown >= CONTAINERS as f64).then_some(())
    });
    let ticks = follow(&server);
    let scrapes = scrapes::measure(&server, &ticks, options.is_quick);
    let (mut alone, mut loaded, mut seen) = (Phase::default(), Phase::default(), Seen::default());
    for _ in 0..rounds {
        alone.observe(&server, &ticks, round.alone);
        let clients = helpers::load(server.address(), round.loaded);
        loaded.observe(&server, &ticks, round.loaded);
        seen.add(outcome(clients));
    }
    vec![scrapes, clients(rounds, round, &server, &alone, &loaded, &seen)]
}

/// What the clients saw, once they are done.
fn outcome(mut clients: Child) -> Seen {
    let mut line = String::new();
    let stdout = clients.stdout.take().expect("its standard output");
    let _read = BufReader::new(stdout).read_line(&mut line).expect("what the clients saw");
    let _status = clients.wait().expect("wait for the clients");
    serde_json::from_str(&line).expect("what the clients saw")
}

fn clients(rounds: usize, round: Round, server: &Server, alone: &Phase, loaded: &Phase, seen: &Seen) -> Part {
    let counted = |name: &str| server.metric(name).expect("a figure");
    let seconds = rounds as f64 * round.loaded.as_secs_f64();
    let milliseconds: Vec<f64> = seen.milliseconds.iter().map(|ms| f64::from(*ms)).collect();
    let stalled = (STALLED * rounds) as f64;
    // By what comes first: their connection takes nothing for a while, or too much waits for them.
    let dropped =
        counted("monitor_http_dropped_clients_total") + counted("monitor_http_dropped_streams_total");
    let bars = [
        (
            "clients: how much later the 99th of 100 ticks is, ms",
            LATER_MS,
            percentile(&loaded.jitter, 99) - percentile(&alone.jitter, 99),
        ),
        (
            "clients: snapshots that the server's thread had no time for",
            0.0,
            counted("monitor_lost_total{what=\"unwritten_snapshots\"}"),
        ),
        ("clients: MB resident at most", RESIDENT_MB, most(&loaded.resident_mb)),
        (
            "clients: polls that failed, and streams of those who read that ended",
            0.0,
            (seen.failed + seen.ended_streams) as f64,
        ),
        ("clients: stalled ones that were not dropped", 0.0, stalled - dropped.min(stalled)),
    ];
    Part {
        title: "Clients",
        method: format!(
            "The same cgroups. {rounds} times {:.0} s alone and {:.0} s with {POLLING} clients that each poll once a second ({:.0} \
             answers a second, {:.1} MB/s), {STREAMING} that read a stream, most of them as the dashboard does, some everything ({:.1} MB/s), and {STALLED} that ask for \
             it and read nothing, all of them in one process on the same machine. Answers took {:.1} ms (median), {:.1} ms (99 %). \
             A tick's jitter is how far it was from one second after the one before.",
            round.alone.as_secs_f64(),
            round.loaded.as_secs_f64(),
            seen.polls as f64 / seconds,
            seen.polled_bytes as f64 / 1e6 / seconds,
            seen.streamed_bytes as f64 / 1e6 / seconds,
            median(&milliseconds),
            percentile(&milliseconds, 99),
        ),
        columns: &[
            "",
            "ticks",
            "jitter, median, ms",
            "99 %, ms",
            "most, ms",
            "a tick, median, ms",
            "99 %, ms",
            "CPU, % of a core",
            "resident, median, MB",
            "most, MB",
        ],
        rows: vec![alone.row("alone"), loaded.row("with clients")],
        bars: bars.into_iter().map(|(what, most, measured)| Bar { what, most, measured }).collect(),
    }
}

impl Phase {
    /// Watches for a while.
    fn observe(&mut self, server: &Server, ticks: &Receiver<Tick>, time: Duration) {
        let pid = server.child().id();
        let _before = ticks.try_iter().count();
        let (cpu, began) = (cost::cpu_ns_of(pid), Instant::now());
        while began.elapsed() < time {
            interrupt::check();
            thread::sleep(Duration::from_secs(1));
            self.resident_mb.push(Memory::of_process(pid).resident_kib as f64 * 1.024e-3);
        }
        self.cpu_ns += (cost::cpu_ns_of(pid) - cpu) as f64;
        self.elapsed_ns += began.elapsed().as_nanos() as f64;
        let ticks: Vec<Tick> = ticks.try_iter().collect();
        self.jitter.extend(ticks.windows(2).map(|pair| {
            let apart = pair[1].at.duration_since(pair[0].at);
            (apart.as_secs_f64() * 1000.0 - INTERVAL_MS).abs()
        }));
        self.ticks.extend(ticks.iter().map(|tick| tick.ms));
    }

    fn row(&self, name: &str) -> Vec<String> {
        let Self { jitter, ticks, resident_mb, cpu_ns, elapsed_ns } = self;
        vec![
            name.to_owned(),
            ticks.len().to_string(),
            format!("**{:.2}**", median(jitter)),
            format!("**{:.2}**", percentile(jitter, 99)),
            format!("{:.2}", most(jitter)),
            format!("{:.1}", median(ticks)),
            format!("{:.1}", percentile(ticks, 99)),
            format!("{:.1}", 100.0 * cpu_ns / elapsed_ns),
            format!("{:.0}", median(resident_mb)),
            format!("{:.0}", most(resident_mb)),
        ]
    }
}

#[derive(Deserialize)]
struct Told {
    taken_at: Timestamp,
    coverage: Coverage,
}

#[derive(Deserialize)]
struct Coverage {
    tick_ns: u64,
}

/// The ticks, read off a stream without containers.
fn follow(server: &Server) -> Receiver<Tick> {
    let mut stream = server.connect();
    let request = b"GET /api/v1/stream?container=none HTTP/1.0\r\n\r\n";
    stream.write_all(request).expect("ask for a stream");
    let (sender, ticks) = channel();
    thread::spawn(move || {
        for line in integration_tests::server::data_lines(stream) {
            let told: Told = serde_json::from_str(&line).expect("a snapshot");
            let ms = told.coverage.tick_ns as f64 / 1e6;
            if sender.send(Tick { at: told.taken_at, ms }).is_err() {
                return;
            }
        }
    });
    ticks
}
