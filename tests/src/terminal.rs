//! A terminal that a test types on and reads: tmux, with a server of its own.

use std::{fs, process::Command, thread, time::Duration};

use tempfile::TempDir;

use crate::{container::succeeded, env, wait};

/// What stands on the terminal between the end of one command and the next.
const PROMPT: &str = "ready> ";

/// A shell on a terminal. Ended on drop, with what runs in it.
#[derive(Debug)]
pub struct Terminal {
    /// Has the server's socket, which tmux leaves where it was.
    folder: TempDir,
    /// The modes that the shell began with, as stty(1) tells them.
    modes: String,
}

impl Terminal {
    /// Starts a shell, which knows the test's environment, on a terminal of so many columns and lines.
    #[must_use]
    pub fn start(width: u16, height: u16) -> Self {
        env::require_bpf_dir();
        let mut terminal = Self { folder: tempfile::tempdir().expect("make a folder"), modes: String::new() };
        let size = [width.to_string(), height.to_string()];
        let shell = format!("PS1='{PROMPT}' exec sh");
        let args = ["-f", "/dev/null", "new-session", "-d", "-x", &size[0], "-y", &size[1], &shell];
        terminal.tmux(&args);
        terminal.wait_for("the shell's prompt", |screen| screen.trim_end() == PROMPT.trim_end());
        terminal.modes = terminal.modes_now();
        terminal
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-S").arg(self.folder.path().join("socket")).args(args);
        command.env_remove("TMUX").env("LC_ALL", "C.UTF-8");
        command
    }

    fn tmux(&self, args: &[&str]) -> String {
        let output = self.command(args).output().expect("run tmux");
        let printed = succeeded(&format!("tmux {}", args.join(" ")), output);
        String::from_utf8(printed).expect("UTF-8")
    }

    /// Types a command line and sends it.
    pub fn run(&self, line: &str) {
        self.type_text(line);
        self.press("Enter");
    }

    /// Runs `monitor` with these arguments, and variables before it, and tells its exit code when it has ended.
    pub fn run_monitor(&self, variables: &str, args: &str) {
        self.run(&format!("{variables} {} {args}; echo code=$?", env::monitor_bin().display()));
    }

    /// Types what a keyboard or a mouse would send.
    pub fn type_text(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// Presses a key by tmux' name of it.
    pub fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// Clicks at a column and a line, counted from 0, as a terminal tells it in SGR's form.
    pub fn click(&self, column: usize, line: usize) {
        self.type_text(&format!("\u{1b}[<0;{0};{1}M\u{1b}[<0;{0};{1}m", column + 1, line + 1));
    }

    /// Makes it larger or smaller.
    pub fn resize(&self, width: u16, height: u16) {
        self.tmux(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
    }

    /// What stands on it.
    #[must_use]
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The same with the sequences for colours.
    #[must_use]
    pub fn coloured_screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"])
    }

    /// Waits until what stands on it is as it should be, and says what that is.
    pub fn wait_for(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        let deadline = std::time::Instant::now() + wait::LONG;
        while std::time::Instant::now() < deadline {
            last = self.screen();
            if is_there(&last) {
                return last;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("waited {} s in vain for {what}:\n{last}", wait::LONG.as_secs());
    }

    /// The process that the shell runs.
    #[must_use]
    pub fn child(&self) -> i32 {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let shell = shell.trim();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let children = children.expect("a kernel with CONFIG_PROC_CHILDREN");
        children.split_whitespace().next().expect("a child").parse().expect("a process id")
    }

    fn modes_now(&self) -> String {
        let tty = self.tmux(&["display-message", "-p", "#{pane_tty}"]);
        let output = Command::new("stty").args(["-a", "-F", tty.trim()]).output().expect("run stty");
        String::from_utf8(succeeded("stty", output)).expect("UTF-8")
    }

    /// Waits until a command has ended with a code and has left the terminal as it was, and says what stands on it.
    #[expect(clippy::must_use_candidate, reason = "most callers only wait")]
    pub fn wait_for_end(&self, code: i32) -> String {
        let screen = self.wait_for("the end", |screen| screen.contains(&format!("code={code}")));
        let facts = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{mouse_sgr_flag}";
        let facts = self.tmux(&["display-message", "-p", facts]);
        assert_eq!(facts.trim(), "0 1 0 0", "alternate screen, cursor, mouse, its form\n{screen}");
        assert_eq!(self.modes_now(), self.modes, "the modes that stty tells");
        screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What runs in it gets a SIGHUP. In vain where the server has ended with its shell.
        let _ = self.command(&["kill-server"]).output();
    }
}
