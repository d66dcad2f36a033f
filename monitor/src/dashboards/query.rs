//! Queries with the catalogue's names in them.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::{
    model::{
        DiskActivity, FilesystemSpace, InterfaceTraffic, Metric,
        catalog::{distributions, host_metrics, metrics},
    },
    output::prometheus::{Selection, named},
};

/// A query names what no catalogue has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} in the query {1} is in no catalogue")]
pub struct UnknownName(String, String);

/// What a dashboard's variables choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Hosts.
    Hosts,
    /// Containers of hosts.
    Containers,
}

/// Families that are no single metric of the catalogue, each with what `--metrics` needs for it.
const OTHERS: [(&str, &str); 12] = [
    ("monitor_container_info", ""),
    ("monitor_container_start_time_seconds", ""),
    ("monitor_container_exit_code", ""),
    ("monitor_container_interference_wait_seconds_total", ""),
    ("monitor_container_pressure_stall_seconds_total", "pressure"),
    ("monitor_container_network_drops_total", "network.drops"),
    ("monitor_host_info", ""),
    ("monitor_host_cpus", ""),
    ("monitor_host_pressure_stall_seconds_total", ""),
    ("monitor_lost_total", ""),
    ("monitor_agent_cpu_seconds_total", ""),
    ("monitor_agent_resident_bytes", ""),
];
/// The label by which waits are told of other containers one by one.
const CULPRIT: &str = "culprit";

impl Scope {
    fn matchers(self, is_container: bool) -> &'static str {
        match self {
            Self::Containers if is_container => r#"instance=~"$instance",name=~"$container""#,
            Self::Containers | Self::Hosts => r#"instance=~"$instance""#,
        }
    }
}

/// Replaces `[[cpu.usage_ns_total]]`, `[[host.memory.free_bytes]]` and `[[=monitor_container_info]]` by their families with
/// selectors, of a distribution by its buckets; more matchers stand behind a `|`. Adds what `--metrics` needs to `wishes`.
pub(super) fn expand(
    query: &str,
    scope: Scope,
    wishes: &mut BTreeSet<String>,
) -> Result<String, UnknownName> {
    let mut parts = query.split("[[");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let unknown = |name: &str| UnknownName(name.to_owned(), query.to_owned());
        let (name, rest) = part.split_once("]]").ok_or_else(|| unknown(part))?;
        let (name, more) = name.split_once('|').unwrap_or((name, ""));
        let family = family(name, wishes).ok_or_else(|| unknown(name))?;
        let matchers = scope.matchers(family.starts_with("monitor_container"));
        let comma = if more.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = write!(text, "{family}{{{matchers}{comma}{more}}}{rest}");
    }
    if query.contains(CULPRIT) {
        wishes.insert("culprits".to_owned());
    }
    Ok(text)
}

fn family(name: &str, wishes: &mut BTreeSet<String>) -> Option<String> {
    if let Some(other) = name.strip_prefix('=') {
        let (family, wish) = OTHERS.iter().find(|(family, _)| *family == other)?;
        wish_for(wish, wishes);
        return Some((*family).to_owned());
    }
    if let Some(name) = name.strip_prefix("host.") {
        return host_family(name);
    }
    let (group, name) = name.split_once('.')?;
    if let Some(part) = name.strip_prefix("devices.") {
        wish_for("block_io.devices", wishes);
        return Some(format!("monitor_container_block_io_device_{part}"));
    }
    if !Selection::default().has(group, name) {
        wish_for(&format!("{group}.{name}"), wishes);
    }
    if let Some(metric) = metrics().find(|metric| metric.group == group && metric.name == name) {
        return Some(named(&format!("monitor_container_{group}"), metric)?.sample());
    }
    let spread = distributions().find(|spread| spread.group == group && spread.name == name)?;
    Some(format!("monitor_container_{}_{}_seconds_bucket", spread.group, spread.name))
}

fn wish_for(wish: &str, wishes: &mut BTreeSet<String>) {
    if !wish.is_empty() {
        wishes.insert(wish.to_owned());
    }
}

fn host_family(name: &str) -> Option<String> {
    fn of<T>(metrics: &[Metric<T>], prefix: &str, wanted: &str) -> Option<String> {
        let metric = metrics.iter().find(|metric| metric.name == wanted)?;
        Some(named(prefix, metric)?.sample())
    }
    let (group, name) = name.split_once('.')?;
    match group {
        "disk" => of(DiskActivity::METRICS, "monitor_host_disk", name),
        "filesystem" => of(FilesystemSpace::METRICS, "monitor_host_filesystem", name),
        "interface" => of(InterfaceTraffic::METRICS, "monitor_host_interface", name),
        _ => {
            let metric = host_metrics().find(|metric| metric.group == group && metric.name == name)?;
            Some(named(&format!("monitor_host_{group}"), metric)?.sample())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(query: &str, scope: Scope) -> (Result<String, UnknownName>, Vec<String>) {
        let mut wishes = BTreeSet::new();
        let text = expand(query, scope, &mut wishes);
        (text, wishes.into_iter().collect())
    }

    #[test]
    fn names_become_families_with_selectors() {
        let (text, wishes) = expanded("sum(rate([[cpu.usage_ns_total]][1m])) / 2", Scope::Hosts);
        let expected =
            r#"sum(rate(monitor_container_cpu_usage_seconds_total{instance=~"$instance"}[1m])) / 2"#;
        assert_eq!(text.unwrap(), expected);
        assert!(wishes.is_empty(), "{wishes:?}");
        let (text, wishes) = expanded("[[scheduler.timeslices|a=\"b\"]]", Scope::Containers);
        let expected = "monitor_container_scheduler_timeslices_seconds_bucket\
                        {instance=~\"$instance\",name=~\"$container\",a=\"b\"}";
        assert_eq!(text.unwrap(), expected);
        assert_eq!(wishes, ["scheduler.timeslices"]);
        let (text, _) = expanded("[[host.disk.busy_ns_total]]", Scope::Containers);
        assert_eq!(text.unwrap(), "monitor_host_disk_busy_seconds_total{instance=~\"$instance\"}");
    }

    #[test]
    fn what_needs_more_is_asked_for() {
        let waits = "sum by (culprit) ([[=monitor_container_interference_wait_seconds_total]])";
        assert_eq!(expanded(waits, Scope::Hosts).1, ["culprits"]);
        let pressure = "[[=monitor_container_pressure_stall_seconds_total]]";
        assert_eq!(expanded(pressure, Scope::Hosts).1, ["pressure"]);
    }

    #[test]
    fn names_of_no_catalogue_are_refused() {
        for wrong in ["[[cpu.nothing]]", "[[=nothing]]", "[[host.cpu.nothing]]", "[[cpu", "[[cpu.cpuset]]"] {
            assert!(expanded(wrong, Scope::Hosts).0.is_err(), "{wrong}");
        }
    }
}
