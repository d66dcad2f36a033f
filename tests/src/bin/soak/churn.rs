//! Containers that come and go: each with a name, an exit code and a life of its own.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::starter::{Identity, Life, Starter};

/// The shortest life, and how many times as long the longest is.
const SHORTEST: Duration = Duration::from_millis(50);
const SPREAD: f64 = 100.0;
/// Containers that are started at a time, or by runc run: what is slower than the rate is not buried.
const CLIENTS: usize = 32;

/// A container that was started.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) identity: Identity,
    /// What it exits with, if nobody ends it before.
    pub(crate) code: u8,
    /// Whether the daemon was stopped while it may have lived, which may have ended it.
    pub(crate) met_stop: bool,
    /// No later than this it has ended by itself.
    pub(crate) ends_by: Instant,
}

/// What the threads share.
#[derive(Debug, Default)]
struct Shared {
    started: Mutex<Vec<Started>>,
    failures: Mutex<Vec<String>>,
    clients: AtomicUsize,
    is_paused: AtomicBool,
    is_over: AtomicBool,
}

/// A thread that starts containers at a steady rate, until dropped.
#[derive(Debug)]
pub(crate) struct Churn {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    starter: Arc<Starter>,
}

impl Churn {
    pub(crate) fn start(rate: u32, starter: Starter) -> Self {
        let (shared, starter) = (Arc::new(Shared::default()), Arc::new(starter));
        let (its_shared, its_starter) = (Arc::clone(&shared), Arc::clone(&starter));
        let pause = Duration::from_secs(1) / rate;
        let thread = thread::spawn(move || run(&its_shared, &its_starter, pause));
        Self { shared, thread: Some(thread), starter }
    }

    /// What every container's name begins with, or its id where it has no name.
    pub(crate) fn prefix(&self) -> &str {
        self.starter.prefix()
    }

    /// Starts no more containers, and returns once all that were begun are started.
    pub(crate) fn pause(&self) {
        self.shared.is_paused.store(true, Ordering::SeqCst);
        while self.shared.clients.load(Ordering::SeqCst) > 0 {
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn resume(&self) {
        self.shared.is_paused.store(false, Ordering::SeqCst);
    }

    /// Notes that the daemon stops now: what may be alive may be ended by it.
    pub(crate) fn note_stop(&self) {
        let now = Instant::now();
        for container in lock(&self.shared.started).iter_mut() {
            container.met_stop |= container.ends_by > now;
        }
    }

    /// Every container so far, and what went wrong in starting others.
    pub(crate) fn so_far(&self) -> (Vec<Started>, Vec<String>) {
        (lock(&self.shared.started).clone(), lock(&self.shared.failures).clone())
    }

    /// How many were started.
    pub(crate) fn count(&self) -> usize {
        lock(&self.shared.started).len()
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // It cannot panic, and what it could say nobody would hear.
            let _ = thread.join();
        }
        self.pause();
        self.starter.clean_up();
    }
}

fn run(shared: &Arc<Shared>, starter: &Arc<Starter>, pause: Duration) {
    let mut random = Random(u64::from(std::process::id()));
    let mut due = Instant::now();
    let mut number = 0;
    while !shared.is_over.load(Ordering::SeqCst) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due = Instant::now().max(due + pause);
        // The order matters: who pauses sets the flag first and then looks at the clients.
        let clients = shared.clients.fetch_add(1, Ordering::SeqCst);
        if clients >= CLIENTS || shared.is_paused.load(Ordering::SeqCst) {
            shared.clients.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        number += 1;
        let sleeps = SHORTEST.mul_f64(SPREAD.powf(random.fraction()));
        let life = Life { number, sleeps, code: random.next().to_le_bytes()[0] };
        let (shared, starter) = (Arc::clone(shared), Arc::clone(starter));
        thread::spawn(move || {
            start(&shared, &starter, life);
            shared.clients.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn start(shared: &Shared, starter: &Starter, life: Life) {
    match starter.start(life) {
        Ok(identity) => {
            // A second for its own start and end, where it is not over yet.
            let ends_by = Instant::now() + life.sleeps + Duration::from_secs(1);
            let started = Started { identity, code: life.code, met_stop: false, ends_by };
            lock(&shared.started).push(started);
        }
        Err(failure) => lock(&shared.failures).push(failure),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
