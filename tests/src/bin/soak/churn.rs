//! Containers that come and go: each with a name, an exit code and a life of its own.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use integration_tests::container::{Image, docker, unique};

/// The shortest life, and how many times as long the longest is.
const SHORTEST: Duration = Duration::from_millis(50);
const SPREAD: f64 = 100.0;
/// Docker clients at a time: a daemon that is slower than the rate is not buried.
const CLIENTS: usize = 16;

/// A container that was started.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) image: String,
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
    prefix: String,
    /// Removed last.
    _images: [Image; 2],
}

impl Churn {
    pub(crate) fn start(rate: u32) -> Self {
        let shared = Arc::new(Shared::default());
        let prefix = unique("monitor-soak");
        let images = [Image::import(), Image::import()];
        let names = images.each_ref().map(|image| image.name().to_owned());
        let (its_shared, its_prefix) = (Arc::clone(&shared), prefix.clone());
        let pause = Duration::from_secs(1) / rate;
        let thread = thread::spawn(move || run(&its_shared, &its_prefix, &names, pause));
        Self { shared, thread: Some(thread), prefix, _images: images }
    }

    /// What every container's name begins with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
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
        // They remove themselves, unless the daemon was stopped in between.
        let filter = format!("name={}-", self.prefix);
        let list = docker(&["ps", "--all", "--quiet", "--filter", &filter]).output();
        let left = list.map(|list| String::from_utf8_lossy(&list.stdout).into_owned()).unwrap_or_default();
        let ids = left.split_ascii_whitespace();
        let arguments: Vec<&str> = ["rm", "--force"].into_iter().chain(ids).collect();
        if arguments.len() > 2 {
            let _ = docker(&arguments).output();
        }
    }
}

fn run(shared: &Arc<Shared>, prefix: &str, images: &[String; 2], pause: Duration) {
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
        let name = format!("{prefix}-{number}");
        let image = images[number % images.len()].clone();
        let life = SHORTEST.mul_f64(SPREAD.powf(random.fraction()));
        let code = random.next().to_le_bytes()[0];
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            start(&shared, name, image, life, code);
            shared.clients.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn start(shared: &Shared, name: String, image: String, life: Duration, code: u8) {
    let (ms, code_text) = (life.as_millis().to_string(), code.to_string());
    let output = docker(&["run", "--detach", "--rm", "--network", "none", "--name", &name, &image])
        .args(["/workload", "sleep", "--ms", &ms, "--unattended", &code_text])
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            // The client answers once it runs; a second for its own start and end.
            let ends_by = Instant::now() + life + Duration::from_secs(1);
            lock(&shared.started).push(Started { id, name, image, code, met_stop: false, ends_by });
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            lock(&shared.failures).push(format!("docker run {name}: {said}"));
        }
        Err(error) => lock(&shared.failures).push(format!("docker run {name}: {error}")),
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
