//! Threads that begin together, end together, and never exit by themselves.
//!
//! A thread that exits takes its counters along, the last switch away from it included; these stay to be read.

use std::{
    io,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::modes::{Work, Worker};

/// All threads that work. The one that made it only waits for them.
pub(crate) struct Team {
    gates: Arc<Gates>,
}

struct Gates {
    begin: Barrier,
    end: Barrier,
    is_stopped: AtomicBool,
}

impl Team {
    /// Returns when every thread is about to block before its work.
    pub(crate) fn start(threads: usize, work: Work) -> io::Result<Self> {
        let gates = Arc::new(Gates {
            begin: Barrier::new(threads + 1),
            end: Barrier::new(threads + 1),
            is_stopped: AtomicBool::new(false),
        });
        let prepared = Arc::new(Barrier::new(threads + 1));
        for mut worker in work.workers(threads)? {
            let (gates, prepared) = (Arc::clone(&gates), Arc::clone(&prepared));
            thread::Builder::new().stack_size(64 * 1024).spawn(move || {
                prepared.wait();
                gates.begin.wait();
                match worker.run(&gates.is_stopped) {
                    Ok(()) => gates.end.wait(),
                    Err(error) => fail(&worker, &error),
                };
                loop {
                    thread::park();
                }
            })?;
        }
        prepared.wait();
        Ok(Self { gates })
    }

    /// Lets all of them work.
    pub(crate) fn begin(&self) {
        self.gates.begin.wait();
    }

    /// Tells those that work without end that it has come.
    pub(crate) fn stop(&self) {
        self.gates.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Returns when all have done their work.
    pub(crate) fn wait(&self) {
        self.gates.end.wait();
    }
}

/// The truth would be wrong: the test must see the process end instead.
fn fail(worker: &Worker, error: &io::Error) -> ! {
    eprintln!("workload: {worker:?}: {error}");
    std::process::exit(125)
}
