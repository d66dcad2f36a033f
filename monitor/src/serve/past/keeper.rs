//! The threads that keep history: one takes every snapshot, at a lower priority than the tick's, and one writes files.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::{
    confine::{self, Part},
    error::chain,
    history::{Changes, Figures, History, disk::Folder},
    model::Snapshot,
    output::prometheus::{Exposition, Family, Kind, Number},
    serve::{hub::Hub, priority},
};

/// Snapshots that may wait for the thread that takes them; more are missed and counted.
const BACKLOG: usize = 16;
/// Batches of files that may wait for the disk. A batch comes once a minute.
const DISK_BACKLOG: usize = 4;
/// How much lower the threads' priority is than the tick's.
const NICE: i32 = 10;

/// History, for those who take snapshots into it and those who read it.
pub struct Past {
    history: Mutex<History>,
    /// What the history counted when it was last changed: for the server's thread, which does not wait for it.
    figures: Mutex<Figures>,
    hub: Hub,
    /// Segments that could not be written.
    unwritten: AtomicU64,
}

/// The threads.
pub struct Keeper {
    past: Arc<Past>,
    thread: JoinHandle<()>,
}

impl Past {
    /// One that begins with this history.
    #[must_use]
    pub fn new(history: History, hub: Hub) -> Arc<Self> {
        let figures = Mutex::new(history.figures());
        Arc::new(Self { history: Mutex::new(history), figures, hub, unwritten: AtomicU64::new(0) })
    }

    /// The history, for a short time: snapshots wait meanwhile, the tick does not.
    pub fn lock(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the history, and says what became of segments.
    pub fn change(&self, change: impl FnOnce(&mut History)) -> Changes {
        let mut history = self.lock();
        change(&mut history);
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner) = history.figures();
        history.take_changes()
    }

    /// The time of the last snapshot, in milliseconds since 1970; before the first, the clock's.
    #[must_use]
    pub fn now(&self) -> i64 {
        let published = || self.hub.latest().map(|snapshot| snapshot.taken_at.as_millisecond());
        published().or_else(|| self.lock().last_at()).unwrap_or_else(|| Timestamp::now().as_millisecond())
    }

    /// What it counts of itself, for Prometheus.
    pub fn put_metrics(&self, out: &mut Exposition) {
        let Figures { bytes, limit_bytes, subjects, dropped_rows_total, late_snapshots_total } =
            *self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        let unwritten = self.unwritten.load(Ordering::Relaxed);
        for (name, kind, help, value) in [
            ("monitor_history_bytes", Kind::Gauge, "Memory that history takes.", bytes),
            ("monitor_history_limit_bytes", Kind::Gauge, "The most that it may take.", limit_bytes),
            ("monitor_history_subjects", Kind::Gauge, "Containers, cgroups and the machine in it.", subjects),
            (
                "monitor_history_dropped_rows",
                Kind::Counter,
                "Rows forgotten before their time for want of room.",
                dropped_rows_total,
            ),
            (
                "monitor_history_late_snapshots",
                Kind::Counter,
                "Snapshots not taken because the clock was set back.",
                late_snapshots_total,
            ),
            (
                "monitor_history_missed_snapshots",
                Kind::Counter,
                "Snapshots not taken because those before were still being taken.",
                self.hub.missed_by_taps(),
            ),
            (
                "monitor_history_unwritten_segments",
                Kind::Counter,
                "Pieces of history that could not be written to the data directory.",
                unwritten,
            ),
        ] {
            out.family(&Family { name, kind, unit: "", help }, |samples| {
                samples.put("", Number::Integer(value.into()));
            });
        }
    }
}

/// The folder that history is kept in below a data directory; without one where it cannot be had, which is said.
#[must_use]
pub fn open_folder(data_dir: &Path) -> Option<Folder> {
    match Folder::open(&data_dir.join("history")) {
        Ok(folder) => Some(folder),
        Err(error) => {
            log::warn!("history is kept in memory only and ends with this process: {}", chain(&error));
            None
        }
    }
}

impl Keeper {
    /// Starts with what a folder has and takes every snapshot from now on.
    pub fn start(past: Arc<Past>, folder: Option<Folder>) -> io::Result<Self> {
        let taps = past.hub.tap(BACKLOG);
        let of_thread = Arc::clone(&past);
        let thread = thread::Builder::new().name("history".to_owned()).spawn(move || {
            priority::lower(NICE);
            // Before the thread that writes is started, which may do the same.
            confine::enter(Part::History(folder.as_ref().map(Folder::path)));
            keep(&of_thread, taps, folder);
        })?;
        Ok(Self { past, thread })
    }

    /// Waits until what was published is taken and written. To be called when nothing is published any more.
    pub fn stop(self) {
        if self.thread.join().is_err() {
            log::error!("the thread that keeps history has panicked");
        }
    }

    /// What it keeps.
    #[must_use]
    pub fn past(&self) -> Arc<Past> {
        Arc::clone(&self.past)
    }
}

/// Takes snapshots until no more come.
fn keep(past: &Arc<Past>, mut snapshots: mpsc::Receiver<Arc<Snapshot>>, folder: Option<Folder>) {
    if let Some(folder) = &folder
        && let Err(error) = past.lock().restore(folder, Timestamp::now().as_millisecond())
    {
        log::warn!("history begins anew: {}", chain(&error));
    }
    let mut disk = folder.and_then(|folder| Disk::start(folder, past));
    while let Some(snapshot) = snapshots.blocking_recv() {
        let changes = past.change(|history| history.push(&snapshot));
        if let Some(disk) = &mut disk {
            disk.hand_over(changes, past);
        }
    }
    if let Some(disk) = disk {
        disk.stop(past.change(History::finish));
    }
}

/// The way to the thread that writes files.
struct Disk {
    sender: SyncSender<Changes>,
    /// What found no room; deletions in it are made up for later.
    held: Changes,
    thread: JoinHandle<()>,
}

impl Disk {
    fn start(folder: Folder, past: &Arc<Past>) -> Option<Self> {
        let (sender, receiver) = sync_channel(DISK_BACKLOG);
        let past = Arc::clone(past);
        let thread = thread::Builder::new().name("history-disk".to_owned()).spawn(move || {
            priority::lower(NICE);
            write_all(&folder, &receiver, &past.unwritten);
        });
        match thread {
            Ok(thread) => Some(Self { sender, held: Changes::default(), thread }),
            Err(error) => {
                log::warn!("history is kept in memory only: start the thread that writes it: {error}");
                None
            }
        }
    }

    /// Hands changes over without waiting. What is to be written and finds no room is not written, and counted.
    fn hand_over(&mut self, changes: Changes, past: &Past) {
        let mut held = std::mem::take(&mut self.held);
        held.take_in(changes);
        if held.is_empty() {
            return;
        }
        if let Err(TrySendError::Full(Changes { sealed, forgotten })) = self.sender.try_send(held) {
            past.unwritten.fetch_add(sealed.len() as u64, Ordering::Relaxed);
            self.held.forgotten = forgotten;
        }
    }

    fn stop(mut self, last: Changes) {
        self.held.take_in(last);
        let Self { sender, held, thread } = self;
        // It fails only where the thread has panicked.
        let _ = sender.send(held);
        drop(sender);
        if thread.join().is_err() {
            log::error!("the thread that writes history has panicked");
        }
    }
}

/// Writes and deletes what it is told to. That something fails is said once, until it succeeds again.
fn write_all(folder: &Folder, changes: &Receiver<Changes>, unwritten: &AtomicU64) {
    let mut fails = false;
    for Changes { sealed, forgotten } in changes {
        // First what makes room.
        for name in forgotten {
            folder.forget(&name);
        }
        for sealed in sealed {
            let written = folder.write(&sealed);
            match &written {
                Ok(()) if fails => log::warn!("history is written again"),
                Err(error) if !fails => {
                    log::warn!("history is kept in memory only until it can be written: {}", chain(error));
                }
                _ => {}
            }
            fails = written.is_err();
            unwritten.fetch_add(u64::from(fails), Ordering::Relaxed);
        }
    }
}
