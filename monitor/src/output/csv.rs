//! One row a container and window, with a column for each metric of the catalogue (RFC 4180).

use bytes::{BufMut, BytesMut};

use super::escape::printable;
use crate::model::{Snapshot, catalog};

/// Appends the line of column names.
pub fn encode_header(out: &mut BytesMut) {
    out.put_slice(b"taken_at,id,name,image,state,exit_code");
    for metric in catalog::metrics() {
        out.put_slice(b",");
        out.put_slice(metric.group.as_bytes());
        out.put_slice(b".");
        out.put_slice(metric.name.as_bytes());
    }
    out.put_slice(b"\r\n");
}

/// Appends a line for each container. A value that was not measured is an empty field.
pub fn encode_rows(snapshot: &Snapshot, out: &mut BytesMut) {
    let taken_at = snapshot.taken_at.to_string();
    for container in &snapshot.containers {
        put_field(&taken_at, out);
        let state = format!("{:?}", container.state).to_lowercase();
        let exit_code = container.exit_code.map(|code| code.to_string()).unwrap_or_default();
        let name = container.name.as_deref().unwrap_or_default();
        let image = container.image.as_deref().unwrap_or_default();
        for text in [container.id.as_str(), name, image, &state, &exit_code] {
            out.put_u8(b',');
            put_field(&printable(text), out);
        }
        for metric in catalog::metrics() {
            out.put_u8(b',');
            if let Some(value) = (metric.get)(&container.measurements) {
                put_field(&value.to_string(), out);
            }
        }
        out.put_slice(b"\r\n");
    }
}

/// Quotes what needs it. A spreadsheet would run a leading `=`, `+`, `-` or `@` of a name as a formula, so text
/// that begins so and is no number gets an apostrophe.
fn put_field(text: &str, out: &mut BytesMut) {
    let is_formula = text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err();
    let prefix = if is_formula { "'" } else { "" };
    if text.contains(['"', ',', '\r', '\n']) {
        out.put_u8(b'"');
        out.put_slice(prefix.as_bytes());
        out.put_slice(text.replace('"', "\"\"").as_bytes());
        out.put_u8(b'"');
    } else {
        out.put_slice(prefix.as_bytes());
        out.put_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> String {
        let mut out = BytesMut::new();
        put_field(text, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn fields_are_quoted_where_needed() {
        assert_eq!(field("plain"), "plain");
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("say \"hi\""), "\"say \"\"hi\"\"\"");
    }

    #[test]
    fn names_cannot_become_formulas() {
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(field("-1"), "-1");
        assert_eq!(field("-rf"), "'-rf");
    }

    #[test]
    fn the_header_names_every_metric_once() {
        let mut out = BytesMut::new();
        encode_header(&mut out);
        let header = String::from_utf8(out.to_vec()).unwrap();
        assert_eq!(header.trim().split(',').count(), 6 + catalog::metrics().count());
        assert!(header.contains(",scheduler.on_cpu_ns_total,"));
    }
}
