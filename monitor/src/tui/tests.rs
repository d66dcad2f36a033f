//! The terminal is given back after a panic: told by a process of its own, on a terminal of its own.

use std::{
    env,
    fs::File,
    io::Read,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcgetattr, tcsetwinsize},
};

use super::{
    Options, Top,
    testing::{container, snapshot},
};

const IS_CHILD: &str = "MONITOR_TEST_PANICS";

#[test]
#[ignore = "panics; the test below runs it on a terminal"]
fn panics_on_a_screen() {
    if env::var_os(IS_CHILD).is_none() {
        return;
    }
    let options = Options {
        sort: "cpu".parse().unwrap(),
        filter: String::new(),
        grouping: None,
        memory: 1 << 20,
        mouse: true,
    };
    let mut top = Top::start(options, None, |_| ()).unwrap();
    top.show(Arc::new(snapshot(1, vec![container("web")]))).unwrap();
    thread::sleep(Duration::from_millis(500));
    panic!("on purpose");
}

#[test]
fn a_panic_is_told_on_a_terminal_that_is_as_it_was() {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    tcsetwinsize(&terminal, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let modes = || {
        let modes = tcgetattr(&terminal).unwrap();
        (modes.input_modes, modes.output_modes, modes.control_modes, modes.local_modes)
    };
    let before = modes();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let end = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "tui::tests::panics_on_a_screen", "--ignored", "--nocapture", "--test-threads=1"])
        .env(IS_CHILD, "1")
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    let mut written = Vec::new();
    // It fails when nobody has the other end any more.
    let _ = File::from(terminal.try_clone().unwrap()).read_to_end(&mut written);
    assert!(!child.wait().unwrap().success());
    let written = String::from_utf8_lossy(&written);
    let place = |text: &str| written.rfind(text).unwrap_or_else(|| panic!("no {text:?} in {written:?}"));
    let (taken, drawn, given_back) = (place("\u{1b}[?1049h"), place("web"), place("\u{1b}[?1049l"));
    let (cursor, told) = (place("\u{1b}[?25h"), place("on purpose"));
    assert!(taken < drawn && drawn < given_back && given_back < cursor && cursor < told, "{written:?}");
    assert!(place("\u{1b}[?1000h") < place("\u{1b}[?1000l"), "{written:?}");
    assert_eq!(modes(), before);
}
