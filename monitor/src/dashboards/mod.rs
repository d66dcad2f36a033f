//! Grafana's dashboards, made from the catalogue: names and families are those that are exported, or nothing is written.
//!
//! A query is written with the catalogue's names in double brackets, which `query` replaces by families with their
//! selectors; `grafana` makes the JSON. Each dashboard is a list of rows and panels. Nothing of this runs while measuring.

mod container;
mod fleet;
mod grafana;
mod host;
mod interference;
mod query;

use std::{collections::BTreeSet, fmt::Write as _};

pub use self::query::UnknownName;

/// The files, by their names, each with its text; and what they need of `monitor serve`.
#[derive(Debug)]
pub struct Files {
    /// Name and text of each dashboard.
    pub dashboards: Vec<(String, String)>,
    /// Settings with which every panel has data.
    pub config: String,
}

/// Makes all of them.
pub fn files() -> Result<Files, UnknownName> {
    let mut wishes = BTreeSet::new();
    let mut dashboards = Vec::new();
    for dashboard in
        [fleet::dashboard(), host::dashboard(), container::dashboard(), interference::dashboard()]
    {
        let text = dashboard.json(&mut wishes)?;
        dashboards.push((format!("{}.json", dashboard.name), text));
    }
    Ok(Files { dashboards, config: config(&wishes) })
}

/// A file of settings for `monitor serve`.
fn config(wishes: &BTreeSet<String>) -> String {
    let mut text = String::from(
        "# Settings of `monitor serve` with which every panel of deploy/grafana and every rule of deploy/prometheus has data:\n\
         # /etc/monitor/config.toml. Generated from the dashboards by `cargo xtask codegen`; do not edit.\n\
         metrics = [\n",
    );
    for wish in wishes {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {wish:?},");
    }
    text.push_str("]\n");
    text
}

#[cfg(test)]
mod tests;
