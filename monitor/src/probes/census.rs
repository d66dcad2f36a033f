//! Every task by what it does, added up by cgroup in one pass of the kernel over all tasks.

use std::{collections::HashMap, io::Read as _};

use aya::programs::Program;
use monitor_common::census::{IN_IOWAIT, SEEN_STATE_BYTES, SeenState};

use super::{load::Probes, programs::CENSUS};
use crate::newtypes::CgroupId;

/// Tasks of a cgroup by what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskStates {
    /// Runs, or is ready to.
    pub running: u64,
    /// Sleeps until something happens, a signal among other things.
    pub sleeping: u64,
    /// Sleeps and cannot be woken by a signal.
    pub disk_sleep: u64,
    /// Stopped by a signal or a debugger.
    pub stopped: u64,
    /// Ended, and its parent has not asked for its status.
    pub zombie: u64,
    /// Frozen with its cgroup, or by suspend.
    pub frozen: u64,
    /// A thread of the kernel that waits for work.
    pub idle: u64,
    /// Waits for I/O, whichever of the above it is.
    pub io_wait: u64,
}

impl TaskStates {
    /// Adds those of another cgroup.
    pub fn add(&mut self, other: &Self) {
        let Self { running, sleeping, disk_sleep, stopped, zombie, frozen, idle, io_wait } = *other;
        self.running += running;
        self.sleeping += sleeping;
        self.disk_sleep += disk_sleep;
        self.stopped += stopped;
        self.zombie += zombie;
        self.frozen += frozen;
        self.idle += idle;
        self.io_wait += io_wait;
    }

    /// Counts one by the rule of `/proc/PID/stat` (`__task_state_index`, include/linux/sched.h), but for the frozen, which that
    /// has among those in disk sleep.
    fn count(&mut self, seen: &SeenState) {
        // include/linux/sched.h
        const SLEEPING: u32 = 1;
        const DISK_SLEEP: u32 = 2;
        const STOPPED: u32 = 0x4;
        const TRACED: u32 = 0x8;
        const EXIT_DEAD: u32 = 0x10;
        const EXIT_ZOMBIE: u32 = 0x20;
        const PARKED: u32 = 0x40;
        const REPORTED: u32 = 0x7f;
        const NO_LOAD: u32 = 0x400;
        const RT_LOCK: u32 = 0x1000;
        const FROZEN: u32 = 0x8000;
        const IDLE: u32 = DISK_SLEEP | NO_LOAD;
        let SeenState { cgroup_id: _, state, exit_state } = *seen;
        if exit_state & IN_IOWAIT != 0 {
            self.io_wait += 1;
        }
        let reported = (state | exit_state) & REPORTED;
        // Of several bits the highest one counts.
        let place = match reported.checked_ilog2().map_or(0, |bit| 1 << bit) {
            _ if state & FROZEN != 0 => &mut self.frozen,
            _ if state & RT_LOCK != 0 => &mut self.disk_sleep,
            _ if state & IDLE == IDLE => &mut self.idle,
            SLEEPING => &mut self.sleeping,
            DISK_SLEEP => &mut self.disk_sleep,
            STOPPED | TRACED => &mut self.stopped,
            EXIT_DEAD | EXIT_ZOMBIE => &mut self.zombie,
            PARKED => &mut self.idle,
            _ => &mut self.running,
        };
        *place += 1;
    }
}

/// Adds up what the program wrote.
fn add_up(written: &[u8]) -> HashMap<CgroupId, TaskStates> {
    let mut states: HashMap<CgroupId, TaskStates> = HashMap::new();
    for seen in written.chunks(SEEN_STATE_BYTES).filter_map(SeenState::from_bytes) {
        states.entry(CgroupId(seen.cgroup_id)).or_default().count(&seen);
    }
    states
}

impl Probes {
    /// What every task does now, by cgroup; `buffer` is scratch space.
    pub fn look_at_tasks(&mut self, buffer: &mut Vec<u8>) -> Result<HashMap<CgroupId, TaskStates>, String> {
        let Some(Program::Iter(program)) = self.ebpf.program_mut(CENSUS) else {
            return Err("not in the eBPF object".to_owned());
        };
        let link = program.attach().and_then(|link| program.take_link(link));
        let link = link.map_err(|error| crate::error::chain(&error))?;
        let mut file = link.into_file().map_err(|error| crate::error::chain(&error))?;
        buffer.clear();
        file.read_to_end(buffer).map_err(|error| format!("read the task iterator: {error}"))?;
        Ok(add_up(buffer))
    }

    /// Which of the things that a tick asks of the kernel it does: run a program, look at tasks, read a table. With too few
    /// rights these are fewer.
    pub fn answers(&mut self) -> [bool; 3] {
        let tasks = self.look_at_tasks(&mut Vec::new()).is_ok();
        [self.reader.can_flush(), tasks, self.reader.can_read_tables()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(state: u32, exit_state: u32) -> TaskStates {
        let mut states = TaskStates::default();
        states.count(&SeenState { cgroup_id: 1, state, exit_state });
        states
    }

    #[test]
    fn states_are_those_that_proc_shows() {
        let none = TaskStates::default();
        for (state, exit_state, expected) in [
            (0, 0, TaskStates { running: 1, ..none }),
            (1, 0, TaskStates { sleeping: 1, ..none }),
            (2, 0, TaskStates { disk_sleep: 1, ..none }),
            // Killable, and freezable.
            (0x102, 0, TaskStates { disk_sleep: 1, ..none }),
            (0x2001, 0, TaskStates { sleeping: 1, ..none }),
            (0x104, 0, TaskStates { stopped: 1, ..none }),
            (0x8, 0, TaskStates { stopped: 1, ..none }),
            (0x402, 0, TaskStates { idle: 1, ..none }),
            (0x40, 0, TaskStates { idle: 1, ..none }),
            (0x1000, 0, TaskStates { disk_sleep: 1, ..none }),
            (0x8000, 0, TaskStates { frozen: 1, ..none }),
            (0x80, 0x20, TaskStates { zombie: 1, ..none }),
            (0x80, 0x10, TaskStates { zombie: 1, ..none }),
            // On its way out, but not there yet; about to be woken; new.
            (0, 0x20, TaskStates { zombie: 1, ..none }),
            (0x200, 0, TaskStates { running: 1, ..none }),
            (0x800, 0, TaskStates { running: 1, ..none }),
            (2, IN_IOWAIT, TaskStates { disk_sleep: 1, io_wait: 1, ..none }),
        ] {
            assert_eq!(counted(state, exit_state), expected, "{state:#x} {exit_state:#x}");
        }
    }

    #[test]
    fn tasks_are_added_up_by_cgroup() {
        let task = |id: u64, state: u32| [id.to_ne_bytes(), u64::from(state).to_ne_bytes()].concat();
        let written = [task(7, 0), task(9, 1), task(7, 1), task(7, 0)].concat();
        let states = add_up(&written);
        assert_eq!(states.len(), 2);
        assert_eq!(states[&CgroupId(7)], TaskStates { running: 2, sleeping: 1, ..TaskStates::default() });
        // What is cut short is no task.
        assert_eq!(add_up(&written[..15]), HashMap::new());
    }
}
