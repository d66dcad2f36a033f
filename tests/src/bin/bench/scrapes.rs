//! What a scrape takes, by page and by compression.

use std::{
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use integration_tests::server::{Answer, Server};

use crate::{
    interrupt,
    report::{Bar, Part},
    serving::{CONTAINERS, Tick},
    statistics::{median, most},
    tick::container_id,
};

/// The most that a scrape of what is monitor's own may take, in milliseconds, from the request to the last byte.
const SCRAPE_MS: f64 = 50.0;
/// The most bytes of it a container.
const CONTAINER_BYTES: f64 = 2048.0;
const PAGES: [&str; 3] = [OWN, "/metrics/cadvisor", "/metrics"];
const OWN: &str = "/metrics/monitor";
const GZIP: &str = "accept-encoding: gzip\r\n";
/// Scrapes of each page.
const SCRAPES: usize = 20;

/// What was seen of one page.
#[derive(Default)]
struct Page {
    bytes: usize,
    /// Those of a container that is idle, and of one that wakes.
    idle_bytes: usize,
    waking_bytes: usize,
    packed_bytes: usize,
    first_ms: Vec<f64>,
    next_ms: Vec<f64>,
    packed_ms: Vec<f64>,
}

/// Scrapes each page right after a tick, again, and compressed.
pub(crate) fn measure(server: &Server, ticks: &Receiver<Tick>, is_quick: bool) -> Part {
    let scrapes = if is_quick { 2 } else { SCRAPES };
    let pages = PAGES.map(|path| Page::observe(server, ticks, path, scrapes));
    let [own, ..] = &pages;
    let bars = [
        ("/metrics/monitor, 1 000 containers: ms a scrape, median", SCRAPE_MS, median(&own.first_ms)),
        ("/metrics/monitor: bytes of an idle container", CONTAINER_BYTES, own.idle_bytes as f64),
    ];
    Part {
        title: "A scrape",
        method: format!(
            "{CONTAINERS} cgroups under paths like those of Docker's containers, half of which wake once a second, at 1 s; a client on \
             the same machine that connects for each scrape. The first of a snapshot comes right after the tick and waits until \
             the text is made; those after it get the same text; compression is done for each. {scrapes} of each. These cgroups \
             have neither a name nor an image: each adds its length to some thirty series of a container. One that waits for CPUs has series \
             for what it waited for.",
        ),
        columns: &[
            "",
            "bytes of an idle container",
            "of one that wakes",
            "MB",
            "MB in gzip",
            "first of a snapshot, median, ms",
            "most, ms",
            "the next, median, ms",
            "in gzip, median, ms",
        ],
        rows: PAGES.iter().zip(&pages).map(|(path, page)| page.row(path)).collect(),
        bars: bars.into_iter().map(|(what, most, measured)| Bar { what, most, measured }).collect(),
    }
}

/// Bytes of the lines that are of one container.
fn bytes_of(page: &str, number: usize) -> usize {
    let id = container_id(number);
    // The beginning of the whole, as it is shown, and the whole as the end of a path. Either alone is also within other ids.
    let (shown, path) = (format!("\"{}\"", &id[..12]), format!("/{id}\""));
    let is_of_it = |line: &&str| line.contains(&shown) || line.contains(&path);
    page.lines().filter(is_of_it).map(|line| line.len() + 1).sum()
}

impl Page {
    fn observe(server: &Server, ticks: &Receiver<Tick>, path: &str, scrapes: usize) -> Self {
        let mut page = Self::default();
        for _ in 0..scrapes {
            interrupt::check();
            let _before = ticks.try_iter().count();
            let _tick = ticks.recv_timeout(Duration::from_secs(10)).expect("a tick");
            let (first_ms, answer) = scrape(server, path, "");
            page.bytes = answer.body.len();
            let text = answer.text();
            // Those that wake come after those that do not.
            (page.idle_bytes, page.waking_bytes) = (bytes_of(&text, 1), bytes_of(&text, CONTAINERS - 1));
            page.first_ms.push(first_ms);
            page.next_ms.push(scrape(server, path, "").0);
            let (packed_ms, answer) = scrape(server, path, GZIP);
            page.packed_bytes = answer.body.len();
            page.packed_ms.push(packed_ms);
        }
        page
    }

    fn row(&self, path: &str) -> Vec<String> {
        let Self { bytes, idle_bytes, waking_bytes, packed_bytes, first_ms, next_ms, packed_ms } = self;
        vec![
            format!("`{path}`"),
            format!("**{idle_bytes}**"),
            waking_bytes.to_string(),
            format!("{:.1}", *bytes as f64 / 1e6),
            format!("{:.2}", *packed_bytes as f64 / 1e6),
            format!("**{:.1}**", median(first_ms)),
            format!("{:.1}", most(first_ms)),
            format!("{:.1}", median(next_ms)),
            format!("{:.1}", median(packed_ms)),
        ]
    }
}

fn scrape(server: &Server, path: &str, headers: &str) -> (f64, Answer) {
    let began = Instant::now();
    let answer = server.get_with(path, headers);
    assert_eq!(answer.status, 200, "{path}: {}", answer.head);
    (began.elapsed().as_secs_f64() * 1000.0, answer)
}
