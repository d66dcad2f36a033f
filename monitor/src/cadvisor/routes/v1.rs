//! The first generation of the REST API.

use super::{Answer, Request, Shape, json, several, with_nested};
use crate::cadvisor::{
    frame::Subject,
    request::{Refusal, by_name, by_path, cgroup_path, info_range, of_runtime},
};

pub(super) fn answer(wanted: &str, request: &Request) -> Answer {
    let range = info_range(&request.body)?;
    let frame = &request.history.latest;
    match wanted {
        "containers" => {
            let subject = by_path(frame, &cgroup_path(&request.name))?;
            json(&request.history.info(&subject, &range))
        }
        "subcontainers" => {
            let subjects = with_nested(request, true)?;
            Ok(several(request, &subjects, Shape::List, move |history, subject| {
                history.info(subject, &range)
            }))
        }
        "docker" => {
            let subjects: Vec<Subject<'_>> = if request.name.is_empty() {
                of_runtime(frame, "docker").collect()
            } else {
                vec![by_name(frame, "docker", docker_name(&request.name))?]
            };
            Ok(several(request, &subjects, Shape::Map, move |history, subject| history.info(subject, &range)))
        }
        other => Err(Refusal::UnknownType(other.to_owned())),
    }
}

/// Clients put a cgroup's path here too: its last part is the id.
fn docker_name(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, last)| last)
}
