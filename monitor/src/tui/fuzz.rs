//! Promises of what reads filters: [`crate::fuzzing`].

use super::filter::Filter;
use crate::model::testing::container;

/// A filter.
pub(crate) fn filter(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let filter = Filter::parse(&text);
    let is_shown = filter.matches(&container("web"));
    let again = Filter::parse(&format!("  {text}\t"));
    // Unless it ends within quotes, blanks around it mean nothing.
    if !text.contains('"') {
        assert_eq!(again, filter);
        assert_eq!(again.matches(&container("web")), is_shown);
    }
}
