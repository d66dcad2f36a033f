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
    for (container, per_second) in waiting {
        paragraph(&mut text, container, per_second);
        delays::put_queue(&mut text, container);
        delays::put_reclaim(&mut text, container, snapshot);
    }
    if text.is_empty() {
        text.push_str("no container is there\n");
    }
    out.put_slice(text.as_bytes());
}

fn paragraph(text: &mut String, container: &Container, per_second: f64) {
    let name = label(container);
    let Some(parts) = &container.measurements.interference else {
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
            && let Some(advice) = advice(part, &name)
        {
            let _ = writeln!(text, "           → {advice}");
        }
    }
}

/// Nanoseconds waited a second.
fn waited(container: &Container) -> f64 {
    let parts = container.measurements.interference.iter().flatten();
    parts.filter_map(|part| part.wait_ns_per_second).sum()
}

fn culprit(part: &Interference) -> String {
    match part.source {
        InterferenceSource::Own => "its own other tasks".to_owned(),
        InterferenceSource::Container => match (&part.name, &part.id) {
            (Some(name), _) => format!("container {}", printable(name)),
            (None, Some(id)) => format!("container {}", printable(id.get(..12).unwrap_or(id))),
            (None, None) => "containers that have ended".to_owned(),
        },
        InterferenceSource::System => "the system: tasks in no container".to_owned(),
        InterferenceSource::Quota => "its CPU quota".to_owned(),
        InterferenceSource::Wakeup => "idle CPUs that woke up".to_owned(),
        InterferenceSource::Unknown => "not known: other CPUs before a migration".to_owned(),
    }
}

/// What would shorten the wait.
fn advice(part: &Interference, name: &str) -> Option<String> {
    match part.source {
        InterferenceSource::Own => Some(
            "it has more to run than CPUs to run on: fewer threads, or more CPUs (--cpuset-cpus)".to_owned(),
        ),
        InterferenceSource::Container => Some(format!(
            "keep the two apart (--cpuset-cpus), give {name} more weight (--cpu-shares), or bound the other (--cpus)"
        )),
        InterferenceSource::System => {
            Some(format!("give {name} more weight (--cpu-shares), or CPUs that the system leaves alone"))
        }
        InterferenceSource::Quota => {
            Some("raise its quota (--cpus), or lengthen its period (--cpu-period)".to_owned())
        }
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
        assert!(advice(&part(InterferenceSource::Quota, None, 1.0), "web").unwrap().contains("--cpus"));
        assert_eq!(advice(&part(InterferenceSource::Wakeup, None, 1.0), "web"), None);
    }
}
