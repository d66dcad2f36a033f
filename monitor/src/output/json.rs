//! One snapshot a line: NDJSON (RFC 8259 values, newline-delimited).

use bytes::{BufMut, BytesMut};

use super::escape::escape_json;
use crate::model::Snapshot;

/// Appends a snapshot and a newline.
pub fn encode_line(snapshot: &Snapshot, out: &mut BytesMut) {
    let begin = out.len();
    // It cannot fail: every map has string keys and nothing in a snapshot refuses to be serialized.
    if serde_json::to_writer(out.writer(), snapshot).is_ok() {
        escape_json(out, begin);
        out.put_u8(b'\n');
    }
}

/// Appends a snapshot spread over lines, for reading.
pub fn encode_pretty(snapshot: &Snapshot, out: &mut BytesMut) {
    let begin = out.len();
    // As above.
    if serde_json::to_writer_pretty(out.writer(), snapshot).is_ok() {
        escape_json(out, begin);
        out.put_u8(b'\n');
    }
}

/// The JSON Schema of a snapshot, generated from its types.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Snapshot);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
