//! Promises of what writes texts as parts of URLs: [`crate::fuzzing`].
#![expect(clippy::unwrap_used, reason = "what is made up here is sound, and what is not is to be found")]

use http::Uri;
use percent_encoding::percent_decode_str;

use super::escaped;

/// A text.
pub(crate) fn url(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let written = escaped(&text).to_string();
    assert!(written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
    assert_eq!(percent_decode_str(&written).decode_utf8().unwrap(), text);
    // Longer ones are no URLs to the parser.
    if written.len() < 30_000 {
        let uri: Uri = format!("http://host/{written}?x={written}").parse().unwrap();
        assert_eq!(uri.path(), format!("/{written}"));
    }
}
