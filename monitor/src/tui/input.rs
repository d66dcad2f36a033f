//! Keys and the mouse → what is shown.

use std::time::Instant;

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use ratatui::layout::Position;

use super::{
    columns::{COLUMNS, GROUPINGS, find},
    keys::{Action, action},
    state::{Asked, Effect, Overlay, Prompt, State},
    view::help,
};

/// Lines that a turn of the wheel moves by.
const WHEEL: i64 = 3;

impl State {
    /// Takes what came from the terminal.
    pub(super) fn input(&mut self, event: &Event, now: Instant) -> Option<Effect> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                self.notice = None;
                self.key(key, now)
            }
            Event::Mouse(mouse) => self.mouse(*mouse),
            _ => None,
        }
    }

    fn key(&mut self, key: &KeyEvent, now: Instant) -> Option<Effect> {
        if let Overlay::Prompt(prompt) = &self.overlay {
            let prompt = prompt.clone();
            return self.typed(prompt, key);
        }
        let action = action(key)?;
        match self.overlay {
            Overlay::Help(top) => self.in_help(action, top),
            Overlay::Sort(place) => self.in_menu(action, place),
            Overlay::None | Overlay::Prompt(_) => self.act(action, now),
        }
    }

    fn act(&mut self, action: Action, now: Instant) -> Option<Effect> {
        match action {
            Action::Quit => return Some(Effect::Quit),
            Action::Suspend => return Some(Effect::Suspend),
            Action::Redraw => return Some(Effect::Redraw),
            Action::Help => self.overlay = Overlay::Help(0),
            Action::Filter => self.prompt(Asked::Filter, self.filter_text.clone()),
            Action::Jump => self.prompt(Asked::Time, String::new()),
            Action::SortMenu => self.overlay = Overlay::Sort(self.sort_place()),
            Action::SortBy(key) => {
                if let Some(column) = find(key) {
                    self.sort_by(column);
                }
            }
            Action::SortNext => self.sort_beside(1),
            Action::SortPrevious => self.sort_beside(-1),
            Action::Reverse => self.sort_by(self.sort),
            Action::Group => self.group_next(),
            Action::Interference => {
                self.interference = if self.interference.is_some() { None } else { Some(0) }
            }
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::Pause => self.pause(now),
            Action::Step(by) => return self.step(by),
            Action::Latest => return self.show_latest(),
            Action::Faster => self.speed(2.0, now),
            Action::Slower => self.speed(0.5, now),
            Action::Move(by) => self.move_by(by),
            Action::Page(by) => self.move_by(by * i64::from(self.regions.rows.height.max(2) - 1)),
            Action::First => self.go_first(),
            Action::Last => self.move_by(i64::from(i32::MAX)),
        }
        None
    }

    fn move_by(&mut self, by: i64) {
        if let Some(top) = self.interference {
            self.interference = Some(moved(top, by, usize::MAX));
            return;
        }
        let last = self.arranged.items.len().saturating_sub(1);
        self.select(moved(self.place, by, last));
    }

    fn go_first(&mut self) {
        match &mut self.interference {
            Some(top) => *top = 0,
            None => self.select_first(),
        }
    }

    /// What is marked: a group is folded, a container's details are shown.
    fn open(&mut self) {
        if self.interference.is_none() && !self.fold() {
            self.has_details = !self.has_details && !self.arranged.items.is_empty();
            // Another one that comes first must not take its place.
            self.select(self.place);
        }
    }

    /// Leaves what was opened last.
    fn back(&mut self) {
        if self.interference.take().is_some() {
            return;
        }
        if std::mem::take(&mut self.has_details) {
            return;
        }
        self.set_filter(String::new());
    }

    fn sort_place(&self) -> usize {
        COLUMNS.iter().position(|column| std::ptr::eq(column, self.sort)).unwrap_or(0)
    }

    fn sort_beside(&mut self, by: i64) {
        let place = moved(self.sort_place(), by, COLUMNS.len() - 1);
        if let Some(column) = COLUMNS.get(place).filter(|column| !std::ptr::eq(*column, self.sort)) {
            self.sort_by(column);
        }
    }

    fn group_next(&mut self) {
        self.grouping = match self.grouping {
            None => GROUPINGS.first().copied(),
            Some(grouping) => {
                let place = GROUPINGS.iter().position(|one| *one == grouping);
                place.and_then(|place| GROUPINGS.get(place + 1)).copied()
            }
        };
        self.arrange();
    }

    fn in_help(&mut self, action: Action, top: usize) -> Option<Effect> {
        let last = help::lines().len().saturating_sub(usize::from(self.regions.menu.height));
        self.overlay = Overlay::Help(match action {
            Action::Move(by) => moved(top, by, last),
            Action::Page(by) => moved(top, by * i64::from(self.regions.menu.height.max(2) - 1), last),
            Action::First => 0,
            Action::Last => last,
            Action::Quit => return Some(Effect::Quit),
            _ => {
                self.overlay = Overlay::None;
                return None;
            }
        });
        None
    }

    fn in_menu(&mut self, action: Action, place: usize) -> Option<Effect> {
        let last = COLUMNS.len() - 1;
        self.overlay = match action {
            Action::Move(by) => Overlay::Sort(moved(place, by, last)),
            Action::First => Overlay::Sort(0),
            Action::Last => Overlay::Sort(last),
            Action::Open => {
                self.choose(place);
                Overlay::None
            }
            Action::Quit => return Some(Effect::Quit),
            _ => Overlay::None,
        };
        None
    }

    fn choose(&mut self, place: usize) {
        if let Some(column) = COLUMNS.get(place) {
            self.sort_by(column);
        }
    }

    fn prompt(&mut self, what: Asked, text: String) {
        self.overlay = Overlay::Prompt(Prompt { what, before: text.clone(), text });
    }

    /// Takes a key while a line is typed. A filter is in force as it is typed.
    fn typed(&mut self, mut prompt: Prompt, key: &KeyEvent) -> Option<Effect> {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return Some(Effect::Quit),
            KeyCode::Char('u') if is_control => prompt.text.clear(),
            KeyCode::Char('w') if is_control => {
                let kept = prompt.text.trim_end().rsplit_once(char::is_whitespace);
                prompt.text = kept.map_or_else(String::new, |(kept, _)| format!("{kept} "));
            }
            KeyCode::Char(c) if !is_control => prompt.text.push(c),
            KeyCode::Backspace => {
                prompt.text.pop();
            }
            KeyCode::Esc => prompt.text.clone_from(&prompt.before),
            _ => {}
        }
        if prompt.what == Asked::Filter {
            self.set_filter(prompt.text.clone());
        }
        match key.code {
            KeyCode::Enter | KeyCode::Esc => {
                self.overlay = Overlay::None;
                let is_time = prompt.what == Asked::Time && key.code == KeyCode::Enter;
                if is_time { self.jump(&prompt.text) } else { None }
            }
            _ => {
                self.overlay = Overlay::Prompt(prompt);
                None
            }
        }
    }

    fn jump(&mut self, text: &str) -> Option<Effect> {
        if text.trim().is_empty() {
            return None;
        }
        let shown = self.tape.shown()?.taken_at;
        let Some(time) = moment(text.trim(), shown) else {
            self.notice = Some(format!("{text}: neither a time such as 21:30:05 nor a step such as -90s"));
            return None;
        };
        self.seek(time)
    }

    fn mouse(&mut self, mouse: MouseEvent) -> Option<Effect> {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.wheel(-WHEEL),
            MouseEventKind::ScrollDown => self.wheel(WHEEL),
            MouseEventKind::Down(MouseButton::Left) => {
                self.click(Position::new(mouse.column, mouse.row));
                None
            }
            _ => None,
        }
    }

    fn wheel(&mut self, by: i64) -> Option<Effect> {
        match self.overlay {
            Overlay::Help(top) => self.in_help(Action::Move(by), top),
            Overlay::Sort(place) => self.in_menu(Action::Move(by), place),
            Overlay::None | Overlay::Prompt(_) => {
                self.move_by(by);
                None
            }
        }
    }

    fn click(&mut self, at: Position) {
        let menu = self.regions.menu;
        match self.overlay {
            Overlay::Sort(_) if menu.contains(at) => {
                self.overlay = Overlay::None;
                self.choose(usize::from(at.y - menu.y));
            }
            Overlay::Help(_) | Overlay::Sort(_) => self.overlay = Overlay::None,
            Overlay::None | Overlay::Prompt(_) if self.regions.header.contains(at) => {
                let is_there = |(from, to, _): &&(u16, u16, _)| (*from..*to).contains(&at.x);
                if let Some((_, _, column)) = self.regions.columns.iter().find(is_there).copied() {
                    self.sort_by(column);
                }
            }
            Overlay::None | Overlay::Prompt(_) if self.regions.rows.contains(at) => {
                let place = self.top + usize::from(at.y - self.regions.rows.y);
                if place >= self.arranged.items.len() {
                    return;
                }
                let was_marked = place == self.place;
                self.select(place);
                if was_marked {
                    self.open();
                }
            }
            Overlay::None | Overlay::Prompt(_) => {}
        }
    }
}

fn moved(place: usize, by: i64, last: usize) -> usize {
    let size = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
    if by < 0 { place.saturating_sub(size) } else { place.saturating_add(size).min(last) }
}

/// A time of the day, in UTC and on the day that is shown; a time with its date; or a step from what is shown.
fn moment(text: &str, shown: Timestamp) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Time>() {
        let day = shown.to_zoned(TimeZone::UTC).date();
        return Some(day.to_datetime(time).to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let step: SignedDuration = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
    shown.checked_add(step).ok()
}

#[cfg(test)]
mod tests;
