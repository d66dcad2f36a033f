//! What each packet costs where they come at a steady pace, with idle time between them: monitor's programs minus empty ones.

use std::{
    process, thread,
    time::{Duration, Instant},
};

use aya::sys::{Stats, enable_stats};

use crate::{
    agent::Agent,
    interrupt,
    options::Options,
    programs::{Cost, Empty, attached, costs},
    report::Part,
    sockets::Sockets,
    statistics::{least, median, most},
};

const HOOKS: [&str; 2] = ["cgroup_skb_ingress", "cgroup_skb_egress"];
const PER_SECOND: u64 = 100_000;
/// Datagrams that are sent at once.
const BURST: u64 = 100;
/// Of a round.
const BURSTS: u64 = 500;
const ROUNDS: usize = 20;

/// Nanoseconds a packet.
struct Round {
    ours: f64,
    empty: f64,
}

pub(crate) fn measure(options: Options) -> Part {
    let mut measured = [Vec::new(), Vec::new()];
    let mut rates = Vec::new();
    // The first of two programs on a hook finds the caches colder: half the rounds each way.
    for empty_is_first in [true, false] {
        measure_in_order(options, empty_is_first, &mut measured, &mut rates);
    }
    let rows = HOOKS.iter().zip(&measured).map(|(hook, rounds)| {
        if rounds.is_empty() {
            return vec![format!("`{hook}`"), "not attached here".to_owned()];
        }
        let each = |ns: fn(&Round) -> f64| rounds.iter().map(ns).collect::<Vec<_>>();
        let net = each(|round| round.ours - round.empty);
        vec![
            format!("`{hook}`"),
            format!("{:.0}", median(&rates)),
            format!("{:.1}", median(&each(|round| round.ours))),
            format!("{:.1}", median(&each(|round| round.empty))),
            format!("**{:.1}**", median(&net)),
            format!("{:.1} – {:.1}", least(&net), most(&net)),
            format!("{:.2}", median(&net) * median(&rates) / 1e9 * 100.0),
        ]
    });
    Part {
        title: "Packets at a steady pace",
        method: format!(
            "Datagrams over the loopback interface, {BURST} at once and {PER_SECOND} a second, each received before the \
             next is sent: so each passes both programs. Run time as in the table of events, medians of {} rounds of \
             {} packets; a core's share is what the net time comes to at that pace.",
            measured.iter().map(Vec::len).max().unwrap_or_default(),
            BURST * BURSTS,
        ),
        columns: &[
            "program",
            "packets a second",
            "ours, ns",
            "empty, ns",
            "net, ns",
            "net, least – most",
            "% of a core",
        ],
        rows: rows.collect(),
        bars: Vec::new(),
    }
}

fn measure_in_order(
    options: Options,
    empty_is_first: bool,
    measured: &mut [Vec<Round>; 2],
    rates: &mut Vec<f64>,
) {
    let early = empty_is_first.then(|| Empty::attach(&HOOKS));
    let agent = Agent::start(&["--interval", "1s"]);
    let late = (!empty_is_first).then(|| Empty::attach(&HOOKS));
    let (ours, empty) = (attached(agent.pid()), attached(process::id()));
    let _statistics = enable_stats(Stats::RunTime).expect("switch the programs' statistics on");
    let sockets = Sockets::open();
    // The first round warms up.
    for round in 0..=options.rounds(ROUNDS / 2) {
        interrupt::check();
        let before = costs();
        let rate = send_paced(&sockets);
        let after = costs();
        if round == 0 {
            continue;
        }
        rates.push(rate);
        let since = |id: &u32| {
            let earlier: Cost = *before.get(id)?;
            after.get(id)?.ns_per_run_since(earlier, BURST * BURSTS)
        };
        for (hook, measured) in HOOKS.iter().zip(measured.iter_mut()) {
            let (Some(ours), Some(empty)) = (ours.get(*hook), empty.get(*hook)) else { continue };
            let too_few = || panic!("less than {} packets on {hook}", BURST * BURSTS);
            measured.push(Round {
                ours: since(ours).unwrap_or_else(too_few),
                empty: since(empty).unwrap_or_else(too_few),
            });
        }
    }
    drop((early, late));
}

/// Packets a second, as it went.
fn send_paced(sockets: &Sockets) -> f64 {
    let pause = Duration::from_nanos(1_000_000_000 / PER_SECOND * BURST);
    let began = Instant::now();
    let mut due = began;
    for _ in 0..BURSTS {
        sockets.datagrams(BURST);
        due += pause;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    (BURST * BURSTS) as f64 / began.elapsed().as_secs_f64()
}
