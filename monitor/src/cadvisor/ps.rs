//! `ps`: the processes of a container, looked up when asked.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};
use serde::Serialize;

use super::frame::MACHINE;
use crate::{
    cgroup::{CgroupError, Hierarchy, list_processes, parse_memberships},
    host::{Process, parse_users, read_process},
};

/// A process as cAdvisor lists it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ProcessInfo {
    user: String,
    pid: i32,
    parent_pid: i32,
    /// As `ps` has it: the time of today, else the day, else the year.
    start_time: String,
    percent_cpu: f64,
    percent_mem: f64,
    rss: u64,
    virtual_size: u64,
    status: String,
    /// CPU time, as `ps` has it.
    running_time: String,
    /// Where all processes are asked for, which cgroup each is in.
    cgroup_path: String,
    /// The name, not the arguments.
    cmd: String,
    fd_count: Option<u64>,
    psr: Option<i32>,
}

/// What the figures of a process are relative to.
struct Reference {
    now: Zoned,
    booted_at: Timestamp,
    memory_bytes: Option<u64>,
}

/// The processes of a cgroup, those of nested ones included; of the machine all.
pub(super) fn list(
    path: &str,
    booted_at: Timestamp,
    memory_bytes: Option<u64>,
) -> Result<Vec<ProcessInfo>, CgroupError> {
    let proc = Path::new("/proc");
    let pids = if path == MACHINE { all_processes(proc) } else { cgroup_processes(proc, path)? };
    let users = parse_users(&fs::read_to_string("/etc/passwd").unwrap_or_default());
    let reference = Reference { now: Timestamp::now().to_zoned(TimeZone::system()), booted_at, memory_bytes };
    Ok(pids
        .into_iter()
        // One that has ended meanwhile is left out.
        .filter_map(|pid| read_process(proc, pid).ok())
        .map(|process| {
            let user = users.get(&process.user_id).cloned().unwrap_or_else(|| process.user_id.to_string());
            let cgroup = if path == MACHINE { cgroup_of(proc, process.pid) } else { String::new() };
            info(process, user, cgroup, &reference)
        })
        .collect())
}

fn cgroup_processes(proc: &Path, path: &str) -> Result<BTreeSet<i32>, CgroupError> {
    let hierarchy = Hierarchy::detect(proc)?;
    let v1 = hierarchy.v1_keys().map(|(_, v1)| &v1.mount);
    let mounts = hierarchy.unified_mount().into_iter().chain(v1);
    // On v1 a cgroup has the same path in each hierarchy that it is in.
    Ok(mounts.flat_map(|mount| list_processes(&mount.point.join(path.trim_start_matches('/')))).collect())
}

fn all_processes(proc: &Path) -> BTreeSet<i32> {
    let Ok(entries) = fs::read_dir(proc) else { return BTreeSet::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The longest of the paths in its hierarchies: in those that are not used it is the root.
fn cgroup_of(proc: &Path, pid: i32) -> String {
    let text = fs::read_to_string(proc.join(pid.to_string()).join("cgroup")).unwrap_or_default();
    parse_memberships(&text)
        .into_iter()
        .map(|membership| membership.path)
        .max_by_key(String::len)
        .unwrap_or_default()
}

fn info(process: Process, user: String, cgroup_path: String, reference: &Reference) -> ProcessInfo {
    let since_boot = SignedDuration::from_nanos(i64::try_from(process.started_ns).unwrap_or(i64::MAX));
    let started = reference.booted_at.checked_add(since_boot).unwrap_or(reference.booted_at);
    let lived = reference.now.timestamp().duration_since(started).as_secs_f64();
    let cpu = Duration::from_nanos(process.cpu_ns);
    ProcessInfo {
        user,
        pid: process.pid,
        parent_pid: process.parent_pid,
        start_time: start_time(&started.to_zoned(reference.now.time_zone().clone()), &reference.now),
        percent_cpu: if lived > 0.0 { tenths(cpu.as_secs_f64() / lived * 100.0) } else { 0.0 },
        percent_mem: reference
            .memory_bytes
            .map_or(0.0, |all| tenths(process.resident_bytes as f64 / all.max(1) as f64 * 100.0)),
        rss: process.resident_bytes,
        virtual_size: process.virtual_bytes,
        status: status(&process),
        running_time: running_time(cpu),
        cgroup_path,
        fd_count: process.open_files,
        psr: process.processor,
        cmd: process.name,
    }
}

fn tenths(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}

fn start_time(started: &Zoned, now: &Zoned) -> String {
    let form = if started.date() == now.date() {
        "%H:%M"
    } else if started.year() == now.year() {
        "%b%d"
    } else {
        "%Y"
    };
    started.strftime(form).to_string()
}

/// `[days-]hours:minutes:seconds`.
fn running_time(cpu: Duration) -> String {
    let seconds = cpu.as_secs();
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match seconds / 86_400 {
        0 => clock,
        days => format!("{days}-{clock}"),
    }
}

/// The state's letter and what `ps` adds to it.
fn status(process: &Process) -> String {
    let mut status = String::from(process.state);
    let more = [
        (process.nice < 0, '<'),
        (process.nice > 0, 'N'),
        (process.leads_session, 's'),
        (process.threads > 1, 'l'),
        (process.is_foreground, '+'),
    ];
    status.extend(more.into_iter().filter_map(|(is_so, letter)| is_so.then_some(letter)));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_shown_as_ps_shows_it() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let reference = Reference {
            now: at(1_000_000_000).to_zoned(TimeZone::UTC),
            booted_at: at(999_999_000),
            memory_bytes: Some(1000),
        };
        let process = Process {
            pid: 7,
            name: "web".to_owned(),
            state: 'S',
            threads: 2,
            leads_session: true,
            started_ns: 900_000_000_000,
            cpu_ns: 25_000_000_000,
            resident_bytes: 123,
            ..Process::default()
        };
        let shown = info(process, "root".to_owned(), String::new(), &reference);
        assert_eq!((shown.percent_cpu, shown.percent_mem), (25.0, 12.3));
        assert_eq!((shown.status.as_str(), shown.running_time.as_str()), ("Ssl", "00:00:25"));
        assert_eq!(shown.start_time, "01:45");
    }

    #[test]
    fn times_are_as_short_as_ps_has_them() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().to_zoned(TimeZone::UTC);
        let now = at("2026-05-05T12:00:00Z");
        assert_eq!(start_time(&at("2026-05-05T01:02:00Z"), &now), "01:02");
        assert_eq!(start_time(&at("2026-05-04T01:02:00Z"), &now), "May04");
        assert_eq!(start_time(&at("2025-05-05T01:02:00Z"), &now), "2025");
        assert_eq!(running_time(Duration::from_secs(90_061)), "1-01:01:01");
    }

    #[test]
    fn this_process_is_among_all() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let listed = list(MACHINE, Timestamp::UNIX_EPOCH, None).unwrap();
        assert!(listed.iter().any(|process| process.pid == pid && process.cgroup_path.starts_with('/')));
    }
}
