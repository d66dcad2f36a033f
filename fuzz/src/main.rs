//! Gives what libFuzzer makes up to one of monitor's readers, which the environment names. One program for all of them, since
//! building it is what takes long. Without `--cfg fuzzing`, which `cargo xtask fuzz` sets, there is nothing to give it to.
#![cfg_attr(fuzzing, no_main)]

/// Names the reader: one of [`monitor::fuzzing::TARGETS`].
#[cfg(fuzzing)]
const TARGET: &str = "MONITOR_FUZZ_TARGET";

#[cfg(fuzzing)]
fn target() -> fn(&[u8]) {
    let name = std::env::var(TARGET).unwrap_or_default();
    let target = monitor::fuzzing::TARGETS.iter().find(|target| target.name == name);
    target.unwrap_or_else(|| panic!("{TARGET} names no target: {name:?}")).run
}

#[cfg(fuzzing)]
mod entry {
    use std::sync::LazyLock;

    static RUN: LazyLock<fn(&[u8])> = LazyLock::new(super::target);

    libfuzzer_sys::fuzz_target!(
        init: {
            // Its own would abort at once, also where a panic of another crate is caught and made an error.
            drop(std::panic::take_hook());
        },
        |input: &[u8]| RUN(input)
    );
}

#[cfg(not(fuzzing))]
fn main() {
    panic!("`cargo xtask fuzz` builds this and runs it");
}
