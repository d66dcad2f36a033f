//! Texts as parts of URLs.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// What stands for itself wherever it is: <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>.
const ALL_BUT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one part of a path or a query.
#[must_use]
pub fn escaped(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ALL_BUT_UNRESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_url_is_escaped() {
        assert_eq!(escaped("k8s.io/a-b_c~ d&ü").to_string(), "k8s.io%2Fa-b_c~%20d%26%C3%BC");
    }
}
