//! What is for reading: which containers there are, and a report on this machine and on what is measured of it.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::header,
    response::{Html, IntoResponse, Response},
};

use super::{history::Cadvisor, machine::VERSION, request::Refusal};
use crate::{
    host::Machine,
    model::{ContainerState, Snapshot},
};

/// `/validate/`.
pub(super) async fn validate(State(cadvisor): State<Arc<Cadvisor>>) -> Result<Response, Refusal> {
    let latest = cadvisor.latest().ok_or(Refusal::NotReady)?;
    let text = report(&latest, &cadvisor.machine());
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// `/`: one row for each container, in the place of a dashboard.
pub(super) async fn start(State(cadvisor): State<Arc<Cadvisor>>) -> Result<Response, Refusal> {
    let latest = cadvisor.latest().ok_or(Refusal::NotReady)?;
    Ok(Html(overview(&latest)).into_response())
}

fn overview(snapshot: &Snapshot) -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>monitor</title>\n\
         <table>\n<tr><th>container<th>image<th>state<th>CPUs<th>memory in MiB\n",
    );
    for container in &snapshot.containers {
        let name = escaped(container.name.as_deref().unwrap_or(&container.short_id));
        let image = escaped(container.image.as_deref().unwrap_or_default());
        let cpus = container.measurements.cpu.usage_cores.map(|cores| format!("{cores:.2}"));
        let memory = container.measurements.memory.current_bytes.map(|bytes| (bytes >> 20).to_string());
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "<tr><td>{name}<td>{image}<td>{:?}<td>{}<td>{}",
            container.state,
            cpus.as_deref().unwrap_or("-"),
            memory.as_deref().unwrap_or("-")
        );
    }
    page.push_str(
        "</table>\n<p><a href=\"/api/v1/containers\">JSON</a> <a href=\"/metrics\">metrics</a> \
         <a href=\"/validate/\">what is measured</a>\n",
    );
    page
}

/// Text in a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn report(snapshot: &Snapshot, machine: &Machine) -> String {
    let host = &snapshot.host;
    let mut text = String::new();
    let mut say = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name}: {value}");
    };
    say("version", VERSION);
    say("OS version", machine.os.as_deref().unwrap_or("unknown"));
    say("kernel version", &host.kernel_release);
    let cgroups = host.cgroup_mode.map_or_else(|| "none mounted".to_owned(), |mode| format!("{mode:?}"));
    say("cgroups", &cgroups.to_lowercase());
    let running = snapshot.containers.iter().filter(|found| found.state != ContainerState::Exited).count();
    say("containers running", &running.to_string());
    say("other cgroups", &snapshot.cgroups.len().to_string());
    for (name, source) in &snapshot.coverage.sources {
        let reason = source.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        say(&format!("source {name}"), &format!("{}{reason}", source.state));
    }
    for probe in &snapshot.coverage.probes {
        let reason = probe.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        say(&format!("probe {}", probe.name), &format!("{}{reason}", probe.state));
    }
    for disk in &machine.disks {
        say(&format!("disk {}", disk.name), disk.scheduler.as_deref().unwrap_or("no scheduler"));
    }
    text.push_str("\n`monitor doctor` says what to do about each no.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cadvisor::testing::{container, snapshot},
        model::Source,
    };

    #[test]
    fn the_overview_has_every_container_and_no_markup_of_theirs() {
        let mut made = container("aa");
        made.image = Some("<script>".to_owned());
        let page = overview(&snapshot(1, vec![made, container("bb")], vec![]));
        assert!(page.contains("<tr><td>name-aa<td>&lt;script&gt;<td>Running<td>-<td>0"), "{page}");
        assert!(page.contains("name-bb"), "{page}");
    }

    #[test]
    fn the_report_says_what_is_missing_and_why() {
        let mut snapshot = snapshot(1, vec![container("aa")], vec![]);
        let source =
            Source { state: "absent".to_owned(), reason: Some("no cgroup2".to_owned()), origin: None };
        snapshot.coverage.sources.insert("pressure".to_owned(), source);
        let text = report(&snapshot, &Machine::default());
        for line in [
            "kernel version: 6.1.0",
            "cgroups: v2",
            "containers running: 1",
            "source pressure: absent (no cgroup2)",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
