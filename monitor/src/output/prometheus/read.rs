//! Reads Prometheus' text format, as [`super::Exposition`] writes it, for the formats that are made of it.

use std::borrow::Cow;

/// A line of a page that says something.
#[derive(Clone, Debug, PartialEq)]
pub enum Line<'t> {
    /// `# TYPE family kind`
    Type {
        /// The family's name.
        family: &'t str,
        /// How it behaves.
        kind: &'t str,
    },
    /// `# HELP family text`
    Help {
        /// The family's name.
        family: &'t str,
        /// What it means.
        help: Cow<'t, str>,
    },
    /// `name{label="value",…} value [timestamp]`
    Sample(Sample<'t>),
}

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'t> {
    /// The name and the labels as they are written.
    pub series: &'t str,
    /// Its value.
    pub value: f64,
    /// Milliseconds since 1970, where that is said.
    pub timestamp_ms: Option<i64>,
}

/// What a page says, line by line.
pub fn lines(page: &str) -> impl Iterator<Item = Line<'_>> {
    page.lines().filter_map(|line| match line.strip_prefix("# ") {
        Some(comment) => {
            let (keyword, rest) = comment.split_once(' ')?;
            let (family, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            match keyword {
                "TYPE" => Some(Line::Type { family, kind: rest }),
                "HELP" => Some(Line::Help { family, help: unescaped(rest) }),
                _ => None,
            }
        }
        None => Sample::parse(line).map(Line::Sample),
    })
}

impl<'t> Sample<'t> {
    fn parse(line: &'t str) -> Option<Self> {
        let name_end = line.find(['{', ' '])?;
        let end = match line.get(name_end..)?.strip_prefix('{') {
            Some(rest) => name_end + 1 + labels_end(rest)? + 1,
            None => name_end,
        };
        let (series, rest) = line.split_at_checked(end)?;
        let mut words = rest.split_ascii_whitespace();
        let value = words.next()?.parse().ok()?;
        Some(Self { series, value, timestamp_ms: words.next().and_then(|word| word.parse().ok()) })
    }

    /// The part before the labels.
    #[must_use]
    pub fn name(&self) -> &'t str {
        name_and_labels(self.series).0
    }

    /// The labels as they are written, without the braces; empty without any.
    #[must_use]
    pub fn written_labels(&self) -> &'t str {
        name_and_labels(self.series).1
    }
}

/// The name of a series and its labels as they are written, without the braces.
fn name_and_labels(series: &str) -> (&str, &str) {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    (name, labels.strip_suffix('}').unwrap_or(labels))
}

/// The name of a series and its labels, each a name and a value. Empty ones are left out: to Prometheus they are none.
#[must_use]
pub fn parse_series(series: &str) -> (&str, Vec<(&str, Cow<'_, str>)>) {
    let (name, mut rest) = name_and_labels(series);
    let mut labels = Vec::new();
    while let Some((label, quoted)) = rest.split_once("=\"") {
        let (value, after) = quoted.split_at_checked(value_end(quoted)).unwrap_or((quoted, ""));
        if !value.is_empty() {
            labels.push((label, unescaped(value)));
        }
        rest = after.strip_prefix("\",").unwrap_or_default();
    }
    (name, labels)
}

/// Where the brace is that ends labels: one that stands in no value.
fn labels_end(labels: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    labels.bytes().position(|byte| {
        match byte {
            b'"' if !is_escaped => is_quoted = !is_quoted,
            b'}' if !is_quoted => return true,
            _ => {}
        }
        is_escaped = byte == b'\\' && !is_escaped;
        false
    })
}

/// Where the first quote is that nothing escapes; the end where there is none.
fn value_end(quoted: &str) -> usize {
    let mut is_escaped = false;
    let end = quoted.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.unwrap_or(quoted.len())
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut characters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::prometheus::{Exposition, Family, Form, Kind, Number, put_label};

    #[test]
    fn what_is_written_is_read_back() {
        let values = ["plain", "a \"b\" {c}, d=\"e\\", "line\nend", "\\\\\"", "ü = {x=\"1\"} 5"];
        let mut written = String::new();
        put_label(&mut written, "none", "");
        for (number, value) in values.iter().enumerate() {
            put_label(&mut written, &format!("l{number}"), value);
        }
        let help = "{a=\"b\"} 1 \\ x";
        let mut page = Exposition::new(Form::Text);
        page.family(&Family { name: "x_seconds", kind: Kind::Counter, unit: "seconds", help }, |samples| {
            samples.put(&written, Number::Infinite);
            samples.put("", Number::Shifted(15, 1));
        });
        let found: Vec<Line<'_>> = lines(page.text()).collect();
        let [head, meaning, Line::Sample(first), Line::Sample(second)] = &found[..] else {
            panic!("{found:?}")
        };
        let family = "x_seconds_total";
        assert_eq!(*head, Line::Type { family, kind: "counter" });
        assert_eq!(*meaning, Line::Help { family, help: help.into() });
        assert_eq!((first.name(), first.written_labels()), (family, written.as_str()));
        assert_eq!((first.value, first.timestamp_ms), (f64::INFINITY, None));
        let (name, labels) = parse_series(first.series);
        assert_eq!(name, family);
        for (number, (value, (label, read))) in values.iter().zip(&labels).enumerate() {
            assert_eq!((label, read.as_ref()), (&format!("l{number}").as_str(), *value));
        }
        assert_eq!(labels.len(), values.len());
        assert_eq!((second.series, second.value), (family, 1.5));
        assert_eq!(parse_series(second.series), (family, vec![]));
    }

    #[test]
    fn a_sample_may_have_a_time() {
        let page = "b{} -1 17\nnothing\nb{a=\"1\" 5\n# EOF\n\n";
        let found: Vec<Line<'_>> = lines(page).collect();
        assert_eq!(found, [Line::Sample(Sample { series: "b{}", value: -1.0, timestamp_ms: Some(17) })]);
    }
}
