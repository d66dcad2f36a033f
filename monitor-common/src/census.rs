//! What the `census` program writes for each task that it is shown.

/// A task as it was at one moment.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenState {
    /// Whose task, in the hierarchy that is counted.
    pub cgroup_id: u64,
    /// `task->__state`.
    pub state: u32,
    /// `task->exit_state`, and [`IN_IOWAIT`].
    pub exit_state: u32,
}

/// Set in [`SeenState::exit_state`] where the task waits for I/O (`task->in_iowait`). The kernel's own bits are far below.
pub const IN_IOWAIT: u32 = 1 << 31;

/// Bytes of a [`SeenState`].
pub const SEEN_STATE_BYTES: usize = size_of::<SeenState>();

impl SeenState {
    /// As the program wrote it; `None` of what is cut short.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (cgroup_id, rest) = bytes.split_first_chunk()?;
        let (state, rest) = rest.split_first_chunk()?;
        Some(Self {
            cgroup_id: u64::from_ne_bytes(*cgroup_id),
            state: u32::from_ne_bytes(*state),
            exit_state: u32::from_ne_bytes(*rest.first_chunk()?),
        })
    }
}

const _: () = assert!(SEEN_STATE_BYTES == 16, "no padding");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut bytes = [0; SEEN_STATE_BYTES];
        bytes[..8].copy_from_slice(&0x0102_0304_0506_0708_u64.to_ne_bytes());
        bytes[8..12].copy_from_slice(&0x402_u32.to_ne_bytes());
        bytes[12..].copy_from_slice(&(0x20 | IN_IOWAIT).to_ne_bytes());
        let seen = SeenState { cgroup_id: 0x0102_0304_0506_0708, state: 0x402, exit_state: 0x20 | IN_IOWAIT };
        assert_eq!(SeenState::from_bytes(&bytes), Some(seen));
        assert_eq!(SeenState::from_bytes(&bytes[..15]), None);
    }
}
