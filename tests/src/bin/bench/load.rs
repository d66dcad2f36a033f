//! Clients of `monitor serve`, all of them in one process of little cost of its own.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{MissedTickBehavior, interval, sleep_until, timeout},
};

pub(crate) const POLLING: usize = 200;
pub(crate) const STREAMING: usize = 50;
pub(crate) const STALLED: usize = 2;
/// What is polled, once a second by each client; by one in twenty all metrics.
const PATHS: [&str; 4] =
    ["/metrics/monitor", "/api/v1/host", "/api/v1/containers?limit=20", "/api/v1/interference"];
const ALL_METRICS: &str = "/metrics";
const ONE_IN: usize = 20;
/// What is streamed: as the dashboard asks, and by one in ten of the clients everything.
const FIELDS: &str = "/api/v1/stream?fields=cpu.usage_cores,memory.working_set_bytes,scheduler.runq_latency,\
                      network.rx_bytes_per_second,network.tx_bytes_per_second,pids.current";
const EVERYTHING: &str = "/api/v1/stream";
const WHOLE_ONE_IN: usize = 10;
/// How long one answer may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the clients saw.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) polls: u64,
    /// Those that were not answered with 200.
    pub(crate) failed: u64,
    /// How long answers took, the request included, in milliseconds.
    pub(crate) milliseconds: Vec<f32>,
    pub(crate) polled_bytes: u64,
    pub(crate) streamed_bytes: u64,
    /// Streams that ended before they were to.
    pub(crate) ended_streams: u64,
}

impl Seen {
    /// Takes in what others saw.
    pub(crate) fn add(&mut self, other: Self) {
        let Self { polls, failed, milliseconds, polled_bytes, streamed_bytes, ended_streams } = other;
        self.polls += polls;
        self.failed += failed;
        self.milliseconds.extend(milliseconds);
        self.polled_bytes += polled_bytes;
        self.streamed_bytes += streamed_bytes;
        self.ended_streams += ended_streams;
    }
}

#[derive(Default)]
struct Counts {
    failed: AtomicU64,
    polled_bytes: AtomicU64,
    streamed_bytes: AtomicU64,
    ended_streams: AtomicU64,
    milliseconds: Mutex<Vec<f32>>,
}

/// Runs all clients for so long, and prints what they saw.
pub(crate) fn play(address: SocketAddr, time: Duration) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let counts: &'static Counts = Box::leak(Box::default());
    let until = Instant::now() + time;
    runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..POLLING {
            clients.spawn(poll(address, number, until, counts));
        }
        for number in 0..STREAMING {
            let path = if number % WHOLE_ONE_IN == 0 { EVERYTHING } else { FIELDS };
            clients.spawn(stream(address, path, until, counts));
        }
        for _ in 0..STALLED {
            clients.spawn(stall(address, until));
        }
        while clients.join_next().await.is_some() {}
    });
    let milliseconds = counts.milliseconds.lock().map(|all| all.clone()).unwrap_or_default();
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    let seen = Seen {
        polls: milliseconds.len() as u64,
        failed: count(&counts.failed),
        milliseconds,
        polled_bytes: count(&counts.polled_bytes),
        streamed_bytes: count(&counts.streamed_bytes),
        ended_streams: count(&counts.ended_streams),
    };
    writeln!(io::stdout(), "{}", serde_json::to_string(&seen)?)
}

/// Asks once a second, each client at its own moment of the second.
async fn poll(address: SocketAddr, number: usize, until: Instant, counts: &Counts) {
    let path = if number.is_multiple_of(ONE_IN) { ALL_METRICS } else { PATHS[number % PATHS.len()] };
    let own = Duration::from_secs(1) * u32::try_from(number).unwrap_or(0) / 200;
    sleep_until((Instant::now() + own).into()).await;
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while Instant::now() < until {
        seconds.tick().await;
        let began = Instant::now();
        match timeout(PATIENCE, ask(address, path)).await {
            Ok(Ok(bytes)) => drop(counts.polled_bytes.fetch_add(bytes, Ordering::Relaxed)),
            _ => drop(counts.failed.fetch_add(1, Ordering::Relaxed)),
        }
        if let Ok(mut all) = counts.milliseconds.lock() {
            all.push(began.elapsed().as_secs_f32() * 1000.0);
        }
    }
}

/// The length of an answer with status 200.
async fn ask(address: SocketAddr, path: &str) -> io::Result<u64> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        let read = stream.read(&mut buffer).await?;
        if length == 0 && !buffer[..read].starts_with(b"HTTP/1.0 200") {
            return Err(io::Error::other("not 200"));
        }
        if read == 0 {
            return Ok(length);
        }
        length += read as u64;
    }
}

/// Reads a stream as fast as it comes.
async fn stream(address: SocketAddr, path: &str, until: Instant, counts: &Counts) {
    let read_all = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match stream.read(&mut buffer).await? {
                0 => return io::Result::Ok(()),
                read => drop(counts.streamed_bytes.fetch_add(read as u64, Ordering::Relaxed)),
            }
        }
    };
    tokio::select! {
        () = sleep_until(until.into()) => {}
        _ = read_all => drop(counts.ended_streams.fetch_add(1, Ordering::Relaxed)),
    }
}

/// Asks for a stream and reads nothing.
async fn stall(address: SocketAddr, until: Instant) {
    let Ok(mut stream) = TcpStream::connect(address).await else { return };
    let _ = stream.write_all(b"GET /api/v1/stream HTTP/1.0\r\n\r\n").await;
    sleep_until(until.into()).await;
}
