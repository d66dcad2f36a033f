//! What keeps containers waiting besides CPUs, as text for a terminal: requests to block devices that stand in line, and memory
//! that they have to free.

use std::fmt::Write;

use super::table::{bytes, label, nanoseconds, printable};
use crate::model::{BlockInterference, Container, InterferenceSource, Snapshot};

/// Less of a second than this is not worth a line.
const LEAST_NS: f64 = 1e5;
/// Parts of a time smaller than this are not worth a line either.
const LEAST_SHARE: f64 = 0.005;
/// Containers whose memory grew that are named.
const GROWN: usize = 3;

/// Appends a paragraph of whom a container's requests to block devices stood in line behind, if they did.
pub(super) fn put_queue(text: &mut String, container: &Container) {
    let parts = container.measurements.block_interference.iter().flatten();
    let mut parts: Vec<(&BlockInterference, f64)> =
        parts.map(|part| (part, part.wait_ns_per_second.unwrap_or_default())).collect();
    let sum: f64 = parts.iter().map(|(_, ns)| ns).sum();
    if sum < LEAST_NS {
        return;
    }
    parts.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let name = label(container);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{name}: block requests stood in line for {} a second", nanoseconds(sum));
    for (place, (part, ns)) in parts.into_iter().enumerate() {
        if ns / sum < LEAST_SHARE {
            continue;
        }
        let _ = writeln!(text, "  {:>5.1} %  {:<9} {}", ns / sum * 100.0, nanoseconds(ns), before(part));
        if place == 0 && part.source == InterferenceSource::Container {
            let _ = writeln!(
                text,
                "           → bound the other (--device-read-bps, --device-write-bps), give {name} more weight \
                 (--blkio-weight), or a device of its own"
            );
        }
    }
}

/// Whose requests were before.
fn before(part: &BlockInterference) -> String {
    let id = part.id.as_deref().map(|id| id.get(..12).unwrap_or(id));
    match (part.source, part.name.as_deref().or(id)) {
        (InterferenceSource::Own, _) => "behind its own other requests".to_owned(),
        (InterferenceSource::Container, Some(name)) => {
            format!("behind those of container {}", printable(name))
        }
        (InterferenceSource::Container, None) => "behind those of containers that have ended".to_owned(),
        (InterferenceSource::System, _) => "behind the system's, of no container".to_owned(),
        (InterferenceSource::Quota | InterferenceSource::Wakeup | InterferenceSource::Unknown, _) => {
            "not known: more were completed than are remembered".to_owned()
        }
    }
}

/// Appends what a container had to free, and as far as that can be told, why.
pub(super) fn put_reclaim(text: &mut String, container: &Container, grown: &[String]) {
    let memory = &container.measurements.memory;
    let name = label(container);
    let worth = |ns: Option<f64>| ns.filter(|ns| *ns >= LEAST_NS).map(nanoseconds);
    if let Some(time) = worth(memory.limit_reclaim_ns_per_second) {
        let _ =
            writeln!(text, "{name}: freed memory itself for {time} a second, at its limit or one around it");
        let _ = writeln!(text, "           → raise the limit (--memory), or use less");
    }
    if let Some(time) = worth(memory.direct_reclaim_ns_per_second) {
        let _ = writeln!(
            text,
            "{name}: freed memory itself for {time} a second, since the machine is short of it; for whose sake, the kernel \
             does not tell"
        );
        if !grown.is_empty() {
            let _ = writeln!(text, "           memory that grew meanwhile: {}", grown.join(", "));
        }
        let _ = writeln!(text, "           → bound those that grow (--memory)");
    }
}

/// Containers whose memory grew in the window, those that grew most, in words.
pub(super) fn grown(snapshot: &Snapshot) -> Vec<String> {
    let mut grown: Vec<(u64, &Container)> = snapshot
        .containers
        .iter()
        .filter_map(|container| {
            let bytes = u64::try_from(container.measurements.memory.growth_bytes?).ok()?;
            (bytes > 0).then_some((bytes, container))
        })
        .collect();
    grown.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    grown
        .into_iter()
        .take(GROWN)
        .map(|(grown, container)| format!("{} by {}", label(container), bytes(Some(grown))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let container = |name: &str, growth: i64| {
            let json = serde_json::json!({
                "id": name, "short_id": name, "name": name, "image": null, "runtime": "docker", "state": "running",
                "exit_code": null, "created_at": null, "started_at": null, "finished_at": null, "labels": {}, "pod": null,
                "counting_since": "2026-01-01T00:00:00Z", "cgroup": { "id": 1, "path": "/a" },
                "namespaces": serde_json::to_value(crate::model::Namespaces::default()).unwrap(),
            });
            let measured = serde_json::to_value(crate::model::Measurements::default()).unwrap();
            let mut whole = json.as_object().unwrap().clone();
            whole.extend(measured.as_object().unwrap().clone());
            let mut container: Container = serde_json::from_value(whole.into()).unwrap();
            container.measurements.memory.growth_bytes = Some(growth);
            container
        };
        let containers = vec![container("web", -5), container("hog", 3 << 20), container("job", 4096)];
        Snapshot {
            schema_version: 1,
            taken_at: jiff::Timestamp::UNIX_EPOCH,
            window_ns: 1,
            host: crate::model::Host::default(),
            containers,
            cgroups: Vec::new(),
            audit: crate::model::Audit::default(),
            coverage: crate::model::Coverage::default(),
        }
    }

    #[test]
    fn requests_in_line_are_named_and_small_parts_left_out() {
        let part = |source, name: Option<&str>, ns| BlockInterference {
            source,
            id: name.map(|name| format!("{name}-id")),
            name: name.map(str::to_owned),
            wait_ns_total: 0,
            wait_ns_per_second: Some(ns),
            waits_total: 1,
        };
        let mut web = snapshot().containers.remove(0);
        let mut text = String::new();
        *web.measurements.block_interference = Some(vec![part(InterferenceSource::Own, None, 1e4)]);
        put_queue(&mut text, &web);
        assert_eq!(text, "");
        *web.measurements.block_interference = Some(vec![
            part(InterferenceSource::Own, None, 2e6),
            part(InterferenceSource::Container, Some("ho\u{1b}g"), 8e6),
            part(InterferenceSource::System, None, 1e3),
        ]);
        put_queue(&mut text, &web);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "web: block requests stood in line for 10.0 ms a second");
        assert_eq!(lines[1], "   80.0 %  8.0 ms    behind those of container ho\u{fffd}g");
        assert!(lines[2].contains("--device-read-bps"), "{text}");
        assert_eq!(lines[3], "   20.0 %  2.0 ms    behind its own other requests");
        assert_eq!(lines.len(), 4, "{text}");
    }

    #[test]
    fn reclaim_says_why_and_what_grew_but_not_who_is_to_blame() {
        let mut snapshot = snapshot();
        let mut text = String::new();
        put_reclaim(&mut text, &snapshot.containers[0], &grown(&snapshot));
        assert_eq!(text, "");
        snapshot.containers[0].measurements.memory.limit_reclaim_ns_per_second = Some(5e6);
        put_reclaim(&mut text, &snapshot.containers[0], &grown(&snapshot));
        assert!(text.starts_with("web: freed memory itself for 5.0 ms a second, at its limit"), "{text}");
        assert!(!text.contains("grew"), "{text}");
        text.clear();
        snapshot.containers[0].measurements.memory.limit_reclaim_ns_per_second = None;
        snapshot.containers[0].measurements.memory.direct_reclaim_ns_per_second = Some(2e6);
        put_reclaim(&mut text, &snapshot.containers[0], &grown(&snapshot));
        assert!(text.contains("for whose sake, the kernel does not tell"), "{text}");
        assert!(text.contains("grew meanwhile: hog by 3.0 MiB, job by 4.0 KiB\n"), "{text}");
    }
}
