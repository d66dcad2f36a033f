//! The table: a line a container, as many columns as there is room for.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{BOLD, DRAWN, FAINT, columns, put, put_right, split_top, style, width};
use crate::{
    model::{ContainerState, Snapshot},
    output::table::{label, printable},
    tui::{
        columns::{COLUMNS, Cell, Column, Row, TREND, together},
        rows::{Item, Joined},
        spark::blocks,
        state::State,
        units::{NONE, or_none},
    },
};

/// Names that are longer than their column's width have so much before any other column has its own.
const LONG_NAME: u16 = 23;
/// Names get as much of the room that is left.
const LONGEST_NAME: u16 = 40;
const LONGEST_IMAGE: u16 = 40;
const WIDEST_TREND: u16 = 30;
/// Columns by which the rows of a group are set in.
const INDENT: &str = "  ";

/// A column with its place on the screen.
#[derive(Clone, Copy, Debug)]
struct Placed {
    column: &'static Column,
    subheading: &'static str,
    x: u16,
    width: u16,
    /// What of that stands behind values.
    note: u16,
}

/// Draws it, and remembers what is where.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, state: &mut State, snapshot: &Snapshot) {
    let placed = place(area, state, snapshot);
    let (header, rows) = split_top(area, 2);
    draw_header(buffer, header, state, &placed);
    state.regions.header = header;
    state.regions.columns =
        placed.iter().map(|one| (one.x.saturating_sub(1), one.x + one.width, one.column)).collect();
    state.regions.rows = rows;
    if state.arranged.items.is_empty() {
        put(buffer, Rect { y: rows.y + rows.height / 3, ..rows }, &nothing(state, snapshot), FAINT);
        return;
    }
    let height = usize::from(rows.height);
    if height == 0 {
        return;
    }
    // What is marked is always in sight, and no line at the end is left empty for nothing.
    let most = state.arranged.items.len().saturating_sub(height);
    state.top = state.top.clamp((state.place + 1).saturating_sub(height), state.place).min(most);
    let before = state.tape.before().cloned();
    let joined = Joined::new(snapshot, before.as_deref());
    for (line, place) in (state.top..state.arranged.items.len()).take(height).enumerate() {
        let line = Rect { y: rows.y + columns(line), height: 1, ..rows };
        let Some(item) = state.arranged.items.get(place) else { break };
        match item {
            Item::Container(place) => {
                if let Some(row) = joined.row(*place) {
                    draw_row(buffer, line, state, &placed, &row);
                }
            }
            Item::Group { name, members, is_folded } => {
                let rows = || members.iter().filter_map(|place| joined.row(*place));
                let mark = if *is_folded { "▸" } else { "▾" };
                let name = format!("{mark} {} ({})", printable(name), members.len());
                draw_group(buffer, line, &placed, &name, rows);
            }
        }
        if place == state.place {
            buffer.set_style(line, Style::new().add_modifier(Modifier::REVERSED));
        }
    }
}

/// Why there is no line.
fn nothing(state: &State, snapshot: &Snapshot) -> String {
    let count = snapshot.containers.len();
    if count == 0 {
        return "no container is here yet: each appears as it starts".to_owned();
    }
    let filter = printable(&state.filter_text);
    format!("the filter {filter} leaves none of {count} containers: Esc ends it, / changes it")
}

/// Chooses columns by their rank, and says where they stand: those in a fixed order, with what is left for those that can use it.
fn place(area: Rect, state: &State, snapshot: &Snapshot) -> Vec<Placed> {
    let longest_name = longest_name(state, snapshot);
    let mut by_rank: Vec<Placed> =
        COLUMNS.iter().map(|column| natural(column, longest_name, snapshot)).collect();
    // What is sorted by is seen.
    by_rank.sort_by_key(|one| (one.column.rank != 0, !std::ptr::eq(one.column, state.sort), one.column.rank));
    let mut left = area.width;
    by_rank.retain(|one| {
        let needed = one.width + u16::from(left < area.width);
        let has_room = needed <= left || one.column.rank == 0;
        if has_room {
            left = left.saturating_sub(needed);
        }
        has_room
    });
    let mut chosen: Vec<Placed> = COLUMNS
        .iter()
        .filter_map(|column| by_rank.iter().find(|one| std::ptr::eq(one.column, column)).copied())
        .collect();
    grow(&mut chosen, left, longest_name, snapshot);
    let mut x = area.x;
    for one in &mut chosen {
        one.x = x;
        x += one.width + 1;
    }
    chosen
}

/// A column as wide as it has to be. Names have one of two widths, so that columns seldom come and go with containers.
fn natural(column: &'static Column, longest_name: u16, snapshot: &Snapshot) -> Placed {
    let Column { subheading, width, note, .. } = *column;
    let (subheading, width, note) = match &column.slim {
        Some(slim) if !snapshot.containers.iter().any(slim.has) => (slim.subheading, slim.width, 0),
        _ if column.key == "name" && longest_name > width => (subheading, LONG_NAME, note),
        _ => (subheading, width, note),
    };
    Placed { column, subheading, x: 0, width, note }
}

fn longest_name(state: &State, snapshot: &Snapshot) -> u16 {
    let indent = if state.grouping.is_some() { width(INDENT) } else { 0 };
    let names = snapshot.containers.iter().map(|one| width(&label(one)) + indent);
    columns(names.max().unwrap_or(0)).min(LONGEST_NAME)
}

/// Gives away what is left: to names and images as long as they are, and to the trend.
fn grow(chosen: &mut [Placed], mut left: u16, longest_name: u16, snapshot: &Snapshot) {
    let images = snapshot.containers.iter().filter_map(|one| one.image.as_deref()).map(width);
    let longest_image = columns(images.max().unwrap_or(0)).min(LONGEST_IMAGE);
    for (key, wanted) in [("name", longest_name), ("image", longest_image), (TREND, WIDEST_TREND)] {
        if let Some(one) = chosen.iter_mut().find(|one| one.column.key == key) {
            let more = wanted.saturating_sub(one.width).min(left);
            one.width += more;
            left -= more;
        }
    }
    if let Some(name) = chosen.first_mut() {
        name.width += left;
    }
}

/// The headings: the upper line once for neighbours that share it.
fn draw_header(buffer: &mut Buffer, area: Rect, state: &State, placed: &[Placed]) {
    if area.height < 2 {
        return;
    }
    for group in placed.chunk_by(|one, next| one.column.heading == next.column.heading) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let span = Rect { x: first.x, y: area.y, width: last.x + last.width - first.x, height: 1 };
        put_right(buffer, span, first.column.heading, FAINT);
    }
    for one in placed {
        let line = Rect { x: one.x, y: area.y + 1, width: one.width, height: 1 };
        let is_sorted = std::ptr::eq(one.column, state.sort);
        let style = if is_sorted { BOLD.add_modifier(Modifier::UNDERLINED) } else { BOLD };
        let arrow = if state.is_descending { "▼" } else { "▲" };
        if one.column.is_text() {
            let end = put(buffer, line, one.subheading, style);
            if is_sorted {
                put(buffer, Rect { x: end, width: 1, ..line }, arrow, BOLD);
            }
        } else {
            put_right(buffer, line, one.subheading, style);
            if is_sorted {
                // The column before is never so close that there is no room for it.
                let x = (one.x + one.width).saturating_sub(columns(width(one.subheading)) + 1);
                put(buffer, Rect { x, width: 1, ..line }, arrow, BOLD);
            }
        }
    }
}

fn draw_row(buffer: &mut Buffer, line: Rect, state: &State, placed: &[Placed], row: &Row<'_>) {
    for one in placed {
        let room = Rect { x: one.x, width: one.width.min(line.right().saturating_sub(one.x)), ..line };
        if one.column.key == TREND {
            let values = state.sparks().values(&row.container.id, usize::from(room.width));
            put(buffer, room, &blocks(&values), DRAWN);
            continue;
        }
        let cell = (one.column.cell)(row);
        if one.column.is_text() {
            let indent = if one.column.key == "name" && state.grouping.is_some() { INDENT } else { "" };
            put(buffer, room, &format!("{indent}{}", cell.text), style(cell.tone));
        } else {
            put_number(buffer, room, one.note, &cell);
        }
    }
    if row.container.state == ContainerState::Exited {
        buffer.set_style(line, FAINT);
    }
}

/// A value at the right, but for what stands behind it.
fn put_number(buffer: &mut Buffer, room: Rect, note: u16, cell: &Cell) {
    let value = Rect { width: room.width.saturating_sub(note), ..room };
    let style = if cell.text == NONE { FAINT } else { style(cell.tone) };
    put_right(buffer, value, &cell.text, style);
    put(buffer, Rect { x: value.right(), width: room.width - value.width, ..room }, &cell.note, FAINT);
}

fn draw_group<'a, R>(buffer: &mut Buffer, line: Rect, placed: &[Placed], name: &str, rows: impl Fn() -> R)
where
    R: Iterator<Item = Row<'a>>,
{
    // A name may go on over the columns that a group has nothing in.
    let first_number = placed.iter().find(|one| !one.column.is_text()).map_or(line.right(), |one| one.x);
    put(buffer, Rect { width: first_number.saturating_sub(line.x + 1), ..line }, name, BOLD);
    for one in placed.iter().filter(|one| !one.column.is_text() && one.column.key != TREND) {
        let value = or_none(together(one.column, rows()), one.column.show);
        let room = Rect { x: one.x, width: one.width.min(line.right().saturating_sub(one.x)), ..line };
        put_right(buffer, Rect { width: room.width.saturating_sub(one.note), ..room }, &value, BOLD);
    }
}
