//! How much slower work goes: with nothing attached, with empty programs, with monitor; in turns.

use std::time::Instant;

use crate::{
    agent::Agent,
    helpers::{PingPong, Pinned},
    interrupt,
    options::Options,
    pages::Pages,
    programs::Empty,
    report::{Bar, Part},
    statistics::{least, median, most},
};

/// The most that monitor may slow the ping-pong down beyond the empty program, in percent points.
const SWITCH_POINTS: f64 = 4.0;
const TRIPLES: usize = 12;
const CHUNKS: usize = 20;
const ROUND_TRIPS: usize = 20_000;
const PAGES: usize = 10_000;
/// The hooks that the two kinds of work pass.
const HOOKS: [&str; 2] = ["sched_switch", "page_fault_user"];

/// What is attached.
#[derive(Clone, Copy, Debug)]
enum Variant {
    Nothing,
    Empty,
    Monitor,
}

impl Variant {
    const ALL: [Self; 3] = [Self::Nothing, Self::Empty, Self::Monitor];
}

/// Work of one kind under each variant, once.
#[derive(Clone, Copy, Debug, Default)]
struct Triple([Timing; 3]);

/// Nanoseconds an event: of the median chunk and of the best.
#[derive(Clone, Copy, Debug, Default)]
struct Timing {
    median: f64,
    best: f64,
}

impl Triple {
    fn of(&self, variant: Variant, which: fn(&Timing) -> f64) -> f64 {
        which(&self.0[variant as usize])
    }

    fn ratio(&self, variant: Variant, which: fn(&Timing) -> f64) -> f64 {
        self.of(variant, which) / self.of(Variant::Nothing, which)
    }

    /// What monitor adds to the empty program's slow-down, in percent of the time with nothing attached.
    fn points(&self, which: fn(&Timing) -> f64) -> f64 {
        100.0 * (self.ratio(Variant::Monitor, which) - self.ratio(Variant::Empty, which))
    }
}

pub(crate) fn measure(options: Options) -> Part {
    let (mut switches, mut faults) = (Vec::new(), Vec::new());
    for turn in 0..options.rounds(TRIPLES) {
        let (mut switch, mut fault) = (Triple::default(), Triple::default());
        for place in 0..Variant::ALL.len() {
            // Another one begins each time, so that a machine that slows down slows all of them down.
            let variant = Variant::ALL[(turn + place) % Variant::ALL.len()];
            let _attached = attach(variant);
            switch.0[variant as usize] = time_switches();
            fault.0[variant as usize] = time_faults();
        }
        switches.push(switch);
        faults.push(fault);
    }
    let what = "ping-pong on one CPU: percent points beyond the empty program";
    Part {
        title: "Slow-down of work",
        method: format!(
            "A pair of processes on one CPU that pass a byte to and fro, and a process that writes to fresh pages; \
             each {CHUNKS} chunks of {ROUND_TRIPS} round trips or {PAGES} pages with nothing attached, with empty \
             programs on `{}`, and with `monitor stream`, in turns. Ratios are medians of {} such triples, each \
             against its own nothing; the best chunk is the one that was disturbed least.",
            HOOKS.join("` and `"),
            switches.len(),
        ),
        columns: &[
            "work",
            "nothing, ns",
            "empty, ns",
            "monitor, ns",
            "empty",
            "monitor",
            "monitor − empty, points",
            "points, least – most",
        ],
        rows: vec![
            row("switch, median chunk", &switches, |timing| timing.median),
            row("switch, best chunk", &switches, |timing| timing.best),
            row("page fault, median chunk", &faults, |timing| timing.median),
            row("page fault, best chunk", &faults, |timing| timing.best),
        ],
        bars: vec![Bar { what, most: SWITCH_POINTS, measured: points(&switches, |timing| timing.median) }],
    }
}

fn points(triples: &[Triple], which: fn(&Timing) -> f64) -> f64 {
    median(&triples.iter().map(|triple| triple.points(which)).collect::<Vec<_>>())
}

fn row(work: &str, triples: &[Triple], which: fn(&Timing) -> f64) -> Vec<String> {
    let over = |value: &dyn Fn(&Triple) -> f64| triples.iter().map(value).collect::<Vec<f64>>();
    let ns = |variant| format!("{:.0}", median(&over(&|triple| triple.of(variant, which))));
    let ratio = |variant| format!("× {:.3}", median(&over(&|triple| triple.ratio(variant, which))));
    let points = over(&|triple| triple.points(which));
    vec![
        work.to_owned(),
        ns(Variant::Nothing),
        ns(Variant::Empty),
        ns(Variant::Monitor),
        ratio(Variant::Empty),
        ratio(Variant::Monitor),
        format!("**{:.1}**", median(&points)),
        format!("{:.1} – {:.1}", least(&points), most(&points)),
    ]
}

/// What is attached until it is dropped.
fn attach(variant: Variant) -> (Option<Empty>, Option<Agent>) {
    match variant {
        Variant::Nothing => (None, None),
        Variant::Empty => (Some(Empty::attach(&HOOKS)), None),
        Variant::Monitor => (None, Some(Agent::start(&["--interval", "1s"]))),
    }
}

/// Of one switch: a round trip is two.
fn time_switches() -> Timing {
    let mut pair = PingPong::start();
    time(2 * ROUND_TRIPS, || pair.round_trips(ROUND_TRIPS))
}

fn time_faults() -> Timing {
    let _pinned = Pinned::to_last_cpu();
    let mut pages = Pages::map(PAGES);
    pages.touch();
    time(PAGES, || {
        pages.discard();
        pages.touch();
    })
}

/// Times chunks of `events` each.
fn time(events: usize, mut chunk: impl FnMut()) -> Timing {
    let chunks: Vec<f64> = (0..CHUNKS)
        .map(|_| {
            interrupt::check();
            let began = Instant::now();
            chunk();
            began.elapsed().as_nanos() as f64 / events as f64
        })
        .collect();
    Timing { median: median(&chunks), best: least(&chunks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_percent_of_the_time_with_nothing_attached() {
        let timing = |median| Timing { median, best: 0.0 };
        let triple = Triple([timing(2000.0), timing(2100.0), timing(2150.0)]);
        assert!((triple.points(|timing| timing.median) - 2.5).abs() < 1e-9);
        assert!((triple.ratio(Variant::Empty, |timing| timing.median) - 1.05).abs() < 1e-9);
    }
}
