//! What each key does. The help is made from the same list.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Quit,
    Suspend,
    Redraw,
    Help,
    Filter,
    SortMenu,
    SortBy(&'static str),
    SortNext,
    SortPrevious,
    Reverse,
    Group,
    Interference,
    Open,
    Back,
    Pause,
    /// By so many snapshots, back where negative.
    Step(i64),
    Latest,
    Jump,
    Faster,
    Slower,
    /// By so many lines.
    Move(i64),
    /// By so many screens.
    Page(i64),
    First,
    Last,
}

/// Keys that do the same.
pub(super) struct Binding {
    keys: &'static [(KeyCode, KeyModifiers)],
    /// As they are called.
    pub(super) shown: &'static str,
    action: Action,
    /// What they do; empty where the line before says it too.
    pub(super) does: &'static str,
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

const fn char(c: char) -> (KeyCode, KeyModifiers) {
    (KeyCode::Char(c), NONE)
}

const fn function(number: u8) -> (KeyCode, KeyModifiers) {
    (KeyCode::F(number), NONE)
}

const fn binding(
    keys: &'static [(KeyCode, KeyModifiers)],
    shown: &'static str,
    action: Action,
    does: &'static str,
) -> Binding {
    Binding { keys, shown, action, does }
}

/// All of them, in the order of the help.
pub(super) static BINDINGS: [Binding; 36] = [
    binding(&[(KeyCode::Up, NONE), char('k')], "↑ k", Action::Move(-1), "line up"),
    binding(&[(KeyCode::Down, NONE), char('j')], "↓ j", Action::Move(1), "line down"),
    binding(
        &[(KeyCode::PageUp, NONE), (KeyCode::Char('b'), CTRL)],
        "PgUp Ctrl-B",
        Action::Page(-1),
        "screen up",
    ),
    binding(
        &[(KeyCode::PageDown, NONE), (KeyCode::Char('f'), CTRL)],
        "PgDn Ctrl-F",
        Action::Page(1),
        "screen down",
    ),
    binding(&[(KeyCode::Home, NONE), char('g')], "Home g", Action::First, "first line, whoever is there"),
    binding(&[(KeyCode::End, NONE), char('G')], "End G", Action::Last, "last line"),
    binding(
        &[(KeyCode::Enter, NONE)],
        "Enter",
        Action::Open,
        "details of the container; fold or unfold a group",
    ),
    binding(&[(KeyCode::Esc, NONE)], "Esc", Action::Back, "back; without anything open, end the filter"),
    binding(
        &[char('/'), function(4)],
        "/ F4",
        Action::Filter,
        "filter: words, name: image: label: runtime: pod: project: state:, -not",
    ),
    binding(&[char('s'), function(6)], "s F6", Action::SortMenu, "choose the column to sort by"),
    binding(&[char('<')], "<", Action::SortPrevious, "sort by the column at the left"),
    binding(&[char('>')], ">", Action::SortNext, "sort by the column at the right"),
    binding(&[char('r'), char('R'), char('I')], "r I", Action::Reverse, "reverse the order"),
    binding(&[char('P')], "P", Action::SortBy("cpu"), "sort by CPU"),
    binding(&[char('M')], "M", Action::SortBy("memory"), "sort by memory"),
    binding(&[char('W')], "W", Action::SortBy("wait_p99"), "sort by run-queue wait p99"),
    binding(&[char('S')], "S", Action::SortBy("involuntary"), "sort by involuntary switches"),
    binding(&[char('F')], "F", Action::SortBy("minor"), "sort by minor faults"),
    binding(&[char('T')], "T", Action::SortBy("throttled"), "sort by throttling"),
    binding(&[char('N')], "N", Action::SortBy("name"), "sort by name"),
    binding(
        &[char('t'), function(5)],
        "t F5",
        Action::Group,
        "tree: by pod, by Compose project, by slice, none",
    ),
    binding(&[char('i'), function(7)], "i F7", Action::Interference, "who keeps whom from a CPU"),
    binding(&[char(' ')], "Space", Action::Pause, "pause; go on"),
    binding(&[(KeyCode::Left, NONE), char(',')], "← ,", Action::Step(-1), "back to the snapshot before"),
    binding(&[(KeyCode::Right, NONE), char('.')], "→ .", Action::Step(1), "forward to the next one"),
    binding(&[(KeyCode::Left, SHIFT), char('[')], "Shift-← [", Action::Step(-10), "back by ten"),
    binding(&[(KeyCode::Right, SHIFT), char(']')], "Shift-→ ]", Action::Step(10), "forward by ten"),
    binding(&[char('b')], "b", Action::Jump, "to a time: 21:30, 21:30:05, or -90s from here"),
    binding(&[char('l')], "l", Action::Latest, "to the latest that there is"),
    binding(&[char('+')], "+", Action::Faster, "replay faster"),
    binding(&[char('-')], "-", Action::Slower, "replay slower"),
    binding(&[char('?'), char('h'), function(1)], "? h F1", Action::Help, "this help"),
    binding(&[(KeyCode::Char('l'), CTRL)], "Ctrl-L", Action::Redraw, "draw all of it anew"),
    binding(&[(KeyCode::Char('z'), CTRL)], "Ctrl-Z", Action::Suspend, "to the shell; `fg` comes back"),
    binding(&[char('q'), function(10)], "q F10", Action::Quit, "quit"),
    binding(&[(KeyCode::Char('c'), CTRL)], "Ctrl-C", Action::Quit, "quit"),
];

/// What a key asks for; nothing where it is none of ours.
pub(super) fn action(key: &KeyEvent) -> Option<Action> {
    // Letters and signs come with Shift where they need it: it says nothing more there.
    let modifiers = match key.code {
        KeyCode::Char(_) => key.modifiers - SHIFT,
        _ => key.modifiers,
    };
    BINDINGS
        .iter()
        .find(|binding| binding.keys.contains(&(key.code, modifiers)))
        .map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::columns;

    #[test]
    fn no_key_does_two_things() {
        let keys: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).collect();
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[place + 1..].contains(key), "{key:?}");
        }
    }

    #[test]
    fn every_column_that_has_a_key_is_there() {
        for binding in &BINDINGS {
            if let Action::SortBy(key) = binding.action {
                assert!(columns::find(key).is_some(), "{key}");
            }
        }
    }

    #[test]
    fn shift_matters_for_arrows_and_not_for_signs() {
        let pressed = |code, modifiers| action(&KeyEvent::new(code, modifiers));
        assert_eq!(pressed(KeyCode::Char('?'), SHIFT), Some(Action::Help));
        assert_eq!(pressed(KeyCode::Char('c'), CTRL), Some(Action::Quit));
        assert_eq!(pressed(KeyCode::Char('c'), NONE), None);
        assert_eq!(pressed(KeyCode::Left, NONE), Some(Action::Step(-1)));
        assert_eq!(pressed(KeyCode::Left, SHIFT), Some(Action::Step(-10)));
    }
}
