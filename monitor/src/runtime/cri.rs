//! Kubernetes' Container Runtime Interface, as CRI-O and others speak it: one list per connection, then events.
//!
//! Runtimes without the event call (containerd before 1.7, CRI-O before 1.26 or unless told to) are asked for the list
//! every few seconds instead, which is one question for all containers; only a container that has begun or ended since
//! is then asked about.

mod api;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod translate;

use std::{
    collections::HashMap,
    convert::Infallible,
    error::Error,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use self::api::{
    ContainerEventResponse, ContainerEventType, ContainerStatusRequest, ContainerStatusResponse, Empty,
    ListContainersResponse, ListPodSandboxResponse, VersionResponse,
};
use crate::{
    newtypes::ContainerId,
    runtime::{
        Metadata, RuntimeEvent, RuntimeKind, State,
        grpc::{Call, Client, GrpcError},
        link::{Link, Pauses, Timing},
        storage::Storage,
    },
};

/// How often the list is asked for where there are no events.
const LIST_EVERY: Duration = Duration::from_secs(5);
/// How often it is where there are: what happened before the events were subscribed to is told by the second list.
const CHECK_EVERY: Duration = Duration::from_mins(1);

/// What a container is and does.
const STATUS: &str = "/runtime.v1.RuntimeService/ContainerStatus";
const ASK_STATUS: &str = "ask for a container";

/// Questions under way at one time.
const QUESTIONS: usize = 4;

/// Tells `out` about the containers of a CRI runtime for as long as it is polled, through every loss of the connection.
///
/// `out` is called in between awaits, so it must not block.
pub async fn watch(socket: PathBuf, out: impl FnMut(RuntimeEvent) + Send) {
    Watcher::new(socket, Timing::default(), LIST_EVERY, out).run().await;
}

/// Asks once for all containers, running or not, waiting `patience` for each answer.
pub async fn list(socket: &Path, patience: Duration) -> Result<Vec<Metadata>, GrpcError> {
    let client = Client::connect(socket, patience, patience).await?;
    let (runtime, _) = version(&client).await?;
    list_all(&client, runtime).await
}

/// Asks where a container's data lie, waiting `patience` for each answer.
pub async fn storage(socket: &Path, id: &ContainerId, patience: Duration) -> Option<Arc<Storage>> {
    let client = Client::connect(socket, patience, patience).await.ok()?;
    let question = ContainerStatusRequest { container_id: id.as_str().to_owned() };
    let answer: ContainerStatusResponse = client.ask(call(ASK_STATUS, STATUS), question).await.ok()?;
    translate::storage(&answer.status?)
}

struct Watcher<F> {
    socket: PathBuf,
    timing: Timing,
    list_every: Duration,
    out: F,
    link: Link,
    /// Containers and the states in which they were last asked about.
    states: HashMap<ContainerId, Option<State>>,
}

impl<F: FnMut(RuntimeEvent) + Send> Watcher<F> {
    fn new(socket: PathBuf, timing: Timing, list_every: Duration, out: F) -> Self {
        let link = Link::new("CRI runtime", &format!("unix://{}", socket.display()));
        Self { socket, timing, list_every, out, link, states: HashMap::new() }
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
    async fn follow(&mut self) -> Result<Infallible, GrpcError> {
        let client = Client::connect(&self.socket, self.timing.answer, self.timing.ping).await?;
        let (runtime, server_version) = version(&client).await?;
        let subscribe = call("follow the events", "/runtime.v1.RuntimeService/GetContainerEvents");
        let mut events = pin!(client.follow::<_, ContainerEventResponse>(subscribe, Empty {}));
        let subscribed = Instant::now();
        let mut has_events = true;
        let mut lists = every(self.list_every);
        let mut told = Some(server_version);
        loop {
            tokio::select! {
                event = events.next(), if has_events => match event.unwrap_or_else(|| Err(client.closed())) {
                    Ok(event) => self.take_event(runtime, event),
                    // Not every runtime says in the same way that it has none, but all say so at once.
                    Err(error) if error.is_unimplemented() || subscribed.elapsed() < self.list_every => {
                        log::info!("asking for lists instead of events: {error}");
                        has_events = false;
                        lists = every(self.list_every);
                    }
                    Err(error) => return Err(error),
                },
                _ = lists.tick() => {
                    let listed = list_all(&client, runtime).await?;
                    if let Some(version) = told.take() {
                        self.tell_connection(Ok(Some(version)));
                        if has_events {
                            lists = every(CHECK_EVERY);
                            lists.reset_after(self.list_every);
                        }
                    }
                    self.take_list(&client, runtime, listed).await;
                }
            }
        }
    }

    /// Passes the list on, and asks about containers that have begun or ended since the last time.
    async fn take_list(&mut self, client: &Client, runtime: RuntimeKind, listed: Vec<Metadata>) {
        let states: HashMap<ContainerId, Option<State>> =
            listed.iter().map(|one| (one.id.clone(), one.state)).collect();
        let moved: Vec<Metadata> = listed
            .iter()
            .filter(|one| matches!(one.state, Some(State::Running | State::Exited)))
            .filter(|one| self.states.get(&one.id) != Some(&one.state))
            .cloned()
            .collect();
        self.states = states;
        (self.out)(RuntimeEvent::Listed(listed));
        let questions = moved.into_iter().map(|one| {
            let question = ContainerStatusRequest { container_id: one.id.as_str().to_owned() };
            client.ask(call(ASK_STATUS, STATUS), question)
        });
        let mut answers = pin!(stream::iter(questions).buffer_unordered(QUESTIONS));
        while let Some(answer) = answers.next().await {
            // A sandbox has none, and a container may be gone: that costs nothing but its fields.
            let status = answer.ok().and_then(|answer: ContainerStatusResponse| answer.status);
            if let Some(status) = status {
                self.update(translate::status(runtime, status, None));
            }
        }
    }

    /// Passes on what an event tells of the container, and of the others in its pod.
    fn take_event(&mut self, runtime: RuntimeKind, event: ContainerEventResponse) {
        let kind = event.container_event_type();
        let ContainerEventResponse { container_id, pod_sandbox_status, containers_statuses, .. } = event;
        let pod = pod_sandbox_status.and_then(|pod| pod.metadata);
        for status in containers_statuses {
            self.update(translate::status(runtime, status, pod.as_ref()));
        }
        if kind == ContainerEventType::Deleted {
            let id = ContainerId::new(&container_id);
            self.states.remove(&id);
            (self.out)(RuntimeEvent::Removed { id });
        }
    }

    fn update(&mut self, metadata: Metadata) {
        self.states.insert(metadata.id.clone(), metadata.state);
        (self.out)(RuntimeEvent::Updated(Box::new(metadata)));
    }

    /// Tells whether the runtime answers, when that is news.
    fn tell_connection(&mut self, outcome: Result<Option<String>, &GrpcError>) {
        let news = self.link.news(outcome.map_err(|error| error as &dyn Error));
        news.into_iter().for_each(&mut self.out);
    }
}

/// At once, and then at this pace.
fn every(period: Duration) -> tokio::time::Interval {
    let mut every = interval(period);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    every
}

async fn version(client: &Client) -> Result<(RuntimeKind, String), GrpcError> {
    let version = call("ask the version", "/runtime.v1.RuntimeService/Version");
    let VersionResponse { runtime_name, runtime_version } = client.ask(version, Empty {}).await?;
    Ok((translate::runtime(&runtime_name), format!("{runtime_name} {runtime_version}")))
}

async fn list_all(client: &Client, runtime: RuntimeKind) -> Result<Vec<Metadata>, GrpcError> {
    let pods = call("list the pods", "/runtime.v1.RuntimeService/ListPodSandbox");
    let ListPodSandboxResponse { items } = client.ask(pods, Empty {}).await?;
    let containers = call("list the containers", "/runtime.v1.RuntimeService/ListContainers");
    let ListContainersResponse { containers } = client.ask(containers, Empty {}).await?;
    Ok(translate::list(runtime, items, containers))
}

fn call(attempt: &'static str, method: &'static str) -> Call<'static> {
    Call { attempt, method, namespace: None }
}

#[cfg(test)]
mod tests;
