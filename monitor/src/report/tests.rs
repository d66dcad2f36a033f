use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use tempfile::TempDir;

use super::*;
use crate::{
    model::{Cgroup, Container, Measurements, testing},
    recording::{Format, Manner, Recorder},
};

fn container(name: &str, cgroup: u64, cores: f64, switches: u64) -> Container {
    let mut measurements = Measurements::default();
    measurements.cpu.usage_cores = Some(cores);
    measurements.scheduler.voluntary_switches_total = Some(switches);
    let mut container = Container { measurements, ..testing::container(name) };
    container.id = format!("{name}0123456789abcdef");
    container.short_id = format!("{name}01234567");
    container.name = Some(name.to_owned());
    container.cgroup = Cgroup { id: cgroup, path: None };
    container
}

/// Uneven, so that nothing is exactly equal.
fn noise(second: u32) -> f64 {
    f64::from(second * 7919 % 101) / 1010.0
}

/// Ten minutes at 1 s: `web` takes 0.2 cores and from the fifth minute on `late`, `batch` 0.4; `web` switches ten times a second.
fn record(folder: &TempDir, name: &str, format: Format, late: f64) -> PathBuf {
    let path = folder.path().join(name);
    let manner = Manner { format, flush_every: Duration::from_hours(1), rotate_every: None };
    let mut recorder = Recorder::create(&path, manner).unwrap();
    for second in 0..600_u32 {
        let cores = if second < 300 { 0.2 } else { late } + noise(second);
        let containers = vec![
            container("web", 1, cores, u64::from(second) * 10),
            container("batch", 2, 0.4 + noise(second * second), 5),
        ];
        let snapshot = testing::snapshot(second.into(), containers);
        recorder.write(&Arc::new(snapshot)).unwrap();
    }
    recorder.finish().unwrap();
    path
}

fn report(subject: Reported, form: StatisticsFormat, change: impl FnOnce(&mut Report)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("report");
    let mut settings = Report {
        subject,
        from: None,
        to: None,
        containers: Vec::new(),
        metrics: Vec::new(),
        form,
        output: Some(output.clone()),
    };
    change(&mut settings);
    run(&settings).unwrap();
    fs::read_to_string(output).unwrap()
}

fn json(subject: Reported, change: impl FnOnce(&mut Report)) -> serde_json::Value {
    serde_json::from_str(&report(subject, StatisticsFormat::Json, change)).unwrap()
}

#[test]
fn both_formats_of_a_recording_give_the_same_report() {
    let folder = tempfile::tempdir().unwrap();
    let parquet = record(&folder, "a.parquet", Format::Parquet, 0.8);
    let ndjson = record(&folder, "a.ndjson.zst", Format::Ndjson, 0.8);
    let [mut one, mut other] = [parquet, ndjson].map(|path| json(Reported::One(path), |_| {}));
    one["file"].take();
    other["file"].take();
    assert!(one == other, "{one}\n{other}");
}

#[test]
fn rates_levels_changes_and_talkers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, "a.parquet", Format::Parquet, 0.8);
    let found = json(Reported::One(path), |_| {});
    assert_eq!(found["ticks"], 600);
    let web = &found["containers"][0];
    let metric = |name: &str| {
        let metrics = web["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["metric"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    let switches = metric("scheduler.voluntary_switches_total");
    assert_eq!((&switches["mean"], &switches["count"]), (&10.0.into(), &599.into()));
    let change = &metric("cpu.usage_cores")["changes"][0];
    assert_eq!(change["at"], "1970-01-01T00:05:00Z");
    let top = &found["top"][0];
    assert_eq!((&top["metric"], &top["containers"][0]["name"]), (&"cpu.usage_cores".into(), &"web".into()));
}

#[test]
fn a_part_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, "a.parquet", Format::Parquet, 0.8);
    let found = json(Reported::One(path), |settings| {
        settings.from = Some("6m".parse().unwrap());
        settings.to = Some("1970-01-01T00:06:59Z".parse().unwrap());
        settings.containers = vec!["batch".to_owned()];
        settings.metrics = vec!["cpu".to_owned()];
    });
    assert_eq!(found["ticks"], 60);
    let containers = found["containers"].as_array().unwrap();
    assert_eq!((containers.len(), &containers[0]["name"]), (1, &"batch".into()));
    assert_eq!(containers[0]["metrics"].as_array().unwrap().len(), 1);
}

#[test]
fn what_differs_comes_first_in_a_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let first = record(&folder, "a.parquet", Format::Parquet, 0.2);
    let second = record(&folder, "b.ndjson.zst", Format::Ndjson, 0.8);
    let found = json(Reported::Two(first, second), |_| {});
    let most = &found["metrics"][0];
    assert_eq!((&most["container"], &most["metric"]), (&"web".into(), &"cpu.usage_cores".into()));
    let delta = most["delta"].as_f64().unwrap();
    assert!((0.45..0.55).contains(&delta), "half of its values are greater than all before: {delta}");
    let batch = found["metrics"].as_array().unwrap().iter().find(|metric| metric["container"] == "batch");
    assert_eq!(batch.unwrap()["effect"], "negligible");
}

#[test]
fn every_form_names_the_containers() {
    use StatisticsFormat::{Html, Json, Markdown, Text};
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, "a.parquet", Format::Parquet, 0.8);
    for form in [Text, Json, Markdown, Html] {
        let one = report(Reported::One(path.clone()), form, |_| {});
        let two = report(Reported::Two(path.clone(), path.clone()), form, |_| {});
        assert!(one.contains("batch") && two.contains("batch"), "{form:?}");
    }
}

#[test]
fn what_cannot_be_reported_on_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = record(&folder, "a.parquet", Format::Parquet, 0.8);
    let settings = |containers: &[&str], metrics: &[&str]| Report {
        subject: Reported::One(path.clone()),
        from: None,
        to: None,
        containers: containers.iter().map(ToString::to_string).collect(),
        metrics: metrics.iter().map(ToString::to_string).collect(),
        form: StatisticsFormat::Text,
        output: None,
    };
    assert!(matches!(run(&settings(&["nobody"], &[])), Err(ReportError::Empty { .. })));
    let error = run(&settings(&[], &["cpu.usage"])).unwrap_err().to_string();
    assert!(error.contains("cpu.usage") && error.contains("docs/metrics.md"), "{error}");
}

#[test]
fn values_are_kept_of_the_time_in_which_a_container_was_there() {
    let folder = tempfile::tempdir().unwrap();
    for (name, format) in [("a.parquet", Format::Parquet), ("a.ndjson.zst", Format::Ndjson)] {
        let path = folder.path().join(name);
        let manner = Manner { format, flush_every: Duration::from_hours(1), rotate_every: None };
        let mut recorder = Recorder::create(&path, manner).unwrap();
        for second in 0..200_u32 {
            let mut containers = vec![container("web", 1, 0.5, 10 * u64::from(second))];
            if (100..110).contains(&second) && second != 105 {
                containers.push(container("job", 2, f64::from(second), 20 * u64::from(second)));
            }
            recorder.write(&Arc::new(testing::snapshot(second.into(), containers))).unwrap();
        }
        recorder.finish().unwrap();
        let table = Table::open(&path, |_, _| {}).unwrap();
        let index = Index::build(&table, &Window::default()).unwrap();
        let series = |metric: &str| {
            let signals = select(&[metric.to_owned()]).unwrap();
            index.series(&signals[0]).unwrap()
        };
        let cores = series("cpu.usage_cores");
        assert_eq!((cores[0].first, cores[0].values.len()), (0, 200));
        assert_eq!((cores[1].first, cores[1].values.len()), (100, 10));
        assert_eq!(
            [99, 100, 105, 109, 110].map(|tick| cores[1].at(tick)),
            [None, Some(100.0), None, Some(109.0), None]
        );
        let switches = series("scheduler.voluntary_switches_total");
        assert_eq!(
            [100, 101, 105, 106, 107].map(|tick| switches[1].at(tick)),
            [None, Some(20.0), None, None, Some(20.0)]
        );
    }
}

#[test]
fn runs_of_one_name_are_numbered() {
    let at = Timestamp::UNIX_EPOCH;
    let run = |id: &str, name: Option<&str>| Run {
        id: id.to_owned(),
        name: name.map(str::to_owned),
        image: None,
        first: at,
        last: at,
    };
    let runs = [run("1", Some("web")), run("2", None), run("3", Some("web")), run("4", Some("web"))];
    let labels: Vec<String> = containers(&runs).into_iter().map(|one| one.label).collect();
    assert_eq!(labels, ["web", "2", "web #2", "web #3"]);
}
