//! What is shown → cells of the screen. Colours are the terminal's own, which its user has chosen to be readable on whatever
//! background; the background itself is never touched.

mod details;
pub(super) mod help;
mod histogram;
mod host;
mod interference;
pub(super) mod paint;
mod status;
mod table;
#[cfg(test)]
mod tests;

use std::time::Instant;

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
};

use self::paint::Paint;
use super::{
    columns::Tone,
    state::{Overlay, State},
};
use crate::console;

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const WARNING: Style = Style::new().fg(Color::Yellow);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
const DRAWN: Style = Style::new().fg(Color::Cyan);

/// From this height of what is below the machine's lines on, a container's details leave room for the table.
const BOTH: u16 = 32;
/// Then the table has so many lines.
const TABLE_ABOVE_DETAILS: u16 = 12;

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => PLAIN,
        Tone::Faint => FAINT,
        Tone::Warning => WARNING,
        Tone::Bad => BAD,
    }
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State, paint: Paint) {
    let area = frame.area();
    state.regions = super::state::Regions::default();
    if area.is_empty() {
        return;
    }
    let buffer = frame.buffer_mut();
    let top = status::title(buffer, area, state);
    let (body, below) = split_bottom(top, 1);
    let cursor = status::footer(buffer, below, state);
    let now = Instant::now();
    let (body, line) = match status::message(state, console::last_line(), now) {
        Some(message) if body.height > 4 => {
            let (body, line) = split_bottom(body, 1);
            (body, Some((line, message)))
        }
        _ => (body, None),
    };
    if let Some((line, (text, style))) = line {
        put(buffer, line, &text, style);
    }
    draw_body(buffer, body, state);
    match state.overlay.clone() {
        Overlay::Help(top) => help::draw(buffer, body, top, state),
        Overlay::Sort(place) => help::draw_menu(buffer, body, place, state),
        Overlay::None | Overlay::Prompt(_) => {}
    }
    paint.finish(buffer);
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

fn draw_body(buffer: &mut Buffer, area: Rect, state: &mut State) {
    let Some(snapshot) = state.snapshot() else {
        let wait = "measuring the first window …";
        put(buffer, Rect { y: area.y + area.height / 2, ..area }, wait, FAINT);
        return;
    };
    let area = host::draw(buffer, area, &snapshot);
    if state.interference.is_some() {
        interference::draw(buffer, area, state, &snapshot);
        return;
    }
    let container = state.container(&snapshot).filter(|_| state.has_details);
    match container {
        None => table::draw(buffer, area, state, &snapshot),
        Some(container) if area.height >= BOTH => {
            let (above, below) = split_top(area, TABLE_ABOVE_DETAILS);
            table::draw(buffer, above, state, &snapshot);
            details::draw(buffer, below, state, &snapshot, container);
        }
        Some(container) => details::draw(buffer, area, state, &snapshot, container),
    }
}

/// Writes a text from the left, cut where there is no room, and says where it ends.
fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    if area.is_empty() || !buffer.area.contains(Position::new(area.x, area.y)) {
        return area.x;
    }
    let room = usize::from(area.width);
    if width(text) <= room {
        return buffer.set_stringn(area.x, area.y, text, room, style).0;
    }
    let (end, _) = buffer.set_stringn(area.x, area.y, text, room - 1, style);
    buffer.set_stringn(end, area.y, "…", 1, style).0
}

/// Writes a text so that it ends at the right; one that is too long is cut at its end.
fn put_right(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    let width = columns(width(text)).min(area.width);
    put(buffer, Rect { x: area.right() - width, width, ..area }, text, style);
}

/// Writes a line of several styles, cut where there is no room.
fn put_line(buffer: &mut Buffer, area: Rect, line: &Line<'_>) {
    let mut rest = area;
    for span in line {
        let end = put(buffer, rest, &span.content, line.style.patch(span.style));
        rest = Rect { x: end, width: area.right().saturating_sub(end), ..area };
    }
}

/// How many columns a text takes.
fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// A number of columns or lines as the terminal counts them.
fn columns(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// The uppermost lines, and the others.
fn split_top(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let below = Rect { y: area.y + height, height: area.height - height, ..area };
    (Rect { height, ..area }, below)
}

/// All but the lowest lines, and these.
fn split_bottom(area: Rect, height: u16) -> (Rect, Rect) {
    split_top(area, area.height.saturating_sub(height))
}

/// A line across with something written into it.
fn rule(buffer: &mut Buffer, area: Rect, text: &str) {
    put(buffer, area, &"─".repeat(usize::from(area.width)), FAINT);
    put(
        buffer,
        Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(4), ..area },
        text,
        BOLD,
    );
}
