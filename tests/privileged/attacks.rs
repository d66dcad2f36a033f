//! Containers, processes and runtimes that mean harm: what they choose is shown, and does nothing. SECURITY.md lists the cases
//! by the names of these tests.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    cgroup::{Cgroup, Places},
    container::{Container, Image, docker},
    monitor::command,
    server::Server,
    wait,
};
use rustix::process::Signal;
use serde_json::Value;

/// Clears a screen, sets a title, turns text around, ends a line: what a terminal, a form and a reader could fall for. Short
/// enough for what the kernel keeps of a program's name.
const NAME: &str = "e\u{1b}[2J\n\u{9b}\",<b>";
/// As much of it as the kernel takes for a cgroup: no end of a line.
const CGROUP: &str = "e\u{1b}[2J\u{9b}\",<b>";
/// The same, and the forms that are written to.
const TEXT: &str = "e\u{1b}]0;owned\u{7}\r\n\u{9b}2J\u{202e}\",{}=1 2 \\ <script>alert(1)</script> | 'x' #";

/// A container with all of this: its labels, its arguments, a program's name, a cgroup below its own.
struct Hostile {
    container: Container,
    _program: Running,
    _cgroup: Cgroup,
}

/// Killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Hostile {
    fn start() -> Self {
        let image = Image::import_of(&["workload", NAME], &[]);
        let label = format!("evil{NAME}={TEXT}");
        let container = Container::start_with(&image, &["--label", &label, "--label", "tier=evil"], &["hog"]);
        let program = docker(&["exec", "--interactive", container.id(), &format!("/{NAME}"), "hog"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("run docker");
        let cgroup = Cgroup::make(container.places(), CGROUP);
        Self { container, _program: Running(program), _cgroup: cgroup }
    }
}

/// The control characters of a text but for the end of a line; those above U+007F are two bytes.
fn controls(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_control() && *c != '\n').collect()
}

fn run(args: &[&str]) -> String {
    let output = command(args).output().expect("run monitor");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    shown(args, &output)
}

/// What it printed, which must be nothing that a terminal obeys.
fn shown(what: &[&str], output: &Output) -> String {
    for printed in [&output.stdout, &output.stderr] {
        // Lines of CSV end so.
        let text = String::from_utf8(printed.clone()).expect("UTF-8").replace("\r\n", "\n");
        assert_eq!(controls(&text), [], "{what:?}: {text:?}");
        assert!(
            !text.contains('\u{202e}') || what.iter().any(|word| word.contains("json")),
            "{what:?}: {text:?}"
        );
    }
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[test]
fn text_for_people_cannot_drive_their_terminal() {
    let hostile = Hostile::start();
    let name = hostile.container.name();
    wait::until("the program to be shown", || run(&["inspect", name]).contains("<b>").then_some(()));
    // A cgroup's name has one line all the same.
    for args in [
        &["stream", "--format", "table", "--count", "2", "--interval", "200ms"][..],
        &["blame", "--interval", "500ms"],
        &["blame", name, "--interval", "500ms"],
        &["doctor"],
    ] {
        let text = run(args);
        assert!(!text.is_empty(), "{args:?}");
    }
    let table = run(&["stream", "--format", "table", "--count", "1", "--container", name]);
    assert_eq!(table.lines().filter(|line| line.contains(&name[..12])).count(), 1, "{table}");
}

#[test]
fn events_are_a_line_each_whatever_programs_are_called() {
    let hostile = Hostile::start();
    for format in ["text", "ndjson"] {
        let mut events =
            command(&["events", "--format", format, "--kind", "exec,cgroup_made", "--count", "2"])
                .args([hostile.container.name()])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("start monitor");
        let mut number = 0;
        let status = wait::until("two events", || {
            number += 1;
            let _gone =
                docker(&["exec", hostile.container.id(), &format!("/{NAME}"), "hog", "--unattended", "0"])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
            let _cgroup = Cgroup::make(hostile.container.places(), &format!("{CGROUP}{number}"));
            events.try_wait().expect("wait for monitor")
        });
        assert!(status.success());
        let output = events.wait_with_output().expect("read what it printed");
        let text = shown(&["events", format], &output);
        assert_eq!(text.lines().count(), 2, "{text}");
        if format == "ndjson" {
            for line in text.lines() {
                let event: Value = serde_json::from_str(line).expect("JSON");
                let path =
                    event["path"].as_str().or_else(|| event["cgroup"]["path"].as_str()).unwrap_or_default();
                assert!(
                    path.contains('\u{1b}') || event["kind"] == "exec",
                    "what was chosen is kept: {event}"
                );
            }
        }
    }
}

#[test]
fn forms_for_programs_keep_every_character_and_break_at_none() {
    let hostile = Hostile::start();
    let id = hostile.container.id();
    let ndjson = run(&["stream", "--format", "ndjson", "--count", "1", "--interval", "500ms"]);
    let snapshot: Value = serde_json::from_str(ndjson.lines().next().expect("a line")).expect("JSON");
    let containers = snapshot["containers"].as_array().expect("containers");
    let ours = containers.iter().find(|one| one["id"] == id).expect("the container");
    assert_eq!(ours["labels"][format!("evil{NAME}")], TEXT, "{}", ours["labels"]);

    let csv = run(&["stream", "--format", "csv", "--count", "1", "--interval", "500ms"]);
    let columns = csv.lines().next().expect("a heading").split(',').count();
    let row = csv.lines().find(|line| line.contains(id)).expect("its row");
    assert!(row.split(',').count() >= columns, "{row}");
}

#[test]
fn what_is_served_has_no_character_that_a_terminal_or_a_page_obeys() {
    let hostile = Hostile::start();
    let key = format!("evil{NAME}");
    let server =
        Server::start(&["--metrics", "all,cgroups", "--metrics-label", "tier", "--interval", "200ms"]);
    let id = hostile.container.id();
    wait::until("the container's labels", || {
        let container = server.json(&format!("/api/v1/containers/{id}"))["container"].clone();
        (container["labels"][&key] == TEXT).then_some(())
    });
    for path in ["/metrics", "/metrics/monitor", "/metrics/cadvisor"] {
        let text = server.get(path).text();
        assert_eq!(controls(&text), [], "{path}");
        assert!(text.contains(&id[..12]), "{path} has not the container");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.contains(' ') && line.as_bytes()[0].is_ascii_alphabetic(), "{path}: {line:?}");
        }
    }
    promtool_takes(&server.get("/metrics").text());
    for path in [
        "/api/v1/snapshot",
        "/api/v1/containers",
        "/api/v1/cgroups",
        "/api/v1.3/docker/",
        "/api/v2.1/spec/?recursive=true&type=docker",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.head.to_ascii_lowercase().contains("x-content-type-options: nosniff"), "{path}");
        let _value: Value = answer.json();
        assert!(!answer.text().contains('\u{1b}'), "{path}");
    }
    // What a page that does not exist says back.
    let echoed = server.get("/%1b%5b2J%3Cscript%3Ealert(1)%3C/script%3E");
    assert_eq!((echoed.status, echoed.problem().as_str()), (404, "no-such-path"));
    assert_eq!(controls(&echoed.text()), []);
    let page = server.get("/");
    assert!(
        page.head.to_ascii_lowercase().contains("content-security-policy: default-src 'none'"),
        "{}",
        page.head
    );

    let check = command(&["check", "pids.current", "--label", &key, "-c", "0:100000", "--url"])
        .arg(format!("http://{}", server.address()))
        .output()
        .expect("run monitor");
    assert_eq!(shown(&["check"], &check).lines().count(), 1);
    let said = server.said();
    assert!(said.iter().all(|line| controls(line).is_empty()), "{said:?}");
}

fn promtool_takes(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run promtool");
    promtool.stdin.take().expect("its standard input").write_all(text.as_bytes()).expect("pass metrics on");
    let output = promtool.wait_with_output().expect("wait for promtool");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("error while linting"), "{said}");
}

#[test]
fn reports_of_what_was_recorded_run_nothing() {
    let hostile = Hostile::start();
    let folder = tempfile::tempdir().expect("make a folder");
    for ending in ["parquet", "ndjson.zst"] {
        let file = folder.path().join(format!("recording.{ending}"));
        let file = file.to_str().expect("UTF-8");
        let _said = run(&["record", file, "--duration", "2s", "--interval", "200ms"]);
        for format in ["text", "markdown", "json", "html"] {
            let text = run(&["report", file, "--format", format]);
            assert!(text.contains(&hostile.container.name()[..12]), "{format}: {text}");
            assert!(!text.contains("<script>alert"), "{format}");
        }
        let replayed = run(&["replay", file, "--format", "table"]);
        assert!(replayed.contains(&hostile.container.name()[..12]));
    }
}

#[test]
fn a_cgroup_s_name_is_shown_and_does_nothing() {
    let name = format!("{CGROUP}-{}", std::process::id());
    let cgroup = Cgroup::make(&Places::roots(), &name);
    let mut sleeper = Command::new("sleep").arg("1000").spawn().expect("run sleep");
    cgroup.take(sleeper.id());
    let sleeper_guard = scopeguard(&mut sleeper);
    let server = Server::start(&["--metrics", "cgroups", "--interval", "200ms"]);
    let path = format!("/{name}");
    let found = wait::until("the cgroup", || {
        let listed = server.json("/api/v1/cgroups?limit=10000");
        let found =
            listed["cgroups"].as_array()?.iter().find(|one| one["cgroup"]["path"] == path.as_str())?.clone();
        Some(found)
    });
    assert_eq!(found["cgroup"]["path"], path.as_str());
    let text = server.get("/metrics").text();
    assert_eq!(controls(&text), []);
    drop(sleeper_guard);
}

/// Ends a child with this.
fn scopeguard(child: &mut Child) -> impl Drop + '_ {
    struct Guard<'c>(&'c mut Child);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            let _ = self.0.kill().and_then(|()| self.0.wait());
        }
    }
    Guard(child)
}

/// A runtime's socket that does this with each who connects.
fn runtime(folder: &Path, act: impl Fn(std::os::unix::net::UnixStream) + Send + Sync + 'static) -> String {
    let path = folder.join("docker.sock");
    let listener = UnixListener::bind(&path).expect("listen");
    let act = std::sync::Arc::new(act);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let act = std::sync::Arc::clone(&act);
            thread::spawn(move || act(stream));
        }
    });
    format!("unix://{}", path.display())
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("read its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// It measures on time, says what is wrong with the runtime, and takes no more memory than this, in KiB.
fn assert_goes_on_beside(host: &str, most_kib: u64) {
    let server = Server::start(&["--docker-host", host, "--interval", "200ms"]);
    let before = server.json("/api/v1/snapshot")["taken_at"].clone();
    thread::sleep(Duration::from_secs(6));
    let snapshot = server.json("/api/v1/snapshot");
    assert_ne!(snapshot["taken_at"], before, "it does not measure any more");
    let docker = &snapshot["coverage"]["sources"]["docker"];
    assert_ne!(docker["state"], "ok", "{docker}");
    let taken = resident_kib(server.child().id());
    assert!(taken < most_kib, "{taken} KiB resident");
    let said = server.said();
    assert!(said.len() < 60, "it says it again and again: {said:?}");
    assert!(said.iter().all(|line| controls(line).is_empty() && line.len() < 2000), "{said:?}");
    let began = Instant::now();
    assert!(server.end(Signal::TERM).success());
    assert!(began.elapsed() < Duration::from_secs(10), "it does not end");
}

#[test]
fn a_runtime_that_never_answers_costs_names_only() {
    let folder = tempfile::tempdir().expect("make a folder");
    let host = runtime(folder.path(), |mut stream| {
        let mut bytes = [0; 4096];
        while matches!(stream.read(&mut bytes), Ok(read) if read > 0) {}
    });
    assert_goes_on_beside(&host, 200 << 10);
}

#[test]
fn a_runtime_that_answers_garbage_costs_names_only() {
    let folder = tempfile::tempdir().expect("make a folder");
    let host = runtime(folder.path(), |mut stream| {
        let garbage: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        let _ = stream.write_all(&garbage);
    });
    assert_goes_on_beside(&host, 200 << 10);
}

#[test]
fn a_runtime_that_answers_without_end_costs_names_only() {
    let folder = tempfile::tempdir().expect("make a folder");
    let host = runtime(folder.path(), |mut stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        let chunk = format!("10000\r\n{}\r\n", "[".repeat(1 << 16));
        while stream.write_all(chunk.as_bytes()).is_ok() {}
    });
    assert_goes_on_beside(&host, 300 << 10);
}
