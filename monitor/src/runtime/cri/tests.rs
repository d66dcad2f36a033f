use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{
    api::{
        Container, ContainerMetadata, ContainerState, ContainerStatus, PodRef, PodSandbox, PodSandboxMetadata,
    },
    *,
};
use crate::runtime::{
    ConnectionState,
    grpc::fake::{Answer, FakeServer, message},
};

const TIMING: Timing = Timing {
    answer: Duration::from_millis(300),
    ping: Duration::from_millis(50),
    shortest_pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(40),
};
const LIST_EVERY: Duration = Duration::from_millis(30);

const STATUS: &str = "RuntimeService/ContainerStatus";
const EVENTS: &str = "RuntimeService/GetContainerEvents";

struct Watched {
    events: mpsc::UnboundedReceiver<RuntimeEvent>,
    task: JoinHandle<()>,
}

impl Watched {
    fn start(server: &FakeServer) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let out = move |event| sender.send(event).unwrap_or_default();
        let watcher = Watcher::new(server.socket.clone(), TIMING, LIST_EVERY, out);
        Self { events, task: tokio::spawn(watcher.run()) }
    }

    async fn next(&mut self) -> RuntimeEvent {
        let event = timeout(Duration::from_secs(10), self.events.recv()).await;
        event.expect("the watch tells something").expect("the watch goes on")
    }

    async fn next_connection(&mut self) -> ConnectionState {
        loop {
            if let RuntimeEvent::Connection(state) = self.next().await {
                return state;
            }
        }
    }

    /// Skips to the next facts of this state about a container.
    async fn next_update(&mut self, state: State) -> Metadata {
        loop {
            match self.next().await {
                RuntimeEvent::Updated(metadata) if metadata.state == Some(state) => return *metadata,
                _ => {}
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn pod() -> PodSandboxMetadata {
    PodSandboxMetadata { name: "web-0".to_owned(), uid: "u".to_owned(), namespace: "shop".to_owned() }
}

fn status(state: ContainerState, exit_code: i32) -> ContainerStatus {
    ContainerStatus {
        id: "c".to_owned(),
        metadata: Some(ContainerMetadata { name: "nginx".to_owned() }),
        state: state.into(),
        exit_code,
        started_at: 1_795_398_415_000_000_000,
        ..ContainerStatus::default()
    }
}

fn list(server: &FakeServer, state: ContainerState) {
    let container = Container {
        id: "c".to_owned(),
        pod_sandbox_id: "s".to_owned(),
        metadata: Some(ContainerMetadata { name: "nginx".to_owned() }),
        state: state.into(),
        ..Container::default()
    };
    let listed = ListContainersResponse { containers: vec![container] };
    server.answer("RuntimeService/ListContainers", None, message(&listed));
}

/// A CRI-O with one container in one pod.
fn start(dir: &TempDir, events: Answer) -> FakeServer {
    let server = FakeServer::start(dir);
    let version = VersionResponse { runtime_name: "cri-o".to_owned(), runtime_version: "1.30.0".to_owned() };
    server.answer("RuntimeService/Version", None, message(&version));
    let sandbox = PodSandbox { id: "s".to_owned(), metadata: Some(pod()), ..PodSandbox::default() };
    server.answer(
        "RuntimeService/ListPodSandbox",
        None,
        message(&ListPodSandboxResponse { items: vec![sandbox] }),
    );
    list(&server, ContainerState::Running);
    let running = ContainerStatusResponse { status: Some(status(ContainerState::Running, 0)) };
    server.answer(STATUS, None, message(&running));
    server.answer(EVENTS, None, events);
    server
}

#[tokio::test]
async fn without_events_the_list_is_asked_for_again_and_only_what_moved_is_asked_about() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir, Answer::Refused(tonic::Code::Unimplemented));
    let mut watched = Watched::start(&server);
    let connection = watched.next_connection().await;
    assert_eq!((connection.connected, connection.server_version.as_deref()), (true, Some("cri-o 1.30.0")));
    let RuntimeEvent::Listed(listed) = watched.next().await else { panic!("a list comes first") };
    let nginx = listed.iter().find(|one| one.id.as_str() == "c").unwrap();
    assert_eq!(nginx.runtime, RuntimeKind::Crio);
    assert_eq!(nginx.pod.as_ref().unwrap().name.as_deref(), Some("web-0"));
    assert!(watched.next_update(State::Running).await.started_at.is_some());
    while server.calls("RuntimeService/ListContainers") < 4 {
        watched.next().await;
    }
    // The sandbox and the container, once each.
    assert_eq!(server.calls(STATUS), 2);
    let ended = ContainerStatusResponse { status: Some(status(ContainerState::Exited, 137)) };
    server.answer(STATUS, None, message(&ended));
    list(&server, ContainerState::Exited);
    assert_eq!(watched.next_update(State::Exited).await.exit_code, Some(137));
}

#[tokio::test]
async fn an_event_tells_of_all_containers_of_its_pod() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir, Answer::Events);
    let mut watched = Watched::start(&server);
    watched.next_update(State::Running).await;
    let event = |kind: ContainerEventType, containers_statuses| ContainerEventResponse {
        container_id: "c".to_owned(),
        container_event_type: kind.into(),
        pod_sandbox_status: Some(PodRef { id: "s".to_owned(), metadata: Some(pod()) }),
        containers_statuses,
    };
    server.send_event(&event(ContainerEventType::Stopped, vec![status(ContainerState::Exited, 3)]));
    let ended = watched.next_update(State::Exited).await;
    assert_eq!((ended.exit_code, ended.pod.unwrap().namespace.as_deref()), (Some(3), Some("shop")));
    server.send_event(&event(ContainerEventType::Deleted, Vec::new()));
    while watched.next().await != (RuntimeEvent::Removed { id: ContainerId::new("c") }) {}
}

#[tokio::test]
async fn lost_events_make_a_new_connection() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir, Answer::Events);
    let mut watched = Watched::start(&server);
    assert!(watched.next_connection().await.connected);
    sleep(LIST_EVERY * 2).await;
    server.cut();
    assert!(!watched.next_connection().await.connected);
    assert!(watched.next_connection().await.connected);
    assert_eq!(server.calls(EVENTS), 2);
}

#[tokio::test]
async fn without_events_the_next_list_finds_that_the_runtime_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir, Answer::Refused(tonic::Code::Unimplemented));
    let mut watched = Watched::start(&server);
    assert!(watched.next_connection().await.connected);
    std::fs::remove_file(&server.socket).unwrap();
    drop(server);
    assert!(!watched.next_connection().await.connected);
    assert!(!watched.task.is_finished());
}

#[tokio::test]
async fn what_is_no_cri_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = FakeServer::start(&dir);
    let reason = Watched::start(&server).next_connection().await.reason.unwrap();
    assert!(reason.starts_with("ask the version at "), "{reason}");
}
