//! Which eBPF programs the kernel holds.
#![expect(unsafe_code, reason = "bpf(2) is in no library that is not about loading programs")]

use std::{collections::BTreeSet, io};

/// `BPF_PROG_GET_NEXT_ID` (include/uapi/linux/bpf.h).
const PROG_GET_NEXT_ID: libc::c_int = 11;

/// The member of `union bpf_attr` for it.
#[repr(C)]
struct Attr {
    start_id: u32,
    next_id: u32,
    open_flags: u32,
}

/// The ids of all programs, whoever loaded them.
#[must_use]
pub fn program_ids() -> BTreeSet<u32> {
    let mut ids = BTreeSet::new();
    while let Some(id) = next_program_id(ids.last().copied().unwrap_or(0)) {
        ids.insert(id);
    }
    ids
}

fn next_program_id(start_id: u32) -> Option<u32> {
    let mut attr = Attr { start_id, next_id: 0, open_flags: 0 };
    // SAFETY: `attr` is valid for reads and writes of the size given, and the command writes no further.
    let result = unsafe { libc::syscall(libc::SYS_bpf, PROG_GET_NEXT_ID, &raw mut attr, size_of::<Attr>()) };
    if result == 0 {
        return Some(attr.next_id);
    }
    let error = io::Error::last_os_error();
    assert_eq!(error.raw_os_error(), Some(libc::ENOENT), "list eBPF programs: {error}");
    None
}
