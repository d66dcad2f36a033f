//! One container: what it is, its last minutes as lines, its distributions, what it waits for.

use jiff::{SignedDuration, Timestamp};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    BOLD, DRAWN, FAINT, PLAIN,
    histogram::{self, Merged},
    put, put_right, rule, split_top,
};
use crate::{
    model::{Container, ContainerState, Distribution, Snapshot, Span, catalog},
    output::{
        blame::Paragraphs,
        table::{label, printable},
    },
    tui::{
        columns::{Row, find},
        filter::pod,
        spark::{self, blocks, resampled},
        state::State,
        units::{NONE, bytes, cores, count, or_none, span},
    },
};

/// What the distributions are over: in a window of a second there is little to see.
const LATELY: SignedDuration = SignedDuration::from_mins(1);
/// Columns of the names of facts and lines.
const NAMES: u16 = 12;
/// Columns of a value.
const VALUE: u16 = 9;
/// From this width on, the highest value has room beside the last one.
const WITH_MOST: u16 = 50;
/// Steps of a line of the last minutes.
const STEPS: usize = 60;

/// A line of the last minutes.
struct Trend {
    name: &'static str,
    value: fn(&Container) -> Option<f64>,
    show: fn(f64) -> String,
}

const TRENDS: [Trend; 10] = [
    Trend { name: "CPU cores", value: |one| one.measurements.cpu.usage_cores, show: cores },
    Trend {
        name: "memory",
        value: |one| one.measurements.memory.current_bytes.map(|bytes| bytes as f64),
        show: bytes,
    },
    Trend {
        name: "voluntary/s",
        value: |one| one.measurements.scheduler.voluntary_switches_per_second,
        show: count,
    },
    Trend {
        name: "involunt./s",
        value: |one| one.measurements.scheduler.involuntary_switches_per_second,
        show: count,
    },
    Trend { name: "minor/s", value: |one| one.measurements.faults.minor_per_second, show: count },
    Trend { name: "major/s", value: |one| one.measurements.faults.major_per_second, show: count },
    Trend { name: "net rx/s", value: |one| one.measurements.network.rx_bytes_per_second, show: bytes },
    Trend { name: "net tx/s", value: |one| one.measurements.network.tx_bytes_per_second, show: bytes },
    Trend { name: "disk read/s", value: |one| one.measurements.block_io.read_bytes_per_second, show: bytes },
    Trend {
        name: "disk write/s",
        value: |one| one.measurements.block_io.write_bytes_per_second,
        show: bytes,
    },
];

/// Draws it: facts and lines at the left, distributions at the right.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    state: &State,
    snapshot: &Snapshot,
    container: &Container,
) {
    let (head, body) = split_top(area, 1);
    rule(buffer, head, &format!(" {} ", label(container)));
    let half = body.width / 2;
    let left = Rect { width: half.saturating_sub(1), ..body };
    let right = Rect { x: body.x + half + 1, width: body.width.saturating_sub(half + 1), ..body };
    let rest = draw_facts(buffer, left, state, snapshot, container);
    let rest = draw_trends(buffer, rest, state, container);
    let rest_right = draw_distributions(buffer, right, state, container);
    // What is said in words is long: it stands where there is more room.
    let words = if rest_right.height > rest.height { rest_right } else { rest };
    draw_waiting(buffer, words, snapshot, container);
}

/// What it is, a line each; says what is left below.
fn draw_facts(
    buffer: &mut Buffer,
    area: Rect,
    state: &State,
    snapshot: &Snapshot,
    container: &Container,
) -> Rect {
    let mut rest = area;
    let few = area.height < 24;
    for (name, text) in facts(state, snapshot, container).into_iter().take(if few { 6 } else { usize::MAX }) {
        let (line, below) = split_top(rest, 1);
        put_fact(buffer, line, name, &text);
        rest = below;
    }
    rest
}

fn put_fact(buffer: &mut Buffer, line: Rect, name: &str, text: &str) {
    put(buffer, Rect { width: NAMES.min(line.width), ..line }, name, FAINT);
    let room = Rect { x: line.x + NAMES + 1, width: line.width.saturating_sub(NAMES + 1), ..line };
    put(buffer, room, text, PLAIN);
}

/// The first are those that are worth most.
fn facts(state: &State, snapshot: &Snapshot, container: &Container) -> Vec<(&'static str, String)> {
    let measured = &container.measurements;
    let before = state
        .tape
        .before()
        .and_then(|before| before.containers.iter().find(|one| one.is_same_run(container)));
    let row = Row { container, before };
    let cell = |key| {
        let cell = find(key).map(|column| (column.cell)(&row)).unwrap_or_default();
        cell.text + &cell.note
    };
    let number = |value: Option<u64>| or_none(value.map(|value| value as f64), count);
    let size = |value: Option<u64>| or_none(value.map(|value| value as f64), bytes);
    let age = container.started_at.or(container.created_at).map(|started| {
        let until = container.finished_at.unwrap_or(snapshot.taken_at);
        let how = if container.state == ContainerState::Exited { "after" } else { "for" };
        format!("{} {how} {}", cell("state"), span(until.duration_since(started).as_secs_f64()))
    });
    let tasks = &measured.tasks;
    let none = || NONE.to_owned();
    let mut facts = vec![
        ("state", age.unwrap_or_else(|| cell("state"))),
        ("image", container.image.as_deref().map_or_else(none, printable)),
        ("CPU", cell("cpu")),
        ("throttled", format!("{}, pressure {}", cell("throttled"), cell("pressure"))),
        ("memory", cell("memory")),
        ("tasks", format!("{}, {} of them run", number(measured.pids.current), number(tasks.running))),
        ("anon, file", format!("{}, {}", size(measured.memory.anon_bytes), size(measured.memory.file_bytes))),
        ("OOM kills", number(measured.memory.oom_kills_total)),
        ("id", format!("{} of {}", printable(&container.short_id), printable(&container.runtime))),
    ];
    facts.extend(pod(container).map(|pod| ("pod", printable(&pod))));
    facts.extend(container.project().map(|project| ("project", printable(project))));
    facts.extend(container.cgroup.path.as_deref().map(|path| ("cgroup", printable(path))));
    facts.extend(measured.cpu.cpuset.as_deref().map(|cpuset| ("CPUs", printable(cpuset))));
    facts
}

/// The last minutes of the most telling values; says what is left below.
fn draw_trends(buffer: &mut Buffer, area: Rect, state: &State, container: &Container) -> Rect {
    if area.height < 2 {
        return area;
    }
    // Where there is little room, the line has it.
    let has_most = area.width >= WITH_MOST;
    let (head, mut rest) = split_top(area, 1);
    put(buffer, head, "last 5 minutes", BOLD);
    put_right(buffer, head, if has_most { "now      most" } else { "now" }, FAINT);
    let track: Vec<_> = state.tape.track(&container.id, spark::SPAN).collect();
    for trend in &TRENDS {
        let (line, below) = split_top(rest, 1);
        if line.height == 0 {
            break;
        }
        let values = in_steps(&track, trend.value);
        put(buffer, Rect { width: NAMES.min(line.width), ..line }, trend.name, FAINT);
        let mut room = line;
        if has_most {
            let most = values.iter().flatten().copied().reduce(f64::max);
            put_right(buffer, room, &or_none(most, trend.show), FAINT);
            room.width -= VALUE;
        }
        put_right(buffer, room, &or_none((trend.value)(container), trend.show), PLAIN);
        let x = line.x + NAMES + 1;
        let room = Rect { x, width: room.right().saturating_sub(x + VALUE), ..line };
        put(buffer, room, &blocks(&resampled(&values, usize::from(room.width))), DRAWN);
        rest = below;
    }
    rest
}

/// Means of equal steps of the span up to the last of these times.
fn in_steps(
    track: &[(Timestamp, Option<&Container>)],
    value: fn(&Container) -> Option<f64>,
) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0_u32); STEPS];
    let step_ns = spark::SPAN.as_nanos() / STEPS as i128;
    let Some((until, _)) = track.last() else { return Vec::new() };
    for (time, container) in track {
        let Some(value) = container.and_then(value) else { continue };
        let back = usize::try_from(until.duration_since(*time).as_nanos() / step_ns).unwrap_or(STEPS);
        let step = (STEPS - 1).checked_sub(back).and_then(|step| sums.get_mut(step));
        let Some((sum, count)) = step else { continue };
        *sum += value;
        *count += 1;
    }
    sums.into_iter().map(|(sum, count)| (count > 0).then(|| sum / f64::from(count))).collect()
}

/// As many distributions as there is room for; says what is left below.
fn draw_distributions(buffer: &mut Buffer, area: Rect, state: &State, container: &Container) -> Rect {
    let mut rest = area;
    for distribution in catalog::distributions().filter(|one| one.span == Span::Window) {
        let merged = merged(state, container, distribution);
        if !merged.is_empty() && rest.height >= histogram::LINES {
            let (here, below) = split_top(rest, histogram::LINES);
            histogram::draw(buffer, here, &title(distribution), &merged);
            rest = below;
        }
    }
    if rest.height == area.height {
        let (line, below) = split_top(rest, 1);
        put(buffer, line, "nothing was timed in the last minute", FAINT);
        rest = below;
    }
    rest
}

fn merged(state: &State, container: &Container, distribution: &Distribution) -> Merged {
    let mut merged = Merged::default();
    for (_, one) in state.tape.track(&container.id, LATELY) {
        if let Some(latency) = one.and_then(|one| (distribution.get)(&one.measurements)) {
            merged.add(latency);
        }
    }
    merged
}

/// What a distribution is of, in short.
fn title(distribution: &Distribution) -> String {
    match (distribution.group, distribution.name) {
        ("scheduler", "runq_latency") => "run-queue wait".to_owned(),
        ("block_io", name) => format!("disk {}", name.replace('_', " ")),
        (_, name) => name.replace('_', " "),
    }
}

/// What it waited for, in the words of `monitor blame`.
fn draw_waiting(buffer: &mut Buffer, area: Rect, snapshot: &Snapshot, container: &Container) {
    let mut text = String::new();
    Paragraphs::of(snapshot).put(&mut text, container);
    let mut rest = area;
    for line in text.lines() {
        let (here, below) = split_top(rest, 1);
        if here.height == 0 {
            return;
        }
        put(buffer, here, line, PLAIN);
        rest = below;
    }
}
