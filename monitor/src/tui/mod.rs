//! `monitor top`: snapshots on a terminal, at once and back in time.
//!
//! A thread of its own draws what is handed to it and takes keys, so that no terminal, however slow, delays a tick. What keys do
//! is pure (`state`, `input`); what is shown of it is in `view`.

mod columns;
mod filter;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod input;
mod keys;
mod rows;
mod spark;
mod state;
mod tape;
mod terminal;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod units;
mod view;

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossterm::event::{self, Event};
use ratatui::layout::{Position, Rect};
use rustix::process::{Signal, kill_current_process_group};

pub use self::{
    columns::Grouping,
    state::{Ask, Options, Reel, SortColumn},
    tape::Tape,
    terminal::restore,
};
use self::{
    state::{Effect, State},
    view::paint::Paint,
};
use crate::{
    confine::{self, Part},
    model::Snapshot,
};

/// Nothing can be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal does not do what is needed.
    #[error("take the terminal")]
    Open(#[source] io::Error),
    /// The thread could not be started.
    #[error("start the thread that draws")]
    Start(#[source] io::Error),
    /// The terminal is gone.
    #[error("write to the terminal")]
    Draw(#[source] io::Error),
    /// There is a mistake in monitor.
    #[error("the thread that draws has panicked")]
    Panicked,
}

/// No column has this key; these have one.
#[derive(Debug, thiserror::Error)]
#[error("{0} is no column to sort by: take one of {keys}", keys = columns::COLUMNS.each_ref().map(|column| column.key).join(", "))]
pub struct UnknownColumn(String);

impl std::str::FromStr for SortColumn {
    type Err = UnknownColumn;

    fn from_str(key: &str) -> Result<Self, UnknownColumn> {
        columns::find(key).map(Self).ok_or_else(|| UnknownColumn(key.to_owned()))
    }
}

/// How long all threads may take to stop after the signal for it.
const STOPPING: Duration = Duration::from_millis(100);

/// What reaches the thread that draws.
#[derive(Debug)]
pub enum Arrival {
    /// What was measured just now.
    Measured(Arc<Snapshot>),
    /// What comes next in a recording, and whether that is the end of it.
    Read(Vec<Arc<Snapshot>>, bool),
    /// What was asked for around a time, which of it was at that time, and whether nothing comes after it.
    Placed(Vec<Arc<Snapshot>>, usize, bool),
    /// No more of a recording can be read.
    Failed(String),
    /// What came from the terminal.
    Input(Event),
    /// Nothing more comes.
    End,
}

/// What waits for a slow terminal at most; snapshots beyond are dropped and counted.
const QUEUE: usize = 64;
/// How long the last of it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A terminal that shows what it is handed.
#[derive(Debug)]
pub struct Top {
    arrivals: SyncSender<Arrival>,
    thread: JoinHandle<Result<(), TuiError>>,
    missed: u64,
}

/// Nobody looks any more: [`Top::finish`] tells why.
#[derive(Debug)]
pub struct Ended;

impl Top {
    /// Takes the terminal. What somebody who looks asks for is told to `ask`, on another thread.
    pub fn start(
        options: Options,
        reel: Option<Reel>,
        ask: impl FnMut(Ask) + Send + 'static,
    ) -> Result<Self, TuiError> {
        let screen = terminal::open(options.mouse).map_err(TuiError::Open)?;
        let (arrivals, arrived) = sync_channel(QUEUE);
        let inputs = arrivals.clone();
        let looker = Looker {
            mouse: options.mouse,
            paint: Paint::from_environment(),
            state: State::new(options, reel, Instant::now()),
            screen,
            ask,
        };
        let started = on_terminal("keys", move || pass_inputs(&inputs))
            .and_then(|_| on_terminal("screen", move || looker.run(&arrived)));
        match started {
            Ok(thread) => Ok(Self { arrivals, thread, missed: 0 }),
            Err(error) => {
                restore();
                Err(TuiError::Start(error))
            }
        }
    }

    /// Hands over what was measured, or drops and counts it where the terminal is too slow.
    pub fn show(&mut self, snapshot: Arc<Snapshot>) -> Result<(), Ended> {
        match self.arrivals.try_send(Arrival::Measured(snapshot)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.missed += 1;
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(Ended),
        }
    }

    /// How many were dropped so far.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Hands over something else, however long that takes.
    pub fn send(&self, arrival: Arrival) -> Result<(), Ended> {
        self.arrivals.send(arrival).map_err(|_unread| Ended)
    }

    /// Gives the terminal back.
    pub fn finish(self) -> Result<(), TuiError> {
        let deadline = Instant::now() + PATIENCE;
        while !self.thread.is_finished() && Instant::now() < deadline {
            // In vain where it has ended, or where it is busy: then once more.
            let _ = self.arrivals.try_send(Arrival::End);
            thread::sleep(Duration::from_millis(2));
        }
        restore();
        // A terminal that takes nothing any more keeps the thread, which ends with the process.
        if self.thread.is_finished() { self.thread.join().unwrap_or(Err(TuiError::Panicked)) } else { Ok(()) }
    }
}

/// Starts a thread that has the terminal and nothing else to do with the system.
fn on_terminal<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(|| {
        confine::enter(Part::Terminal);
        work()
    })
}

/// Passes on what comes from the terminal, until nobody takes it.
fn pass_inputs(arrivals: &SyncSender<Arrival>) {
    loop {
        let arrival = event::read().map_or_else(
            |error| {
                log::error!("read from the terminal: {error}");
                // Without keys there is no other way to quit.
                Arrival::End
            },
            Arrival::Input,
        );
        let is_last = matches!(arrival, Arrival::End);
        if arrivals.send(arrival).is_err() || is_last {
            return;
        }
    }
}

/// Whoever looks at the terminal.
struct Looker<F: FnMut(Ask)> {
    state: State,
    screen: terminal::Screen,
    paint: Paint,
    mouse: bool,
    ask: F,
}

impl<F: FnMut(Ask)> Drop for Looker<F> {
    /// After a panic too: whoever is asked must not wait for more.
    fn drop(&mut self) {
        (self.ask)(Ask::End);
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    End,
}

impl<F: FnMut(Ask)> Looker<F> {
    fn run(mut self, arrived: &Receiver<Arrival>) -> Result<(), TuiError> {
        let ended = self.look(arrived);
        restore();
        ended
    }

    fn look(&mut self, arrived: &Receiver<Arrival>) -> Result<(), TuiError> {
        loop {
            self.draw()?;
            if let Some(ask) = self.state.wants() {
                (self.ask)(ask);
            }
            let first = match self.state.due() {
                None => arrived.recv().map_err(RecvTimeoutError::from),
                Some(due) => arrived.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            let first = match first {
                Ok(arrival) => Some(arrival),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            self.state.advance(Instant::now());
            // What came together is drawn together.
            for arrival in first.into_iter().chain(arrived.try_iter()) {
                if self.take(arrival)? == Then::End {
                    return Ok(());
                }
            }
        }
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        // After a panic elsewhere it is not ours any more.
        if !terminal::is_taken() {
            return Ok(());
        }
        let (state, paint) = (&mut self.state, self.paint);
        self.screen.draw(|frame| view::draw(frame, state, paint)).map_err(TuiError::Draw)?;
        Ok(())
    }

    fn take(&mut self, arrival: Arrival) -> Result<Then, TuiError> {
        let now = Instant::now();
        match arrival {
            Arrival::Measured(snapshot) => self.state.measured(snapshot),
            Arrival::Read(snapshots, is_end) => self.state.read(snapshots, is_end, now),
            Arrival::Placed(snapshots, shown, is_end) => self.state.placed(snapshots, shown, is_end, now),
            Arrival::Failed(why) => self.state.failed(why),
            Arrival::End => return Ok(Then::End),
            Arrival::Input(input) => {
                let effect = self.state.input(&input, now);
                return effect.map_or(Ok(Then::GoOn), |effect| self.do_it(effect));
            }
        }
        Ok(Then::GoOn)
    }

    /// Forgets what is on the screen. Not by ratatui's `clear`, which asks the terminal where the cursor is: the answer would come
    /// to the thread that reads keys.
    fn redraw(&mut self) -> io::Result<()> {
        let size = self.screen.size()?;
        self.screen.resize(Rect::from((Position::ORIGIN, size)))
    }

    fn do_it(&mut self, effect: Effect) -> Result<Then, TuiError> {
        match effect {
            Effect::Quit => return Ok(Then::End),
            Effect::Ask(ask) => (self.ask)(ask),
            Effect::Redraw => self.redraw().map_err(TuiError::Draw)?,
            Effect::Suspend => {
                restore();
                // As the terminal itself does it. The shell has it until it lets us go on; in vain where there is none.
                let _ = kill_current_process_group(Signal::TSTP);
                // Another thread may take the signal, which stops this one a moment later.
                thread::sleep(STOPPING);
                terminal::take(self.mouse).and_then(|()| self.redraw()).map_err(TuiError::Draw)?;
            }
        }
        Ok(Then::GoOn)
    }
}
