//! What keeps containers waiting besides CPUs, as text for a terminal: memory that they have to free.

use std::fmt::Write;

use super::table::{bytes, label, nanoseconds};
use crate::model::{Container, Snapshot};

/// Less of a second than this is not worth a line.
const LEAST_NS: f64 = 1e5;
/// Containers whose memory grew that are named.
const GROWN: usize = 3;

/// Appends what a container had to free, and as far as that can be told, why.
pub(super) fn put_reclaim(text: &mut String, container: &Container, snapshot: &Snapshot) {
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
        let grown = grown(snapshot);
        if !grown.is_empty() {
            let _ = writeln!(text, "           memory that grew meanwhile: {}", grown.join(", "));
        }
        let _ = writeln!(text, "           → bound those that grow (--memory)");
    }
}

/// Containers whose memory grew in the window, those that grew most.
fn grown(snapshot: &Snapshot) -> Vec<String> {
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
    fn reclaim_says_why_and_what_grew_but_not_who_is_to_blame() {
        let mut snapshot = snapshot();
        let mut text = String::new();
        put_reclaim(&mut text, &snapshot.containers[0], &snapshot);
        assert_eq!(text, "");
        snapshot.containers[0].measurements.memory.limit_reclaim_ns_per_second = Some(5e6);
        put_reclaim(&mut text, &snapshot.containers[0], &snapshot);
        assert!(text.starts_with("web: freed memory itself for 5.0 ms a second, at its limit"), "{text}");
        assert!(!text.contains("grew"), "{text}");
        text.clear();
        snapshot.containers[0].measurements.memory.limit_reclaim_ns_per_second = None;
        snapshot.containers[0].measurements.memory.direct_reclaim_ns_per_second = Some(2e6);
        put_reclaim(&mut text, &snapshot.containers[0], &snapshot);
        assert!(text.contains("for whose sake, the kernel does not tell"), "{text}");
        assert!(text.contains("grew meanwhile: hog by 3.0 MiB, job by 4.0 KiB\n"), "{text}");
    }
}
