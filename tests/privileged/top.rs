//! `monitor top` on a real terminal, with real containers.

use std::{fs, path::Path};

use integration_tests::{container::Container, monitor::command, terminal::Terminal, wait};
use rustix::process::{Pid, Signal, kill_process};

/// The lines of the table, from the first container on.
fn rows(screen: &str) -> Vec<&str> {
    let lines = screen.lines().skip_while(|line| !line.starts_with("name"));
    // The last line of the screen has the keys.
    let mut rows: Vec<&str> = lines.skip(1).filter(|line| !line.is_empty()).collect();
    rows.pop();
    rows
}

/// Whether the first line is that of a container.
fn is_first(screen: &str, container: &Container) -> bool {
    rows(screen).first().is_some_and(|row| row.starts_with(container.name()))
}

fn has_row(screen: &str, container: &Container) -> bool {
    rows(screen).iter().any(|row| row.starts_with(container.name()))
}

/// Where a text stands on the screen.
fn place_of(screen: &str, text: &str) -> (usize, usize) {
    let (line, found) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).expect(text);
    let column = found.split(text).next().map_or(0, |before| before.chars().count());
    (column, line)
}

/// What the names of this test's containers begin with.
fn ours() -> String {
    format!("monitor-test-{}-", std::process::id())
}

/// One that works as much as it can, and one that does nothing.
fn busy_and_idle() -> (Container, Container) {
    let mut busy = Container::start(&["hog"]);
    busy.workload().go();
    (busy, Container::start(&["hog"]))
}

/// Shows them and no others that the machine may have, and waits for both.
fn start(terminal: &Terminal, args: &str, containers: [&Container; 2]) {
    terminal.run_monitor("", &format!("top {args} --filter name:{}", ours()));
    terminal.wait_for("the containers", |screen| containers.iter().all(|one| has_row(screen, one)));
}

#[test]
fn the_busiest_is_first_and_keys_filter_sort_and_quit() {
    let (busy, idle) = busy_and_idle();
    let terminal = Terminal::start(80, 24);
    start(&terminal, "", [&busy, &idle]);
    let screen = terminal.wait_for("the busiest first", |screen| is_first(screen, &busy));
    for text in ["monitor top", "CPU [", "memory [", "load", "switches/s", "▼cores", "? help"] {
        assert!(screen.contains(text), "{text} is not there:\n{screen}");
    }
    assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    terminal.type_text("r");
    terminal
        .wait_for("the busiest not first", |screen| !is_first(screen, &busy) && screen.contains("▲cores"));
    terminal.type_text(&format!("/ -name:{}", busy.name()));
    terminal.wait_for("the other alone", |screen| has_row(screen, &idle) && !has_row(screen, &busy));
    terminal.press("Enter");
    terminal.type_text("/");
    terminal.press("C-w");
    terminal.press("Enter");
    terminal.wait_for("both", |screen| has_row(screen, &idle) && has_row(screen, &busy));
    terminal.type_text("N");
    terminal.wait_for("the order of names", |screen| screen.contains("name▲"));
    terminal.type_text("?");
    terminal.wait_for("the keys", |screen| screen.contains("line up") && screen.contains("Ctrl-B"));
    terminal.press("Escape");
    terminal.wait_for("the table", |screen| has_row(screen, &busy));
    terminal.type_text("q");
    let screen = terminal.wait_for_end(0);
    assert!(!screen.contains("switches/s"), "the screen is as it was before:\n{screen}");
}

#[test]
fn more_room_shows_more_and_details_show_all() {
    let (busy, idle) = busy_and_idle();
    let terminal = Terminal::start(80, 24);
    start(&terminal, "", [&busy, &idle]);
    terminal.resize(200, 60);
    let screen = terminal.wait_for("every column", |screen| {
        ["image", "network/s", "disk/s", "throttled", "pressure", "CPU trend"]
            .iter()
            .all(|one| screen.contains(one))
    });
    assert!(has_row(&screen, &busy), "{screen}");
    terminal.wait_for("the busiest first", |screen| is_first(screen, &busy));
    terminal.press("Enter");
    let screen = terminal.wait_for("the distribution of waits", |screen| {
        screen.contains("run-queue wait") && screen.contains("last 5 minutes") && screen.contains(" waited ")
    });
    assert!(screen.contains(&format!("─ {} ─", busy.name())), "{screen}");
    assert!(has_row(&screen, &idle), "the table is above:\n{screen}");
    terminal.type_text("i");
    terminal.wait_for("who keeps whom from a CPU", |screen| screen.contains("who keeps whom from a CPU"));
    terminal.resize(40, 10);
    terminal.wait_for("a small screen", |screen| screen.lines().all(|line| line.chars().count() <= 40));
    terminal.resize(80, 24);
    terminal.press("Escape");
    terminal.press("Escape");
    terminal.wait_for("the table", |screen| has_row(screen, &busy));
    terminal.press("C-c");
    terminal.wait_for_end(0);
}

#[test]
fn the_mouse_sorts_marks_and_opens() {
    let (busy, idle) = busy_and_idle();
    let terminal = Terminal::start(120, 40);
    start(&terminal, "", [&busy, &idle]);
    let screen = terminal.wait_for("the busiest first", |screen| is_first(screen, &busy));
    let (column, line) = place_of(&screen, "minor");
    terminal.click(column, line);
    let screen = terminal.wait_for("the order of faults", |screen| screen.contains("▼minor"));
    let (column, line) = place_of(&screen, "name    ");
    terminal.click(column, line);
    let screen = terminal.wait_for("the order of names", |screen| screen.contains("name▲"));
    let (column, line) = place_of(&screen, idle.name());
    terminal.click(column + 2, line);
    terminal.click(column + 2, line);
    terminal.wait_for("its details", |screen| screen.contains(&format!("─ {} ─", idle.name())));
    terminal.type_text("q");
    terminal.wait_for_end(0);
}

#[test]
fn what_is_measured_can_be_paused_and_stepped_through() {
    let (busy, idle) = busy_and_idle();
    let terminal = Terminal::start(80, 24);
    start(&terminal, "--interval 200ms", [&busy, &idle]);
    terminal.type_text(" ");
    let screen = terminal.wait_for("a pause", |screen| screen.contains("PAUSED"));
    let clock =
        |screen: &str| screen.split("PAUSED ").nth(1).and_then(|rest| rest.get(..9)).map(str::to_owned);
    let paused_at = clock(&screen);
    terminal.wait_for("time to pass", |screen| screen.contains("2 s back") && clock(screen) == paused_at);
    // Ten windows are two seconds.
    terminal.type_text("]");
    let screen =
        terminal.wait_for("a later time", |screen| screen.contains("PAUSED") && clock(screen) != paused_at);
    let later = clock(&screen);
    for _ in 0..8 {
        terminal.press("Left");
    }
    terminal.wait_for("an earlier time", |screen| screen.contains("PAUSED") && clock(screen) != later);
    terminal.type_text(" ");
    terminal.wait_for("it to go on", |screen| !screen.contains("PAUSED") && has_row(screen, &busy));
    terminal.type_text("q");
    terminal.wait_for_end(0);
}

#[test]
fn ended_containers_stay_for_a_while_with_their_code() {
    let (mut busy, idle) = busy_and_idle();
    let terminal = Terminal::start(80, 24);
    start(&terminal, "--keep-ended 1h", [&busy, &idle]);
    busy.workload().stop();
    let _done = busy.workload().wait_done();
    let _status = busy.exit(3);
    let screen = terminal.wait_for("its code", |screen| screen.contains("exit 3"));
    let row = rows(&screen).into_iter().find(|row| row.starts_with(busy.name())).expect("its line");
    assert!(row.contains("exit 3") && screen.contains("1 ended"), "{screen}");
    terminal.type_text("q");
    terminal.wait_for_end(0);
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let (busy, idle) = busy_and_idle();
    for signal in [Signal::TERM, Signal::INT] {
        let terminal = Terminal::start(80, 24);
        start(&terminal, "", [&busy, &idle]);
        let pid = Pid::from_raw(terminal.child()).expect("a process id");
        kill_process(pid, signal).expect("signal monitor");
        terminal.wait_for_end(0);
    }
}

#[test]
fn it_stops_for_the_shell_and_comes_back() {
    let (busy, idle) = busy_and_idle();
    let terminal = Terminal::start(80, 24);
    terminal.run("set -m");
    start(&terminal, "", [&busy, &idle]);
    terminal.press("C-z");
    terminal.wait_for("the shell", |screen| screen.contains("Stopped"));
    terminal.run("fg");
    terminal.wait_for("the table again", |screen| has_row(screen, &busy));
    terminal.press("C-l");
    terminal.wait_for("the table once more", |screen| has_row(screen, &busy));
    terminal.type_text("q");
    terminal.wait_for("the shell", |screen| !screen.contains("switches/s"));
}

#[test]
fn colours_can_be_declined() {
    let (busy, idle) = busy_and_idle();
    let colours = |screen: &str| {
        // SGR's codes for the 16 colours in front and behind.
        let codes =
            screen.split("\u{1b}[").skip(1).filter_map(|rest| rest.split_once('m')).map(|(codes, _)| codes);
        let is_colour =
            |code: &str| code.len() == 2 && matches!(code.as_bytes().first(), Some(b'3' | b'4' | b'9'));
        codes
            .flat_map(|codes| codes.split(';'))
            .filter(|code| is_colour(code) && *code != "39" && *code != "49")
            .count()
    };
    for (variables, has_any) in [("", true), ("NO_COLOR=1", false)] {
        let terminal = Terminal::start(120, 40);
        terminal.run_monitor(variables, &format!("top --filter name:{}", ours()));
        terminal.wait_for("the containers", |screen| has_row(screen, &busy) && has_row(screen, &idle));
        let found = wait::until("a bar", || {
            let screen = terminal.coloured_screen();
            screen.contains("CPU").then(|| colours(&screen))
        });
        assert_eq!(found > 0, has_any, "{found} colours with {variables:?}");
        terminal.type_text("q");
        terminal.wait_for_end(0);
    }
}

fn record(file: &Path, duration: &str) {
    let status = command(&["record", "--interval", "100ms", "--flush", "1s", "--duration", duration])
        .arg(file)
        .status();
    assert!(status.expect("run monitor").success());
}

#[test]
fn a_recording_is_played_paused_and_stepped_through() {
    let (busy, idle) = busy_and_idle();
    let folder = tempfile::tempdir().expect("make a folder");
    for name in ["day.parquet", "day.ndjson.zst"] {
        let file = folder.path().join(name);
        record(&file, "4s");
        let terminal = Terminal::start(120, 40);
        start(&terminal, &format!("--replay {}", file.display()), [&busy, &idle]);
        terminal.wait_for("the busiest first", |screen| is_first(screen, &busy) && screen.contains(name));
        terminal.wait_for("its end", |screen| screen.contains("END"));
        // Back by thirty, to the beginning.
        for _ in 0..4 {
            terminal.type_text("[");
        }
        terminal.wait_for("a pause near the beginning", |screen| {
            screen.contains("PAUSED") && (screen.contains("0 s in") || screen.contains("1 s in"))
        });
        terminal.type_text(" ");
        terminal.wait_for("it to play", |screen| screen.contains("▶ 1×"));
        terminal.type_text("+");
        terminal.wait_for("it to play faster", |screen| screen.contains("▶ 2×") || screen.contains("END"));
        terminal.type_text("q");
        terminal.wait_for_end(0);
    }
}

#[test]
fn a_recording_needs_no_rights_and_a_file_that_is_none_is_named() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("x.parquet");
    fs::write(&file, "no recording").expect("write a file");
    let terminal = Terminal::start(80, 24);
    terminal.run_monitor("", &format!("top --replay {}", file.display()));
    let screen = terminal.wait_for_end(1);
    assert!(screen.contains("is no recording"), "{screen}");
}

#[test]
fn without_rights_it_says_what_is_missing_and_leaves_the_terminal_alone() {
    let terminal = Terminal::start(120, 24);
    terminal.run_monitor("setpriv --inh-caps=-all --bounding-set=-bpf,-sys_admin", "top");
    let screen = terminal.wait_for_end(77);
    assert!(screen.contains("CAP_BPF"), "{screen}");
}

#[test]
fn without_a_terminal_it_names_what_does_without() {
    let output = command(&["top"]).output().expect("run monitor");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "not one line: {said}");
    assert!(said.contains("monitor stream"), "{said}");
    assert!(output.stdout.is_empty());
    let output = command(&["top", "--sort", "colour"]).output().expect("run monitor");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("colour") && said.contains("wait_p99"), "{said}");
}

#[test]
fn a_bar_shows_how_far_a_recording_is_on_a_terminal_only() {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("x.parquet");
    let terminal = Terminal::start(120, 24);
    terminal.run_monitor("", &format!("record --duration 4s {}", file.display()));
    terminal.wait_for("the bar", |screen| screen.contains("snapshots") && screen.contains("of 4 s"));
    let screen = terminal.wait_for_end(0);
    assert!(!screen.contains("snapshots"), "it is gone:\n{screen}");
    let output = command(&["record", "--duration", "1s"]).arg(&file).output().expect("run monitor");
    assert!(output.status.success() && output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
}
