//! What clients ask for: parameters, bodies and names.

use std::{collections::HashMap, str::FromStr};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    frame::{Frame, Subject},
    render::Kinds,
};
use crate::error::chain;

/// Readings that v1 gives unless asked for more or fewer.
const V1_STATS: i64 = 60;
/// Readings that v2 gives.
const V2_STATS: i64 = 64;

/// Why a request has no other answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("nothing was measured yet")]
    NotReady,
    #[error("too many ask for processes")]
    Busy,
    #[error("unable to decode the json value")]
    Body(#[source] serde_json::Error),
    #[error("parameter {name}: {value:?} is no {wanted}")]
    Parameter { name: &'static str, value: String, wanted: &'static str },
    #[error("unknown container {0:?}")]
    UnknownContainer(String),
    #[error("{0:?} is the beginning of several containers' ids")]
    Ambiguous(String),
    #[error("expected the request to match one container")]
    SeveralContainers,
    #[error("unknown request type {0:?}")]
    UnknownType(String),
    #[error("no filesystem with {name} {value:?}")]
    UnknownFilesystem { name: &'static str, value: String },
    #[error("list processes")]
    Processes(#[source] crate::cgroup::CgroupError),
    #[error("encode the answer")]
    Encode(#[source] serde_json::Error),
}

impl IntoResponse for Refusal {
    /// cAdvisor's errors are plain text and 500; what the client could have known better is 400.
    fn into_response(self) -> Response {
        let status = match self {
            Self::Body(_) | Self::Parameter { .. } => StatusCode::BAD_REQUEST,
            Self::NotReady | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnknownContainer(_)
            | Self::Ambiguous(_)
            | Self::SeveralContainers
            | Self::UnknownType(_)
            | Self::UnknownFilesystem { .. }
            | Self::Processes(_)
            | Self::Encode(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let content_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        (status, content_type, chain(&self) + "\n").into_response()
    }
}

/// Which readings are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    /// The latest so many.
    pub(super) most: usize,
}

impl Range {
    /// The latest so many; all where it is negative.
    fn latest(count: i64) -> Self {
        Self { start: None, end: None, most: usize::try_from(count).unwrap_or(usize::MAX) }
    }

    /// All that are kept.
    pub(super) fn all() -> Self {
        Self::latest(-1)
    }

    /// Whether a reading of this time is in it.
    pub(super) fn has(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| at >= start) && self.end.is_none_or(|end| at <= end)
    }
}

/// The body of a request of v1. Whatever else it holds is ignored, as the old pages send more.
#[derive(Debug, Deserialize)]
struct InfoRequest {
    num_stats: Option<i64>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

/// Reads the body of a request of v1, which may be empty.
pub(super) fn info_range(body: &[u8]) -> Result<Range, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(Range::latest(V1_STATS));
    }
    let request: InfoRequest = serde_json::from_slice(body).map_err(Refusal::Body)?;
    // Go's zero time, which its clients send for none, is in the year 1.
    let given = |at: Option<Timestamp>| at.filter(|at| *at > Timestamp::UNIX_EPOCH);
    let latest = Range::latest(request.num_stats.unwrap_or(V1_STATS));
    Ok(Range { start: given(request.start), end: given(request.end), ..latest })
}

/// Parameters of a request, each of its last value.
#[derive(Debug)]
pub(super) struct Parameters(pub(super) HashMap<String, String>);

impl Parameters {
    /// The value, if it is given and not empty.
    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `true` or `false`, in Go's spellings; `false` if it is not given.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Refusal> {
        match self.text(name) {
            None | Some("false" | "False" | "FALSE" | "0" | "f" | "F") => Ok(false),
            Some("true" | "True" | "TRUE" | "1" | "t" | "T") => Ok(true),
            Some(value) => Err(parameter(name, value, "boolean")),
        }
    }

    /// A value of a type that is read from text.
    pub(super) fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        wanted: &'static str,
    ) -> Result<Option<T>, Refusal> {
        self.text(name)
            .map(|value| value.parse().map_err(|_unreadable| parameter(name, value, wanted)))
            .transpose()
    }

    /// How many readings of v2.
    pub(super) fn range(&self) -> Result<Range, Refusal> {
        Ok(Range::latest(self.parsed("count", "number")?.unwrap_or(V2_STATS)))
    }

    /// Whether names are paths of cgroups or a runtime's.
    pub(super) fn kinds(&self) -> Result<Kinds, Refusal> {
        match self.text("type") {
            None | Some("name") => Ok(Kinds::All),
            Some("docker") => Ok(Kinds::Docker),
            Some("podman") => Ok(Kinds::Podman),
            Some(other) => Err(parameter("type", other, "type of name: name, docker or podman")),
        }
    }
}

fn parameter(name: &'static str, value: &str, wanted: &'static str) -> Refusal {
    Refusal::Parameter { name, value: value.chars().take(100).collect(), wanted }
}

/// The path of a cgroup from the rest of a URL: with one slash at its beginning and between its parts.
pub(super) fn cgroup_path(rest: &str) -> String {
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

/// The cgroup of this path.
pub(super) fn by_path<'f>(frame: &'f Frame, path: &str) -> Result<Subject<'f>, Refusal> {
    frame.find(path).ok_or_else(|| Refusal::UnknownContainer(path.chars().take(200).collect()))
}

/// The running container of a runtime by its id, its name, or the beginning of an id that is one's only.
pub(super) fn by_name<'f>(frame: &'f Frame, runtime: &str, wanted: &str) -> Result<Subject<'f>, Refusal> {
    let unknown = || Refusal::UnknownContainer(wanted.chars().take(200).collect());
    if wanted.is_empty() {
        return Err(unknown());
    }
    let running = || of_runtime(frame, runtime);
    let is = |subject: &Subject<'_>, exactly: bool| {
        subject.container().is_some_and(|container| {
            if exactly {
                container.id == wanted || container.name.as_deref() == Some(wanted)
            } else {
                container.id.starts_with(wanted)
            }
        })
    };
    if let Some(found) = running().find(|subject| is(subject, true)) {
        return Ok(found);
    }
    let mut beginning = running().filter(|subject| is(subject, false));
    match (beginning.next(), beginning.next()) {
        (Some(found), None) => Ok(found),
        (None, _) => Err(unknown()),
        (Some(_), Some(_)) => Err(Refusal::Ambiguous(wanted.chars().take(200).collect())),
    }
}

/// The running containers of a runtime.
pub(super) fn of_runtime<'f>(frame: &'f Frame, runtime: &str) -> impl Iterator<Item = Subject<'f>> {
    frame.subjects().filter(move |subject| {
        !subject.has_ended() && subject.container().is_some_and(|container| container.runtime == runtime)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        cadvisor::testing::{container, snapshot},
        model::ContainerState,
    };

    fn parameters(given: &[(&str, &str)]) -> Parameters {
        Parameters(given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_body_may_be_missing_and_hold_what_is_not_known() {
        assert_eq!(info_range(b" \n").unwrap().most, 60);
        assert_eq!(info_range(b"{}").unwrap().most, 60);
        assert_eq!(info_range(b"{\"num_stats\":3,\"num_samples\":0}").unwrap().most, 3);
        assert_eq!(info_range(b"{\"num_stats\":-1}").unwrap().most, usize::MAX);
        assert!(matches!(info_range(b"{\"num_stats\":\"x\"}"), Err(Refusal::Body(_))));
        assert!(matches!(info_range(b"{"), Err(Refusal::Body(_))));
        assert!(matches!(info_range(b"[1,2"), Err(Refusal::Body(_))));
    }

    #[test]
    fn a_go_client_s_zero_times_are_none() {
        let body = b"{\"num_stats\":1,\"start\":\"0001-01-01T00:00:00Z\",\"end\":\"0001-01-01T00:00:00Z\"}";
        assert_eq!(info_range(body).unwrap(), Range::latest(1));
        let range = info_range(b"{\"start\":\"2026-01-01T00:00:00Z\"}").unwrap();
        assert!(!range.has("2025-12-31T23:59:59Z".parse().unwrap()));
        assert!(range.has("2026-01-01T00:00:00.5Z".parse().unwrap()));
    }

    #[test]
    fn parameters_are_read_or_refused() {
        let given = parameters(&[("count", "5"), ("recursive", "True"), ("type", "docker")]);
        assert_eq!(given.range().unwrap().most, 5);
        assert!(given.flag("recursive").unwrap());
        assert_eq!(given.kinds().unwrap(), Kinds::Docker);
        assert_eq!(parameters(&[]).range().unwrap().most, 64);
        let wrong = parameters(&[("count", "many"), ("recursive", "yes"), ("type", "rkt")]);
        assert!(wrong.range().is_err() && wrong.flag("recursive").is_err() && wrong.kinds().is_err());
    }

    #[test]
    fn paths_are_written_in_one_way() {
        assert_eq!(cgroup_path(""), "/");
        assert_eq!(cgroup_path("//docker/aa/"), "/docker/aa");
    }

    #[test]
    fn containers_are_found_by_id_name_and_beginning() {
        let mut ended = container("ac00");
        ended.state = ContainerState::Exited;
        let frame = Frame::new(
            Arc::new(snapshot(1, vec![container("ab12"), container("ab34"), ended], vec![])),
            None,
        );
        let found = |wanted: &str| by_name(&frame, "docker", wanted).map(|subject| subject.path.to_owned());
        assert_eq!(found("ab12").unwrap(), "/docker/ab12");
        assert_eq!(found("name-ab34").unwrap(), "/docker/ab34");
        assert_eq!(found("ab3").unwrap(), "/docker/ab34");
        assert!(matches!(found("ab"), Err(Refusal::Ambiguous(_))));
        assert!(matches!(found("ac00"), Err(Refusal::UnknownContainer(_))));
        assert!(matches!(found(""), Err(Refusal::UnknownContainer(_))));
        assert!(by_name(&frame, "podman", "ab12").is_err());
    }
}
