//! The machine in a few lines, as the dashboard has it (web/src/view/host-line.tsx), and what is missing.

use std::fmt::Write;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{BAD, BOLD, FAINT, PLAIN, WARNING, put, put_line, split_top};
use crate::{
    model::{Snapshot, Source, is_disk, leads_outside},
    output::table::{printable, warnings},
    tui::units::{bytes, cores, count, or_none, percent},
};

/// Columns of a bar.
const BAR: usize = 8;
/// Columns between two figures.
const GAP: usize = 2;

/// Draws it at the top, and says what is left below.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, snapshot: &Snapshot) -> Rect {
    let lines = flow(figures(snapshot), usize::from(area.width));
    let mut rest = area;
    // Of a screen that is very low, the containers have most.
    for line in lines.into_iter().take(usize::from(area.height / 4)) {
        let (here, below) = split_top(rest, 1);
        put_line(buffer, here, &line);
        rest = below;
    }
    if let Some(text) = missing(snapshot).filter(|_| rest.height > 4) {
        let (here, below) = split_top(rest, 1);
        put(buffer, here, &text, WARNING);
        rest = below;
    }
    rest
}

/// One figure after the other, on as many lines as they take.
fn flow(figures: Vec<Line<'static>>, width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for figure in figures {
        match lines.last_mut() {
            Some(line) if line.width() + GAP + figure.width() <= width => {
                line.push_span(" ".repeat(GAP));
                line.extend(figure.spans);
            }
            _ => lines.push(figure),
        }
    }
    lines
}

fn figures(snapshot: &Snapshot) -> Vec<Line<'static>> {
    let (host, agent) = (&snapshot.host, &snapshot.audit.agent);
    let (memory, scheduler, faults) = (&host.totals.memory, &host.totals.scheduler, &host.totals.faults);
    let busy = host.totals.cpu.busy_cores;
    let total = memory.total_bytes.map(|bytes| bytes as f64);
    let used = total.zip(memory.available_bytes).map(|(total, available)| total - available as f64);
    let load = |value| or_none(value, |load| format!("{load:.2}"));
    let loads = [scheduler.load_5, scheduler.load_15].map(load).join(" ");
    let interfaces = host.totals.interfaces.iter().flatten().filter(|one| leads_outside(&one.name));
    let traffic: Vec<_> = interfaces.map(|one| &one.traffic).collect();
    let disks = host.totals.disks.iter().flatten().filter(|one| is_disk(&one.name));
    let disks: Vec<_> = disks.map(|one| &one.activity).collect();
    let rx = sum(traffic.iter().map(|one| one.rx_bytes_per_second));
    let tx = sum(traffic.iter().map(|one| one.tx_bytes_per_second));
    let read = sum(disks.iter().map(|one| one.read_bytes_per_second));
    let write = sum(disks.iter().map(|one| one.write_bytes_per_second));
    let own = agent.resident_bytes.map(|bytes| bytes as f64);
    vec![
        barred("CPU", busy, Some(f64::from(host.cpus)), cores, &host.cpus.to_string()),
        barred("memory", used, total, bytes, &or_none(total, bytes)),
        figure("load", load(scheduler.load_1), loads),
        figure("switches/s", or_none(scheduler.switches_per_second, count), String::new()),
        figure(
            "faults/s",
            or_none(faults.minor_per_second, count),
            format!("major {}", or_none(faults.major_per_second, count)),
        ),
        figure("net/s", format!("↓ {}", or_none(rx, bytes)), format!("↑ {}", or_none(tx, bytes))),
        figure("disk/s", format!("r {}", or_none(read, bytes)), format!("w {}", or_none(write, bytes))),
        figure("monitor", or_none(agent.cpu_cores, |cores| percent(cores * 100.0)), or_none(own, bytes)),
    ]
}

fn figure(name: &'static str, value: String, note: String) -> Line<'static> {
    let mut line = Line::from(vec![Span::styled(name, FAINT), Span::raw(" "), Span::styled(value, BOLD)]);
    if !note.is_empty() {
        line.push_span(" ");
        line.push_span(note);
    }
    line
}

/// A figure with a bar of how much of it is taken.
fn barred(
    name: &'static str,
    value: Option<f64>,
    most: Option<f64>,
    show: fn(f64) -> String,
    of: &str,
) -> Line<'static> {
    let share = value.zip(most.filter(|most| *most > 0.0)).map_or(0.0, |(value, most)| value / most);
    let (full, empty) = bar(share);
    let mut line = Line::from(vec![Span::styled(name, FAINT), Span::raw(" [")]);
    line.push_span(Span::styled(full, bar_style(share)));
    line.push_span(empty);
    line.push_span("] ");
    line.push_span(Span::styled(or_none(value, show), BOLD));
    line.push_span(format!(" of {of}"));
    line
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the bar's width")]
fn bar(share: f64) -> (String, String) {
    let full = (share.clamp(0.0, 1.0) * BAR as f64).round() as usize;
    ("|".repeat(full), " ".repeat(BAR - full))
}

fn bar_style(share: f64) -> Style {
    match share {
        0.9.. => BAD,
        0.7.. => WARNING,
        _ => PLAIN.fg(ratatui::style::Color::Green),
    }
}

/// The sum of what is known.
fn sum(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().reduce(|sum, value| sum + value)
}

/// What was lost, and which sources do not answer.
fn missing(snapshot: &Snapshot) -> Option<String> {
    let mut text = warnings(snapshot).trim_start_matches(" · ").to_owned();
    // What is partial is so for good on this machine: `monitor doctor` tells.
    let is_down = |source: &Source| source.state == "unavailable";
    for (name, source) in snapshot.coverage.sources.iter().filter(|(_, source)| is_down(source)) {
        let reason = source.reason.as_deref().map(printable).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(text, " · {name} {}: {reason}", source.state);
    }
    let missed = snapshot.coverage.lost.unwritten_snapshots_total;
    if missed > 0 {
        let _ = write!(text, " · {missed} snapshots came too fast for this terminal");
    }
    let text = text.trim_start_matches(" · ");
    (!text.is_empty()).then(|| format!("coverage: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Disk, HostInterface},
        tui::testing::snapshot,
    };

    #[test]
    fn figures_stand_on_as_many_lines_as_they_take() {
        let figures: Vec<Line<'static>> = vec!["aaaa".into(), "bbbb".into(), "cccc".into()];
        let text =
            |width| -> Vec<String> { flow(figures.clone(), width).iter().map(ToString::to_string).collect() };
        assert_eq!(text(80), ["aaaa  bbbb  cccc"]);
        assert_eq!(text(10), ["aaaa  bbbb", "cccc"]);
        assert_eq!(text(3), ["aaaa", "bbbb", "cccc"]);
    }

    #[test]
    fn only_what_leaves_the_machine_is_traffic() {
        let mut snapshot = snapshot(0, Vec::new());
        let interface = |name: &str| {
            let mut interface = HostInterface { name: name.to_owned(), ..HostInterface::default() };
            interface.traffic.rx_bytes_per_second = Some(1024.0);
            interface
        };
        let disk = |name: &str| {
            let mut disk = Disk { name: name.to_owned(), ..Disk::default() };
            disk.activity.read_bytes_per_second = Some(1024.0);
            disk
        };
        snapshot.host.totals.interfaces = Some(["eth0", "veth12ab", "docker0"].map(interface).to_vec());
        snapshot.host.totals.disks = Some(["vda", "dm-0", "md0"].map(disk).to_vec());
        let shown: Vec<String> = figures(&snapshot).iter().map(ToString::to_string).collect();
        let (once, none) = (bytes(1024.0), or_none(None, bytes));
        assert!(shown.contains(&format!("net/s ↓ {once} ↑ {none}")), "{shown:?}");
        assert!(shown.contains(&format!("disk/s r {once} w {none}")), "{shown:?}");
    }

    #[test]
    fn what_is_missing_is_said_and_nothing_else() {
        let mut snapshot = snapshot(0, Vec::new());
        assert_eq!(missing(&snapshot), None);
        let source = |state: &str, reason: &str| Source {
            state: state.to_owned(),
            reason: Some(reason.to_owned()),
            origin: None,
        };
        snapshot.coverage.sources.insert("podman".to_owned(), source("absent", "none"));
        snapshot.coverage.sources.insert("block_io".to_owned(), source("partial", "v1"));
        snapshot.coverage.sources.insert("docker".to_owned(), source("unavailable", "re\u{1b}fused"));
        snapshot.coverage.lost.lifecycle_records_total = 3;
        assert_eq!(
            missing(&snapshot).unwrap(),
            "coverage: 3 lost (see coverage) · docker unavailable: re\u{fffd}fused"
        );
    }
}
