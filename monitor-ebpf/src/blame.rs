//! Whom a wait for a CPU is blamed on: who had the CPU meanwhile.
//!
//! Each CPU remembers its last turns ([`Turns`]). A wait is split over those that it overlaps, when the turn that it was for is
//! booked; what a quota took of it is told apart first. The parts add up to the wait as the kernel counts it.

use monitor_common::{
    counters::SchedCounters,
    limits::RECENT_TURNS,
    waits::{IDLE, QUOTA, Throttle, Turn, Turns, UNKNOWN},
};

use crate::{
    globals::{is_set, word},
    kernel::{Memory, Task},
    tally::{self, Cpu},
};

/// A wait that is shorter is never put down to a quota, which lasts for some part of a period of 100 ms: the kernel's words
/// on that lie in a struct of their own, too far away for each switch.
pub(crate) const LEAST_THROTTLED_NS: u64 = 32_000;

/// A wait that ended when a turn began.
pub(crate) struct Wait {
    /// The cgroup of the task that waited.
    pub(crate) victim: u64,
    /// How long, by the kernel's own count.
    pub(crate) ns: u64,
    /// From when it was for this CPU; 0 where that is not known.
    pub(crate) queued_at_ns: u64,
    /// Until when.
    pub(crate) arrived_at_ns: u64,
}

impl Wait {
    /// Splits it.
    #[inline(always)]
    pub(crate) fn blame(&self, cpu: Cpu, newest: Turn, throttle: &Throttle, sched: &mut SchedCounters) {
        let is_of_one_turn = self.queued_at_ns + self.ns == self.arrived_at_ns
            && newest.began_ns <= self.queued_at_ns
            && newest.cgroup_id == self.victim;
        if is_of_one_turn && self.ns < LEAST_THROTTLED_NS {
            // As below, for most of them.
            return count_own(sched, self.ns);
        }
        let mut left = self.ns;
        let here =
            if self.queued_at_ns == 0 { 0 } else { self.arrived_at_ns.saturating_sub(self.queued_at_ns) };
        // What is beyond `here` was waited for other CPUs before a migration.
        let mut here = here.min(left);
        if self.ns >= LEAST_THROTTLED_NS {
            let quota = throttle.overlap(self.arrived_at_ns - here, self.arrived_at_ns);
            if quota > 0 {
                self.charge(cpu, QUOTA, quota);
                left -= quota;
                // The quota comes first: only after it does the task compete.
                here -= quota;
            }
        }
        let Turn { mut began_ns, mut cgroup_id } = newest;
        let mut until = self.arrived_at_ns;
        let mut back = 0;
        while here > 0 && cgroup_id != 0 {
            let part = until.saturating_sub(began_ns).min(here);
            here -= part;
            left -= part;
            if cgroup_id == self.victim {
                count_own(sched, part);
            } else {
                self.charge(cpu, cgroup_id, part);
            }
            until = began_ns;
            back += 1;
            if here == 0 || back > RECENT_TURNS {
                break;
            }
            let Some(turns) = cpu.turns() else { return };
            Turn { began_ns, cgroup_id } = turn(turns, back);
        }
        if left > 0 {
            self.charge(cpu, UNKNOWN, left);
        }
    }

    #[inline(always)]
    fn charge(&self, cpu: Cpu, culprit: u64, ns: u64) {
        if ns == 0 {
            return;
        }
        match tally::pair(cpu.first_pair(), self.victim, culprit) {
            Some(pair) => {
                pair.wait_ns += ns;
                pair.waits += 1;
            }
            None => cpu.lose_many(|losses| &mut losses.unblamed_ns, ns),
        }
    }
}

/// Counts a wait for a task of the same cgroup.
#[inline(always)]
fn count_own(sched: &mut SchedCounters, ns: u64) {
    sched.own_wait_ns += ns;
    sched.own_waits = sched.own_waits.wrapping_add(1);
}

/// The turn that began so many turns before the newest.
#[inline(always)]
fn turn(turns: &Turns, back: u32) -> Turn {
    let place = turns.count.wrapping_sub(u64::from(back)) & u64::from(RECENT_TURNS - 1);
    turns.turns[place as usize]
}

/// Notes a turn that is over.
#[inline(always)]
pub(crate) fn note_turn(cpu: Cpu, newest: &mut Turn, turn: Turn) {
    if newest.cgroup_id == turn.cgroup_id {
        return;
    }
    let Some(turns) = cpu.turns() else { return };
    let place = turns.count & u64::from(RECENT_TURNS - 1);
    turns.turns[place as usize] = *newest;
    turns.count = turns.count.wrapping_add(1);
    *newest = turn;
}

/// A turn of the idle task: what waits for its CPU afterwards did not wait before.
pub(crate) const IDLE_TURN: Turn = Turn { began_ns: 0, cgroup_id: IDLE };

/// Counts that a task had to leave the CPU for another one, or for none, though it could have gone on.
#[inline(always)]
pub(crate) fn note_preemption<M: Memory>(cpu: Cpu, victim: u64, next: Task<M>) {
    let culprit = if next.tid() == 0 { QUOTA } else { next.cgroup_id() };
    match tally::pair(cpu.first_pair(), victim, culprit) {
        Some(pair) => pair.preemptions += 1,
        None => cpu.lose(|losses| &mut losses.unblamed_preemptions),
    }
}

/// Learns when a quota last kept a task's group from this CPU, as the task has arrived.
#[inline(always)]
pub(crate) fn note_throttle<M: Memory>(throttle: &mut Throttle, task: Task<M>, arrived_at_ns: u64) {
    if !is_set::<{ word!(has_throttled) }>() {
        return;
    }
    let known_ns = task.throttled_ns() + 1;
    if known_ns == throttle.known_ns {
        return;
    }
    if throttle.known_ns != 0 && known_ns > throttle.known_ns {
        // The kernel tells how long, not when. The first task to arrive since then has been kept until about now.
        throttle.until_ns = arrived_at_ns;
        throttle.from_ns = arrived_at_ns.saturating_sub(known_ns - throttle.known_ns);
    }
    throttle.known_ns = known_ns;
}
