//! Who kept whom from a CPU, as text for a terminal, and what else kept containers waiting.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use super::{
    delays,
    table::{label, nanoseconds, printable},
};
use crate::model::{Container, Interference, InterferenceSource, Snapshot};

/// Parts of a wait smaller than this are not worth a line.
const LEAST_SHARE: f64 = 0.005;

/// Appends a paragraph for each container that waited in the window, the longest waits first.
pub fn encode(snapshot: &Snapshot, out: &mut BytesMut) {
    let mut waiting: Vec<(&Container, f64)> =
        snapshot.containers.iter().map(|container| (container, waited(container))).collect();
    waiting.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut text = String::new();
    let paragraphs = Paragraphs::of(snapshot);
    for (container, _) in waiting {
        paragraphs.put(&mut text, container);
    }
    if text.is_empty() {
        text.push_str("no container is there\n");
    }
    out.put_slice(text.as_bytes());
}

/// What containers of a snapshot waited for, in words.
pub struct Paragraphs {
    /// Whose memory grew meanwhile.
    grown: Vec<String>,
}

impl Paragraphs {
    /// Of the containers of this snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        Self { grown: delays::grown(snapshot) }
    }

    /// Appends what one container waited for.
    pub fn put(&self, text: &mut String, container: &Container) {
        paragraph(text, container);
        delays::put_queue(text, container);
        delays::put_reclaim(text, container, &self.grown);
    }
}

fn paragraph(text: &mut String, container: &Container) {
    let name = label(container);
    let per_second = waited(container);
    let Some(parts) = &*container.measurements.interference else {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}: not measured (see `monitor doctor`)");
        return;
    };
    if per_second <= 0.0 {
        let _ = writeln!(text, "{name}: waited for nothing");
        return;
    }
    let _ = writeln!(text, "{name}: waited {} a second for a CPU", nanoseconds(per_second));
    let mut parts: Vec<(&Interference, f64)> =
        parts.iter().map(|part| (part, part.wait_ns_per_second.unwrap_or_default())).collect();
    parts.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    for (place, (part, ns)) in parts.into_iter().enumerate() {
        let share = ns / per_second;
        if share < LEAST_SHARE {
            continue;
        }
        let preemptions = match part.preemptions_total {
            0 => String::new(),
            count => format!(", made way {count} times since it is counted"),
        };
        let _ = writeln!(
            text,
            "  {:>5.1} %  {:<9} {}{preemptions}",
            share * 100.0,
            nanoseconds(ns),
            culprit(part)
        );
        if place == 0
            && let Some(advice) = advice(part.source)
        {
            let _ = writeln!(text, "           → {}", advice.replace("{victim}", &name));
        }
    }
}

/// Nanoseconds waited a second.
#[must_use]
pub fn waited(container: &Container) -> f64 {
    let parts = container.measurements.interference.iter().flatten();
    parts.filter_map(|part| part.wait_ns_per_second).sum()
}

fn culprit(part: &Interference) -> String {
    match (part.source, &part.name, &part.id) {
        (InterferenceSource::Container, Some(name), _) => format!("container {}", printable(name)),
        (InterferenceSource::Container, None, Some(id)) => {
            format!("container {}", printable(id.get(..12).unwrap_or(id)))
        }
        _ => words(part.source).to_owned(),
    }
}

/// Every source.
pub const SOURCES: [InterferenceSource; 6] = [
    InterferenceSource::Own,
    InterferenceSource::Container,
    InterferenceSource::System,
    InterferenceSource::Quota,
    InterferenceSource::Wakeup,
    InterferenceSource::Unknown,
];

/// Whom or what a container waited for, where that is no container that is shown.
#[must_use]
pub fn words(source: InterferenceSource) -> &'static str {
    match source {
        InterferenceSource::Own => "its own other tasks",
        InterferenceSource::Container => "containers that have ended",
        InterferenceSource::System => "the system: tasks in no container",
        InterferenceSource::Quota => "its CPU quota",
        InterferenceSource::Wakeup => "idle CPUs that woke up",
        InterferenceSource::Unknown => "not known: other CPUs before a migration",
    }
}

/// What would shorten a wait for a CPU; `{victim}` stands for who waited.
#[must_use]
pub fn advice(source: InterferenceSource) -> Option<&'static str> {
    match source {
        InterferenceSource::Own => {
            Some("it has more to run than CPUs to run on: fewer threads, or more CPUs (--cpuset-cpus)")
        }
        InterferenceSource::Container => Some(
            "keep the two apart (--cpuset-cpus), give {victim} more weight (--cpu-shares), or bound the other (--cpus)",
        ),
        InterferenceSource::System => {
            Some("give {victim} more weight (--cpu-shares), or CPUs that the system leaves alone")
        }
        InterferenceSource::Quota => Some("raise its quota (--cpus), or lengthen its period (--cpu-period)"),
        InterferenceSource::Wakeup | InterferenceSource::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(source: InterferenceSource, name: Option<&str>, ns: f64) -> Interference {
        Interference {
            source,
            id: name.map(|name| format!("{name}-id")),
            name: name.map(str::to_owned),
            wait_ns_total: 0,
            wait_ns_per_second: Some(ns),
            waits_total: 1,
            preemptions_total: 3,
        }
    }

    #[test]
    fn parts_are_named_and_small_ones_left_out() {
        assert_eq!(
            culprit(&part(InterferenceSource::Container, Some("ho\u{1b}g"), 1.0)),
            "container ho\u{fffd}g"
        );
        assert_eq!(culprit(&part(InterferenceSource::Container, None, 1.0)), "containers that have ended");
        assert!(advice(InterferenceSource::Quota).unwrap().contains("--cpus"));
        assert_eq!(advice(InterferenceSource::Wakeup), None);
    }
}
