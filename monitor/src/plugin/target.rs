//! What is looked at, and who is asked for it: a running `monitor serve`, or a measurement of our own.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use serde::Deserialize;

use super::client::{self, ClientError, Server};
use crate::{
    model::{Container, Host, Snapshot},
    serve::api::find,
    url::escaped,
};

/// What a plugin looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The machine.
    Host,
    /// Containers by name, id or the beginning of an id.
    Named(Vec<String>),
    /// Containers that have all of these labels, as `KEY` or `KEY=VALUE`; all containers where empty.
    Labelled(Vec<String>),
}

/// Who is asked.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A running `monitor serve`.
    Server(Server),
    /// This program measures itself.
    Own,
}

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// The machine.
    Host(Box<Host>),
    /// Containers, each with what it was asked for by.
    Containers(Vec<Container>),
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The server has not told.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A container is not there, or several are.
    #[error("{0}")]
    Container(String),
    /// Measuring failed.
    #[error("measure")]
    Measure(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It took too long.
    #[error("not done within {:.1} s", .0.as_secs_f64())]
    Late(Duration),
}

#[derive(Deserialize)]
pub(super) struct TheHost {
    host: Host,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) containers: Vec<Container>,
}

#[derive(Deserialize)]
pub(super) struct One {
    container: Container,
}

/// Asks a server, within a time for all of it.
pub fn ask(server: &Server, target: &Target, within: Duration) -> Result<Found, TargetError> {
    let began = Instant::now();
    let left = || within.checked_sub(began.elapsed()).ok_or(TargetError::Late(within));
    match target {
        Target::Host => {
            let TheHost { host } = client::get(server, "/api/v1/host", left()?)?;
            Ok(Found::Host(Box::new(host)))
        }
        Target::Named(names) => {
            let mut containers = Vec::new();
            for name in names {
                let path = format!("/api/v1/containers/{}", escaped(name));
                let one = client::get(server, &path, left()?).map_err(|error| match error {
                    ClientError::Refused {
                        status: StatusCode::NOT_FOUND | StatusCode::CONFLICT,
                        detail,
                        ..
                    } => TargetError::Container(detail),
                    other => other.into(),
                });
                let One { container } = one?;
                containers.push(container);
            }
            Ok(Found::Containers(containers))
        }
        Target::Labelled(labels) => {
            let query: Vec<String> = labels.iter().map(|label| format!("label={}", escaped(label))).collect();
            let question = if query.is_empty() { "" } else { "?" };
            let path = format!("/api/v1/containers{question}{}", query.join("&"));
            let Listed { containers } = client::get(server, &path, left()?)?;
            Ok(Found::Containers(containers))
        }
    }
}

/// Picks the same from a snapshot.
pub fn pick(snapshot: Snapshot, target: &Target) -> Result<Found, TargetError> {
    let Snapshot { host, containers, .. } = snapshot;
    match target {
        Target::Host => Ok(Found::Host(Box::new(host))),
        Target::Named(names) => {
            let one = |name: &String| match find(&containers, name) {
                Ok(container) => Ok(container.clone()),
                Err(problem) => Err(TargetError::Container(problem.detail().to_owned())),
            };
            Ok(Found::Containers(names.iter().map(one).collect::<Result<_, _>>()?))
        }
        Target::Labelled(labels) => {
            let has_all = |container: &Container| labels.iter().all(|label| container.has_label(label));
            Ok(Found::Containers(containers.into_iter().filter(has_all).collect()))
        }
    }
}
