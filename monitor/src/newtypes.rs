//! The identifiers that every module speaks of, so that one cannot be passed for another.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The kernfs id of a cgroup's directory, which is its inode number.
///
/// Valid per hierarchy and until reboot; the kernel may reuse the low 32 bits for a later cgroup only with a new
/// generation in the high ones (`kernfs_node::id`, include/linux/kernfs.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CgroupId(pub u64);

impl CgroupId {
    /// A number below `period`: spreads work that is due for each cgroup over a period. Ids themselves come in arithmetic
    /// progressions.
    #[must_use]
    pub fn phase(self, period: u64) -> u64 {
        /// 2^64 divided by the golden ratio (Knuth, TAOCP 3, 6.4).
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let share = self.0.wrapping_mul(GOLDEN);
        // That share of 2^64 of the period: the upper half of the product, which is below `period`.
        u64::try_from((u128::from(share) * u128::from(period)) >> 64).unwrap_or_default()
    }
}

impl fmt::Display for CgroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The runtime's full id of a container: for Docker 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerId(Arc<str>);

impl ContainerId {
    /// Wraps what a runtime or a cgroup path calls the container.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve characters, as runtimes print it. Never a key.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
