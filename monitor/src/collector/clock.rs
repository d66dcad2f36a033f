//! One reading of the clocks: monotonic for arithmetic, boot time to compare with kernel records, wall for display.

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// The clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Wall time.
    pub wall: Timestamp,
    /// `CLOCK_MONOTONIC` in nanoseconds; stands still while the machine is suspended.
    pub monotonic_ns: u64,
    /// `CLOCK_BOOTTIME` in nanoseconds.
    pub boot_ns: u64,
}

impl Now {
    /// Reads the clocks.
    #[must_use]
    pub fn read() -> Self {
        Self {
            wall: Timestamp::now(),
            monotonic_ns: nanoseconds(ClockId::Monotonic),
            boot_ns: nanoseconds(ClockId::Boottime),
        }
    }

    /// The wall time of a moment given by `CLOCK_BOOTTIME`, as the wall clock stands now.
    #[must_use]
    pub fn wall_of(&self, boot_ns: u64) -> Timestamp {
        let ago = i128::from(self.boot_ns) - i128::from(boot_ns);
        Timestamp::from_nanosecond(self.wall.as_nanosecond() - ago).unwrap_or(self.wall)
    }
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_time_becomes_wall_time() {
        let now =
            Now { wall: Timestamp::from_second(1000).unwrap(), monotonic_ns: 0, boot_ns: 50_000_000_000 };
        assert_eq!(now.wall_of(48_000_000_000), Timestamp::from_second(998).unwrap());
        assert_eq!(now.wall_of(51_000_000_000), Timestamp::from_second(1001).unwrap());
    }
}
