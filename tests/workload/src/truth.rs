//! What the kernel says about this process and those that it had, as the JSON that the test reads.

use std::{error::Error, fmt, fs, io, iter::Sum};

use crate::sys::{self, Usage};

/// Our own figures at a barrier.
pub(crate) struct Truth {
    /// `RUSAGE_SELF`.
    own: Usage,
    /// `RUSAGE_CHILDREN`: of those that were reaped, and of what they had reaped.
    children: Usage,
    dead: DeadTasks,
}

/// What tasks did that are gone by the time of the barrier.
#[derive(Default)]
pub(crate) struct DeadTasks(pub(crate) TaskCounters);

/// A task's counters, from `/proc/PID/status`, `schedstat` and `stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskCounters {
    voluntary: u64,
    involuntary: u64,
    on_cpu_ns: u64,
    runq_wait_ns: u64,
    minor: u64,
    major: u64,
}

/// A process of one task, and where it stands.
pub(crate) struct Task {
    pub(crate) parent: i32,
    pub(crate) is_zombie: bool,
    pub(crate) counters: TaskCounters,
}

impl Truth {
    pub(crate) fn read(dead: DeadTasks) -> io::Result<Self> {
        Ok(Self { own: sys::usage_of_self()?, children: sys::usage_of_children()?, dead })
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { own, children, dead: DeadTasks(dead) } = self;
        let TaskCounters { voluntary, involuntary, on_cpu_ns, runq_wait_ns, minor, major } = dead;
        write!(
            f,
            "{{\"minor_faults\":{},\"major_faults\":{},\"dead\":{{\"voluntary\":{voluntary},\
             \"involuntary\":{involuntary},\"on_cpu_ns\":{on_cpu_ns},\"runq_wait_ns\":{runq_wait_ns},\
             \"minor\":{minor},\"major\":{major}}}}}",
            own.minor_faults + children.minor_faults,
            own.major_faults + children.major_faults,
        )
    }
}

impl TaskCounters {
    /// Of the process with this id and one task.
    pub(crate) fn read(pid: i32) -> Result<Task, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let schedstat = fs::read_to_string(format!("/proc/{pid}/schedstat"))?;
        // The name, the second field, may hold anything, parentheses and spaces included: fields 3 and on follow it.
        let (_, after_name) = stat.rsplit_once(") ").ok_or("stat without a name")?;
        let stat: Vec<&str> = after_name.split_ascii_whitespace().collect();
        let field = |number: usize| stat.get(number - 3).copied().ok_or("stat is too short");
        let switches = |name| -> Result<u64, Box<dyn Error>> {
            let value =
                status.lines().find_map(|line| line.strip_prefix(name)).ok_or("status lacks switches")?;
            Ok(value.trim().parse()?)
        };
        let mut schedstat = schedstat.split_ascii_whitespace().map(str::parse);
        let mut time = || schedstat.next().ok_or("schedstat is too short");
        Ok(Task {
            parent: field(4)?.parse()?,
            is_zombie: field(3)? == "Z",
            counters: Self {
                voluntary: switches("voluntary_ctxt_switches:")?,
                involuntary: switches("nonvoluntary_ctxt_switches:")?,
                on_cpu_ns: time()??,
                runq_wait_ns: time()??,
                minor: field(10)?.parse()?,
                major: field(12)?.parse()?,
            },
        })
    }
}

impl Sum for TaskCounters {
    fn sum<I: Iterator<Item = Self>>(tasks: I) -> Self {
        tasks.fold(Self::default(), |sum, task| Self {
            voluntary: sum.voluntary + task.voluntary,
            involuntary: sum.involuntary + task.involuntary,
            on_cpu_ns: sum.on_cpu_ns + task.on_cpu_ns,
            runq_wait_ns: sum.runq_wait_ns + task.runq_wait_ns,
            minor: sum.minor + task.minor,
            major: sum.major + task.major,
        })
    }
}
