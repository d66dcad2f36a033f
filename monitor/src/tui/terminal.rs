//! The terminal's modes: taken on entering, given back on every way out but by signals that end a process and that nobody listens
//! for, such as `SIGKILL` and `SIGQUIT`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::AsFd,
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    cursor::{Hide, Show},
    execute,
    style::ResetColor,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Terminal, backend::CrosstermBackend};

use crate::console;

/// Whether the terminal is ours.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Presses, releases and the wheel, in the form that knows columns beyond 223. Not where the mouse is meanwhile, as
/// crossterm's command has it: each move would be a wake-up for nothing.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// What is drawn on.
pub(super) type Screen = Terminal<CrosstermBackend<BufWriter<Out>>>;

/// Standard output, for as long as the terminal is ours: what is left of a frame when it was given back goes nowhere.
#[derive(Debug)]
pub(super) struct Out(File);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if is_taken() { self.0.write(bytes) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Enough for all of a screen at once: standard output's own buffer ends at each kilobyte.
const BUFFER: usize = 64 << 10;

/// Takes the terminal. It is given back by [`restore`], and before a panic is told.
pub(super) fn open(mouse: bool) -> io::Result<Screen> {
    restore_before_panics();
    take(mouse)?;
    let out = Out(File::from(io::stdout().as_fd().try_clone_to_owned()?));
    Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(BUFFER, out)))
}

/// Takes the terminal, at first or again.
pub(super) fn take(mouse: bool) -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::SeqCst);
    console::take_screen();
    let taken = enable_raw_mode().and_then(|()| {
        let mut out = io::stdout().lock();
        execute!(out, EnterAlternateScreen, Hide)?;
        if mouse {
            out.write_all(MOUSE_ON)?;
        }
        out.flush()
    });
    taken.inspect_err(|_| restore())
}

/// Whether it is ours to draw on.
pub(super) fn is_taken() -> bool {
    IS_TAKEN.load(Ordering::SeqCst)
}

/// Gives the terminal back as it was, if it was taken.
pub fn restore() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout().lock();
    // What cannot be given back cannot be helped, and each of them is worth a try.
    let _ = out.write_all(MOUSE_OFF);
    let _ = execute!(out, ResetColor, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    drop(out);
    console::leave_screen();
}

fn restore_before_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
    });
}
