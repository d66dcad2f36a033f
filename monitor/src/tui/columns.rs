//! What can stand in the table: the dashboard's columns (web/src/model/columns.ts), under the same names and in the same units.

use super::{
    filter::pod,
    units::{NONE, bytes, cores, count, duration, or_none, percent},
};
use crate::{
    model::{Container, ContainerState, Measurements},
    output::table::{label, printable},
};

/// A container in the snapshot that is shown, and in the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) container: &'a Container,
    pub(super) before: Option<&'a Container>,
}

impl Row<'_> {
    fn measured(&self) -> &Measurements {
        &self.container.measurements
    }
}

/// By what rows are sorted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sortable {
    Number(f64),
    Text(String),
    /// Was not measured: comes last, whichever way it is sorted.
    Unknown,
}

/// What is shown of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// What follows it, less visible: a limit, or what it is of.
    pub(super) note: String,
    pub(super) tone: Tone,
}

/// How a cell is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Plain,
    /// Less visible.
    Faint,
    /// Worth a look.
    Warning,
    /// Something is wrong.
    Bad,
}

/// How the values of a group become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Together {
    Sum,
    Most,
    /// Not at all.
    Nothing,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    /// As in the dashboard's addresses, and after `--sort`.
    pub(super) key: &'static str,
    /// The upper line of its heading, which neighbours share.
    pub(super) heading: &'static str,
    /// The lower one.
    pub(super) subheading: &'static str,
    /// What it is and in which unit, for menus.
    pub(super) title: &'static str,
    pub(super) width: u16,
    /// What of it stands behind the value, which ends at the same place in every line.
    pub(super) note: u16,
    /// How it is where no container has what stands behind the value.
    pub(super) slim: Option<Slim>,
    /// Columns with lower numbers are shown where there is no room for all.
    pub(super) rank: u8,
    pub(super) value: fn(&Row<'_>) -> Sortable,
    pub(super) cell: fn(&Row<'_>) -> Cell,
    /// A value as a cell has it.
    pub(super) show: fn(f64) -> String,
    pub(super) together: Together,
}

impl Column {
    /// Whether it is words, which stand at the left and begin with the first.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.key, "name" | "state" | "image")
    }
}

/// A column without what stands behind its values.
#[derive(Debug)]
pub(super) struct Slim {
    pub(super) subheading: &'static str,
    pub(super) width: u16,
    /// Whether a container has it.
    pub(super) has: fn(&Container) -> bool,
}

/// The column that is drawn: the last minutes of the CPU time.
pub(super) const TREND: &str = "trend";

/// A number that is a field of its own.
macro_rules! number {
    ($key:literal, $heading:literal, $subheading:literal, $title:literal, $width:literal, $rank:literal, $show:ident, $group:ident.$field:ident) => {
        Column {
            key: $key,
            heading: $heading,
            subheading: $subheading,
            title: $title,
            width: $width,
            note: 0,
            slim: None,
            rank: $rank,
            value: |row| row.measured().$group.$field.map_or(Sortable::Unknown, Sortable::Number),
            cell: |row| plain(or_none(row.measured().$group.$field, $show)),
            show: $show,
            together: Together::Sum,
        }
    };
}

/// All of them, in the order in which they stand.
pub(super) static COLUMNS: [Column; 17] = [
    Column {
        key: "name",
        heading: "",
        subheading: "name",
        title: "name",
        width: 16,
        note: 0,
        slim: None,
        rank: 0,
        value: |row| Sortable::Text(label(row.container)),
        cell: |row| plain(label(row.container)),
        show: count,
        together: Together::Nothing,
    },
    Column {
        key: "state",
        heading: "",
        subheading: "state",
        title: "state, or exit code",
        width: 8,
        note: 0,
        slim: None,
        rank: 1,
        value: |row| Sortable::Text(state(row.container).text),
        cell: |row| state(row.container),
        show: count,
        together: Together::Nothing,
    },
    Column {
        key: "image",
        heading: "",
        subheading: "image",
        title: "image",
        width: 16,
        note: 0,
        slim: None,
        rank: 15,
        value: |row| row.container.image.clone().map_or(Sortable::Unknown, Sortable::Text),
        cell: |row| plain(row.container.image.as_deref().map_or_else(|| NONE.to_owned(), printable)),
        show: count,
        together: Together::Nothing,
    },
    Column {
        key: "cpu",
        heading: "CPU",
        subheading: "cores/quota",
        title: "CPU: cores / quota",
        width: 12,
        note: 7,
        slim: Some(Slim { subheading: "cores", width: 6, has: |container| quota(container).is_some() }),
        rank: 2,
        value: |row| row.measured().cpu.usage_cores.map_or(Sortable::Unknown, Sortable::Number),
        cell: cpu,
        show: cores,
        together: Together::Sum,
    },
    Column {
        key: "memory",
        heading: "memory",
        subheading: "used / limit",
        title: "memory: used / limit",
        width: 19,
        note: 11,
        slim: Some(Slim { subheading: "used", width: 8, has: |container| memory_limit(container).is_some() }),
        rank: 3,
        value: |row| known(row.measured().memory.current_bytes),
        cell: memory,
        show: bytes,
        together: Together::Sum,
    },
    number!(
        "voluntary",
        "switches/s",
        "vol",
        "voluntary switches/s",
        6,
        5,
        count,
        scheduler.voluntary_switches_per_second
    ),
    number!(
        "involuntary",
        "switches/s",
        "invol",
        "involuntary switches/s",
        6,
        4,
        count,
        scheduler.involuntary_switches_per_second
    ),
    Column {
        key: "wait_p99",
        heading: "wait",
        subheading: "p99",
        title: "run-queue wait p99",
        width: 7,
        note: 0,
        slim: None,
        rank: 4,
        value: |row| known(wait_p99(row)),
        cell: |row| {
            let tone = graded(wait_p99(row).unwrap_or(0) as f64, 10e6, 100e6);
            Cell { tone, ..plain(or_none(wait_p99(row).map(|ns| ns as f64), duration)) }
        },
        show: duration,
        together: Together::Most,
    },
    number!("minor", "faults/s", "minor", "minor faults/s", 6, 6, count, faults.minor_per_second),
    number!("major", "faults/s", "major", "major faults/s", 6, 7, count, faults.major_per_second),
    number!("rx", "network/s", "rx", "net rx a second", 8, 8, bytes, network.rx_bytes_per_second),
    number!("tx", "network/s", "tx", "net tx a second", 8, 9, bytes, network.tx_bytes_per_second),
    number!("read", "disk/s", "read", "disk read a second", 8, 10, bytes, block_io.read_bytes_per_second),
    number!("write", "disk/s", "write", "disk write a second", 8, 11, bytes, block_io.write_bytes_per_second),
    Column {
        key: "throttled",
        heading: "throttled",
        subheading: "% periods",
        title: "throttled: % of periods",
        width: 9,
        note: 0,
        slim: None,
        rank: 12,
        value: |row| throttled(row).map_or(Sortable::Unknown, Sortable::Number),
        cell: |row| {
            let tone = graded(throttled(row).unwrap_or(0.0), 1.0, 25.0);
            Cell { tone, ..plain(or_none(throttled(row), percent)) }
        },
        show: percent,
        together: Together::Most,
    },
    Column {
        key: "pressure",
        heading: "pressure",
        subheading: "% stalled",
        title: "pressure: % stalled",
        width: 13,
        note: 7,
        slim: None,
        rank: 13,
        value: |row| worst_pressure(row).map_or(Sortable::Unknown, |(_, share)| Sortable::Number(share)),
        cell: pressure,
        show: percent,
        together: Together::Most,
    },
    Column {
        key: TREND,
        heading: "CPU trend",
        subheading: "last 5 min",
        title: "CPU trend: last 5 min",
        width: 12,
        note: 0,
        slim: None,
        rank: 14,
        value: |row| row.measured().cpu.usage_cores.map_or(Sortable::Unknown, Sortable::Number),
        cell: |_| Cell::default(),
        show: cores,
        together: Together::Nothing,
    },
];

/// The column of a key.
pub(super) fn find(key: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.key == key)
}

/// The value of a group in a column.
pub(super) fn together<'a>(column: &Column, rows: impl Iterator<Item = Row<'a>>) -> Option<f64> {
    let values = rows.filter_map(|row| match (column.value)(&row) {
        Sortable::Number(value) => Some(value),
        Sortable::Text(_) | Sortable::Unknown => None,
    });
    match column.together {
        Together::Sum => values.reduce(|sum, value| sum + value),
        Together::Most => values.reduce(f64::max),
        Together::Nothing => None,
    }
}

fn plain(text: String) -> Cell {
    Cell { text, ..Cell::default() }
}

fn known(value: Option<u64>) -> Sortable {
    value.map_or(Sortable::Unknown, |value| Sortable::Number(value as f64))
}

/// Worth a look from one value on, bad from another.
fn graded(value: f64, warning: f64, bad: f64) -> Tone {
    match value {
        _ if value >= bad => Tone::Bad,
        _ if value >= warning => Tone::Warning,
        _ => Tone::Plain,
    }
}

fn state(container: &Container) -> Cell {
    let (text, tone) = match (container.state, container.exit_code) {
        (ContainerState::Running, _) => ("running".to_owned(), Tone::Plain),
        (ContainerState::Paused, _) => ("paused".to_owned(), Tone::Warning),
        (ContainerState::Exited, Some(0)) => ("exit 0".to_owned(), Tone::Faint),
        (ContainerState::Exited, Some(code)) => (format!("exit {code}"), Tone::Bad),
        (ContainerState::Exited, None) => ("exited".to_owned(), Tone::Faint),
    };
    Cell { text, note: String::new(), tone }
}

/// The CPU time that the quota allows, in CPUs; `None` without one.
pub(super) fn quota(container: &Container) -> Option<f64> {
    let cpu = &container.measurements.cpu;
    let (quota, period) = (cpu.quota_us.filter(|quota| *quota > 0)?, cpu.period_us.filter(|us| *us > 0)?);
    Some(quota as f64 / period as f64)
}

fn cpu(row: &Row<'_>) -> Cell {
    let used = row.measured().cpu.usage_cores;
    let text = or_none(used, cores);
    match quota(row.container) {
        None => plain(text),
        Some(quota) => Cell {
            text,
            note: format!(" / {}", cores(quota)),
            tone: graded(used.unwrap_or(0.0) / quota, 0.8, 0.95),
        },
    }
}

/// The limit on memory; `None` without one.
pub(super) fn memory_limit(container: &Container) -> Option<f64> {
    container.measurements.memory.limit_bytes.filter(|limit| *limit > 0).map(|limit| limit as f64)
}

fn memory(row: &Row<'_>) -> Cell {
    let used = row.measured().memory.current_bytes.map(|bytes| bytes as f64);
    let text = or_none(used, bytes);
    match memory_limit(row.container) {
        None => plain(text),
        Some(limit) => Cell {
            text,
            note: format!(" / {}", bytes(limit)),
            tone: graded(used.unwrap_or(0.0) / limit, 0.8, 0.95),
        },
    }
}

fn wait_p99(row: &Row<'_>) -> Option<u64> {
    row.measured().scheduler.runq_latency.as_ref()?.p99_ns
}

/// Of the quota's periods in the window, those in which it ran out, in percent; `None` without a period.
fn throttled(row: &Row<'_>) -> Option<f64> {
    let (now, before) = (&row.measured().cpu, &row.before?.measurements.cpu);
    let periods = now.periods_total?.checked_sub(before.periods_total?)?;
    let throttled = now.throttled_periods_total?.checked_sub(before.throttled_periods_total?)?;
    (periods > 0).then(|| throttled as f64 / periods as f64 * 100.0)
}

/// The resource that some task waits for most, of the last ten seconds in percent.
fn worst_pressure(row: &Row<'_>) -> Option<(&'static str, f64)> {
    let pressure = &row.measured().pressure;
    let stalls = [("cpu", pressure.cpu), ("memory", pressure.memory), ("io", pressure.io)];
    let shares = stalls.into_iter().filter_map(|(of, stall)| Some((of, stall?.some?.avg10)));
    shares.reduce(|worst, one| if one.1 > worst.1 { one } else { worst })
}

fn pressure(row: &Row<'_>) -> Cell {
    match worst_pressure(row) {
        None => plain(NONE.to_owned()),
        Some((of, share)) if share > 0.0 => {
            Cell { text: percent(share), note: format!(" {of}"), tone: graded(share, 10.0, 50.0) }
        }
        Some((_, share)) => plain(percent(share)),
    }
}

/// What rows can be put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Kubernetes' pod.
    Pod,
    /// The Compose project.
    Project,
    /// The cgroup above: with systemd a slice, in Kubernetes the pod's.
    Slice,
}

/// All of them.
pub(super) const GROUPINGS: [Grouping; 3] = [Grouping::Pod, Grouping::Project, Grouping::Slice];

impl Grouping {
    /// As it is called, and after `--group`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Project => "project",
            Self::Slice => "slice",
        }
    }

    /// That of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        GROUPINGS.into_iter().find(|grouping| grouping.name() == name)
    }

    /// The group that a container is in.
    pub(super) fn of(self, container: &Container) -> Option<String> {
        match self {
            Self::Pod => pod(container),
            Self::Project => container.project().map(str::to_owned),
            Self::Slice => {
                let (above, _) = container.cgroup.path.as_deref()?.rsplit_once('/')?;
                Some(if above.is_empty() { "/".to_owned() } else { above.to_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Stall, tui::testing::container};

    #[test]
    fn keys_and_ranks_are_told_apart() {
        for (place, column) in COLUMNS.iter().enumerate() {
            assert_eq!(find(column.key).map(|found| found.title), Some(column.title));
            assert!(COLUMNS.iter().skip(place + 1).all(|other| other.key != column.key));
        }
    }

    #[test]
    fn limits_are_behind_what_is_used_and_colour_it() {
        fn row(container: &Container) -> Row<'_> {
            Row { container, before: None }
        }
        let mut web = container("web");
        assert_eq!(cpu(&row(&web)).text, "–");
        web.measurements.cpu.usage_cores = Some(0.97);
        web.measurements.cpu.quota_us = Some(100_000);
        web.measurements.cpu.period_us = Some(100_000);
        let cell = cpu(&row(&web));
        assert_eq!((cell.text + &cell.note, cell.tone), ("0.97 / 1.00".to_owned(), Tone::Bad));
        web.measurements.memory.current_bytes = Some(860 << 10);
        web.measurements.memory.limit_bytes = Some(-1);
        assert_eq!(memory(&row(&web)).note, "");
        web.measurements.memory.limit_bytes = Some(64 << 20);
        let cell = memory(&row(&web));
        assert_eq!((cell.text + &cell.note, cell.tone), ("860 KiB / 64.0 MiB".to_owned(), Tone::Plain));
    }

    #[test]
    fn throttling_is_of_the_periods_of_the_window() {
        fn share(now: &Container, before: &Container) -> Option<f64> {
            throttled(&Row { container: now, before: Some(before) })
        }
        let (mut now, mut before) = (container("web"), container("web"));
        assert_eq!(share(&now, &before), None);
        for (container, periods, those) in [(&mut now, 30, 9), (&mut before, 20, 4)] {
            container.measurements.cpu.periods_total = Some(periods);
            container.measurements.cpu.throttled_periods_total = Some(those);
        }
        assert_eq!(share(&now, &before), Some(50.0));
        assert_eq!(share(&before, &now), None, "a counter that went backwards has no share");
        assert_eq!(share(&now, &now), None, "no period");
    }

    #[test]
    fn pressure_is_that_of_the_worst_resource() {
        let mut web = container("web");
        let stall = |avg10| {
            let share = crate::model::StallShare { avg10, ..crate::model::StallShare::default() };
            Some(Stall { some: Some(share), full: None })
        };
        web.measurements.pressure.cpu = stall(1.0);
        web.measurements.pressure.io = stall(12.3);
        let cell = pressure(&Row { container: &web, before: None });
        assert_eq!((cell.text.as_str(), cell.note.as_str(), cell.tone), ("12.3 %", " io", Tone::Warning));
    }

    #[test]
    fn a_slice_is_the_cgroup_above() {
        let mut web = container("web");
        assert_eq!(Grouping::Slice.of(&web).as_deref(), Some("/docker"));
        web.cgroup.path = Some("/system.slice/docker-1.scope".to_owned());
        assert_eq!(Grouping::Slice.of(&web).as_deref(), Some("/system.slice"));
        web.cgroup.path = None;
        assert_eq!(Grouping::Slice.of(&web), None);
    }
}
