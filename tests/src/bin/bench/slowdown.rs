//! How much slower work goes: with nothing attached, with empty programs, with monitor; in turns.

use crate::{
    helpers::{PingPong, Pinned},
    options::Options,
    pages::Pages,
    report::{Bar, Part},
    triples::{self, Timing, points, row, time},
};

/// The most that monitor may slow the ping-pong down beyond the empty program, in percent points.
const SWITCH_POINTS: f64 = 4.0;
const TRIPLES: usize = 36;
const CHUNKS: usize = 10;
const ROUND_TRIPS: usize = 10_000;
const PAGES: usize = 10_000;
/// The hooks that the two kinds of work pass.
const HOOKS: [&str; 2] = ["sched_switch", "page_fault_user"];

pub(crate) fn measure(options: Options) -> Part {
    let [switches, faults] = triples::measure(options.rounds(TRIPLES), &HOOKS, [time_switches, time_faults]);
    let what = "ping-pong on one CPU: percent points beyond the empty program";
    Part {
        title: "Slow-down of work",
        method: format!(
            "A pair of processes on one CPU that pass a byte to and fro, and a process that writes to fresh pages; \
             each {CHUNKS} chunks of {ROUND_TRIPS} round trips or {PAGES} pages with nothing attached, with empty \
             programs on `{}`, and with `monitor stream`, in turns. Ratios are medians of {} such triples, each \
             against its own nothing; the best chunk is the one that was disturbed least. The CPU is kept busy while programs \
             are attached, so that all three begin on one that has not idled.",
            HOOKS.join("` and `"),
            switches.len(),
        ),
        columns: triples::COLUMNS,
        rows: vec![
            row("switch, median chunk", &switches, |timing| timing.median),
            row("switch, best chunk", &switches, |timing| timing.best),
            row("page fault, median chunk", &faults, |timing| timing.median),
            row("page fault, best chunk", &faults, |timing| timing.best),
        ],
        bars: vec![Bar { what, most: SWITCH_POINTS, measured: points(&switches, |timing| timing.median) }],
    }
}

/// Of one switch: a round trip is two.
fn time_switches() -> Timing {
    let mut pair = PingPong::start();
    time(CHUNKS, 2 * ROUND_TRIPS, || pair.round_trips(ROUND_TRIPS))
}

fn time_faults() -> Timing {
    let _pinned = Pinned::to_last_cpu();
    let mut pages = Pages::map(PAGES);
    pages.touch();
    time(CHUNKS, PAGES, || {
        pages.discard();
        pages.touch();
    })
}
