//! The lines that a child writes, read on a thread so that none is waited for longer than [`LONG`].

use std::{
    io::{BufRead as _, BufReader, Read},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Instant,
};

use crate::wait::LONG;

/// Lines of a pipe, without their ends.
#[derive(Debug)]
pub struct Lines {
    received: Receiver<Vec<u8>>,
}

impl Lines {
    /// Starts to read. The thread ends with the pipe.
    #[must_use]
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let (send, received) = mpsc::channel();
        thread::spawn(move || {
            // A test that no longer listens, or an error, which is the pipe's end, end the thread.
            for line in BufReader::new(pipe).split(b'\n') {
                let Ok(line) = line else { return };
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { received }
    }

    /// The next line; `None` at the end of the pipe.
    #[must_use]
    pub fn next_line(&self) -> Option<String> {
        match self.received.recv_timeout(LONG) {
            Ok(line) => Some(String::from_utf8(line).expect("a line of UTF-8")),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line came for {} s", LONG.as_secs()),
        }
    }

    /// The next line if one comes in time; `None` at the end of the pipe too.
    #[must_use]
    pub fn line_before(&self, deadline: Instant) -> Option<String> {
        let line = self.received.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
        Some(String::from_utf8(line).expect("a line of UTF-8"))
    }
}
