//! What the screen shows and what keys and the mouse make of that: pure, but for the time that is passed in.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use ratatui::layout::Rect;

use super::{
    columns::{Column, Grouping},
    filter::Filter,
    rows::{Arranged, Item, Joined, Key, Order, arrange},
    spark::Sparks,
    tape::Tape,
};
use crate::model::{Container, Snapshot};

/// How it begins.
#[derive(Clone, Debug)]
pub struct Options {
    /// The column that rows are sorted by.
    pub sort: SortColumn,
    /// Which containers are shown, as typed after `/`.
    pub filter: String,
    /// What rows are put together by.
    pub grouping: Option<Grouping>,
    /// Bytes that the snapshots may take that can be stepped through.
    pub memory: usize,
    /// Whether the mouse is listened to, which then marks no text.
    pub mouse: bool,
}

/// A column that rows can be sorted by.
#[derive(Clone, Copy, Debug)]
pub struct SortColumn(pub(super) &'static Column);

/// A recording that is shown instead of what is measured.
#[derive(Clone, Debug)]
pub struct Reel {
    /// The name of its file.
    pub name: String,
    /// Seconds of it a second.
    pub speed: f64,
    /// When its first snapshot was taken.
    pub first: Timestamp,
}

/// What the reader of a recording is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Some more, after what was read last.
    More,
    /// What was taken at this time, and before and after it.
    Around(Timestamp),
    /// Nothing more.
    End,
}

/// What is to be done besides showing something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Quit,
    Suspend,
    Redraw,
    Ask(Ask),
}

/// Where snapshots come from.
#[derive(Debug)]
pub(super) enum Source {
    Live,
    Recording(Playing),
}

/// How far a recording is.
#[derive(Debug)]
pub(super) struct Playing {
    pub(super) reel: Reel,
    /// Nothing comes after what was read.
    pub(super) is_read: bool,
    /// Something was asked for that has not come yet.
    pub(super) is_asked: bool,
    /// Since when the snapshot is shown that is.
    since: Instant,
}

/// What is drawn in the place of the table or over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Overlay {
    None,
    /// From this line on.
    Help(usize),
    /// The columns to sort by, one of them marked.
    Sort(usize),
    /// A line that is typed.
    Prompt(Prompt),
}

/// A line that is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) what: Asked,
    pub(super) text: String,
    /// What was there before, to which `Esc` returns.
    pub(super) before: String,
}

/// What a line is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Filter,
    Time,
}

/// Where things were drawn last, for the mouse.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions {
    pub(super) header: Rect,
    /// Columns with where they begin and end.
    pub(super) columns: Vec<(u16, u16, &'static Column)>,
    pub(super) rows: Rect,
    pub(super) menu: Rect,
}

/// Snapshots that are read ahead.
const AHEAD: usize = 32;
/// Further behind than this, a recording is not caught up with.
const LATEST: Duration = Duration::from_secs(2);

/// All of it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) source: Source,
    pub(super) tape: Tape,
    /// Of what was measured, up to the latest.
    latest: Sparks,
    /// Up to what is shown, where that is not the latest.
    past: Option<Sparks>,
    pub(super) sort: &'static Column,
    pub(super) is_descending: bool,
    pub(super) filter_text: String,
    filter: Filter,
    pub(super) grouping: Option<Grouping>,
    folded: BTreeSet<String>,
    pub(super) arranged: Arranged,
    /// The line that is marked; the first one, whichever that is, where `None`.
    selected: Option<Key>,
    /// Its place.
    pub(super) place: usize,
    /// The place of the line that is drawn first.
    pub(super) top: usize,
    pub(super) is_paused: bool,
    pub(super) has_details: bool,
    /// The line that the interference view begins with; `None` where it is not shown.
    pub(super) interference: Option<usize>,
    pub(super) overlay: Overlay,
    /// What went wrong last with something that was typed or read.
    pub(super) notice: Option<String>,
    pub(super) regions: Regions,
}

impl State {
    /// Before there is anything.
    pub(super) fn new(options: Options, reel: Option<Reel>, now: Instant) -> Self {
        let Options { sort: SortColumn(sort), filter, grouping, memory, mouse: _ } = options;
        let playing = |reel| Playing { reel, is_read: false, is_asked: false, since: now };
        Self {
            source: reel.map_or(Source::Live, |reel| Source::Recording(playing(reel))),
            tape: Tape::new(memory),
            latest: Sparks::default(),
            past: None,
            sort,
            is_descending: !sort.is_text(),
            filter: Filter::parse(&filter),
            filter_text: filter,
            grouping,
            folded: BTreeSet::new(),
            arranged: Arranged::default(),
            selected: None,
            place: 0,
            top: 0,
            is_paused: false,
            has_details: false,
            interference: None,
            overlay: Overlay::None,
            notice: None,
            regions: Regions::default(),
        }
    }

    /// The last minutes up to what is shown.
    pub(super) fn sparks(&self) -> &Sparks {
        self.past.as_ref().unwrap_or(&self.latest)
    }

    /// The snapshot that is shown.
    pub(super) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.tape.shown().cloned()
    }

    /// Takes what was measured just now.
    pub(super) fn measured(&mut self, snapshot: Arc<Snapshot>) {
        self.latest.push(&snapshot);
        self.tape.push(snapshot);
        if !self.is_paused {
            self.tape.show_last();
            self.arrange();
        }
    }

    /// Takes what comes next in a recording.
    pub(super) fn read(&mut self, snapshots: Vec<Arc<Snapshot>>, is_end: bool, now: Instant) {
        let was_empty = self.tape.is_empty();
        let has_waited = self.tape.ahead() == 0;
        self.tape.append(snapshots);
        if let Source::Recording(playing) = &mut self.source {
            playing.is_asked = false;
            playing.is_read = is_end;
            if has_waited {
                playing.since = now;
            }
        }
        if was_empty {
            self.shown_anew();
        }
    }

    /// Takes what was asked for around a time.
    pub(super) fn placed(&mut self, snapshots: Vec<Arc<Snapshot>>, shown: usize, is_end: bool, now: Instant) {
        if let Source::Recording(playing) = &mut self.source {
            playing.is_asked = false;
            playing.is_read = is_end;
            playing.since = now;
        }
        if !snapshots.is_empty() {
            self.tape.replace(snapshots, shown);
            self.shown_anew();
        }
    }

    /// Takes it that nothing more can be read.
    pub(super) fn failed(&mut self, why: String) {
        if let Source::Recording(playing) = &mut self.source {
            playing.is_asked = false;
            playing.is_read = true;
        }
        self.notice = Some(why);
    }

    /// When something else is to be shown by itself.
    pub(super) fn due(&self) -> Option<Instant> {
        let Source::Recording(playing) = &self.source else { return None };
        let (shown, next) = (self.tape.shown()?, self.tape.after()?);
        let apart = Duration::try_from(next.taken_at.duration_since(shown.taken_at)).unwrap_or_default();
        let apart = Duration::try_from_secs_f64(apart.as_secs_f64() / playing.reel.speed).ok()?;
        (!self.is_paused).then(|| playing.since + apart)
    }

    /// Shows what is due.
    pub(super) fn advance(&mut self, now: Instant) {
        let mut has_moved = false;
        while let Some(due) = self.due().filter(|due| *due <= now) {
            self.tape.step(1);
            if let Source::Recording(playing) = &mut self.source {
                playing.since = if now - due > LATEST { now } else { due };
            }
            if let Some(snapshot) = self.snapshot() {
                self.past.get_or_insert_default().push(&snapshot);
            }
            has_moved = true;
        }
        // Of those that were due only the last is drawn.
        if has_moved {
            self.arrange();
        }
    }

    /// What is to be read now.
    pub(super) fn wants(&mut self) -> Option<Ask> {
        let is_enough = self.tape.ahead() >= AHEAD || (self.tape.ahead() > 0 && !self.tape.has_room());
        let Source::Recording(playing) = &mut self.source else { return None };
        if playing.is_asked || playing.is_read || is_enough {
            return None;
        }
        playing.is_asked = true;
        Some(Ask::More)
    }

    /// After another snapshot is shown that is not the next one.
    pub(super) fn shown_anew(&mut self) {
        // With little room more is remembered of the latest than is kept.
        let is_latest = matches!(self.source, Source::Live) && self.tape.ahead() == 0;
        self.past = (!is_latest).then(|| Sparks::of(&self.tape));
        self.arrange();
    }

    /// After anything changed that the lines depend on.
    pub(super) fn arrange(&mut self) {
        let Some(snapshot) = self.snapshot() else { return };
        let before = self.tape.before().cloned();
        let order = Order {
            filter: &self.filter,
            sort: self.sort,
            is_descending: self.is_descending,
            grouping: self.grouping,
            folded: &self.folded,
        };
        self.arranged = arrange(&Joined::new(&snapshot, before.as_deref()), &order);
        let last = self.arranged.items.len().saturating_sub(1);
        let Some(selected) = &self.selected else {
            self.place = 0;
            return;
        };
        let is_it = |item: &Item| item.key(&snapshot).as_ref() == Some(selected);
        match self.arranged.items.iter().position(is_it) {
            Some(place) => self.place = place,
            // It is gone: what stands in its place is marked instead.
            None => self.select(self.place.min(last)),
        }
    }

    /// Marks a line.
    pub(super) fn select(&mut self, place: usize) {
        let Some(item) = self.arranged.items.get(place) else { return };
        self.place = place;
        self.selected = self.tape.shown().and_then(|snapshot| item.key(snapshot));
    }

    /// Marks the first line, whichever that will be.
    pub(super) fn select_first(&mut self) {
        self.place = 0;
        self.selected = None;
    }

    /// The container that is marked.
    pub(super) fn container<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Container> {
        match self.arranged.items.get(self.place)? {
            Item::Container(place) => snapshot.containers.get(*place),
            Item::Group { .. } => None,
        }
    }

    /// Folds or unfolds the group that is marked; whether one is.
    pub(super) fn fold(&mut self) -> bool {
        let Some(Item::Group { name, .. }) = self.arranged.items.get(self.place) else { return false };
        if !self.folded.remove(name) {
            self.folded.insert(name.clone());
        }
        self.selected = Some(Key::Group(name.clone()));
        self.arrange();
        true
    }

    /// Sorts by a column; the other way round where rows are already.
    pub(super) fn sort_by(&mut self, column: &'static Column) {
        self.is_descending =
            if std::ptr::eq(self.sort, column) { !self.is_descending } else { !column.is_text() };
        self.sort = column;
        self.arrange();
    }

    /// Whether the filter leaves a container.
    pub(super) fn is_shown(&self, container: &Container) -> bool {
        self.filter.matches(container)
    }

    /// Shows what the filter leaves.
    pub(super) fn set_filter(&mut self, text: String) {
        self.filter = Filter::parse(&text);
        self.filter_text = text;
        self.arrange();
    }

    /// Pauses, or goes on: what is measured from the latest, a recording from here.
    pub(super) fn pause(&mut self, now: Instant) {
        self.is_paused = !self.is_paused;
        match &mut self.source {
            Source::Recording(playing) => playing.since = now,
            Source::Live if !self.is_paused => {
                self.tape.show_last();
                self.shown_anew();
            }
            Source::Live => {}
        }
    }

    /// Shows an earlier or a later snapshot, and no other until told to.
    pub(super) fn step(&mut self, by: i64) -> Option<Effect> {
        self.is_paused = true;
        let first = self.tape.ends().map(|(first, _)| first);
        let missing = self.tape.step(by);
        self.shown_anew();
        let Source::Recording(playing) = &mut self.source else { return None };
        let is_before = missing > 0 && by < 0 && first.is_some_and(|first| first > playing.reel.first);
        if !is_before || playing.is_asked {
            return None;
        }
        playing.is_asked = true;
        let before = first?.checked_sub(jiff::SignedDuration::from_nanos(1)).ok()?;
        Some(Effect::Ask(Ask::Around(before)))
    }

    /// Shows what was at a time.
    pub(super) fn seek(&mut self, time: Timestamp) -> Option<Effect> {
        self.is_paused = true;
        let is_kept = self.tape.seek(time);
        self.shown_anew();
        let Source::Recording(playing) = &mut self.source else { return None };
        if is_kept || playing.is_asked {
            return None;
        }
        playing.is_asked = true;
        Some(Effect::Ask(Ask::Around(time)))
    }

    /// Shows the latest there is.
    pub(super) fn show_latest(&mut self) -> Option<Effect> {
        if matches!(self.source, Source::Recording(_)) {
            return self.seek(Timestamp::MAX);
        }
        self.is_paused = false;
        self.tape.show_last();
        self.shown_anew();
        None
    }

    /// Replays a recording so many times as fast.
    pub(super) fn speed(&mut self, times: f64, now: Instant) {
        if let Source::Recording(playing) = &mut self.source {
            playing.reel.speed = (playing.reel.speed * times).clamp(1.0 / 64.0, 4096.0);
            playing.since = now;
        }
    }
}
