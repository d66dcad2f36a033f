use std::{fs, path::Path};

use serde_json::Value;

use super::*;

fn parsed() -> Vec<(String, Value)> {
    let files = files().unwrap();
    files.dashboards.into_iter().map(|(name, text)| (name, serde_json::from_str(&text).unwrap())).collect()
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter()
}

fn expressions(panel: &Value) -> Vec<&str> {
    panel["targets"].as_array().into_iter().flatten().map(|target| target["expr"].as_str().unwrap()).collect()
}

#[test]
fn only_grafana_s_own_panels_and_the_chosen_data_source_are_used() {
    for (name, dashboard) in parsed() {
        assert_eq!(dashboard["schemaVersion"], 39, "{name}");
        for panel in panels(&dashboard) {
            let kind = panel["type"].as_str().unwrap();
            assert!(["row", "timeseries", "stat", "heatmap", "table"].contains(&kind), "{name}: {kind}");
            for target in panel["targets"].as_array().into_iter().flatten() {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{name}");
            }
        }
    }
}

#[test]
fn panels_have_ids_of_their_own_and_do_not_overlap() {
    for (name, dashboard) in parsed() {
        let mut taken = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}");
            let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
            for x in place("x")..place("x") + place("w") {
                for y in place("y")..place("y") + place("h") {
                    assert!(x < 24 && taken.insert((x, y)), "{name}: {} at {x}, {y}", panel["title"]);
                }
            }
        }
    }
}

/// What a query's value is measured in, by the name of the one family in it; `None` where it is a quotient or of several.
fn unit_of(expression: &str) -> Option<&'static str> {
    if expression.contains(" / ") || expression.contains("count(") || expression.contains("time()") {
        return None;
    }
    let is_rate = expression.contains("rate(");
    if expression.contains("_seconds_bucket") {
        return expression.contains("histogram_quantile").then_some("s");
    }
    // Seconds of something a second is how many do it at a time, or a part of the time.
    match (is_rate, expression.contains("_bytes"), expression.contains("_seconds")) {
        (true, true, _) => Some("Bps"),
        (false, true, _) => Some("bytes"),
        (true, false, false) => Some("cps"),
        _ => None,
    }
}

#[test]
fn units_are_those_of_the_families() {
    for (name, dashboard) in parsed() {
        for panel in panels(&dashboard).filter(|panel| panel["type"] == "timeseries") {
            for expression in expressions(panel) {
                if let Some(unit) = unit_of(expression) {
                    assert_eq!(panel["fieldConfig"]["defaults"]["unit"], unit, "{name}: {expression}");
                }
            }
        }
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Words such as `monitor_container_info`, but for the names of rules, which have colons.
fn families(text: &str) -> BTreeSet<&str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == ':';
    let words = text.split(|character| !is_part(character));
    words.filter(|word| word.starts_with("monitor_") && !word.contains(':')).collect()
}

fn documented(family: &str) -> bool {
    let plain = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| family.strip_suffix(suffix));
    let docs = crate::output::prometheus::markdown();
    docs.contains(&format!("`{family}`"))
        || plain.is_some_and(|plain| docs.contains(&format!("`{plain}`")))
        || ["monitor_http_", "monitor_history_"].iter().any(|all| family.starts_with(all))
}

#[test]
fn dashboards_and_rules_name_families_that_are_exported() {
    let mut texts = vec![("config".to_owned(), String::new())];
    texts.extend(files().unwrap().dashboards);
    let rules = fs::read_dir(root().join("deploy/prometheus/rules")).unwrap();
    texts.extend(rules.map(|entry| {
        let path = entry.unwrap().path();
        (path.display().to_string(), fs::read_to_string(&path).unwrap())
    }));
    for (name, text) in texts {
        for family in families(&text) {
            assert!(documented(family), "{name}: {family}");
        }
    }
}

#[test]
fn the_settings_are_taken_by_serve() {
    let config: toml::Table = files().unwrap().config.parse().unwrap();
    let metrics: Vec<String> = config["metrics"].clone().try_into().unwrap();
    assert!(crate::output::prometheus::Selection::new(&metrics, &[]).is_ok());
    for wished in ["culprits", "pressure", "scheduler.timeslices", "network.drops", "block_io.devices"] {
        assert!(metrics.iter().any(|metric| metric == wished), "{wished} in {metrics:?}");
    }
}
