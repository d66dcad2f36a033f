//! The first line and the last ones: where in time this is, what went wrong, what can be done.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Modifier, Style},
};

use super::{BOLD, FAINT, WARNING, columns, put, put_right, split_top, width};
use crate::{
    console,
    model::ContainerState,
    output::table::printable,
    tui::{
        state::{Asked, Overlay, Playing, Source, State},
        units::span,
    },
};

/// How long a line of the log is shown.
const SHOWN_FOR: Duration = Duration::from_secs(15);

/// Draws the first line, and says what is left below.
pub(super) fn title(buffer: &mut Buffer, area: Rect, state: &State) -> Rect {
    let (line, rest) = split_top(area, 1);
    let time = time(state);
    let room = Rect { width: line.width.saturating_sub(columns(width(&time)) + 2), ..line };
    let end = put(buffer, room, "monitor top", BOLD);
    put(buffer, Rect { x: end, width: room.right().saturating_sub(end), ..line }, &who(state), Style::new());
    let style = if state.is_paused { WARNING.add_modifier(Modifier::BOLD) } else { BOLD };
    put_right(buffer, line, &time, style);
    rest
}

/// Which machine this is of, and how many containers.
fn who(state: &State) -> String {
    let Some(snapshot) = state.tape.shown() else { return String::new() };
    let host = &snapshot.host;
    let ended = snapshot.containers.iter().filter(|one| one.state == ContainerState::Exited).count();
    let mut text =
        format!(" · {} · {} running", printable(&host.hostname), snapshot.containers.len() - ended);
    // Writing to a String cannot fail.
    if ended > 0 {
        let _ = write!(text, ", {ended} ended");
    }
    if !state.filter_text.is_empty() {
        let _ = write!(text, " · {} by the filter {}", state.arranged.count, printable(&state.filter_text));
    }
    if let Some(grouping) = state.grouping {
        let _ = write!(text, " · by {}", grouping.name());
    }
    let _ = write!(text, " · kernel {}", printable(&host.kernel_release));
    text
}

/// Where in time this is.
fn time(state: &State) -> String {
    let Some(snapshot) = state.tape.shown() else { return String::new() };
    let clock = snapshot.taken_at.strftime("%H:%M:%SZ");
    match &state.source {
        Source::Live if !state.is_paused => format!("{clock} · {}", window(snapshot.window_ns)),
        Source::Live => {
            let back = state.tape.ends().map_or(0.0, |(_, last)| seconds_between(snapshot.taken_at, last));
            format!("PAUSED {clock} · {} back · {} kept", span(back), state.tape.len())
        }
        Source::Recording(playing) => recorded(state, playing, snapshot.taken_at),
    }
}

fn recorded(state: &State, playing: &Playing, shown: jiff::Timestamp) -> String {
    let since = span(seconds_between(playing.reel.first, shown));
    let is_end = playing.is_read && state.tape.ahead() == 0;
    let how = match () {
        () if playing.is_asked && state.tape.ahead() == 0 => "reading …".to_owned(),
        () if is_end => "END".to_owned(),
        () if state.is_paused => "PAUSED".to_owned(),
        () => format!("▶ {}×", playing.reel.speed),
    };
    let day = shown.strftime("%Y-%m-%d %H:%M:%SZ");
    format!("{} · {day} · {since} in · {how}", printable(&playing.reel.name))
}

fn seconds_between(from: jiff::Timestamp, to: jiff::Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

fn window(ns: u64) -> String {
    format!("{:.2} s", ns as f64 / 1e9)
}

/// What is to be said besides: what went wrong with what was typed, or else the last line of the log.
pub(super) fn message(state: &State, log: Option<console::Line>, now: Instant) -> Option<(String, Style)> {
    if let Some(notice) = &state.notice {
        return Some((printable(notice), WARNING));
    }
    let line = log.filter(|line| now.saturating_duration_since(line.at) < SHOWN_FOR)?;
    Some((printable(&line.text), WARNING))
}

/// Draws the last line, and says where the cursor stands while something is typed.
pub(super) fn footer(buffer: &mut Buffer, line: Rect, state: &State) -> Option<Position> {
    if let Overlay::Prompt(prompt) = &state.overlay {
        let (name, hint) = match prompt.what {
            Asked::Filter => ("filter: ", "Enter keeps it, Esc does not"),
            Asked::Time => ("time: ", "21:30, 21:30:05, -90s, +10m"),
        };
        put_right(buffer, line, hint, FAINT);
        let end = put(buffer, line, name, BOLD);
        let rest = Rect { x: end, width: line.right().saturating_sub(end + 1), ..line };
        // What is typed at is at the end.
        let text = tail(&printable(&prompt.text), usize::from(rest.width));
        return Some(Position::new(put(buffer, rest, &text, Style::new()), line.y));
    }
    let place =
        format!("{}/{}", (state.place + 1).min(state.arranged.items.len()), state.arranged.items.len());
    put_right(buffer, line, &place, FAINT);
    let mut rest = Rect { width: line.width.saturating_sub(columns(place.len()) + 1), ..line };
    for (key, does) in hints(state) {
        let needed = width(key) + 1 + width(does) + 2;
        if needed > usize::from(rest.width) + 2 {
            break;
        }
        let x = put(buffer, rest, key, BOLD) + 1;
        let x = put(buffer, Rect { x, width: rest.right().saturating_sub(x), ..rest }, does, FAINT) + 2;
        rest = Rect { x, width: rest.right().saturating_sub(x), ..rest };
    }
    None
}

/// The end of a text that is too long.
fn tail(text: &str, room: usize) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(room)).collect()
}

/// What can be done, the first where there is no room for all.
fn hints(state: &State) -> Vec<(&'static str, &'static str)> {
    let pause = match (&state.source, state.is_paused) {
        (_, false) => "pause",
        (Source::Live, true) => "go on",
        (Source::Recording(_), true) => "play",
    };
    let mut hints = vec![("?", "help"), ("q", "quit")];
    if state.interference.is_some() {
        hints.extend([("Esc", "back"), ("↑↓", "scroll"), ("Space", pause), ("←→", "time")]);
        return hints;
    }
    hints.push(if state.has_details { ("Esc", "back") } else { ("Enter", "details") });
    hints.extend([
        ("/", "filter"),
        ("s", "sort"),
        ("t", "tree"),
        ("i", "interference"),
        ("Space", pause),
        ("←→", "time"),
    ]);
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_is_typed_is_seen() {
        assert_eq!(tail("abc", 5), "abc");
        assert_eq!(tail("abcdef", 3), "def");
    }
}
