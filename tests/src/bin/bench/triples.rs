//! The same work with nothing attached, with empty programs, and with monitor, in turns.

use std::{
    sync::mpsc::{self, Sender},
    thread,
    time::{Duration, Instant},
};

use crate::{
    agent::Agent,
    helpers::{Helper, Pinned, Role},
    interrupt,
    programs::Empty,
    statistics::{least, median, most},
};

/// The heads of the columns that [`row`] fills.
pub(crate) const COLUMNS: &[&str] = &[
    "work",
    "nothing, ns",
    "empty, ns",
    "monitor, ns",
    "empty",
    "monitor",
    "monitor − empty, points",
    "points, least – most",
];

/// For how long the CPU has been busy, at the least, when the work begins.
const SETTLED: Duration = Duration::from_millis(1500);

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
pub(crate) struct Triple([Timing; 3]);

/// Nanoseconds an event: of the median chunk and of the best.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    pub(crate) median: f64,
    pub(crate) best: f64,
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

/// Measures `works` so often, each under each variant; `hooks` are those of the empty programs.
pub(crate) fn measure<const WORKS: usize>(
    rounds: usize,
    hooks: &[&str],
    works: [fn() -> Timing; WORKS],
) -> [Vec<Triple>; WORKS] {
    let _company = Company::start();
    let mut measured = [const { Vec::new() }; WORKS];
    for turn in 0..rounds {
        let mut triples = [Triple::default(); WORKS];
        for place in 0..Variant::ALL.len() {
            // Another one begins each time, so that a machine that slows down slows all of them down.
            let variant = Variant::ALL[(turn + place) % Variant::ALL.len()];
            let _attached = attach_busily(variant, hooks);
            for (triple, work) in triples.iter_mut().zip(works) {
                triple.0[variant as usize] = work();
            }
        }
        measured.iter_mut().zip(triples).for_each(|(measured, triple)| measured.push(triple));
    }
    measured
}

/// What monitor adds beyond the empty programs, in percent points: the median.
pub(crate) fn points(triples: &[Triple], which: fn(&Timing) -> f64) -> f64 {
    median(&triples.iter().map(|triple| triple.points(which)).collect::<Vec<_>>())
}

/// A row of a table.
pub(crate) fn row(work: &str, triples: &[Triple], which: fn(&Timing) -> f64) -> Vec<String> {
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

/// As [`attach`], which takes longer for some than for others, with the work's CPU busy meanwhile: a virtual CPU that has been
/// idle for a second is slower for seconds after.
fn attach_busily(variant: Variant, hooks: &[&str]) -> (Option<Empty>, Option<Agent>) {
    let began = Instant::now();
    let _busy = {
        let _pinned = Pinned::to_last_cpu();
        Helper::start(Role::Busy)
    };
    let attached = attach(variant, hooks);
    thread::sleep(SETTLED.saturating_sub(began.elapsed()));
    attached
}

/// A thread that does nothing. With a second thread each read and write takes longer (the kernel holds on to the file meanwhile),
/// and there is one that reads what monitor prints: so there shall always be one.
struct Company {
    _until_dropped: Sender<()>,
}

impl Company {
    fn start() -> Self {
        let (until_dropped, end) = mpsc::channel();
        thread::spawn(move || end.recv());
        Self { _until_dropped: until_dropped }
    }
}

/// What is attached until it is dropped.
fn attach(variant: Variant, hooks: &[&str]) -> (Option<Empty>, Option<Agent>) {
    match variant {
        Variant::Nothing => (None, None),
        Variant::Empty => (Some(Empty::attach(hooks)), None),
        Variant::Monitor => (None, Some(Agent::start(&["--interval", "1s"]))),
    }
}

/// Times chunks of `events` each.
pub(crate) fn time(chunks: usize, events: usize, mut chunk: impl FnMut()) -> Timing {
    let chunks: Vec<f64> = (0..chunks)
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
