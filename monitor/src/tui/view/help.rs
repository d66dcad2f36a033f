//! What is drawn over the rest: the keys, and the columns to sort by.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    widgets::{Block, Clear, Widget},
};

use super::{BOLD, FAINT, PLAIN, columns, put, put_right, width};
use crate::tui::{
    columns::COLUMNS,
    keys::{BINDINGS, Binding},
    state::State,
};

/// Columns of the keys.
const KEYS: u16 = 13;
/// Columns of all of it, where there are as many.
const WIDTH: u16 = 78;

/// The lines of the help.
pub(in crate::tui) fn lines() -> &'static [Binding] {
    &BINDINGS
}

/// Draws the help from a line on.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, top: usize, state: &mut State) {
    let lines = lines();
    let inner = window(buffer, area, WIDTH, columns(lines.len()), " keys ");
    state.regions.menu = inner;
    for (line, binding) in lines.iter().skip(top).take(usize::from(inner.height)).enumerate() {
        let line = Rect { y: inner.y + columns(line), height: 1, ..inner };
        put(buffer, Rect { width: KEYS.min(line.width), ..line }, binding.shown, BOLD);
        let room = Rect { x: line.x + KEYS, width: line.width.saturating_sub(KEYS), ..line };
        put(buffer, room, binding.does, PLAIN);
    }
    let seen = top + usize::from(inner.height);
    let rest =
        if seen < lines.len() { " ↓ more · any other key closes " } else { " any other key closes " };
    put_right(buffer, below(inner), rest, FAINT);
}

/// Draws the columns to sort by.
pub(super) fn draw_menu(buffer: &mut Buffer, area: Rect, place: usize, state: &mut State) {
    let widest = COLUMNS.iter().map(|column| width(column.title)).max().unwrap_or(0);
    let inner = window(buffer, area, columns(widest) + 6, columns(COLUMNS.len()), " sort by ");
    let top = (place + 1).saturating_sub(usize::from(inner.height));
    for (line, column) in COLUMNS.iter().skip(top).take(usize::from(inner.height)).enumerate() {
        let here = Rect { y: inner.y + columns(line), height: 1, ..inner };
        let mark = match (std::ptr::eq(column, state.sort), state.is_descending) {
            (false, _) => ' ',
            (true, true) => '▼',
            (true, false) => '▲',
        };
        put(buffer, here, &format!("{mark} {}", column.title), PLAIN);
        if top + line == place {
            buffer.set_style(here, Style::new().add_modifier(Modifier::REVERSED));
        }
    }
    // A click means what is seen there.
    let seen = if top == 0 { inner } else { Rect::default() };
    state.regions.menu = seen;
}

/// An empty box in the middle, and what is within its border.
fn window(buffer: &mut Buffer, area: Rect, width: u16, height: u16, title: &'static str) -> Rect {
    let (width, height) = ((width + 4).min(area.width), (height + 2).min(area.height));
    let outer =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(outer, buffer);
    let block = Block::bordered().title(title);
    let inner = block.inner(outer);
    block.render(outer, buffer);
    Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner }
}

/// The line of a box's lower border.
fn below(inner: Rect) -> Rect {
    Rect { y: inner.bottom(), height: 1, ..inner }
}
