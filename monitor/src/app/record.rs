//! `monitor record` and `monitor replay`.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use jiff::Timestamp;

use super::{
    AppError, Wanted, encoder, measure, require_rights,
    signals::{self, Ends},
};
use crate::{
    collector::run::Message,
    console::Progress,
    model::{Container, Snapshot},
    output::{
        sink::{Drain, Encode, Sink, SinkError, Target},
        table::bytes,
    },
    recording::{Manner, Recorder, Recording, require_another},
    settings::{Record, Replay, Source},
};

/// Measures and writes to a recording until told to stop, or for as long as asked for.
pub fn record(source: &Source, settings: &Record) -> Result<(), AppError> {
    require_rights()?;
    let recorder = Recorder::create(&settings.path, settings.manner)?;
    let wanted = Wanted {
        containers: &settings.containers,
        cgroups: settings.cgroups,
        count: None,
        duration: settings.duration,
    };
    measure(source, &wanted, || Sink::start_into(Shown::new(recorder, settings)))
}

/// A recorder with a bar on a terminal.
struct Shown {
    recorder: Recorder,
    path: PathBuf,
    duration: Option<Duration>,
    began: Instant,
    snapshots: u64,
    progress: Progress,
}

impl Shown {
    fn new(recorder: Recorder, settings: &Record) -> Self {
        let template = if settings.duration.is_some() { "{bar:30} {msg}" } else { "{spinner} {msg}" };
        Self {
            recorder,
            path: settings.path.clone(),
            duration: settings.duration,
            began: Instant::now(),
            snapshots: 0,
            progress: Progress::start(
                settings.duration.map_or(0, |duration| duration.as_secs().max(1)),
                template,
            ),
        }
    }

    fn tell(&mut self) {
        self.snapshots += 1;
        let seconds = self.began.elapsed().as_secs();
        let of = self.duration.map_or_else(String::new, |duration| format!(" of {}", duration.as_secs()));
        let size = bytes(fs::metadata(&self.path).map(|file| file.len()).ok());
        self.progress.set(seconds);
        self.progress.say(format!(
            "{seconds}{of} s, {} snapshots, {size} written; Ctrl-C ends the recording",
            self.snapshots
        ));
    }
}

impl Drain<Snapshot> for Shown {
    /// A minute of snapshots is flushed to a disk that may be busy.
    const PATIENCE: Duration = Duration::from_mins(1);

    fn take(&mut self, snapshot: &Arc<Snapshot>) -> Result<(), SinkError> {
        self.tell();
        self.recorder.write(snapshot).map_err(|error| SinkError::Drain(error.into()))
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.recorder.finish().map_err(|error| SinkError::Drain(error.into()))
    }
}

/// Writes what was recorded as `stream` would have, at the pace asked for, or as another recording.
pub fn replay(settings: &Replay) -> Result<(), AppError> {
    let stream = &settings.stream;
    let mut recording = Recording::open(&settings.path)?;
    for output in stream.output.iter().chain(settings.record.iter().map(|(path, _)| path)) {
        require_another(&settings.path, output)?;
    }
    let mut out = Out::open(settings)?;
    let mut pace = Pace::new(settings.speed);
    let mut left = stream.count.unwrap_or(u64::MAX);
    let mut is_empty = true;
    // What is written to a terminal or a pipe shows by itself how far it is.
    let (_, all) = recording.progress();
    let progress = if settings.record.is_some() {
        Progress::start(all, "{bar:40} {percent} %")
    } else {
        Progress::hidden()
    };
    while let Some(snapshot) = recording.next() {
        let mut snapshot = snapshot?;
        progress.set(recording.progress().0);
        let began_at = *pace.began_at.get_or_insert(snapshot.taken_at);
        if settings.from.is_some_and(|from| snapshot.taken_at < from.after(began_at)) {
            continue;
        }
        let is_after = settings.to.is_some_and(|to| snapshot.taken_at > to.after(began_at));
        if is_after || left == 0 || pace.wait_for(snapshot.taken_at) == Next::Stop {
            break;
        }
        if !stream.containers.is_empty() {
            let is_wanted =
                |container: &Container| stream.containers.iter().any(|name| container.is_called(name));
            snapshot.containers.retain(is_wanted);
            snapshot.cgroups.clear();
        }
        is_empty &= snapshot.containers.is_empty();
        match out.put(snapshot) {
            Err(AppError::Sink(error)) if error.is_broken_pipe() => return Ok(()),
            written => written?,
        }
        left -= 1;
    }
    out.finish()?;
    match stream.containers.first() {
        Some(name) if is_empty => Err(AppError::NotRecorded(name.clone())),
        _ => Ok(()),
    }
}

/// Where replayed snapshots go.
enum Out {
    Stream { target: Target, encode: Encode<Snapshot>, buffer: BytesMut },
    Recording(Recorder),
}

impl Out {
    fn open(settings: &Replay) -> Result<Self, AppError> {
        if let Some((path, format)) = &settings.record {
            let manner = Manner { format: *format, flush_every: Duration::MAX, rotate_every: None };
            return Ok(Self::Recording(Recorder::create(path, manner)?));
        }
        let stream = &settings.stream;
        let target = stream.output.as_deref().map_or_else(|| Ok(Target::stdout()), Target::file)?;
        Ok(Self::Stream { target, encode: encoder(stream), buffer: BytesMut::new() })
    }

    fn put(&mut self, snapshot: Snapshot) -> Result<(), AppError> {
        match self {
            Self::Stream { target, encode, buffer } => {
                buffer.clear();
                encode(&snapshot, buffer);
                Ok(target.write(buffer)?)
            }
            Self::Recording(recorder) => Ok(recorder.write(&Arc::new(snapshot))?),
        }
    }

    fn finish(&mut self) -> Result<(), AppError> {
        match self {
            Self::Stream { .. } => Ok(()),
            Self::Recording(recorder) => Ok(recorder.finish()?),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Stop,
}

/// When each snapshot is due.
pub(super) struct Pace {
    /// Seconds of the recording a second; as fast as can be where `None`.
    speed: Option<f64>,
    /// The time of the recording's first snapshot.
    began_at: Option<Timestamp>,
    /// When the first snapshot that is shown was, here and in the recording.
    since: Option<(Instant, Timestamp)>,
    messages: Receiver<Message>,
}

impl Pace {
    pub(super) fn new(speed: Option<f64>) -> Self {
        let (sender, messages) = channel();
        signals::pass_on(Ends::OnRequest, sender);
        Self { speed, began_at: None, since: None, messages }
    }

    /// Waits until a snapshot is due, or a signal came.
    pub(super) fn wait_for(&mut self, taken_at: Timestamp) -> Next {
        let (begun, first) = *self.since.get_or_insert((Instant::now(), taken_at));
        let ahead = taken_at.duration_since(first).as_secs_f64();
        let due = self.speed.map_or(Duration::ZERO, |speed| {
            Duration::try_from_secs_f64(ahead / speed).unwrap_or(Duration::ZERO)
        });
        self.wait(due.saturating_sub(begun.elapsed()))
    }

    /// Waits for so long, or until a signal came.
    pub(super) fn wait(&self, time: Duration) -> Next {
        match self.messages.recv_timeout(time) {
            Ok(_) => Next::Stop,
            Err(RecvTimeoutError::Timeout) => Next::GoOn,
            // Signals end the process by themselves then.
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(time);
                Next::GoOn
            }
        }
    }
}
