//! What a look at every task takes, by the number of tasks.

use std::fs;

use integration_tests::workload::Workload;

use crate::{
    agent::Agent,
    cost, interrupt,
    options::Options,
    report::Part,
    statistics::{median, most},
};

const LOOKS: usize = 10;

pub(crate) fn measure(options: Options) -> Part {
    let rows = [0, 300, 3000].map(|threads| {
        interrupt::check();
        // They wait for an order that never comes.
        let idle = (threads > 0).then(|| {
            let mut idle = Workload::start(&["hog", "--threads", &threads.to_string()]);
            let _ready = idle.wait_ready();
            idle
        });
        let tasks = tasks();
        let times = observe(options.rounds(LOOKS));
        drop(idle);
        vec![
            format!("{threads} threads more"),
            tasks.to_string(),
            format!("**{:.3}**", median(&times)),
            format!("{:.3}", most(&times)),
            format!("{:.0}", median(&times) * 1e6 / tasks as f64),
        ]
    });
    Part {
        title: "A look at every task",
        method: format!(
            "`coverage.census_ns`: the kernel runs the program `census` for each task and the agent adds up what it \
             writes, by cgroup; {} looks, a second apart, as they are until one takes more than 2 ms. The control is the \
             machine as it is.",
            options.rounds(LOOKS),
        ),
        columns: &["", "tasks", "median, ms", "longest, ms", "ns a task"],
        rows: rows.to_vec(),
        bars: Vec::new(),
    }
}

/// Milliseconds of each look.
fn observe(count: usize) -> Vec<f64> {
    let agent = Agent::start(&["--interval", "1s"]);
    let looks = (0..count).filter_map(|_| cost::next(&agent).coverage.census_ns);
    looks.map(|ns| ns as f64 / 1e6).collect()
}

/// Tasks that there are: the second number of the fourth field of `/proc/loadavg`.
fn tasks() -> u64 {
    let text = fs::read_to_string("/proc/loadavg").expect("read /proc/loadavg");
    let tasks = text.split_whitespace().nth(3).and_then(|field| field.split_once('/'));
    tasks.and_then(|(_, tasks)| tasks.parse().ok()).expect("the number of tasks")
}
