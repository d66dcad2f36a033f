//! Promises of what reads Prometheus' text format: [`crate::fuzzing`].

use super::prometheus::{
    put_label,
    read::{Line, lines, parse_series},
};

/// A page.
pub(crate) fn prometheus(input: &[u8]) {
    let page = String::from_utf8_lossy(input);
    for line in lines(&page) {
        let Line::Sample(sample) = line else { continue };
        let (name, labels) = parse_series(sample.series);
        assert_eq!(name, sample.name());
        let mut written = String::new();
        let has_control = labels.iter().any(|(_, value)| value.contains(char::is_control));
        for (label, value) in &labels {
            put_label(&mut written, label, value);
        }
        let series = format!("{name}{{{written}}}");
        let (_, read) = parse_series(&series);
        assert!(read == labels || has_control, "{labels:?} were written as {written} and read as {read:?}");
    }
}
