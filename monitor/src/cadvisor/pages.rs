//! What is for reading: the way to the dashboard, and a report on this machine and on what is measured of it.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    history::Cadvisor,
    machine::VERSION,
    request::{Refusal, cgroup_path},
};
use crate::{
    host::Machine,
    model::{Container, ContainerState, Snapshot},
    serve::api,
    url::escaped,
};

/// `/validate/`.
pub(super) async fn validate(State(cadvisor): State<Arc<Cadvisor>>) -> Result<Response, Refusal> {
    let latest = cadvisor.latest().ok_or(Refusal::NotReady)?;
    let text = report(&latest, &cadvisor.machine());
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// `/containers/PATH`, `/docker/NAME` and `/podman/NAME`: the dashboard, at the container that is meant.
pub(super) fn redirect(cadvisor: &Cadvisor, page: &str, rest: &str) -> Redirect {
    let found = cadvisor.latest().and_then(|latest| Some(address(find(&latest, page, rest)?)));
    Redirect::temporary(found.as_deref().unwrap_or("/"))
}

/// The container's page in the dashboard. Ids may hold what has a meaning in a URL, such as containerd's namespace and a slash.
fn address(container: &Container) -> String {
    format!("/container/{}", escaped(&container.id))
}

/// The container by its cgroup's path or, on pages of a runtime, by id or name.
fn find<'s>(snapshot: &'s Snapshot, page: &str, rest: &str) -> Option<&'s Container> {
    let path = cgroup_path(rest);
    if page == "/containers" {
        return snapshot.containers.iter().find(|container| container.cgroup.path.as_deref() == Some(&path));
    }
    api::find(&snapshot.containers, path.get(1..).filter(|wanted| !wanted.is_empty())?).ok()
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
    fn pages_are_of_the_container_that_their_path_names() {
        let snapshot = snapshot(1, vec![container("ab12"), container("cd34")], vec![]);
        let id = |page: &str, rest: &str| find(&snapshot, page, rest).map(|found| found.id.as_str());
        assert_eq!(id("/containers", "docker/ab12/"), Some("ab12"));
        assert_eq!(id("/docker", "name-cd34"), Some("cd34"));
        assert_eq!(id("/podman", "cd"), Some("cd34"));
        for (page, rest) in
            [("/containers", ""), ("/containers", "docker"), ("/docker", ""), ("/docker", "x")]
        {
            assert_eq!(id(page, rest), None, "{page}/{rest}");
        }
    }

    #[test]
    fn an_id_is_one_part_of_an_address() {
        assert_eq!(address(&container("k8s.io/a b")), "/container/k8s.io%2Fa%20b");
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
