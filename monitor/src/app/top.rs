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
    /// Why no more could be read, to be told after what was read before it.
    failed: Option<RecordingError>,
}

impl<'a> Film<'a> {
    fn open(played: &'a Played, memory: usize) -> Result<Self, RecordingError> {
        let mut recording = Recording::open(&played.path)?;
        let pending = recording.next().transpose()?;
        let first = pending.as_ref().map_or(Timestamp::UNIX_EPOCH, |snapshot| snapshot.taken_at);
        Ok(Self { played, memory, recording, first, pending, failed: None })
    }

    /// The next one.
    fn next(&mut self) -> Result<Option<Arc<Snapshot>>, RecordingError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
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
            match self.next() {
                Ok(Some(snapshot)) => snapshots.push(snapshot),
                Ok(None) => return Ok((snapshots, true)),
                Err(error) if snapshots.is_empty() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok((snapshots, false))
    }

    /// What was taken up to a time, as much of it as there is room for, and the next one.
    fn around(&mut self, time: Timestamp) -> Result<Arrival, RecordingError> {
        self.recording = Recording::open(&self.played.path)?;
        self.recording.skip_to(time.saturating_sub(BEFORE).unwrap_or(Timestamp::MIN))?;
        self.pending = None;
        self.failed = None;
        let mut tape = Tape::new(self.memory / 2);
        let mut is_end = true;
        loop {
            let snapshot = match self.next() {
                Ok(Some(snapshot)) => snapshot,
                Ok(None) => break,
                Err(error) if tape.is_empty() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    is_end = false;
                    break;
                }
            };
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::testing;

    /// A recording of so many snapshots, a second apart, with a line behind them that is none.
    fn damaged(path: &Path, snapshots: i64) -> Played {
        let line = |second| serde_json::to_string(&testing::snapshot(second, Vec::new())).unwrap();
        let mut lines: Vec<String> = (0..snapshots).map(line).collect();
        lines.push("{\"schema_version\":".to_owned());
        let frame = zstd::bulk::compress((lines.join("\n") + "\n").as_bytes(), 1).unwrap();
        std::fs::write(path, frame).unwrap();
        Played { path: path.to_owned(), speed: 1.0, from: None }
    }

    fn seconds(snapshots: &[Arc<Snapshot>]) -> Vec<i64> {
        snapshots.iter().map(|snapshot| snapshot.taken_at.as_second()).collect()
    }

    #[test]
    fn what_was_read_before_a_damaged_place_is_shown_and_then_why_there_is_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let played = damaged(&folder.path().join("day.ndjson.zst"), 11);
        let mut film = Film::open(&played, 64 << 20).unwrap();
        let (first, is_end) = film.more().unwrap();
        assert_eq!((seconds(&first), is_end), ((0..8).collect(), false));
        let (rest, is_end) = film.more().unwrap();
        assert_eq!((seconds(&rest), is_end), ((8..11).collect(), false));
        assert!(matches!(film.more(), Err(RecordingError::Snapshot { .. })));

        let Ok(Arrival::Placed(placed, shown, false)) = film.around(Timestamp::MAX) else {
            panic!("it ends")
        };
        assert_eq!((placed.len(), shown), (11, 10));
        assert!(matches!(film.more(), Err(RecordingError::Snapshot { .. })));
        // What is asked for anew is read anew.
        let Ok(Arrival::Placed(placed, _, _)) = film.around(Timestamp::MAX) else { panic!("it failed") };
        assert_eq!(placed.len(), 11);
    }

    #[test]
    fn a_recording_with_nothing_whole_in_it_cannot_be_shown() {
        let folder = tempfile::tempdir().unwrap();
        let played = damaged(&folder.path().join("day.ndjson.zst"), 0);
        assert!(matches!(Film::open(&played, 64 << 20), Err(RecordingError::Snapshot { .. })));
    }
}
