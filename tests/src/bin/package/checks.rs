//! What a package has to do. Each check panics where it fails, and says what it found.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use integration_tests::{http, snapshot::Snapshot, wait};

const PACKAGE: &str = "monitor";
const UNIT: &str = "monitor.service";
/// Where xtask has put it.
const FILE: &str = "/root/monitor.deb";
const SETTINGS: &str = "/etc/monitor/config.toml";
const STATE: &str = "/var/lib/monitor";
const PROGRAM: &str = "/usr/bin/monitor";
const MANUAL: &str = "/usr/share/man/man1";
/// Where it listens unless it is told otherwise, and where the test tells it to.
const USUAL: SocketAddr = local(8080);
const OTHER: SocketAddr = local(9090);
/// Longer than the unit's `WatchdogSec`.
const PATIENCE: Duration = Duration::from_secs(35);

/// What is not on the disk, and where others write when they like to: logs, caches, the package database's copies and lists,
/// the moments at which timers ran.
const NOT_LOOKED_AT: [&str; 10] = [
    "/dev",
    "/proc",
    "/run",
    "/sys",
    "/tmp",
    "/var/cache",
    "/var/lib/dpkg",
    "/var/lib/systemd/timers",
    "/var/log",
    "/var/tmp",
];

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

/// systemd has come up.
pub(crate) fn boot() -> String {
    let output = Command::new("systemctl").args(["is-system-running", "--wait"]).output().expect("systemctl");
    format!("the system is {}", String::from_utf8_lossy(&output.stdout).trim())
}

/// Every file of the system, but for those that come and go by themselves.
pub(crate) fn files() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![PathBuf::from("/")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if NOT_LOOKED_AT.iter().any(|place| path == Path::new(place)) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else {
                found.insert(path);
            }
        }
    }
    found
}

/// dpkg takes it.
pub(crate) fn install() -> String {
    run("dpkg", &["--install", FILE]);
    run("dpkg-query", &["--show", "--showformat=${Package} ${Version}, ${Installed-Size} KiB", PACKAGE])
}

/// The service has begun by itself, has said that it is ready, and will begin with the machine.
pub(crate) fn service() -> String {
    for (property, expected) in [
        ("Type", "notify"),
        ("ActiveState", "active"),
        ("SubState", "running"),
        ("UnitFileState", "enabled"),
        ("NRestarts", "0"),
    ] {
        assert_eq!(shown(property), expected, "{property}: {}", said());
    }
    run("systemctl", &["status", "--no-pager", UNIT]).lines().nth(2).unwrap_or_default().trim().to_owned()
}

/// It is asked over HTTP, and counts itself among others.
pub(crate) fn answers() -> String {
    assert_eq!(http::get(USUAL, "/healthz").expect("an answer").status, 200);
    let metrics = http::get(USUAL, "/metrics").expect("an answer").text();
    let families = metrics.lines().filter(|line| line.starts_with("# TYPE monitor_")).count();
    assert!(families > 20, "{families} families");
    let snapshot = Snapshot::parse(&http::get(USUAL, "/api/v1/snapshot").expect("an answer").text());
    let place = format!("/system.slice/{UNIT}");
    let own = snapshot.cgroups.iter().find(|entry| entry.cgroup.path.as_deref() == Some(&place));
    let own = own.unwrap_or_else(|| panic!("no {place} among {} cgroups", snapshot.cgroups.len()));
    let switches = own.measured.scheduler.voluntary_switches_total;
    assert!(switches > Some(0), "{place} switched {switches:?} times");
    let dashboard = http::get(USUAL, "/").expect("an answer").text();
    assert!(dashboard.contains("<html"), "{dashboard}");
    format!("{families} families of metrics, {} cgroups, the dashboard", snapshot.cgroups.len())
}

/// As the unit confines it, nothing is out of its reach: every program is attached, and every source answers that is there.
pub(crate) fn coverage() -> String {
    let snapshot = Snapshot::parse(&http::get(USUAL, "/api/v1/snapshot").expect("an answer").text());
    let probes = &snapshot.coverage.probes;
    for probe in probes {
        assert_ne!(probe.state, "refused", "{probe:?}");
    }
    for (name, source) in &snapshot.coverage.sources {
        assert!(matches!(source.state.as_str(), "ok" | "absent"), "{name}: {source:?}");
    }
    let attached = probes.iter().filter(|probe| probe.state == "attached").count();
    format!("{attached} of {} programs, {} sources", probes.len(), snapshot.coverage.sources.len())
}

/// man finds the page of each command.
pub(crate) fn manual() -> String {
    let entries = fs::read_dir(MANUAL).expect("pages").flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let pages: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".1.gz").map(str::to_owned))
        .filter(|name| name.starts_with(PACKAGE))
        .collect();
    for needed in ["monitor", "monitor-serve"] {
        assert!(pages.iter().any(|page| page == needed), "no {needed} among {pages:?}");
    }
    for page in &pages {
        assert_eq!(run("man", &["--where", page]), format!("{MANUAL}/{page}.1.gz"));
    }
    format!("{} pages", pages.len())
}

/// bash takes its completions; zsh and fish are not there, so theirs are looked at.
pub(crate) fn completions() -> String {
    let script = "set -u; . /usr/share/bash-completion/completions/monitor; complete -p monitor";
    let spec = run("bash", &["--norc", "-c", script]);
    for file in
        ["/usr/share/zsh/vendor-completions/_monitor", "/usr/share/fish/vendor_completions.d/monitor.fish"]
    {
        assert!(fs::read_to_string(file).expect(file).contains("snapshot"), "{file}");
    }
    spec
}

/// Another process does the same, and finds what the one before has kept.
pub(crate) fn restart() -> String {
    let before = shown("MainPID");
    run("systemctl", &["restart", UNIT]);
    let after = shown("MainPID");
    assert_ne!(before, after);
    assert_eq!(http::get(USUAL, "/healthz").expect("an answer").status, 200);
    let kept = fs::read_dir(STATE).expect(STATE).count();
    assert!(kept > 0, "nothing in {STATE}");
    format!("process {before}, then {after}; {kept} entries in {STATE}")
}

/// systemd hears of it often enough.
pub(crate) fn watchdog() -> String {
    thread::sleep(PATIENCE);
    assert_eq!((shown("ActiveState").as_str(), shown("NRestarts").as_str()), ("active", "0"), "{}", said());
    format!("no restart in {} s", PATIENCE.as_secs())
}

/// Neither it nor systemd has complained.
pub(crate) fn journal() -> String {
    let graver = ["--quiet", "--no-pager", "--output", "cat", "--priority", "warning", "--unit", UNIT];
    assert_eq!(run("journalctl", &graver), "");
    let lines = said();
    let complaints: Vec<&str> = lines.lines().filter(|line| line.starts_with("monitor: ")).collect();
    assert_eq!(complaints, [""; 0]);
    format!("{} lines", lines.lines().count())
}

/// What is written in its file counts.
pub(crate) fn settings() -> String {
    let before = fs::read_to_string(SETTINGS).expect(SETTINGS);
    fs::write(SETTINGS, format!("{before}listen = \"{OTHER}\"\n")).expect(SETTINGS);
    run("systemctl", &["restart", UNIT]);
    assert_eq!(http::get(OTHER, "/healthz").expect("an answer").status, 200);
    format!("it listens on {OTHER}")
}

/// By hand.
pub(crate) fn stop_and_start() -> String {
    run("systemctl", &["stop", UNIT]);
    assert_eq!(shown("ActiveState"), "inactive");
    assert!(http::get(OTHER, "/healthz").is_err(), "somebody answers");
    run("systemctl", &["start", UNIT]);
    assert_eq!(run("systemctl", &["is-active", UNIT]), "active");
    "inactive, then active".to_owned()
}

/// A service that was switched off stays so, and settings stay as they were, when the package is installed again.
pub(crate) fn owners_word() -> String {
    let settings = fs::read_to_string(SETTINGS).expect(SETTINGS);
    run("systemctl", &["disable", "--now", UNIT]);
    run("dpkg", &["--install", FILE]);
    assert_eq!(shown("UnitFileState"), "disabled");
    assert_eq!(shown("ActiveState"), "inactive");
    assert_eq!(fs::read_to_string(SETTINGS).expect(SETTINGS), settings);
    "it stays off".to_owned()
}

/// A service that runs is ended; settings and history stay.
pub(crate) fn remove() -> String {
    run("systemctl", &["enable", "--now", UNIT]);
    let process = PathBuf::from("/proc").join(shown("MainPID"));
    run("dpkg", &["--remove", PACKAGE]);
    assert!(!Path::new(PROGRAM).exists(), "{PROGRAM} is there");
    wait::until("the process to be gone", || (!process.exists()).then_some(()));
    for kept in [SETTINGS, STATE] {
        assert!(Path::new(kept).exists(), "{kept} is gone");
    }
    "settings and history are left".to_owned()
}

/// No file is there that was not there before.
pub(crate) fn purge(before: &BTreeSet<PathBuf>) -> String {
    run("dpkg", &["--purge", PACKAGE]);
    let after = files();
    let left: Vec<&PathBuf> = after.difference(before).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    let gone: Vec<&PathBuf> = before.difference(&after).collect();
    assert!(gone.is_empty(), "taken along: {gone:?}");
    for folder in ["/etc/monitor", STATE] {
        assert!(!Path::new(folder).exists(), "{folder} is there");
    }
    format!("{} files as before", after.len())
}

/// A property of the unit.
fn shown(property: &str) -> String {
    run("systemctl", &["show", "--value", "--property", property, UNIT])
}

/// What the unit's processes and systemd have said of it.
fn said() -> String {
    run("journalctl", &["--quiet", "--no-pager", "--output", "cat", "--unit", UNIT])
}

/// What a program prints, without the end of its last line; panics with what it complained of where it failed.
fn run(program: &str, args: &[&str]) -> String {
    let output =
        Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {}: {complaint}", args.join(" "), output.status);
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}
