//! Promises of the reader of mount tables: [`crate::fuzzing`].

use super::mounts::{parse, writable_layer};

/// A process's mount table and, behind a zero byte, the host's.
pub(crate) fn mounts(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (own, ours) = text.split_once('\0').unwrap_or((&text, ""));
    let (own, ours) = (parse(own), parse(ours));
    if let Some(layer) = writable_layer(&own, &ours) {
        assert!(
            layer.is_absolute() || ours.iter().any(|mount| !mount.point.is_absolute()),
            "{}",
            layer.display()
        );
    }
    assert_eq!(writable_layer(&own, &own), None, "one's own root is nobody's layer");
}
