//! containerd, by its own API: one list per connection, then its event stream.
//!
//! Covers what `ctr`, `nerdctl` and the CRI plugin make, Kubernetes' containers with their pods included: the plugin
//! stores the kubelet's labels with each container. So containerd is not asked by CRI, whose answers have no more and
//! which has no events before containerd 1.7. Containers of the namespace `moby` are left to Docker.
//!
//! The stream does not resume: what happens between two connections is told by the next list. Nothing says when a
//! subscription takes effect, so the list is asked for again a little later.

mod api;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod translate;

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    error::Error,
    path::{Path, PathBuf},
    pin::{Pin, pin},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant as Tick, sleep};

use self::{
    api::{
        ContainerMessage, Empty, Envelope, Filters, GetContainerRequest, ListNamespacesResponse,
        ListTasksResponse, VersionResponse,
    },
    translate::Happened,
};
pub use crate::runtime::grpc::GrpcError;
use crate::{
    newtypes::ContainerId,
    runtime::{
        Metadata, RuntimeEvent,
        grpc::{Call, Client, Instant},
        link::{Link, Pauses, Timing},
    },
};

/// Docker's own namespace: Docker tells more of what is in it.
const DOCKER_NAMESPACE: &str = "moby";

/// What is subscribed to.
const TOPICS: [&str; 2] = [r#"topic~="^/containers/""#, r#"topic~="^/tasks/""#];

/// Events kept while a list is awaited. Beyond that they wait in the socket.
const EARLY_EVENTS: usize = 4096;

/// How long after a subscription was sent it has taken effect for certain.
const SETTLED: Duration = Duration::from_secs(1);

/// Tells `out` about containerd's containers for as long as it is polled, through every loss of the connection.
///
/// `out` is called in between awaits, so it must not block.
pub async fn watch(socket: PathBuf, out: impl FnMut(RuntimeEvent) + Send) {
    Watcher::new(socket, Timing::default(), out).run().await;
}

/// Asks once for all containers, running or not, waiting `patience` for each answer.
pub async fn list(socket: &Path, patience: Duration) -> Result<Vec<Metadata>, GrpcError> {
    list_all(&Client::connect(socket, patience, patience).await?).await
}

struct Watcher<F> {
    socket: PathBuf,
    timing: Timing,
    out: F,
    link: Link,
    /// Containers that exist as far as we know: an answer about another one comes too late.
    known: HashSet<ContainerId>,
}

impl<F: FnMut(RuntimeEvent) + Send> Watcher<F> {
    fn new(socket: PathBuf, timing: Timing, out: F) -> Self {
        let link = Link::new("containerd", &format!("unix://{}", socket.display()));
        Self { socket, timing, out, link, known: HashSet::new() }
    }

    async fn run(mut self) {
        let mut pauses = Pauses::new(self.timing);
        loop {
            let begin = Tick::now();
            let Err(error) = self.follow().await;
            self.tell_connection(Err(&error));
            sleep(pauses.after(begin.elapsed())).await;
        }
    }

    /// One connection, from its making to its loss.
    async fn follow(&mut self) -> Result<Infallible, GrpcError> {
        let client = Client::connect(&self.socket, self.timing.answer, self.timing.ping).await?;
        let version = call("ask the version", "/containerd.services.version.v1.Version/Version");
        let VersionResponse { version } = client.ask(version, Empty {}).await?;
        let topics = Filters { filters: TOPICS.map(str::to_owned).to_vec() };
        let subscribe = call("follow the events", "/containerd.services.events.v1.Events/Subscribe");
        let mut events = pin!(client.follow::<_, Envelope>(subscribe, topics));
        let mut questions = FuturesUnordered::new();
        let (listed, early) = list_meanwhile(&client, events.as_mut()).await?;
        self.tell_connection(Ok(Some(version)));
        self.take_list(listed);
        questions.extend(early.iter().filter_map(|event| self.take_event(&client, event)));
        let mut settled = pin!(sleep(SETTLED));
        let mut is_settled = false;
        loop {
            tokio::select! {
                event = events.next() => {
                    let event = event.ok_or_else(|| client.closed())??;
                    questions.extend(self.take_event(&client, &event));
                }
                Some(Some(answer)) = questions.next() => self.take_answer(answer),
                () = &mut settled, if !is_settled => {
                    is_settled = true;
                    let (listed, meanwhile) = list_meanwhile(&client, events.as_mut()).await?;
                    self.take_list(listed);
                    questions.extend(meanwhile.iter().filter_map(|event| self.take_event(&client, event)));
                }
            }
        }
    }

    fn take_list(&mut self, listed: Vec<Metadata>) {
        self.known = listed.iter().map(|one| one.id.clone()).collect();
        (self.out)(RuntimeEvent::Listed(listed));
    }

    /// Passes an event on; returns a question about a container that was made or changed.
    fn take_event(
        &mut self,
        client: &Client,
        event: &Envelope,
    ) -> Option<impl Future<Output = Option<Metadata>> + Send + use<F>> {
        let id = self.pass_on(event)?;
        Some(get(client, &event.namespace, id))
    }

    /// Passes an event on; returns the id, as containerd has it, of a container to ask about.
    fn pass_on(&mut self, event: &Envelope) -> Option<String> {
        if event.namespace == DOCKER_NAMESPACE {
            return None;
        }
        match translate::event(event)? {
            Happened::Changed(metadata) => {
                self.known.insert(metadata.id.clone());
                let prefix = format!("{}/", event.namespace);
                let id = metadata.id.as_str();
                let id = id.strip_prefix(&prefix).unwrap_or(id).to_owned();
                (self.out)(RuntimeEvent::Updated(metadata));
                return Some(id);
            }
            Happened::Moved(metadata) => (self.out)(RuntimeEvent::Updated(metadata)),
            Happened::Deleted(id) => {
                self.known.remove(&id);
                (self.out)(RuntimeEvent::Removed { id });
            }
        }
        None
    }

    /// Passes on what a container is, unless it was deleted meanwhile.
    fn take_answer(&mut self, answer: Metadata) {
        if self.known.contains(&answer.id) {
            (self.out)(RuntimeEvent::Updated(Box::new(answer)));
        }
    }

    /// Tells whether containerd answers, when that is news.
    fn tell_connection(&mut self, outcome: Result<Option<String>, &GrpcError>) {
        let news = self.link.news(outcome.map_err(|error| error as &dyn Error));
        news.into_iter().for_each(&mut self.out);
    }
}

/// All containers, and the events that came meanwhile: taken after the list, they end in the right state, whether they
/// happened before it or after.
async fn list_meanwhile(
    client: &Client,
    mut events: Pin<&mut impl Stream<Item = Result<Envelope, GrpcError>>>,
) -> Result<(Vec<Metadata>, Vec<Envelope>), GrpcError> {
    let mut listed = pin!(list_all(client));
    let mut meanwhile = Vec::new();
    loop {
        tokio::select! {
            biased;
            event = events.next(), if meanwhile.len() < EARLY_EVENTS => {
                meanwhile.push(event.ok_or_else(|| client.closed())??);
            }
            listed = &mut listed => return Ok((listed?, meanwhile)),
        }
    }
}

/// The containers of all namespaces but Docker's, with the states of their tasks.
async fn list_all(client: &Client) -> Result<Vec<Metadata>, GrpcError> {
    let namespaces = call("list the namespaces", "/containerd.services.namespaces.v1.Namespaces/List");
    let ListNamespacesResponse { namespaces } = client.ask(namespaces, Empty {}).await?;
    let mut listed = Vec::new();
    for namespace in namespaces.into_iter().filter(|namespace| namespace.name != DOCKER_NAMESPACE) {
        listed.extend(list_namespace(client, &namespace.name).await?);
    }
    Ok(listed)
}

async fn list_namespace(client: &Client, namespace: &str) -> Result<Vec<Metadata>, GrpcError> {
    // One message for each: a list in one would be refused where it is longer than 16 MB.
    let method = "/containerd.services.containers.v1.Containers/ListStream";
    let call = Call { attempt: "list the containers", method, namespace: Some(namespace) };
    let containers: Vec<ContainerMessage> = client.ask_for_all(call, Filters::default()).await?;
    let tasks = Call {
        attempt: "list the tasks",
        method: "/containerd.services.tasks.v1.Tasks/List",
        namespace: Some(namespace),
    };
    let ListTasksResponse { tasks } = client.ask(tasks, Empty {}).await?;
    let containers = containers
        .into_iter()
        .filter_map(|message| translate::container(namespace, message.container?))
        .map(|container| (container.id.clone(), container));
    let mut listed: HashMap<ContainerId, Metadata> = containers.collect();
    for task in tasks {
        let told = translate::task(namespace, &task);
        if let Some(known) = listed.get_mut(&told.id) {
            known.merge(told);
        }
    }
    Ok(listed.into_values().collect())
}

/// One container, or None where it is gone: that costs nothing but its fields.
fn get(
    client: &Client,
    namespace: &str,
    id: String,
) -> impl Future<Output = Option<Metadata>> + Send + use<> {
    let (client, namespace) = (client.clone(), namespace.to_owned());
    async move {
        let call = Call {
            attempt: "ask for a container",
            method: "/containerd.services.containers.v1.Containers/Get",
            namespace: Some(&namespace),
        };
        let answer: Result<ContainerMessage, _> = client.ask(call, GetContainerRequest { id }).await;
        translate::container(&namespace, answer.ok()?.container?)
    }
}

fn call(attempt: &'static str, method: &'static str) -> Call<'static> {
    Call { attempt, method, namespace: None }
}

#[cfg(test)]
mod tests;
