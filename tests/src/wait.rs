//! Waiting for what gives no event: asked again until it is there or the time is up.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long anything may take on a busy machine before the test fails.
pub const LONG: Duration = Duration::from_mins(1);

/// After which what may have come too early is tried again.
pub const SHORT: Duration = Duration::from_secs(1);

/// Time between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer; panics with `what` after [`LONG`].
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {} s in vain: {what}", LONG.as_secs());
        thread::sleep(PAUSE);
    }
}

/// Asks until two answers in a row are the same.
pub fn until_still<T: PartialEq>(what: &str, mut ask: impl FnMut() -> T) -> T {
    let mut last = ask();
    until(what, || {
        thread::sleep(PAUSE);
        let next = ask();
        if next == last {
            Some(next)
        } else {
            last = next;
            None
        }
    })
}
