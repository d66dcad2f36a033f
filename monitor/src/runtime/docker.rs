//! Docker Engine, and Podman by the same interface, asked through bollard: one list per connection, then its event
//! stream.
//!
//! The daemon is never asked at a tick's pace. A `create` event carries name, image and labels, and a `die` event the
//! exit code, so that a container too short-lived to be inspected is known in full. Inspections happen only after a
//! list and once for each container that runs, for its start time and first pid, or that ended unseen, for its exit; and
//! once for each that has run for a moment, for where its data lie.
//!
//! The stream is opened before the list is asked for and from the time of the last event seen, so what happens
//! between two connections is told by the new one: exactly, as long as it is among the daemon's latest 256 events and
//! the daemon was not restarted, and from the list otherwise. Events therefore repeat; they end in the right state.
//! Podman reads its events from a log, which outlives its service.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod translate;
mod transport;

use std::{
    collections::BTreeSet,
    convert::Infallible,
    error::Error,
    fmt,
    path::Path,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use bollard::{
    API_DEFAULT_VERSION, Docker,
    errors::Error as BollardError,
    models::{ContainerInspectResponse, ContainerSummary, EventMessage},
    query_parameters::{EventsOptions, InspectContainerOptions, ListContainersOptions},
};
use futures_util::{Stream, StreamExt, stream};
use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};

use self::{
    translate::{Action, Happened},
    transport::Allowance,
};
use crate::{
    newtypes::ContainerId,
    runtime::{
        Metadata, RuntimeEvent, RuntimeKind, State,
        link::{Link, Pauses, Timing},
        storage::Storage,
    },
};

/// Inspections under way at one time.
const INSPECTIONS: usize = 4;

/// How long a container has run before it is asked where its data lie.
const SETTLED: Duration = Duration::from_secs(1);

/// What Podman calls itself among the components of its version.
const PODMAN: &str = "Podman Engine";

/// Bytes of the events that are kept while the list is awaited. Beyond that they wait in the socket.
const EARLY_BYTES: usize = 8 << 20;

/// Containers that an event may add to those that are remembered. One more is not inspected after the next connection, and a label of
/// it that hides the exit code is taken for that.
const REMEMBERED: usize = 16_384;

/// Containers that have started and wait for being asked where their data lie. One more is not asked.
const STARTED: usize = 4096;

/// Where Docker, or what speaks its language, is asked. Checked when it is made, so that a bad address stops the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerSettings {
    /// Who answers there.
    runtime: RuntimeKind,
    host: String,
}

impl DockerSettings {
    /// Where the daemon listens unless told otherwise.
    pub const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

    /// `host` as `DOCKER_HOST` is written: `unix:///path`, or `tcp://host:port` for a daemon without TLS. None or an
    /// empty one is [`Self::DEFAULT_HOST`].
    pub fn new(host: Option<&str>) -> Result<Self, DockerError> {
        let host = host.filter(|host| !host.is_empty()).unwrap_or(Self::DEFAULT_HOST);
        let address = host.strip_prefix("unix:///").or_else(|| host.strip_prefix("tcp://"));
        match address {
            Some(address) if !address.is_empty() => {
                Ok(Self { runtime: RuntimeKind::Docker, host: host.to_owned() })
            }
            _ => Err(DockerError::UnsupportedHost { host: host.to_owned() }),
        }
    }

    /// A daemon of this runtime on a Unix socket.
    #[must_use]
    pub fn at_socket(runtime: RuntimeKind, socket: &Path) -> Self {
        Self { runtime, host: format!("unix://{}", socket.display()) }
    }

    /// The address as it was given.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for DockerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.runtime, self.host)
    }
}

/// What goes wrong between us and the daemon.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// A setting that no retry makes good.
    #[error("docker host {host:?} is neither unix:///PATH nor tcp://HOST:PORT")]
    UnsupportedHost {
        /// As it was given.
        host: String,
    },
    /// The daemon cannot be reached, refused, or answered what nobody understands.
    #[error("{attempt} of {at}")]
    Request {
        /// What was asked for.
        attempt: &'static str,
        /// Of whom.
        at: DockerSettings,
        /// What the client says.
        source: BollardError,
    },
    /// The daemon took the request and did not answer.
    #[error("{attempt} of {at}: no answer within {} ms", limit.as_millis())]
    TimedOut {
        /// What was asked for.
        attempt: &'static str,
        /// Of whom.
        at: DockerSettings,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The daemon stopped, or dropped us.
    #[error("{at} closed its event stream")]
    Closed {
        /// Of whom.
        at: DockerSettings,
    },
}

/// Tells `out` about Docker's containers for as long as it is polled, through every loss of the connection.
///
/// `out` is called in between awaits, so it must not block.
pub async fn watch(settings: DockerSettings, out: impl FnMut(RuntimeEvent) + Send) {
    Watcher::new(settings, Timing::default(), out).run().await;
}

/// Asks once for all containers, running or not, and gives up after `patience` in all.
pub async fn list(settings: &DockerSettings, patience: Duration) -> Result<Vec<Metadata>, DockerError> {
    let listed = async {
        let (docker, runtime, _version) = connect(settings, patience).await?;
        let listed = docker.list_containers(Some(list_options()));
        Ok((runtime, ask("list the containers", settings, patience, listed).await?))
    };
    match timeout(patience, listed).await {
        Ok(listed) => {
            let (runtime, listed) = listed?;
            Ok(listed.into_iter().filter_map(|one| translate::summary(runtime, one)).collect())
        }
        Err(_elapsed) => {
            let attempt = "list the containers";
            Err(DockerError::TimedOut { attempt, at: settings.clone(), limit: patience })
        }
    }
}

/// Asks where a container's data lie, waiting `patience` for each answer.
pub async fn storage(
    settings: &DockerSettings,
    id: &ContainerId,
    patience: Duration,
) -> Option<Arc<Storage>> {
    let (docker, runtime, _version) = connect(settings, patience).await.ok()?;
    let inspected = docker.inspect_container(id.as_str(), None::<InspectContainerOptions>);
    let mut answer = ask("inspect a container", settings, patience, inspected).await.ok()?;
    translate::storage(runtime, id, &mut answer).storage
}

/// The watch, with what it must remember from one connection to the next.
struct Watcher<F> {
    at: DockerSettings,
    timing: Timing,
    out: F,
    link: Link,
    /// The time of the newest event seen, by the daemon's clock: where the next stream starts.
    resume_from: Timestamp,
    /// Containers that have processes as far as we know: those whose end we would miss.
    live: BTreeSet<ContainerId>,
    /// Containers with a label named like the exit code's attribute: the daemon lets the label win.
    exit_code_hidden: BTreeSet<ContainerId>,
    /// Takes containers that have started, to be inspected a little later.
    started: Option<mpsc::Sender<(Instant, ContainerId)>>,
}

impl<F: FnMut(RuntimeEvent) + Send> Watcher<F> {
    fn new(at: DockerSettings, timing: Timing, out: F) -> Self {
        Self {
            link: Link::new(at.runtime.as_str(), &at.host),
            at,
            timing,
            out,
            resume_from: Timestamp::now(),
            live: BTreeSet::new(),
            exit_code_hidden: BTreeSet::new(),
            started: None,
        }
    }

    async fn run(mut self) {
        let mut pauses = Pauses::new(self.timing);
        loop {
            let begin = Instant::now();
            let Err(error) = self.follow().await;
            self.tell_connection(Err(&error));
            sleep(pauses.after(begin.elapsed())).await;
        }
    }

    /// One connection, from its making to its loss.
    async fn follow(&mut self) -> Result<Infallible, DockerError> {
        let (docker, runtime, server_version) = connect(&self.at, self.timing.answer).await?;
        self.at.runtime = runtime;
        let mut events = pin!(self.events(&docker)?);
        let (listed, early) = self.list(&docker, events.as_mut()).await?;
        self.tell_connection(Ok(server_version));
        let mut uninspected = self.take_list(listed);
        let mut inspections = pin!(inspections(&docker, uninspected.clone(), self.timing.answer));
        let (started, settled) = mpsc::channel(STARTED);
        self.started = Some(started);
        let mut late = pin!(late_inspections(&docker, settled, self.timing.answer));
        for event in early {
            self.take_event(event, &mut uninspected);
        }
        let mut lost = pin!(until_ping_fails(&docker, &self.at, self.timing));
        loop {
            tokio::select! {
                event = events.next() => {
                    let event = received(event, &self.at)?;
                    self.take_event(event, &mut uninspected);
                }
                Some((id, answer)) = inspections.next() => self.take_inspection(&id, answer, &mut uninspected),
                Some((id, answer)) = late.next() => self.take_storage(&id, answer),
                error = &mut lost => return Err(error),
            }
        }
    }

    /// The events from here on, of which each may have so many bytes.
    fn events(
        &self,
        docker: &Docker,
    ) -> Result<impl Stream<Item = Result<EventMessage, BollardError>> + use<F>, DockerError> {
        let allowance = Allowance::for_events();
        let head_limit = self.timing.answer.as_secs() + 1;
        let docker =
            transport::open(&self.at.host, head_limit, &docker.client_version(), Some(allowance.clone()));
        let docker = docker.map_err(|source| DockerError::Request {
            attempt: "follow the events",
            at: self.at.clone(),
            source,
        })?;
        let events = docker.events(Some(self.events_options()));
        Ok(events.inspect(move |_| allowance.renew()))
    }

    fn events_options(&self) -> EventsOptions {
        let since = self.resume_from;
        EventsOptions {
            since: Some(format!("{}.{:09}", since.as_second(), since.subsec_nanosecond().max(0))),
            until: None,
            filters: Some([("type".to_owned(), vec!["container".to_owned()])].into()),
        }
    }

    /// Lists all containers, having asked for the events first, and returns those that came meanwhile.
    async fn list(
        &self,
        docker: &Docker,
        mut events: Pin<&mut impl Stream<Item = Result<EventMessage, BollardError>>>,
    ) -> Result<(Vec<ContainerSummary>, Vec<EventMessage>), DockerError> {
        let mut list = pin!(self.ask("list the containers", docker.list_containers(Some(list_options()))));
        let (mut early, mut bytes) = (Vec::new(), 0);
        loop {
            tokio::select! {
                biased;
                event = events.next(), if bytes < EARLY_BYTES => {
                    let event = received(event, &self.at)?;
                    bytes += translate::bytes(&event);
                    early.push(event);
                }
                listed = &mut list => return Ok((listed?, early)),
            }
        }
    }

    /// Passes the list on and returns which containers to inspect.
    fn take_list(&mut self, listed: Vec<ContainerSummary>) -> BTreeSet<ContainerId> {
        let listed: Vec<Metadata> =
            listed.into_iter().filter_map(|one| translate::summary(self.at.runtime, one)).collect();
        let live = ids(&listed, |container| container.state.is_some_and(State::is_live));
        let was_live = std::mem::replace(&mut self.live, live);
        self.exit_code_hidden.retain(|id| was_live.contains(id));
        self.exit_code_hidden.extend(ids(&listed, translate::hides_exit_code));
        let uninspected = ids(&listed, |c| self.live.contains(&c.id) || was_live.contains(&c.id));
        (self.out)(RuntimeEvent::Listed(listed));
        uninspected
    }

    fn take_event(&mut self, event: EventMessage, uninspected: &mut BTreeSet<ContainerId>) {
        let Some(Happened { id, action, at, hides_exit_code, mut metadata }) =
            translate::event(self.at.runtime, event)
        else {
            return;
        };
        self.resume_from = self.resume_from.max(at.unwrap_or(Timestamp::MIN));
        // An inspection of it may have been answered before this happened.
        uninspected.remove(&id);
        if hides_exit_code {
            remember(&mut self.exit_code_hidden, &id);
        }
        match metadata.state {
            Some(state) if state.is_live() => remember(&mut self.live, &id),
            Some(_) => {
                self.live.remove(&id);
            }
            None => {}
        }
        if let (Some(State::Running), Some(started)) = (metadata.state, &self.started) {
            // The other end goes with the connection.
            let _ = started.try_send((Instant::now() + SETTLED, id.clone()));
        }
        match action {
            Action::Destroy => {
                self.live.remove(&id);
                self.exit_code_hidden.remove(&id);
                (self.out)(RuntimeEvent::Removed { id });
            }
            Action::Other => {
                if self.exit_code_hidden.contains(&id) {
                    metadata.exit_code = None;
                }
                (self.out)(RuntimeEvent::Updated(Box::new(metadata)));
            }
        }
    }

    /// Passes an inspection on; only what cannot change, where an event has overtaken it. A failed one costs nothing but
    /// its fields.
    fn take_inspection(
        &mut self,
        id: &ContainerId,
        answer: Option<ContainerInspectResponse>,
        uninspected: &mut BTreeSet<ContainerId>,
    ) {
        let is_current = uninspected.remove(id);
        if !is_current {
            return self.take_storage(id, answer);
        }
        let Some(answer) = answer else { return };
        (self.out)(RuntimeEvent::Updated(Box::new(translate::inspection(self.at.runtime, id, answer))));
    }

    /// Passes on where a container's data lie, unless it has ended.
    fn take_storage(&mut self, id: &ContainerId, answer: Option<ContainerInspectResponse>) {
        let Some(mut answer) = answer.filter(|_| self.live.contains(id)) else { return };
        let storage = translate::storage(self.at.runtime, id, &mut answer);
        (self.out)(RuntimeEvent::Updated(Box::new(storage)));
    }

    /// Tells whether the daemon answers, when that is news. `Ok` holds the daemon's version.
    fn tell_connection(&mut self, outcome: Result<Option<String>, &DockerError>) {
        let news = self.link.news(outcome.map_err(|error| error as &dyn Error));
        news.into_iter().for_each(&mut self.out);
    }

    async fn ask<T>(
        &self,
        attempt: &'static str,
        answer: impl Future<Output = Result<T, BollardError>>,
    ) -> Result<T, DockerError> {
        ask(attempt, &self.at, self.timing.answer, answer).await
    }
}

/// Makes a client that speaks the daemon's version of the API, and asks what the daemon calls itself: many point
/// `DOCKER_HOST` at Podman.
async fn connect(
    at: &DockerSettings,
    limit: Duration,
) -> Result<(Docker, RuntimeKind, Option<String>), DockerError> {
    // In whole seconds and for the head of an answer only: ours comes first.
    let head_limit = limit.as_secs() + 1;
    let attempt = "open the socket";
    let docker = transport::open(&at.host, head_limit, API_DEFAULT_VERSION, None)
        .map_err(|source| DockerError::Request { attempt, at: at.clone(), source })?;
    let docker = ask("negotiate the API version", at, limit, docker.negotiate_version()).await?;
    let version = ask("ask the version", at, limit, docker.version()).await?;
    let is_podman = version.components.unwrap_or_default().iter().any(|part| part.name == PODMAN);
    let runtime = if is_podman { RuntimeKind::Podman } else { at.runtime };
    Ok((docker, runtime, version.version))
}

fn list_options() -> ListContainersOptions {
    ListContainersOptions { all: true, ..ListContainersOptions::default() }
}

async fn ask<T>(
    attempt: &'static str,
    at: &DockerSettings,
    limit: Duration,
    answer: impl Future<Output = Result<T, BollardError>>,
) -> Result<T, DockerError> {
    match timeout(limit, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(source)) => Err(DockerError::Request { attempt, at: at.clone(), source }),
        Err(_elapsed) => Err(DockerError::TimedOut { attempt, at: at.clone(), limit }),
    }
}

fn received(
    event: Option<Result<EventMessage, BollardError>>,
    at: &DockerSettings,
) -> Result<EventMessage, DockerError> {
    event.ok_or_else(|| DockerError::Closed { at: at.clone() })?.map_err(|source| DockerError::Request {
        attempt: "follow the events",
        at: at.clone(),
        source,
    })
}

/// Inspects containers once they have run for a moment. Those that are paused and go on are asked again, which is rare.
fn late_inspections(
    docker: &Docker,
    started: mpsc::Receiver<(Instant, ContainerId)>,
    limit: Duration,
) -> impl Stream<Item = (ContainerId, Option<ContainerInspectResponse>)> + use<> {
    let settled = stream::unfold(started, |mut started| async move {
        let (due, id) = started.recv().await?;
        sleep_until(due).await;
        Some((id, started))
    });
    inspect_each(docker, settled, limit)
}

fn inspections(
    docker: &Docker,
    containers: BTreeSet<ContainerId>,
    limit: Duration,
) -> impl Stream<Item = (ContainerId, Option<ContainerInspectResponse>)> + use<> {
    inspect_each(docker, stream::iter(containers), limit)
}

fn inspect_each<S: Stream<Item = ContainerId>>(
    docker: &Docker,
    containers: S,
    limit: Duration,
) -> impl Stream<Item = (ContainerId, Option<ContainerInspectResponse>)> + use<S> {
    let docker = docker.clone();
    containers
        .map(move |id| {
            let docker = docker.clone();
            async move {
                let answer = docker.inspect_container(id.as_str(), None::<InspectContainerOptions>);
                let answer = timeout(limit, answer).await;
                (id, answer.ok().and_then(Result::ok))
            }
        })
        .buffer_unordered(INSPECTIONS)
}

/// Returns why, once the daemon no longer answers a ping.
fn until_ping_fails(
    docker: &Docker,
    at: &DockerSettings,
    timing: Timing,
) -> impl Future<Output = DockerError> + use<> {
    let (docker, at) = (docker.clone(), at.clone());
    async move {
        loop {
            sleep(timing.ping).await;
            if let Err(error) = ask("ping the daemon", &at, timing.answer, docker.ping()).await {
                return error;
            }
        }
    }
}

/// Adds a container that an event tells of, while there is room: there may be no end of them.
fn remember(known: &mut BTreeSet<ContainerId>, id: &ContainerId) {
    if known.len() < REMEMBERED {
        known.insert(id.clone());
    }
}

fn ids(containers: &[Metadata], wanted: impl Fn(&Metadata) -> bool) -> BTreeSet<ContainerId> {
    containers.iter().filter(|container| wanted(container)).map(|container| container.id.clone()).collect()
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
