//! Promises of the readers of what the kernel publishes and sends: [`crate::fuzzing`].

use monitor_common::{fields::FIELDS, limits::PATH_BYTES};

use super::{
    btf::Btf,
    events::{self, What},
};
use crate::fuzzing::made;

/// Kernel types.
pub(crate) fn btf(input: &[u8]) {
    let Ok(btf) = Btf::parse(input.to_vec()) else { return };
    assert_eq!(btf.member_offsets(FIELDS).len(), FIELDS.len());
    made((btf.tracepoint_arguments("t"), btf.enumerator("e", "X")));
    assert!(btf.enumerators("e").count() <= input.len());
    for (root, name) in [("outer", "a"), ("outer", "b"), ("inner", "d"), ("task_struct", "in_iowait")] {
        assert!(btf.bit(root, name).is_none_or(|(_, bit)| bit.is_power_of_two() && bit < 256));
    }
}

/// A record of the ring buffer.
pub(crate) fn ring_buffer(input: &[u8]) {
    let Some(event) = events::parse(input) else { return };
    assert_eq!(input.first_chunk().map(|id| u64::from_ne_bytes(*id)), Some(event.cgroup.0));
    if let What::Made(Some(path)) | What::Exec { path: Some(path), .. } = &event.what {
        assert!(!path.is_empty() && path.chars().count() < PATH_BYTES);
    }
    // What a record has too much at its end changes nothing.
    let longer = [input, &[0; 8]].concat();
    assert_eq!(events::parse(&longer).map(|longer| longer.boot_ns), Some(event.boot_ns));
}
