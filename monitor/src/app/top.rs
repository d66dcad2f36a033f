//! `monitor top`: what is measured, or was, on a full screen.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    AppError, confined, open_sources, require_rights,
    signals::{self, Ends},
    start_edges,
};
use crate::{
    collector::{
        collect::Collector,
        run::{Message, Then, run},
    },
    error::chain,
    model::Snapshot,
    recording::{Recording, RecordingError},
    settings::{Played, Source, Top},
    tui::{self, Arrival, Ask, Ended, Reel, Tape},
};

/// Snapshots that are read at a time.
const BATCH: usize = 8;
/// What is read before a time that is asked for, to be stepped back through.
const BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// Shows until somebody quits.
pub fn top(source: &Source, settings: &Top) -> Result<(), AppError> {
    if let Some(played) = &settings.replay {
        return replay(played, settings);
    }
    require_rights()?;
    let (sender, messages) = channel();
    let stop = sender.clone();
    // Before the terminal is taken: whatever ends us has to give it back.
    start_edges(source, Ends::WithTerminal, sender);
    // Opening sources takes a second, and may have something to say.
    let mut screen =
        tui::Top::start(settings.options.clone(), None, move |_| drop(stop.send(Message::Stop)))?;
    let mut collector = Collector::new(open_sources(source), source.keep_ended);
    confined::tick(&mut collector, false);
    run(&mut collector, &messages, source.interval, |mut snapshot, _| {
        // They are not shown, and would take more room than what is.
        snapshot.cgroups.clear();
        snapshot.coverage.lost.unwritten_snapshots_total = screen.missed();
        match screen.show(Arc::new(snapshot)) {
            Ok(()) => Then::GoOn,
            Err(Ended) => Then::End,
        }
    });
    Ok(screen.finish()?)
}

/// Shows a recording. Nothing but what is asked for is read of it.
fn replay(played: &Played, settings: &Top) -> Result<(), AppError> {
    let mut film = Film::open(played, settings.options.memory)?;
    let reel = Reel {
        name: played.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        speed: played.speed,
        first: film.first,
    };
    let (sender, asked) = channel();
    stop_on_signals(sender.clone());
    let ask = move |ask| {
        // In vain after the reader's end.
        let _ = sender.send(ask);
    };
    let screen = tui::Top::start(settings.options.clone(), Some(reel), ask)?;
    confined::replay(false);
    let begin = played.from.map(|from| from.after(film.first));
    // That nobody looks any more is how it ends.
    let _ = show(&mut film, &screen, begin, &asked);
    Ok(screen.finish()?)
}

fn show(
    film: &mut Film<'_>,
    screen: &tui::Top,
    begin: Option<Timestamp>,
    asked: &Receiver<Ask>,
) -> Result<(), Ended> {
    let asks = begin.map(Ask::Around).into_iter().chain(asked);
    for ask in asks {
        let answer = match ask {
            Ask::End => return Ok(()),
            Ask::More => film.more().map(|(snapshots, is_end)| Arrival::Read(snapshots, is_end)),
            Ask::Around(time) => film.around(time),
        };
        screen.send(answer.unwrap_or_else(|error| Arrival::Failed(chain(&error))))?;
    }
    Ok(())
}

/// What ends a command from outside, as if somebody had quit.
fn stop_on_signals(sender: Sender<Ask>) {
    let (stops, stopped) = channel();
    signals::pass_on(Ends::WithTerminal, stops);
    thread::spawn(move || {
        for _ in stopped {
            // In vain after the end.
            let _ = sender.send(Ask::End);
        }
    });
}

/// A recording that is read forth and back.
struct Film<'a> {
    played: &'a Played,
    /// Bytes that what is read at a time may take.
    memory: usize,
    recording: Recording,
    /// When the first snapshot was taken.
    first: Timestamp,
    /// What was read too far.
    pending: Option<Snapshot>,
}

impl<'a> Film<'a> {
    fn open(played: &'a Played, memory: usize) -> Result<Self, RecordingError> {
        let mut recording = Recording::open(&played.path)?;
        let pending = recording.next().transpose()?;
        let first = pending.as_ref().map_or(Timestamp::UNIX_EPOCH, |snapshot| snapshot.taken_at);
        Ok(Self { played, memory, recording, first, pending })
    }

    /// The next one.
    fn next(&mut self) -> Result<Option<Arc<Snapshot>>, RecordingError> {
        let next = match self.pending.take() {
            Some(snapshot) => Some(snapshot),
            None => self.recording.next().transpose()?,
        };
        Ok(next.map(|mut snapshot| {
            snapshot.cgroups.clear();
            Arc::new(snapshot)
        }))
    }

    /// Some more, and whether nothing comes after them.
    fn more(&mut self) -> Result<(Vec<Arc<Snapshot>>, bool), RecordingError> {
        let mut snapshots = Vec::new();
        while snapshots.len() < BATCH {
            match self.next()? {
                Some(snapshot) => snapshots.push(snapshot),
                None => return Ok((snapshots, true)),
            }
        }
        Ok((snapshots, false))
    }

    /// What was taken up to a time, as much of it as there is room for, and the next one.
    fn around(&mut self, time: Timestamp) -> Result<Arrival, RecordingError> {
        self.recording = Recording::open(&self.played.path)?;
        self.recording.skip_to(time.saturating_sub(BEFORE).unwrap_or(Timestamp::MIN))?;
        self.pending = None;
        let mut tape = Tape::new(self.memory / 2);
        let mut is_end = true;
        while let Some(snapshot) = self.next()? {
            if snapshot.taken_at > time && !tape.is_empty() {
                self.pending = Some(Arc::unwrap_or_clone(snapshot));
                is_end = false;
                break;
            }
            tape.push(snapshot);
            tape.show_last();
        }
        let snapshots = tape.into_snapshots();
        let shown = snapshots.len().saturating_sub(1);
        Ok(Arrival::Placed(snapshots, shown, is_end))
    }
}
