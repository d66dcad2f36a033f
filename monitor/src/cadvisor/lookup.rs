//! What is looked up in /proc and /sys because somebody asks, on a thread of its own: the server's may open no files.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    history::lock,
    ps::{self, ProcessInfo},
};
use crate::{
    cgroup::CgroupError,
    confine::{self, Part},
    host::{Machine, read_machine},
};

/// What the machine is made of is read again this often, as cAdvisor does.
const MACHINE_AGE: Duration = Duration::from_mins(5);
/// Requests that may wait; one more is refused.
const BACKLOG: usize = 8;

/// The processes of a cgroup, or why they are not known.
pub(super) type Processes = Result<Vec<ProcessInfo>, CgroupError>;

/// Whose processes are asked for.
#[derive(Debug)]
pub(super) struct Question {
    /// The cgroup's path.
    pub(super) path: String,
    pub(super) booted_at: Timestamp,
    pub(super) memory_bytes: Option<u64>,
}

/// The thread that looks things up. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Lookup {
    machine: Arc<Mutex<Arc<Machine>>>,
    questions: SyncSender<(Question, oneshot::Sender<Processes>)>,
}

impl Lookup {
    /// Reads what the machine is made of, and begins to answer. Where the thread cannot be had, processes are not listed.
    pub(super) fn start() -> Self {
        let machine = Arc::new(Mutex::new(Arc::new(read_machine(Path::new("/")))));
        let (sender, questions) = sync_channel(BACKLOG);
        let of_thread = Arc::clone(&machine);
        let work = move || {
            confine::enter(Part::Processes);
            answer(&questions, &of_thread);
        };
        if let Err(error) = thread::Builder::new().name("look-ups".to_owned()).spawn(work) {
            log::error!("start the thread that looks processes up: {error}");
        }
        Self { machine, questions: sender }
    }

    /// What hardly changes of the machine.
    pub(super) fn machine(&self) -> Arc<Machine> {
        Arc::clone(&lock(&self.machine))
    }

    /// The processes of a cgroup; `None` where too many ask for such.
    pub(super) async fn processes(&self, question: Question) -> Option<Processes> {
        let (sender, answer) = oneshot::channel();
        self.questions.try_send((question, sender)).ok()?;
        answer.await.ok()
    }
}

fn answer(questions: &Receiver<(Question, oneshot::Sender<Processes>)>, machine: &Mutex<Arc<Machine>>) {
    let mut read_at = Instant::now();
    loop {
        match questions.recv_timeout(MACHINE_AGE.saturating_sub(read_at.elapsed())) {
            Ok((question, sender)) => {
                let Question { path, booted_at, memory_bytes } = question;
                // In vain where the client has gone.
                let _ = sender.send(ps::list(&path, booted_at, memory_bytes));
            }
            Err(RecvTimeoutError::Timeout) => {
                *lock(machine) = Arc::new(read_machine(Path::new("/")));
                read_at = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cadvisor::frame::MACHINE;

    #[tokio::test]
    async fn processes_are_listed_by_another_thread() {
        let lookup = Lookup::start();
        assert!(lookup.machine().booted_at.is_some());
        let question =
            || Question { path: MACHINE.to_owned(), booted_at: Timestamp::UNIX_EPOCH, memory_bytes: None };
        assert!(!lookup.processes(question()).await.unwrap().unwrap().is_empty());
        let nowhere = Question { path: "/nowhere/at/all".to_owned(), ..question() };
        assert!(lookup.processes(nowhere).await.unwrap().unwrap_or_default().is_empty());
    }
}
