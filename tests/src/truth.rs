//! The kernel's own figures, from places that monitor's eBPF programs do not look at.

use std::{
    collections::BTreeMap,
    fs, io,
    ops::{Add, Sub},
    path::Path,
};

use serde::Deserialize;

/// What tasks did: of one, or of some together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Tasks {
    /// `voluntary_ctxt_switches` of `/proc/PID/task/TID/status`.
    pub voluntary: u64,
    /// `nonvoluntary_ctxt_switches`.
    pub involuntary: u64,
    /// First field of `schedstat`.
    pub on_cpu_ns: u64,
    /// Its second field.
    pub runq_wait_ns: u64,
    /// Field 10 of `stat`, of the task alone.
    pub minor: u64,
    /// Field 12.
    pub major: u64,
}

/// A task as `/proc` shows it.
struct Task {
    state: String,
    counters: Tasks,
}

impl Tasks {
    /// Of all the tasks in a cgroup, without those that ended.
    #[must_use]
    pub fn of_cgroup(cgroup: &Path) -> Self {
        let tasks =
            cgroup_tasks(cgroup).unwrap_or_else(|error| panic!("tasks of {}: {error}", cgroup.display()));
        Self::sum_of(&tasks)
    }

    /// Once all tasks in a cgroup are blocked and their counters stand still.
    #[must_use]
    pub fn of_still_cgroup(cgroup: &Path) -> Self {
        Self::of_still(|| cgroup_tasks(cgroup))
    }

    /// Of all the tasks of a process, once they are blocked and their counters stand still.
    #[must_use]
    pub fn of_still_process(pid: u32) -> Self {
        Self::of_still(|| process_tasks(pid))
    }

    fn of_still(mut tasks: impl FnMut() -> io::Result<Vec<Task>>) -> Self {
        crate::wait::until_still("tasks to stand still", || {
            crate::wait::until("tasks to block", || {
                let tasks = tasks()
                    .inspect_err(|error| assert!(has_ended(error), "read the tasks of a process: {error}"))
                    .ok()?;
                tasks.iter().all(|task| task.state == "S").then(|| Self::sum_of(&tasks))
            })
        })
    }

    fn sum_of(tasks: &[Task]) -> Self {
        tasks.iter().fold(Self::default(), |sum, task| sum + task.counters)
    }
}

impl Add for Tasks {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            voluntary: self.voluntary + other.voluntary,
            involuntary: self.involuntary + other.involuntary,
            on_cpu_ns: self.on_cpu_ns + other.on_cpu_ns,
            runq_wait_ns: self.runq_wait_ns + other.runq_wait_ns,
            minor: self.minor + other.minor,
            major: self.major + other.major,
        }
    }
}

impl Sub for Tasks {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            voluntary: self.voluntary - other.voluntary,
            involuntary: self.involuntary - other.involuntary,
            on_cpu_ns: self.on_cpu_ns - other.on_cpu_ns,
            runq_wait_ns: self.runq_wait_ns - other.runq_wait_ns,
            minor: self.minor - other.minor,
            major: self.major - other.major,
        }
    }
}

/// The tasks in a cgroup by their state, as `/proc/PID/task/TID/stat` has it. `None` where one came or went meanwhile.
#[must_use]
pub fn states(cgroup: &Path) -> Option<BTreeMap<String, u64>> {
    let mut states = BTreeMap::new();
    for pid in processes(cgroup) {
        for entry in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
            let task = read_task(&entry.ok()?.path()).ok()?;
            *states.entry(task.state).or_default() += 1;
        }
    }
    Some(states)
}

/// Times that the tasks in a cgroup were given a CPU: the third field of each `schedstat`.
#[must_use]
pub fn timeslices(cgroup: &Path) -> u64 {
    let tasks = processes(cgroup).into_iter().map(|pid| format!("/proc/{pid}/task"));
    let tasks = tasks.flat_map(|folder| fs::read_dir(folder).expect("list tasks"));
    tasks
        .map(|task| {
            let schedstat = read(&task.expect("list tasks").path().join("schedstat")).expect("schedstat");
            numbers(&schedstat).nth(2).expect("a third field")
        })
        .sum()
}

fn cgroup_tasks(cgroup: &Path) -> io::Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for pid in processes(cgroup) {
        tasks.extend(process_tasks(pid)?);
    }
    assert!(!tasks.is_empty(), "no task in {}", cgroup.display());
    Ok(tasks)
}

fn process_tasks(pid: u32) -> io::Result<Vec<Task>> {
    fs::read_dir(format!("/proc/{pid}/task"))?.map(|entry| read_task(&entry?.path())).collect()
}

/// Whether a task ended between being listed and being read: before its file was opened, or after.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// The processes directly in a cgroup.
#[must_use]
pub fn processes(cgroup: &Path) -> Vec<u32> {
    numbers(&read(&cgroup.join("cgroup.procs")).expect("read the processes of a cgroup"))
        .map(|pid| pid.try_into().expect("a process id"))
        .collect()
}

fn read_task(folder: &Path) -> io::Result<Task> {
    let stat = fs::read_to_string(folder.join("stat"))?;
    let status = fs::read_to_string(folder.join("status"))?;
    let schedstat = fs::read_to_string(folder.join("schedstat"))?;
    // The name, the second field, may hold anything: fields 3 and on follow its last parenthesis.
    let (_, after_name) = stat.rsplit_once(") ").expect("a name in stat");
    let stat: Vec<&str> = after_name.split_ascii_whitespace().collect();
    let times: Vec<u64> = numbers(&schedstat).collect();
    Ok(Task {
        state: stat[0].to_owned(),
        counters: Tasks {
            voluntary: field(&status, "voluntary_ctxt_switches:"),
            involuntary: field(&status, "nonvoluntary_ctxt_switches:"),
            on_cpu_ns: times[0],
            runq_wait_ns: times[1],
            minor: stat[10 - 3].parse().expect("a count"),
            major: stat[12 - 3].parse().expect("a count"),
        },
    })
}

/// The number after a name at the beginning of a line.
#[must_use]
pub fn field(text: &str, name: &str) -> u64 {
    try_field(text, name).unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// The number after a name at the beginning of a line, if there is such a line.
#[must_use]
pub fn try_field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        rest.starts_with(char::is_whitespace).then_some(rest)
    })?;
    Some(value.trim().parse().expect("a number"))
}

/// A whole file, or `None` where there is no such file.
#[must_use]
pub fn read(path: &Path) -> Option<String> {
    match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("read {}: {error}", path.display()),
    }
}

/// A file that is one number; `None` where there is no such file.
#[must_use]
pub fn read_number(path: &Path) -> Option<u64> {
    Some(read(path)?.trim().parse().expect("a number"))
}

fn numbers(text: &str) -> impl Iterator<Item = u64> {
    text.split_ascii_whitespace().map(|word| word.parse().expect("a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_task_is_read() {
        let read = || read_task(Path::new("/proc/thread-self")).expect("our own");
        assert_eq!(read().state, "R");
        // The scheduler books a running task's time at its ticks, and a new thread may not have met one.
        while read().counters.on_cpu_ns == 0 {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_field_is_a_whole_word_at_the_beginning_of_a_line() {
        assert_eq!(field("total_rss 7\nrss 5\nrss_huge 6\n", "rss"), 5);
        assert_eq!(try_field("total_rss 7\n", "rss"), None);
    }
}
