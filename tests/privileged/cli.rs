//! Arguments, signals, rights and the exit codes that come of them.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::{Command, Output, Stdio},
};

use integration_tests::{
    bpf,
    container::Container,
    env,
    monitor::{self, Monitor, command},
    wait,
};
use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

fn run(args: &[&str]) -> Output {
    command(args).output().expect("run monitor")
}

/// Panics unless it ended with one of the codes and one line that says each of the words.
fn assert_refused(output: &Output, codes: &[i32], words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().unwrap_or_else(|| panic!("{}: {said}", output.status));
    assert!(codes.contains(&code), "exit code {code}, not one of {codes:?}: {said}");
    assert_eq!(said.trim_end().lines().count(), 1, "not one line: {said}");
    for word in words {
        assert!(said.contains(word), "{said:?} does not say {word:?}");
    }
    assert!(output.stdout.is_empty(), "printed something all the same");
}

#[test]
fn an_interval_of_zero_is_bad_usage() {
    for command in ["stream", "snapshot"] {
        assert_refused(&run(&[command, "--interval", "0"]), &[2], &["interval"]);
    }
}

#[test]
fn an_unknown_container_is_named() {
    let output = run(&["stream", "--interval", "100ms", "--count", "1", "--container", "no-such-container"]);
    assert_refused(&output, &[1, 2], &["no-such-container"]);
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let path = "/nonexistent/monitor.json";
    assert_refused(&run(&["snapshot", "--interval", "100ms", "--output", path]), &[1], &[path]);
    assert_refused(&run(&["stream", "--interval", "100ms", "--count", "1", "--output", path]), &[1], &[path]);
}

#[test]
fn a_count_of_windows_is_written() {
    let output = run(&["stream", "--format", "ndjson", "--interval", "100ms", "--count", "3"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text.lines().count(), 3);
    assert!(text.ends_with('\n'));
}

#[test]
fn a_snapshot_is_one_object_over_the_interval() {
    let folder = tempfile::tempdir().expect("make a folder");
    let path = folder.path().join("snapshot.json");
    let output = run(&["snapshot", "--interval", "300ms", "--output", path.to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let snapshot: Value = serde_json::from_slice(&fs::read(&path).expect("the file")).expect("JSON");
    let window_ns = snapshot["window_ns"].as_u64().expect("a window");
    assert!((300_000_000..3_000_000_000).contains(&window_ns), "{window_ns}");
}

#[test]
fn one_container_can_be_asked_for() {
    let shown = Container::start(&["hog"]);
    let hidden = Container::start(&["hog"]);
    for by in [shown.name(), shown.id(), &shown.id()[..12]] {
        let mut monitor = Monitor::start_with(&["--container", by]);
        let snapshot = monitor.next_snapshot();
        assert!(snapshot.find(shown.id()).is_some(), "{by} is not shown");
        assert!(snapshot.find(hidden.id()).is_none(), "{} is shown too", hidden.name());
    }
}

#[test]
fn a_signal_ends_it_with_the_last_window_and_no_program_left() {
    for signal in [Signal::INT, Signal::TERM] {
        let before = bpf::program_ids();
        let mut monitor = Monitor::start_with(&["--interval", "2s"]);
        let attached: Vec<u32> = bpf::program_ids().difference(&before).copied().collect();
        assert!(!attached.is_empty(), "no program was loaded");
        let last = monitor.any_snapshot();
        let sent_at = Timestamp::now();
        let ended = monitor.end(signal);
        assert!(ended.status.success(), "{}", ended.status);
        let window = ended.rest.last().expect("a last window");
        assert!(
            window.taken_at >= sent_at
                && window.begun_at() >= last.taken_at - jiff::SignedDuration::from_millis(1)
        );
        assert!(window.window_ns < 2_000_000_000, "it waited for the tick: {} ns", window.window_ns);
        // The kernel frees a program some time after its last user is gone.
        wait::until("the programs to be gone", || {
            let left = bpf::program_ids();
            attached.iter().all(|id| !left.contains(id)).then_some(())
        });
    }
}

#[test]
fn a_closed_pipe_is_a_quiet_end() {
    let mut child = command(&["stream", "--format", "ndjson", "--interval", monitor::INTERVAL])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start monitor");
    let mut stdout = BufReader::new(child.stdout.take().expect("its standard output"));
    stdout.read_line(&mut String::new()).expect("a line");
    drop(stdout);
    let status = wait::until("the end of monitor", || child.try_wait().expect("wait for monitor"));
    let mut said = String::new();
    child.stderr.take().expect("its standard error").read_to_string(&mut said).expect("UTF-8");
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(said, "");
}

#[test]
fn anyone_but_root_is_told_what_is_missing() {
    const NOBODY: u32 = 65534;
    // Where nobody can reach it.
    let folder = tempfile::tempdir().expect("make a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("open the folder");
    let program = folder.path().join("monitor");
    fs::copy(env::monitor_bin(), &program).expect("copy monitor");
    let output = Command::new(&program)
        .args(["stream", "--count", "1"])
        .stdin(Stdio::null())
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .expect("run monitor");
    assert_refused(&output, &[77], &["root"]);
}

#[test]
fn a_missing_capability_is_named() {
    // util-linux: every Debian has it.
    let output = Command::new("setpriv")
        .args(["--inh-caps=-all", "--bounding-set=-bpf,-sys_admin"])
        .arg(env::monitor_bin())
        .args(["stream", "--count", "1"])
        .stdin(Stdio::null())
        .output()
        .expect("run setpriv");
    assert_refused(&output, &[77], &["CAP_BPF"]);
}

#[test]
fn doctor_says_what_this_host_allows() {
    let text = run(&["doctor"]);
    assert!(text.status.success(), "{}", String::from_utf8_lossy(&text.stderr));
    assert!(String::from_utf8(text.stdout).expect("UTF-8").lines().count() > 5);
    let json = run(&["doctor", "--format", "json"]);
    assert!(json.status.success(), "{}", String::from_utf8_lossy(&json.stderr));
    let report: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert!(report.is_object() || report.is_array(), "{report}");
}
