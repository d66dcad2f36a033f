//! Which families are exported. By default few: a scrape is kept for weeks, and each series costs.

use std::collections::BTreeSet;

use super::parts::PARTS;
use crate::model::{
    Container,
    catalog::{distributions, metrics},
};

/// Exported of every container unless asked for more, by group and name in the catalogue.
const BY_DEFAULT: [(&str, &str); 16] = [
    ("scheduler", "voluntary_switches_total"),
    ("scheduler", "involuntary_switches_total"),
    ("scheduler", "runq_latency"),
    ("faults", "minor_total"),
    ("faults", "major_total"),
    ("network", "rx_bytes_total"),
    ("network", "tx_bytes_total"),
    ("network", "tcp_retransmits_total"),
    ("cpu", "usage_ns_total"),
    ("cpu", "throttled_ns_total"),
    ("memory", "working_set_bytes"),
    ("memory", "limit_bytes"),
    ("memory", "oom_victims_total"),
    ("block_io", "read_bytes_total"),
    ("block_io", "write_bytes_total"),
    ("pids", "current"),
];

/// Groups that are in no catalogue: what they are is not one number each.
const OTHER_GROUPS: [&str; 2] = ["pressure", "culprits"];
const ALL: &str = "all";
const CGROUPS: &str = "cgroups";

/// What is exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    also: Vec<String>,
    /// Keys of the runtime's labels that become labels of `monitor_container_info`, and what these are called.
    labels: Vec<(String, String)>,
}

/// What was asked for is in no catalogue.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} is no group or metric: docs/metrics.md has all, as GROUP or GROUP.NAME; `cgroups`, `culprits`, `pressure` and `all` are groups too"
)]
pub struct UnknownMetric(String);

impl Selection {
    /// What is exported by default and these: `GROUP`, `GROUP.NAME`, or `all`.
    pub fn new(also: &[String], labels: &[String]) -> Result<Self, UnknownMetric> {
        let is_known = |wanted: &&String| {
            let wanted = wanted.as_str();
            wanted == ALL
                || wanted == CGROUPS
                || OTHER_GROUPS.contains(&wanted)
                || every().any(|(group, name)| is_meant(wanted, group, name))
        };
        if let Some(unknown) = also.iter().find(|wanted| !is_known(wanted)) {
            return Err(UnknownMetric(unknown.clone()));
        }
        let labels = labels.iter().map(|key| (key.clone(), label_name(key))).collect();
        Ok(Self { also: also.to_vec(), labels })
    }

    /// The labels of a container that are wanted, by the names that they have here, each once: two keys that differ in what a name
    /// cannot have are one.
    pub fn labels_of<'s, 'c>(&'s self, container: &'c Container) -> impl Iterator<Item = (&'s str, &'c str)> {
        let mut written = BTreeSet::new();
        let wanted =
            self.labels.iter().filter_map(|(key, name)| Some((&**name, &**container.labels.get(key)?)));
        wanted.filter(move |(name, _)| written.insert(*name))
    }

    /// Whether a metric, distribution or list of the catalogue is exported.
    #[must_use]
    pub fn has(&self, group: &str, name: &str) -> bool {
        BY_DEFAULT.contains(&(group, name)) || self.also.iter().any(|wanted| is_meant(wanted, group, name))
    }

    /// Whether a group outside the catalogue is exported.
    #[must_use]
    pub fn has_group(&self, group: &str) -> bool {
        self.also.iter().any(|wanted| wanted == ALL || wanted == group)
    }

    /// Whether cgroups that are no container's are exported.
    #[must_use]
    pub fn has_cgroups(&self) -> bool {
        self.has_group(CGROUPS)
    }
}

/// Group and name of all in the catalogue that can be exported.
fn every() -> impl Iterator<Item = (&'static str, &'static str)> {
    let spread = distributions().map(|distribution| (distribution.group, distribution.name));
    metrics().map(|metric| (metric.group, metric.name)).chain(spread).chain(PARTS)
}

/// `label_` and the key, with `_` for what a label's name cannot have.
fn label_name(key: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
    key.chars().map(plain).fold("label_".to_owned(), |mut name, character| {
        name.push(character);
        name
    })
}

fn is_meant(wanted: &str, group: &str, name: &str) -> bool {
    wanted == ALL
        || wanted == group
        || wanted.split_once('.').is_some_and(|(of, member)| of == group && member == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_by_default_is_in_the_catalogue() {
        for wanted in BY_DEFAULT {
            assert!(every().any(|one| one == wanted), "{wanted:?}");
        }
    }

    #[test]
    fn a_label_is_written_once_whatever_its_key_was() {
        let keys = ["a.b", "a.b", "a/b", "c"].map(str::to_owned);
        let mut container = crate::model::testing::container("a");
        container.labels = [("a.b", "1"), ("a/b", "2"), ("d", "3")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let selection = Selection::new(&[], &keys).unwrap();
        assert_eq!(selection.labels_of(&container).collect::<Vec<_>>(), [("label_a_b", "1")]);
        container.labels.remove("a.b");
        assert_eq!(selection.labels_of(&container).collect::<Vec<_>>(), [("label_a_b", "2")]);
    }

    #[test]
    fn more_is_asked_for_by_group_or_name() {
        let also =
            |what: &[&str]| Selection::new(&what.iter().map(ToString::to_string).collect::<Vec<_>>(), &[]);
        let some = also(&["memory.anon_bytes", "block_io"]).unwrap();
        assert!(some.has("memory", "anon_bytes") && !some.has("memory", "file_bytes"));
        assert!(some.has("block_io", "read_latency") && !some.has_cgroups());
        assert!(also(&["all"]).unwrap().has_cgroups() && also(&["all"]).unwrap().has_group("pressure"));
        let parts = also(&["block_io.devices"]).unwrap();
        assert!(parts.has("block_io", "devices") && !parts.has("network", "interfaces"));
        assert!(also(&["memory.nothing"]).is_err() && also(&["nothing"]).is_err());
    }
}
