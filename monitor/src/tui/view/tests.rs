//! Screens of snapshots that were captured on a real machine: `cargo xtask test --bless` rewrites them.

use std::{fs, path::Path, time::Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend, style::Color};

use super::*;
use crate::{
    model::Snapshot,
    recording::Recording,
    tui::{
        Options,
        testing::{container, snapshot},
    },
};

const ALL: Paint = Paint { colours: true, unicode: true };

fn state() -> State {
    let options = Options {
        sort: "cpu".parse().unwrap(),
        filter: String::new(),
        grouping: None,
        memory: 64 << 20,
        mouse: true,
    };
    State::new(options, None, Instant::now())
}

/// Half a minute of containers that wait for each other.
fn captured() -> State {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tui/recorded.parquet");
    let mut state = state();
    for snapshot in Recording::open(&path).unwrap() {
        state.measured(snapshot.unwrap().into());
    }
    state
}

fn press(state: &mut State, keys: &str) {
    for key in keys.chars() {
        let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
        state.input(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)), Instant::now());
    }
}

fn frame(state: &mut State, width: u16, height: u16, paint: Paint) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state, paint)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let line = |cells: &[ratatui::buffer::Cell]| {
        let text: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.trim_end().to_owned() + "\n"
    };
    buffer.content.chunks(width).map(line).collect()
}

fn assert_golden(name: &str, state: &mut State, width: u16, height: u16) {
    let drawn = text(&frame(state, width, height, ALL));
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/tui/{name}-{width}x{height}.txt"));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(drawn == golden, "{} differs; it is now:\n{drawn}", path.display());
}

#[test]
fn the_table_is_as_it_was() {
    let mut state = captured();
    assert_golden("overview", &mut state, 80, 24);
    assert_golden("overview", &mut state, 120, 40);
    assert_golden("overview", &mut state, 200, 60);
    press(&mut state, "tttW");
    assert_golden("by-slice", &mut state, 80, 24);
}

#[test]
fn details_are_as_they_were() {
    let mut state = captured();
    press(&mut state, "\n");
    assert_golden("details", &mut state, 80, 24);
    assert_golden("details", &mut state, 200, 60);
}

#[test]
fn interference_is_as_it_was() {
    let mut state = captured();
    press(&mut state, "i");
    assert_golden("interference", &mut state, 80, 24);
    assert_golden("interference", &mut state, 120, 40);
}

#[test]
fn overlays_are_as_they_were() {
    let mut state = captured();
    press(&mut state, "?");
    assert_golden("help", &mut state, 80, 24);
    press(&mut state, "?s");
    assert_golden("sort", &mut state, 80, 24);
}

#[test]
fn no_size_is_too_small() {
    let mut state = captured();
    for keys in ["", "\n", "i", "i?", "?s", "\n/web"] {
        press(&mut state, keys);
        for (width, height) in [(1, 1), (2, 3), (10, 5), (40, 6), (79, 9), (500, 3), (3, 200)] {
            frame(&mut state, width, height, ALL);
        }
    }
    for mut empty in [self::state(), with(Vec::new())] {
        frame(&mut empty, 80, 24, ALL);
    }
}

fn with(containers: Vec<crate::model::Container>) -> State {
    let mut state = state();
    state.measured(snapshot(1, containers).into());
    state
}

#[test]
fn nothing_of_a_container_drives_the_terminal() {
    let hostile = "\u{1b}]0;x\u{7}\u{9b}2J\r\n\u{202e}evil";
    let mut container = container(hostile);
    container.image = Some(hostile.to_owned());
    container.short_id = hostile.to_owned();
    container.runtime = hostile.to_owned();
    container.cgroup.path = Some(format!("/{hostile}/{hostile}"));
    container.labels = [("com.docker.compose.project".to_owned(), hostile.to_owned())].into();
    container.measurements.cpu.cpuset = Some(hostile.to_owned());
    *container.measurements.interference = Some(vec![crate::model::Interference {
        source: crate::model::InterferenceSource::Container,
        id: Some(hostile.to_owned()),
        name: Some(hostile.to_owned()),
        wait_ns_total: 1,
        wait_ns_per_second: Some(1e9),
        waits_total: 1,
        preemptions_total: 1,
    }]);
    let mut state = with(vec![container]);
    for keys in ["", "tt", "t", "t\n", "\n", "i"] {
        press(&mut state, keys);
        let buffer = frame(&mut state, 200, 60, ALL);
        let is_hostile = |c: char| c.is_control() || c == '\u{202e}';
        let cell = buffer.content.iter().find(|cell| cell.symbol().contains(is_hostile));
        assert_eq!(cell, None, "{keys}");
        assert!(text(&buffer).contains("evil"), "{keys}: {}", text(&buffer));
    }
}

#[test]
fn backgrounds_are_the_terminal_s_own_and_colours_can_be_declined() {
    let mut state = captured();
    for keys in ["", "\n", "i", "i?"] {
        press(&mut state, keys);
        let buffer = frame(&mut state, 120, 40, ALL);
        assert!(buffer.content.iter().all(|cell| cell.bg == Color::Reset));
        assert!(buffer.content.iter().any(|cell| cell.fg != Color::Reset) || keys == "i?");
        let plain = frame(&mut state, 120, 40, Paint { colours: false, unicode: false });
        assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset && cell.symbol().is_ascii()));
    }
}

#[test]
fn ended_containers_are_faint_and_say_how_they_ended() {
    let mut ended = container("job");
    ended.state = crate::model::ContainerState::Exited;
    ended.exit_code = Some(137);
    let mut state = with(vec![container("web"), ended]);
    let buffer = frame(&mut state, 80, 24, ALL);
    let text = text(&buffer);
    let (line, job) = text.lines().enumerate().find(|(_, line)| line.starts_with("job")).unwrap();
    assert!(job.contains("exit 137"), "{text}");
    let first = &buffer[(0, columns(line))];
    assert!(first.modifier.contains(Modifier::DIM), "{first:?}");
}

#[test]
fn a_thousand_containers_are_scrolled_through() {
    let many = (0..1000).map(|number| container(&format!("c-{number}"))).collect();
    let mut state = with(many);
    press(&mut state, "NG");
    let drawn = text(&frame(&mut state, 80, 24, ALL));
    assert!(drawn.contains("c-999") && drawn.contains("1000/1000") && !drawn.contains("c-970 "), "{drawn}");
    press(&mut state, "g");
    assert!(text(&frame(&mut state, 80, 24, ALL)).contains("c-0 "));
}

#[test]
fn what_the_columns_show_is_in_sight_when_it_is_sorted_by() {
    let mut state = captured();
    for column in &crate::tui::columns::COLUMNS {
        state.sort_by(column);
        frame(&mut state, 80, 24, ALL);
        let is_there = state.regions.columns.iter().any(|(_, _, shown)| std::ptr::eq(*shown, column));
        assert!(is_there, "{}", column.key);
    }
}

#[test]
fn a_snapshot_that_is_empty_of_figures_is_drawn() {
    let mut bare: Snapshot = snapshot(5, vec![container("web")]);
    bare.host.cpus = 0;
    let mut state = state();
    state.measured(bare.into());
    press(&mut state, "\n");
    assert!(text(&frame(&mut state, 80, 24, ALL)).contains("web"));
}
