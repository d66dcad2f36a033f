use std::{collections::BTreeSet, sync::Arc};

use super::*;
use crate::{
    cadvisor::testing::{cgroup, container, snapshot},
    model::{ContainerState, HostFilesystem, Snapshot},
};

fn text(snapshot: Snapshot, variant: Variant) -> String {
    let frame = Frame::new(Arc::new(snapshot), None);
    let mut text = String::new();
    render(&frame, &Machine::default(), &ContainerLabels::All, variant, &mut text);
    text
}

fn lines<'t>(text: &'t str, beginning: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.starts_with(beginning)).collect()
}

#[test]
fn a_container_s_series_are_cadvisor_s() {
    let mut made = container("aa");
    made.labels.clear();
    let mut snapshot = snapshot(30, vec![made], vec![cgroup("/docker")]);
    snapshot.host.totals.filesystems = Some(vec![HostFilesystem {
        mount_point: "/".to_owned(),
        source: "/dev/sda1".to_owned(),
        ..HostFilesystem::default()
    }]);
    let text = text(snapshot, Variant::all(Form::Text));
    let labels = "id=\"/docker/aa\",image=\"image:1\",name=\"name-aa\"";
    for expected in [
        format!("container_cpu_usage_seconds_total{{{labels},cpu=\"total\"}} 1.5"),
        format!("container_cpu_user_seconds_total{{{labels}}} 1"),
        format!("container_memory_working_set_bytes{{{labels}}} 3072"),
        format!("container_spec_memory_limit_bytes{{{labels}}} 0"),
        format!("container_network_receive_bytes_total{{{labels},interface=\"eth0\"}} 100"),
        format!("container_fs_reads_bytes_total{{{labels},device=\"/dev/sda\"}} 1024"),
        format!("container_fs_read_seconds_total{{{labels},device=\"/dev/sda\"}} 0.002"),
        format!("container_fs_usage_bytes{{{labels},device=\"/dev/sda1\"}} 512"),
        format!("container_start_time_seconds{{{labels}}} 2"),
        format!("container_last_seen{{{labels}}} 30"),
        "container_last_seen{id=\"/docker\",image=\"\",name=\"\"} 30".to_owned(),
        "container_memory_usage_bytes{id=\"/\",image=\"\",name=\"\"} 5368709120".to_owned(),
        "machine_cpu_cores{boot_id=\"\",machine_id=\"\",system_uuid=\"\"} 2".to_owned(),
    ] {
        assert!(text.lines().any(|line| line == expected), "{expected}\nin\n{text}");
    }
}

#[test]
fn every_metric_is_headed_once_and_none_is_without_series() {
    let text = text(snapshot(1, vec![container("aa"), container("bb")], vec![]), Variant::all(Form::Text));
    let mut headed = BTreeSet::new();
    let mut current = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split(' ').next()) {
            assert!(headed.insert(name), "{name} twice");
            current = Some(name);
        } else if !line.starts_with('#') {
            assert_eq!(line.split('{').next(), current);
        }
    }
    assert!(headed.contains("container_cpu_usage_seconds_total"));
    assert!(!headed.contains("container_memory_swap"), "nothing was measured of it");
    let series: Vec<&str> =
        text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect();
    assert_eq!(series.len(), series.iter().collect::<BTreeSet<_>>().len(), "a series twice");
}

#[test]
fn what_has_ended_keeps_its_counters_and_the_time_of_its_end() {
    let mut made = container("aa");
    made.state = ContainerState::Exited;
    made.finished_at = jiff::Timestamp::from_second(20).ok();
    let text = text(snapshot(30, vec![made], vec![]), Variant::all(Form::Text));
    assert!(lines(&text, "container_last_seen{id=\"/docker/aa\"").iter().all(|line| line.ends_with("} 20")));
    assert_eq!(lines(&text, "container_cpu_usage_seconds_total{id=\"/docker/aa\"").len(), 1);
    assert!(lines(&text, "container_memory_usage_bytes{id=\"/docker/aa\"").is_empty());
    assert!(lines(&text, "container_spec_").iter().all(|line| !line.contains("/docker/aa")));
}

#[test]
fn samples_carry_their_time_where_that_is_asked_for() {
    let variant = Variant { with_timestamps: true, ..Variant::all(Form::Text) };
    let text = text(snapshot(30, vec![container("aa")], vec![]), variant);
    assert!(lines(&text, "container_memory_usage_bytes{").iter().all(|line| line.ends_with(" 30000")));
    assert!(lines(&text, "container_spec_").iter().all(|line| !line.ends_with(" 30000")));
}

#[test]
fn one_runtime_s_containers_can_be_asked_for() {
    let mut podman = container("bb");
    podman.runtime = "podman".to_owned();
    let variant = Variant { kinds: Kinds::Docker, ..Variant::all(Form::Text) };
    let text = text(snapshot(30, vec![container("aa"), podman], vec![cgroup("/x")]), variant);
    assert_eq!(lines(&text, "container_last_seen{").len(), 1);
}

#[test]
fn no_name_is_exported_and_left_out() {
    let exported: Vec<&str> =
        metrics().map(|metric| metric.name).chain(MACHINE_METRICS.iter().map(|metric| metric.name)).collect();
    let left_out = LEFT_OUT.iter().flat_map(|(names, _)| *names).copied();
    let all: Vec<&str> = exported.iter().copied().chain(left_out).collect();
    assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len());
    for metric in metrics() {
        assert!(metric.help.ends_with('.'), "{}", metric.name);
    }
}

#[test]
fn the_documentation_has_every_name_once() {
    let text = markdown();
    let names = metrics().map(|metric| metric.name).chain(MACHINE_METRICS.iter().map(|metric| metric.name));
    for name in names.chain(LEFT_OUT.iter().flat_map(|(names, _)| *names).copied()) {
        assert_eq!(
            text.lines()
                .filter(|line| line
                    .split(" | ")
                    .next()
                    .is_some_and(|first| first.contains(&format!("`{name}`"))))
                .count(),
            1,
            "{name}"
        );
    }
}
