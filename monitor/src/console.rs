//! Who has the terminal. A line of the log that is written across a screen or a progress bar destroys it, so whoever draws says
//! so here, and lines of the log are held back, or written where they do no harm.

use std::{
    collections::VecDeque,
    io::{self, IsTerminal, Write},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};

/// Lines that are held back at most; older ones are lost.
const HELD: usize = 64;

static OWNER: Mutex<Owner> = Mutex::new(Owner::Nobody);

enum Owner {
    Nobody,
    /// A screen, with the lines that came since it is there.
    Screen(VecDeque<Line>),
    Bar(ProgressBar),
}

/// A line of the log.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it came.
    pub at: Instant,
    /// What it says.
    pub text: String,
}

fn owner() -> MutexGuard<'static, Owner> {
    // Nothing is left half done where somebody panics.
    OWNER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the log is written to.
#[derive(Debug)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || io::stderr().write_all(bytes);
        match &mut *owner() {
            Owner::Nobody => write()?,
            Owner::Bar(bar) => bar.suspend(write)?,
            Owner::Screen(held) => {
                let text = String::from_utf8_lossy(bytes);
                for text in text.lines() {
                    held.push_back(Line { at: Instant::now(), text: text.to_owned() });
                }
                let excess = held.len().saturating_sub(HELD);
                held.drain(..excess);
                // A file is no screen.
                if !io::stderr().is_terminal() {
                    write()?;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Holds lines back from now on.
pub fn take_screen() {
    let mut owner = owner();
    if !matches!(*owner, Owner::Screen(_)) {
        *owner = Owner::Screen(VecDeque::new());
    }
}

/// The last line that was held back.
#[must_use]
pub fn last_line() -> Option<Line> {
    if let Owner::Screen(held) = &*owner() { held.back().cloned() } else { None }
}

/// Writes what was held back.
pub fn leave_screen() {
    let left = mem::replace(&mut *owner(), Owner::Nobody);
    let Owner::Screen(held) = left else { return };
    if io::stderr().is_terminal() {
        for line in held {
            // Nobody is left to tell.
            let _ = writeln!(io::stderr(), "{}", line.text);
        }
    }
}

/// A bar on standard error for what takes a while; nothing where that is no terminal. Gone on drop.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Of so many steps, shown by a template of `indicatif`.
    #[must_use]
    pub fn start(steps: u64, template: &str) -> Self {
        let style = ProgressStyle::with_template(template);
        let (true, Ok(style)) = (io::stderr().is_terminal(), style) else { return Self::hidden() };
        let bar = ProgressBar::new(steps).with_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        bar.tick();
        *owner() = Owner::Bar(bar.clone());
        Self(bar)
    }

    /// None.
    #[must_use]
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// So many steps are done.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Says what is `{msg}` in the template.
    pub fn say(&self, text: String) {
        self.0.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.0.is_hidden() {
            *owner() = Owner::Nobody;
        }
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_held_back_from_a_screen_and_the_last_one_is_known() {
        take_screen();
        for number in 0..100 {
            Log.write_all(format!("monitor: line {number}\n").as_bytes()).unwrap();
        }
        assert_eq!(last_line().unwrap().text, "monitor: line 99");
        let Owner::Screen(held) = &*owner() else { panic!("no screen") };
        assert_eq!(held.len(), HELD);
    }
}
