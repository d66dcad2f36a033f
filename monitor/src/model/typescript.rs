//! The catalogue as a TypeScript file, so that the dashboard knows every metric by its name and none twice.

use std::fmt::Write as _;

use super::{
    audit::Agent,
    catalog::{self, Kind, Metric, Span},
    devices::{INNER_INTERFACES, NO_DISKS},
    filesystems::{FilesystemSpace, TreeUsage},
    host::{DiskActivity, InterfaceTraffic},
};

const HEAD: &str = "\
// Generated from the catalogue in monitor/src/model/ by `cargo xtask codegen`; do not edit.

/** How a metric behaves over time; what the kinds mean is in docs/metrics.md. */
export type Kind = \"counter\" | \"gauge\" | \"limit\" | \"rate\" | \"ratio\" | \"text\";

/** One scalar metric. */
export interface Metric {
  /** The JSON object that holds it. */
  readonly group: string;
  /** Its name in that object. */
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string;
  /** What it means, in Markdown. */
  readonly help: string;
}

/** How often each duration was seen. */
export interface Distribution {
  readonly group: string;
  readonly name: string;
  /** What it counts over: a snapshot's window, or all the time; only the former has a history. */
  readonly over: \"window\" | \"whole\";
  readonly help: string;
}
";

/// The file, as committed in web/src/generated/catalogue.ts.
#[must_use]
pub fn typescript() -> String {
    let mut text = HEAD.to_owned();
    put_metrics(&mut text, "METRICS", "containers and cgroups", catalog::metrics());
    put_distributions(&mut text);
    put_metrics(&mut text, "TREE_METRICS", "trees of files that containers have", TreeUsage::METRICS);
    put_metrics(&mut text, "HOST_METRICS", "the machine", catalog::host_metrics());
    put_metrics(&mut text, "DISK_METRICS", "the machine's disks", DiskActivity::METRICS);
    put_metrics(&mut text, "FILESYSTEM_METRICS", "the machine's file systems", FilesystemSpace::METRICS);
    put_metrics(&mut text, "INTERFACE_METRICS", "the machine's interfaces", InterfaceTraffic::METRICS);
    put_metrics(&mut text, "AGENT_METRICS", "monitor itself", Agent::METRICS);
    put_names(&mut text, "INNER_INTERFACES", "interfaces that lead nowhere outside", &INNER_INTERFACES);
    put_names(&mut text, "NO_DISKS", "block devices that stand on others, or are no disks", &NO_DISKS);
    text
}

fn put_names(text: &mut String, name: &str, of: &str, beginnings: &[&str]) {
    let beginnings: Vec<String> = beginnings.iter().map(|beginning| quoted(beginning)).collect();
    let beginnings = beginnings.join(", ");
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n/** Beginnings of the names of {of}. */\nexport const {name}: readonly string[] = [{beginnings}];\n"
    );
}

fn put_metrics<'m, T: 'static>(
    text: &mut String,
    name: &str,
    of: &str,
    metrics: impl IntoIterator<Item = &'m Metric<T>>,
) {
    // Writing to a String cannot fail.
    let _ = write!(text, "\n/** Metrics of {of}. */\nexport const {name} = [\n");
    for metric in metrics {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Limit => "limit",
            Kind::Rate => "rate",
            Kind::Ratio => "ratio",
            Kind::Text => "text",
        };
        let (group, name, unit, help) =
            (quoted(metric.group), quoted(metric.name), quoted(metric.unit()), quoted(metric.help.trim()));
        let _ = writeln!(
            text,
            "  {{ group: {group}, name: {name}, kind: \"{kind}\", unit: {unit}, help: {help} }},"
        );
    }
    text.push_str("] as const satisfies readonly Metric[];\n");
}

fn put_distributions(text: &mut String) {
    text.push_str("\n/** Distributions of containers and cgroups. */\nexport const DISTRIBUTIONS = [\n");
    for spread in catalog::distributions() {
        let (group, name, help) = (quoted(spread.group), quoted(spread.name), quoted(spread.help.trim()));
        let over = match spread.span {
            Span::Window => "window",
            Span::Whole => "whole",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {{ group: {group}, name: {name}, over: \"{over}\", help: {help} }},");
    }
    text.push_str("] as const satisfies readonly Distribution[];\n");
}

/// A string of JSON is one of TypeScript.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_there_once() {
        let text = typescript();
        // The machine has metrics of the same names.
        let (of_containers, _) = text.split_once("TREE_METRICS").unwrap();
        for metric in catalog::metrics() {
            let line = format!("  {{ group: \"{}\", name: \"{}\", kind: ", metric.group, metric.name);
            assert_eq!(of_containers.matches(&line).count(), 1, "{line}");
        }
        assert!(text.contains("name: \"busy_cores\", kind: \"ratio\", unit: \"cores\""));
    }
}
