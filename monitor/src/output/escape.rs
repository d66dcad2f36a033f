//! Text from outside without what a terminal would obey, or what would make it look like another text.
//!
//! Names, labels, cgroup paths and what processes call themselves are chosen in containers. Where people read them, one
//! character stands for whatever is not to be shown ([`printable`]); where programs do, nothing may be lost or become equal to
//! something else, so it is spelled ([`put_visible`], `escape_json`).

use std::fmt::Write as _;

use bytes::{BufMut as _, BytesMut};

/// Text for people, with U+FFFD for each character that does something instead of being something.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Characters that take no room, or turn the direction of what follows: `a\u{202e}cba` is read as `aabc`.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// Appends a control character as `\x1b`, for programs.
pub fn put_visible(out: &mut String, control: char) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\x{:02x}", u32::from(control));
}

/// Escapes what JSON may have as it is and some terminals obey, DEL and the control characters above U+007F, in a document that
/// begins at `from`.
pub(super) fn escape_json(out: &mut BytesMut, from: usize) {
    if let Some(escaped) = out.get(from..).and_then(escaped_json) {
        out.truncate(from);
        out.put_slice(escaped.as_bytes());
    }
}

/// A JSON document that a terminal may be shown.
#[must_use]
pub fn safe_json(document: String) -> String {
    escaped_json(document.as_bytes()).unwrap_or(document)
}

/// A part of a JSON document with these characters escaped, which stand in strings alone; `None` where there are none.
pub(super) fn escaped_json(part: &[u8]) -> Option<String> {
    // To count all of them takes less than to stop at the first.
    if part.iter().filter(|byte| matches!(byte, 0x7f | 0xc2)).count() == 0 {
        return None;
    }
    let is_meant = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
    let part = std::str::from_utf8(part).ok().filter(|part| part.contains(is_meant))?;
    Some(part.chars().fold(String::with_capacity(part.len() + 64), |mut text, c| {
        if is_meant(c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(printable("a\u{9b}2J\r\nb"), "a\u{fffd}2J\u{fffd}\u{fffd}b");
        assert_eq!(printable("grün 名"), "grün 名");
    }

    #[test]
    fn a_name_cannot_look_like_another() {
        assert_eq!(printable("we\u{200b}b"), "we\u{fffd}b");
        assert_eq!(printable("a\u{202e}cba"), "a\u{fffd}cba");
    }

    #[test]
    fn json_stays_what_it_is() {
        let value = serde_json::json!({ "a\u{9b}": "b\u{7f}\u{1b}ü" });
        let mut out = BytesMut::from(&b"before"[..]);
        out.put_slice(&serde_json::to_vec(&value).unwrap());
        escape_json(&mut out, 6);
        let text = std::str::from_utf8(&out).unwrap();
        assert_eq!(text, "before{\"a\\u009b\":\"b\\u007f\\u001bü\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text[6..]).unwrap(), value);
    }
}
