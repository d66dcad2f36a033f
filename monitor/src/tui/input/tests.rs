use std::{sync::Arc, time::Duration};

use ratatui::layout::Rect;

use super::*;
use crate::{
    model::Snapshot,
    tui::{
        Grouping, Options, Reel,
        columns::find,
        rows::Item,
        state::{Ask, Source},
        testing::{container, snapshot},
    },
};

fn options() -> Options {
    Options {
        sort: "cpu".parse().unwrap(),
        filter: String::new(),
        grouping: None,
        memory: 64 << 20,
        mouse: true,
    }
}

/// `web`, `api` and `job` with less and less CPU time, and more and more memory.
fn measured(second: i64) -> Arc<Snapshot> {
    let containers = [("web", 0.9, 1), ("api", 0.5, 2), ("job", 0.1, 3)].map(|(name, cores, bytes)| {
        let mut container = container(name);
        container.measurements.cpu.usage_cores = Some(cores);
        container.measurements.memory.current_bytes = Some(bytes);
        container
    });
    Arc::new(snapshot(second, containers.to_vec()))
}

fn live(seconds: i64) -> State {
    let mut state = State::new(options(), None, Instant::now());
    (0..seconds).for_each(|second| state.measured(measured(second)));
    state
}

fn press(state: &mut State, code: KeyCode) -> Option<Effect> {
    state.input(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)), Instant::now())
}

fn type_in(state: &mut State, text: &str) {
    for c in text.chars() {
        assert_eq!(press(state, KeyCode::Char(c)), None, "{c}");
    }
}

fn control(state: &mut State, c: char) -> Option<Effect> {
    state.input(&Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)), Instant::now())
}

fn names(state: &State) -> Vec<String> {
    let snapshot = state.snapshot().unwrap();
    let name = |item: &Item| match item {
        Item::Container(place) => snapshot.containers[*place].name.clone().unwrap(),
        Item::Group { name, .. } => name.clone(),
    };
    state.arranged.items.iter().map(name).collect()
}

fn marked(state: &State) -> Option<String> {
    let snapshot = state.snapshot()?;
    state.container(&snapshot)?.name.clone()
}

fn shown(state: &State) -> i64 {
    state.snapshot().unwrap().taken_at.as_second()
}

#[test]
fn letters_sort_and_the_same_letter_again_reverses() {
    let mut state = live(1);
    assert_eq!(names(&state), ["web", "api", "job"]);
    type_in(&mut state, "M");
    assert_eq!(names(&state), ["job", "api", "web"]);
    type_in(&mut state, "M");
    assert_eq!(names(&state), ["web", "api", "job"]);
    type_in(&mut state, "N");
    assert_eq!(names(&state), ["api", "job", "web"]);
    type_in(&mut state, "r");
    assert_eq!(names(&state), ["web", "job", "api"]);
    type_in(&mut state, "P>");
    assert_eq!(state.sort.key, "memory");
    type_in(&mut state, "<<<<<<<");
    assert_eq!(state.sort.key, "name");
}

#[test]
fn a_menu_has_every_column() {
    let mut state = live(1);
    type_in(&mut state, "s");
    assert_eq!(state.overlay, Overlay::Sort(3));
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    assert_eq!((state.sort.key, state.overlay.clone()), ("memory", Overlay::None));
    type_in(&mut state, "s");
    press(&mut state, KeyCode::End);
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.sort.key, "memory", "nothing was chosen");
}

#[test]
fn a_filter_is_in_force_as_it_is_typed_and_esc_takes_it_back() {
    let mut state = live(1);
    type_in(&mut state, "/-name:a");
    assert_eq!(names(&state), ["web", "job"]);
    press(&mut state, KeyCode::Enter);
    assert_eq!((names(&state).len(), state.filter_text.as_str()), (2, "-name:a"));
    type_in(&mut state, "/ q");
    assert_eq!(names(&state).len(), 0);
    press(&mut state, KeyCode::Backspace);
    control(&mut state, 'w');
    assert_eq!(names(&state).len(), 3, "the only word is gone");
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.filter_text, "-name:a");
    press(&mut state, KeyCode::Esc);
    assert_eq!(names(&state).len(), 3, "Esc without anything open ends the filter");
    // A letter that does something else otherwise is only a letter here.
    type_in(&mut state, "/q");
    assert_eq!(control(&mut state, 'c'), Some(Effect::Quit));
}

#[test]
fn what_is_marked_is_followed_and_the_first_line_is_not() {
    let mut state = live(1);
    assert_eq!(marked(&state).as_deref(), Some("web"));
    type_in(&mut state, "M");
    assert_eq!(marked(&state).as_deref(), Some("job"), "the first, whichever that is");
    press(&mut state, KeyCode::Down);
    assert_eq!(marked(&state).as_deref(), Some("api"));
    type_in(&mut state, "N");
    assert_eq!((marked(&state).as_deref(), state.place), (Some("api"), 0));
    let mut without = Snapshot::clone(&measured(9));
    without.containers.retain(|one| one.id != "api");
    state.measured(Arc::new(without));
    assert_eq!((marked(&state).as_deref(), state.place), (Some("job"), 0), "what stands in its place");
    press(&mut state, KeyCode::End);
    assert_eq!(marked(&state).as_deref(), Some("web"));
}

#[test]
fn groups_fold_and_details_open_on_enter() {
    let mut state = live(1);
    for grouping in [Some(Grouping::Pod), Some(Grouping::Project), Some(Grouping::Slice), None] {
        type_in(&mut state, "t");
        assert_eq!(state.grouping, grouping);
    }
    type_in(&mut state, "ttt");
    assert_eq!(names(&state), ["/docker", "web", "api", "job"]);
    press(&mut state, KeyCode::Enter);
    assert_eq!(names(&state), ["/docker"]);
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    assert!(state.has_details && marked(&state).as_deref() == Some("web"));
    type_in(&mut state, "i");
    assert_eq!(state.interference, Some(0));
    press(&mut state, KeyCode::Down);
    assert_eq!(state.interference, Some(1));
    press(&mut state, KeyCode::Esc);
    assert!(state.interference.is_none() && state.has_details);
    press(&mut state, KeyCode::Esc);
    assert!(!state.has_details);
}

#[test]
fn pausing_keeps_what_is_shown_and_what_comes() {
    let mut state = live(10);
    type_in(&mut state, " ");
    (10..15).for_each(|second| state.measured(measured(second)));
    assert_eq!(shown(&state), 9);
    press(&mut state, KeyCode::Right);
    assert_eq!(shown(&state), 10);
    type_in(&mut state, "[");
    assert_eq!(shown(&state), 0);
    type_in(&mut state, " ");
    assert_eq!(shown(&state), 14, "it goes on with the latest");
    press(&mut state, KeyCode::Left);
    assert!(state.is_paused && shown(&state) == 13);
    type_in(&mut state, "l");
    assert!(!state.is_paused && shown(&state) == 14);
}

#[test]
fn a_time_is_jumped_to() {
    let mut state = live(200);
    for (text, second) in
        [("-10s", 189), ("00:02", 120), ("00:01:30", 90), ("+5s", 95), ("1970-01-01T00:00:07Z", 7)]
    {
        type_in(&mut state, &format!("b{text}"));
        press(&mut state, KeyCode::Enter);
        assert_eq!(shown(&state), second, "{text}");
    }
    type_in(&mut state, "bsoon");
    press(&mut state, KeyCode::Enter);
    assert!(state.notice.as_deref().unwrap().contains("soon"));
    assert_eq!(shown(&state), 7);
    press(&mut state, KeyCode::Down);
    assert_eq!(state.notice, None);
}

#[test]
fn keys_that_end_it() {
    let mut state = live(1);
    assert_eq!(press(&mut state, KeyCode::Char('q')), Some(Effect::Quit));
    assert_eq!(press(&mut state, KeyCode::F(10)), Some(Effect::Quit));
    assert_eq!(control(&mut state, 'c'), Some(Effect::Quit));
    assert_eq!(control(&mut state, 'z'), Some(Effect::Suspend));
    assert_eq!(control(&mut state, 'l'), Some(Effect::Redraw));
    type_in(&mut state, "?");
    assert_eq!(press(&mut state, KeyCode::Char('q')), Some(Effect::Quit));
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.overlay, Overlay::None);
    assert_eq!(press(&mut state, KeyCode::F(12)), None);
}

#[test]
fn the_mouse_marks_opens_sorts_and_scrolls() {
    let mut state = live(1);
    state.regions.header = Rect::new(0, 4, 80, 2);
    state.regions.columns = vec![(0, 20, find("name").unwrap()), (20, 30, find("memory").unwrap())];
    state.regions.rows = Rect::new(0, 6, 80, 10);
    let at =
        |kind, column, row| Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
    let click = |column, row| at(MouseEventKind::Down(MouseButton::Left), column, row);
    let mut input = |event| state.input(&event, Instant::now());
    input(click(3, 7));
    input(click(3, 15));
    assert_eq!(input(at(MouseEventKind::Moved, 3, 8)), None);
    assert_eq!((state.place, state.has_details), (1, false));
    let mut input = |event| state.input(&event, Instant::now());
    input(click(3, 7));
    input(click(25, 4));
    assert_eq!((state.sort.key, state.has_details), ("memory", true));
    let mut input = |event| state.input(&event, Instant::now());
    input(click(25, 5));
    input(at(MouseEventKind::ScrollDown, 3, 8));
    assert_eq!((state.is_descending, state.place), (false, 2));
}

fn reel(speed: f64) -> Reel {
    Reel { name: "day.parquet".to_owned(), speed, first: measured(0).taken_at }
}

fn batch(seconds: std::ops::Range<i64>) -> Vec<Arc<Snapshot>> {
    seconds.map(measured).collect()
}

#[test]
fn a_recording_is_read_ahead_and_shown_at_its_pace() {
    let began = Instant::now();
    let after = |seconds: f64| began + Duration::from_secs_f64(seconds);
    let mut state = State::new(options(), Some(reel(2.0)), began);
    assert_eq!((state.wants(), state.wants()), (Some(Ask::More), None), "it asks once");
    assert_eq!(state.due(), None);
    state.read(batch(0..8), false, began);
    assert_eq!((shown(&state), state.wants()), (0, Some(Ask::More)));
    state.read(batch(8..40), true, began);
    assert_eq!((state.wants(), state.due()), (None, Some(after(0.5))));
    state.advance(after(1.6));
    assert_eq!((shown(&state), state.due()), (3, Some(after(2.0))));
    type_in(&mut state, "+");
    let Source::Recording(playing) = &state.source else { panic!("live") };
    assert!((playing.reel.speed - 4.0).abs() < f64::EPSILON);
    type_in(&mut state, " ");
    assert_eq!(state.due(), None, "paused");
    press(&mut state, KeyCode::Right);
    assert_eq!(shown(&state), 4);
}

#[test]
fn snapshots_that_are_skipped_do_not_move_the_mark() {
    let began = Instant::now();
    let mut state = State::new(options(), Some(reel(1.0)), began);
    let mut snapshots = batch(0..4);
    Arc::make_mut(&mut snapshots[1]).containers.remove(1);
    state.read(snapshots, true, began);
    press(&mut state, KeyCode::Down);
    assert_eq!(marked(&state).as_deref(), Some("api"));
    state.advance(began + Duration::from_millis(2100));
    assert_eq!((shown(&state), marked(&state).as_deref()), (2, Some("api")));
}

#[test]
fn what_is_not_kept_of_a_recording_is_asked_for() {
    let began = Instant::now();
    let mut state = State::new(options(), Some(reel(1.0)), began);
    state.placed(batch(100..110), 5, false, began);
    assert_eq!(shown(&state), 105);
    type_in(&mut state, ",");
    assert_eq!(shown(&state), 104);
    let before = batch(100..101)[0].taken_at - SignedDuration::from_nanos(1);
    assert_eq!(press(&mut state, KeyCode::Char('[')), Some(Effect::Ask(Ask::Around(before))));
    assert_eq!(press(&mut state, KeyCode::Char('[')), None, "it asks once");
    state.placed(batch(90..101), 9, false, began);
    assert_eq!(shown(&state), 99);
    assert_eq!(press(&mut state, KeyCode::Char('l')), Some(Effect::Ask(Ask::Around(Timestamp::MAX))));
    state.failed("it is gone".to_owned());
    assert_eq!(state.notice.as_deref(), Some("it is gone"));
    assert_eq!(state.wants(), None);
}
