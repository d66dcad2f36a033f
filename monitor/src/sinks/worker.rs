//! Delivers what waits for one sink, in its order, one batch at a time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{Batch, Deliver, Failure, Taken, Then, queue::Queue};
use crate::model;

/// The first pause after an attempt that was in vain; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause, but where a server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest that a server may ask for.
const MOST_PATIENCE: Duration = Duration::from_mins(5);

/// Delivers until the queue is closed and empty, or an attempt fails after it was closed: what is left then stays in it.
pub(super) async fn work(mut deliver: Box<dyn Deliver>, queue: Arc<Queue>, journal: Arc<Journal>) {
    while let Some(batch) = queue.take().await {
        if !settle(deliver.as_mut(), &batch, &queue, &journal).await {
            return;
        }
        queue.done();
    }
}

/// Tries until a batch was taken or refused for good; `false` where the end came before that.
async fn settle(deliver: &mut dyn Deliver, batch: &Batch, queue: &Queue, journal: &Journal) -> bool {
    let mut attempts = 0;
    let mut is_last = false;
    loop {
        let failure = match deliver.deliver(batch).await {
            Ok(taken) => {
                journal.taken(batch.samples, &taken);
                return true;
            }
            Err(failure) => failure,
        };
        journal.failed(&failure, batch.samples);
        let Then::Retry(wanted) = failure.then else { return true };
        if is_last {
            return false;
        }
        tokio::select! {
            () = sleep(pause(attempts, wanted)) => attempts += 1,
            () = queue.closed() => is_last = true,
        }
    }
}

/// How long to wait after so many attempts and one more, where the server asked for some time or did not. Agents do not come back
/// all at once: each has its own time at which it exports.
fn pause(attempts: u32, wanted: Option<Duration>) -> Duration {
    let ours = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(attempts)).min(LONGEST_PAUSE);
    wanted.map_or(ours, |wanted| wanted.clamp(ours, MOST_PATIENCE))
}

/// What became of the batches of one sink. Says on standard error when its state changes, not at every attempt.
#[derive(Debug)]
pub(super) struct Journal {
    name: &'static str,
    destination: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    report: model::Sink,
    failing: Option<Failing>,
    /// Values dropped when it began to fail.
    dropped_before: u64,
}

#[derive(Clone, Copy, Debug)]
struct Failing {
    since: Instant,
    /// Of the last failure.
    kind: u16,
    /// When a batch was lost last.
    lost_at: Option<Instant>,
}

/// How long nothing may be lost until a sink counts as mended: of the datagrams to a port where nobody listens every second one
/// succeeds.
const MENDED_AFTER: Duration = Duration::from_secs(5);

const STARTING: &str = "starting";
const OK: &str = "ok";
const FAILING: &str = "failing";
/// No failure has this kind.
const PARTLY_REFUSED: u16 = u16::MAX;

impl std::fmt::Display for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.name, self.destination)
    }
}

impl Journal {
    pub(super) fn new(name: &'static str, destination: String) -> Self {
        let report = model::Sink {
            state: STARTING.to_owned(),
            destination: destination.clone(),
            ..model::Sink::default()
        };
        Self { name, destination, state: Mutex::new(State { report, ..State::default() }) }
    }

    /// What is known, with so many bytes that wait.
    pub(super) fn report(&self, queued: usize) -> model::Sink {
        let mut report = self.state().report.clone();
        report.queued_bytes = u64::try_from(queued).unwrap_or(u64::MAX);
        report
    }

    /// So many values found no room.
    pub(super) fn dropped(&self, samples: u64) {
        self.state().report.dropped_samples_total += samples;
    }

    fn taken(&self, samples: u64, taken: &Taken) {
        let mut state = self.state();
        state.report.delivered_samples_total += samples.saturating_sub(taken.refused);
        state.report.refused_samples_total += taken.refused;
        if let Some(why) = &taken.why {
            self.fails(&mut state, PARTLY_REFUSED, why, "the rest was taken");
            return;
        }
        let lost_at = state.failing.and_then(|failing| failing.lost_at);
        if lost_at.is_some_and(|lost_at| lost_at.elapsed() < MENDED_AFTER) {
            return;
        }
        OK.clone_into(&mut state.report.state);
        state.report.reason = None;
        if let Some(Failing { since, .. }) = state.failing.take() {
            let dropped = state.report.dropped_samples_total - state.dropped_before;
            let seconds = since.elapsed().as_secs();
            log::warn!(
                "{self} takes what is written again, after {seconds} s; {dropped} values were dropped"
            );
        }
    }

    fn failed(&self, failure: &Failure, samples: u64) {
        let mut state = self.state();
        let then = match failure.then {
            Then::Retry(_) => {
                state.report.retries_total += 1;
                "trying again"
            }
            Then::GiveUp => {
                state.report.refused_samples_total += samples;
                "that part is lost"
            }
        };
        self.fails(&mut state, failure.kind, &failure.why, then);
        if let (Then::GiveUp, Some(failing)) = (failure.then, &mut state.failing) {
            failing.lost_at = Some(Instant::now());
        }
    }

    fn fails(&self, state: &mut State, kind: u16, why: &str, then: &str) {
        FAILING.clone_into(&mut state.report.state);
        state.report.reason = Some(why.to_owned());
        if state.failing.is_none_or(|before| before.kind != kind) {
            log::warn!("write to {self}: {why}; {then}");
        }
        if state.failing.is_none() {
            state.dropped_before = state.report.dropped_samples_total;
        }
        let Failing { since, lost_at, .. } =
            state.failing.unwrap_or_else(|| Failing { since: Instant::now(), kind, lost_at: None });
        state.failing = Some(Failing { since, kind, lost_at });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::Bytes;
    use futures_util::future::BoxFuture;

    use super::*;

    /// Answers as it is told, then takes everything.
    struct Scripted {
        answers: VecDeque<Result<Taken, Failure>>,
        seen: Arc<Mutex<Vec<u64>>>,
    }

    impl Deliver for Scripted {
        fn deliver<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<Taken, Failure>> {
            self.seen.lock().unwrap().push(batch.samples);
            let answer = self.answers.pop_front().unwrap_or(Ok(Taken::default()));
            Box::pin(async move { answer })
        }
    }

    fn failure(then: Then) -> Failure {
        Failure { kind: 1, why: "it is down".to_owned(), then }
    }

    /// What was tried, and the report, after these answers to the batches of 1, 2 and 3 values.
    async fn worked(answers: Vec<Result<Taken, Failure>>) -> (Vec<u64>, model::Sink) {
        let queue = Arc::new(Queue::new(1000));
        for samples in 1..=3 {
            queue.push(Batch { bytes: Bytes::from_static(b"x"), samples });
        }
        let journal = Arc::new(Journal::new("test", "here".to_owned()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let scripted = Scripted { answers: answers.into(), seen: Arc::clone(&seen) };
        let worker = tokio::spawn(work(Box::new(scripted), Arc::clone(&queue), Arc::clone(&journal)));
        while queue.bytes() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        queue.close();
        worker.await.unwrap();
        (seen.lock().unwrap().clone(), journal.report(queue.bytes()))
    }

    #[test]
    fn pauses_grow_up_to_a_bound_and_a_server_may_ask_for_longer_ones() {
        let millis = |attempts, wanted| pause(attempts, wanted).as_millis();
        assert_eq!(
            [0, 1, 5, 6, 99].map(|attempts| millis(attempts, None)),
            [500, 1000, 16_000, 30_000, 30_000]
        );
        assert_eq!(millis(0, Some(Duration::from_secs(7))), 7000);
        assert_eq!(millis(3, Some(Duration::from_secs(1))), 4000);
        assert_eq!(millis(0, Some(Duration::from_hours(1))), 300_000);
    }

    #[tokio::test]
    async fn batches_keep_their_order_over_failures() {
        let retry = || Err(failure(Then::Retry(None)));
        let (seen, report) = worked(vec![retry(), retry()]).await;
        assert_eq!(seen, [1, 1, 1, 2, 3]);
        assert_eq!((report.retries_total, report.delivered_samples_total), (2, 6));
        assert_eq!((report.state.as_str(), report.reason), (OK, None));
    }

    #[tokio::test]
    async fn what_is_refused_is_not_tried_again() {
        let partly = Ok(Taken { refused: 2, why: Some("one is too old".to_owned()) });
        let (seen, report) = worked(vec![Err(failure(Then::GiveUp)), Ok(Taken::default()), partly]).await;
        assert_eq!(seen, [1, 2, 3]);
        assert_eq!((report.refused_samples_total, report.delivered_samples_total), (3, 3));
        assert_eq!((report.state.as_str(), report.reason.as_deref()), (FAILING, Some("one is too old")));
    }

    #[tokio::test]
    async fn what_loses_every_second_batch_is_not_mended_in_between() {
        let (_seen, report) = worked(vec![Err(failure(Then::GiveUp)), Ok(Taken::default())]).await;
        assert_eq!((report.state.as_str(), report.reason.as_deref()), (FAILING, Some("it is down")));
        assert_eq!((report.refused_samples_total, report.delivered_samples_total), (1, 5));
    }

    #[tokio::test]
    async fn the_end_does_not_wait_for_what_is_down() {
        let queue = Arc::new(Queue::new(1000));
        queue.push(Batch { bytes: Bytes::from_static(b"x"), samples: 1 });
        let journal = Arc::new(Journal::new("test", "here".to_owned()));
        let answers = (0..9).map(|_| Err(failure(Then::Retry(None)))).collect();
        let scripted = Scripted { answers, seen: Arc::default() };
        let worker = tokio::spawn(work(Box::new(scripted), Arc::clone(&queue), Arc::clone(&journal)));
        while journal.report(0).retries_total == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        queue.close();
        worker.await.unwrap();
        assert_eq!((journal.report(0).retries_total, queue.samples()), (2, 1));
    }
}
