//! The last pass over a frame: what the terminal or its user does not want is taken out, whoever has drawn it.

use ratatui::{buffer::Buffer, style::Color};

/// What may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Paint {
    /// Colours: not with `NO_COLOR` (<https://no-color.org>).
    pub(in crate::tui) colours: bool,
    /// More than ASCII: where the locale says UTF-8.
    pub(in crate::tui) unicode: bool,
}

impl Paint {
    /// As the environment wants it.
    pub(in crate::tui) fn from_environment() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        // The order of setlocale(3).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
        Self { colours: variable("NO_COLOR").is_none(), unicode: is_utf8(locale.as_deref()) }
    }

    /// Takes out what is not wanted.
    pub(super) fn finish(self, buffer: &mut Buffer) {
        for cell in &mut buffer.content {
            if !self.colours {
                cell.set_fg(Color::Reset).set_bg(Color::Reset);
            }
            if !self.unicode && !cell.symbol().is_ascii() {
                let plain = ascii(cell.symbol());
                cell.set_symbol(plain);
            }
        }
    }
}

fn is_utf8(locale: Option<&str>) -> bool {
    // Nothing is said on the console of a machine that was just installed, whose terminal knows UTF-8 all the same.
    let Some(locale) = locale else { return true };
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// What is nearest to a sign among those that every terminal has.
fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "▁" | "▂" => "_",
        "▃" | "▄" | "─" | "–" => "-",
        "▅" | "▆" => "=",
        "▇" | "█" => "#",
        "▼" | "▾" | "↓" => "v",
        "▲" | "↑" => "^",
        "▸" | "▶" | "→" => ">",
        "←" => "<",
        "…" => "~",
        "µ" => "u",
        "·" | "│" => "|",
        "┌" | "┐" | "└" | "┘" => "+",
        "×" => "x",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{layout::Rect, style::Style};

    use super::*;

    #[test]
    fn the_locale_says_what_the_terminal_knows() {
        assert!(is_utf8(None));
        assert!(is_utf8(Some("C.UTF-8")) && is_utf8(Some("de_DE.utf8")));
        assert!(!is_utf8(Some("C")) && !is_utf8(Some("de_DE.ISO-8859-1")));
    }

    #[test]
    fn what_is_not_wanted_is_taken_out() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 1));
        buffer.set_string(0, 0, "15 µs ▇x", Style::new().fg(Color::Red));
        Paint { colours: true, unicode: true }.finish(&mut buffer);
        assert_eq!(buffer.content[0].fg, Color::Red);
        Paint { colours: false, unicode: false }.finish(&mut buffer);
        let text: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text, "15 us #x");
        assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset));
    }
}
