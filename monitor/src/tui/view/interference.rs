//! Who keeps whom from a CPU: a matrix of the worst, and the words of `monitor blame`.

use std::collections::BTreeMap;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{BAD, BOLD, FAINT, PLAIN, WARNING, columns, put_line, rule, split_top};
use crate::{
    model::{Container, Interference, InterferenceSource, Snapshot, latest_runs},
    output::{
        blame::{self, Paragraphs},
        table::{label, printable},
    },
    tui::{state::State, units::duration},
};

/// Columns of a victim's name, and of a cell.
const NAME: usize = 16;
const CELL: usize = 9;
/// Where there is room for longer names.
const WIDE_CELL: usize = 16;
/// Victims that the matrix has at most.
const VICTIMS: usize = 12;
/// Less of a second than this is no wait worth showing.
const LEAST_NS: f64 = 1e4;

/// Draws it, of the containers that the filter leaves.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, state: &mut State, snapshot: &Snapshot) {
    let (head, body) = split_top(area, 1);
    rule(buffer, head, " who keeps whom from a CPU ");
    state.regions.rows = body;
    let shown = latest_runs(&snapshot.containers).map(|(_, one)| one).filter(|one| state.is_shown(one));
    let mut victims: Vec<(&Container, f64)> = shown.map(|one| (one, blame::waited(one))).collect();
    victims.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let lines = lines(&victims, snapshot, usize::from(body.width));
    let top = state.interference.unwrap_or(0).min(lines.len().saturating_sub(usize::from(body.height)));
    state.interference = Some(top);
    for (line, text) in lines.iter().skip(top).take(usize::from(body.height)).enumerate() {
        put_line(buffer, Rect { y: body.y + columns(line), height: 1, ..body }, text);
    }
}

fn lines(victims: &[(&Container, f64)], snapshot: &Snapshot, width: usize) -> Vec<Line<'static>> {
    let waiting: Vec<&Container> =
        victims.iter().filter(|(_, ns)| *ns >= LEAST_NS).map(|(container, _)| *container).collect();
    let mut lines = matrix(&waiting, width);
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    let paragraphs = Paragraphs::of(snapshot);
    for container in &waiting {
        let mut text = String::new();
        paragraphs.put(&mut text, container);
        lines.extend(text.lines().map(worded));
    }
    let others = victims.len() - waiting.len();
    if others > 0 || waiting.is_empty() {
        lines.push(Line::styled(format!("{others} others waited for nothing"), FAINT));
    }
    lines
}

/// A line of `monitor blame`: who it is about stands out, and so does advice.
fn worded(text: &str) -> Line<'static> {
    let style = match text {
        _ if !text.starts_with(' ') => BOLD,
        _ if text.trim_start().starts_with('→') => WARNING,
        _ => PLAIN,
    };
    Line::styled(text.to_owned(), style)
}

/// Whom the worst victims wait for most: how long in each second.
fn matrix(waiting: &[&Container], width: usize) -> Vec<Line<'static>> {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for part in waiting.iter().flat_map(|container| parts(container)) {
        *sums.entry(culprit(part)).or_default() += part.wait_ns_per_second.unwrap_or_default();
    }
    let mut culprits: Vec<(String, f64)> = sums.into_iter().filter(|(_, ns)| *ns >= LEAST_NS).collect();
    culprits.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    culprits.truncate(width.saturating_sub(NAME) / (CELL + 1));
    if culprits.is_empty() {
        return Vec::new();
    }
    let cell_width = ((width - NAME) / culprits.len()).saturating_sub(1).clamp(CELL, WIDE_CELL);
    let mut heading = Line::from(Span::styled(format!("{:<NAME$}", "waited a second"), FAINT));
    heading.extend(
        culprits
            .iter()
            .map(|(name, _)| Span::styled(format!(" {:>cell_width$}", fitted(name, cell_width)), BOLD)),
    );
    let row = |container: &&Container| {
        let mut line = Line::from(Span::styled(format!("{:<NAME$}", fitted(&label(container), NAME)), BOLD));
        line.extend(culprits.iter().map(|(name, _)| cell(container, name, cell_width)));
        line
    };
    std::iter::once(heading).chain(waiting.iter().take(VICTIMS).map(row)).collect()
}

fn parts(container: &Container) -> impl Iterator<Item = &Interference> {
    container.measurements.interference.iter().flatten()
}

fn cell(container: &Container, name: &str, width: usize) -> Span<'static> {
    let those = parts(container).filter(|part| culprit(part) == name);
    let ns: f64 = those.filter_map(|part| part.wait_ns_per_second).sum();
    let style = match ns {
        100e6.. => BAD,
        10e6.. => WARNING,
        _ => PLAIN,
    };
    if ns < LEAST_NS {
        Span::styled(format!(" {:>width$}", "·"), FAINT)
    } else {
        Span::styled(format!(" {:>width$}", duration(ns)), style)
    }
}

/// Whom a part is blamed on, in a word: as the dashboard has it (web/src/model/interference.ts).
fn culprit(part: &Interference) -> String {
    match (part.source, &part.name, &part.id) {
        (InterferenceSource::Container, Some(name), _) => printable(name),
        (InterferenceSource::Container, None, Some(id)) => printable(id.get(..12).unwrap_or(id)),
        (InterferenceSource::Container, None, None) => "ended".to_owned(),
        (InterferenceSource::Own, ..) => "itself".to_owned(),
        (InterferenceSource::System, ..) => "system".to_owned(),
        (InterferenceSource::Quota, ..) => "quota".to_owned(),
        (InterferenceSource::Wakeup, ..) => "wake-up".to_owned(),
        (InterferenceSource::Unknown, ..) => "unknown".to_owned(),
    }
}

/// The beginning of a text that is too long, with a mark.
fn fitted(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}
