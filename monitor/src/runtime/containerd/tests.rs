use std::collections::BTreeMap;

use prost::Message as _;
use tempfile::TempDir;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    api::{Container, ContainerEvent, Namespace, Process, TaskEvent, TaskExit, TaskStatus},
    *,
};
use crate::runtime::{
    ConnectionState, State,
    grpc::{
        Any,
        fake::{Answer, FakeServer, message},
    },
};

const TIMING: Timing = Timing {
    answer: Duration::from_millis(300),
    ping: Duration::from_millis(50),
    shortest_pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(40),
};

const LIST: &str = "Containers/ListStream";
const GET: &str = "Containers/Get";

/// A watch under way and what it has told.
struct Watched {
    events: mpsc::UnboundedReceiver<RuntimeEvent>,
    task: JoinHandle<()>,
}

impl Watched {
    fn start(socket: PathBuf) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let out = move |event| sender.send(event).unwrap_or_default();
        Self { events, task: tokio::spawn(Watcher::new(socket, TIMING, out).run()) }
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

    async fn next_list(&mut self) -> BTreeMap<String, Metadata> {
        loop {
            if let RuntimeEvent::Listed(listed) = self.next().await {
                return listed.into_iter().map(|one| (one.id.as_str().to_owned(), one)).collect();
            }
        }
    }

    async fn next_update(&mut self) -> Metadata {
        loop {
            if let RuntimeEvent::Updated(metadata) = self.next().await {
                return *metadata;
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn container(id: &str, label: &str) -> ContainerMessage {
    let labels = [("colour".to_owned(), label.to_owned())].into();
    let image = "bb".to_owned();
    ContainerMessage {
        container: Some(Container { id: id.to_owned(), labels, image, ..Container::default() }),
    }
}

/// A server with a container in each of two namespaces, and Docker's beside them.
fn start(dir: &TempDir) -> FakeServer {
    let server = FakeServer::start(dir);
    server.answer("Version/Version", None, message(&VersionResponse { version: "1.6.20".to_owned() }));
    let namespaces = ["default", "shop", "moby"].map(|name| Namespace { name: name.to_owned() }).to_vec();
    server.answer("Namespaces/List", None, message(&ListNamespacesResponse { namespaces }));
    server.answer("Events/Subscribe", None, Answer::Events);
    for (namespace, label) in [("default", "blue"), ("shop", "red")] {
        let web = container("web", label).encode_to_vec();
        server.answer(LIST, Some(namespace), Answer::Messages(vec![web]));
        let task = Process {
            id: "web".to_owned(),
            pid: 12,
            status: TaskStatus::Running.into(),
            ..Process::default()
        };
        server.answer("Tasks/List", Some(namespace), message(&ListTasksResponse { tasks: vec![task] }));
    }
    server
}

fn envelope(topic: &str, event: &impl prost::Message) -> Envelope {
    Envelope {
        timestamp: Some(Instant { seconds: 1_795_398_415, nanos: 7 }),
        namespace: "default".to_owned(),
        topic: topic.to_owned(),
        event: Some(Any { type_url: String::new(), value: event.encode_to_vec() }),
    }
}

#[tokio::test]
async fn all_namespaces_but_docker_s_are_listed_with_their_tasks() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir);
    let mut watched = Watched::start(server.socket.clone());
    let connection = watched.next_connection().await;
    assert_eq!((connection.connected, connection.server_version.as_deref()), (true, Some("1.6.20")));
    let listed = watched.next_list().await;
    assert_eq!(listed.keys().collect::<Vec<_>>(), ["default/web", "shop/web"]);
    let web = &listed["shop/web"];
    assert_eq!((web.name.as_deref(), web.state, web.pid), (Some("web"), Some(State::Running), Some(12)));
    assert_eq!(web.labels["colour"], "red");
    // What happened before the subscription took effect is in the second list.
    watched.next_list().await;
    assert_eq!(server.calls("Events/Subscribe"), 1);
}

#[tokio::test]
async fn a_container_s_life_is_told_as_it_happens_and_it_is_asked_about_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir);
    let mut watched = Watched::start(server.socket.clone());
    watched.next_list().await;
    server.answer(GET, Some("default"), message(&container("job", "green")));
    let job = || "job".to_owned();
    server.send_event(&envelope("/containers/create", &ContainerEvent { id: job(), image: "bb".to_owned() }));
    let made = watched.next_update().await;
    assert_eq!((made.name.as_deref(), made.cgroup_path.as_deref()), (Some("job"), Some("/default/job")));
    let asked = watched.next_update().await;
    assert_eq!(asked.labels["colour"], "green");
    server.send_event(&envelope("/tasks/start", &TaskEvent { container_id: job(), pid: 77 }));
    assert_eq!(watched.next_update().await.pid, Some(77));
    let exit = TaskExit { container_id: job(), id: job(), exit_status: 5, exited_at: None };
    server.send_event(&envelope("/tasks/exit", &exit));
    let ended = watched.next_update().await;
    assert_eq!((ended.state, ended.exit_code), (Some(State::Exited), Some(5)));
    server.send_event(&envelope("/containers/delete", &ContainerEvent { id: job(), image: String::new() }));
    while watched.next().await != (RuntimeEvent::Removed { id: ContainerId::new("default/job") }) {}
    assert_eq!(server.calls(GET), 1);
}

#[tokio::test]
async fn an_answer_about_a_deleted_container_comes_too_late() {
    let (sender, told) = std::sync::mpsc::channel();
    let mut watcher = Watcher::new(PathBuf::new(), TIMING, move |event| sender.send(event).unwrap());
    let event = ContainerEvent { id: "job".to_owned(), image: String::new() };
    assert_eq!(watcher.pass_on(&envelope("/containers/create", &event)).as_deref(), Some("job"));
    assert_eq!(watcher.pass_on(&envelope("/containers/delete", &event)), None);
    told.try_iter().for_each(drop);
    let answer = translate::container("default", container("job", "green").container.unwrap()).unwrap();
    watcher.take_answer(answer);
    assert_eq!(told.try_recv().ok(), None);
    let docker_s = Envelope { namespace: "moby".to_owned(), ..envelope("/containers/create", &event) };
    assert_eq!(watcher.pass_on(&docker_s), None);
    assert_eq!(told.try_recv().ok(), None);
}

#[tokio::test]
async fn a_lost_connection_is_told_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir);
    let mut watched = Watched::start(server.socket.clone());
    assert!(watched.next_connection().await.connected);
    server.cut();
    let lost = watched.next_connection().await;
    assert!(!lost.connected && lost.reason.is_some(), "{lost:?}");
    assert!(watched.next_connection().await.connected);
    assert!(watched.next_list().await.contains_key("default/web"));
}

#[tokio::test]
async fn a_server_that_comes_late_is_found_and_its_absence_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("grpc.sock");
    let mut watched = Watched::start(socket.clone());
    let reason = watched.next_connection().await.reason.unwrap();
    assert!(reason.starts_with(&format!("open the socket {}", socket.display())), "{reason}");
    sleep(TIMING.longest_pause * 4).await;
    let _server = start(&dir);
    assert!(watched.next_connection().await.connected);
}

#[tokio::test]
async fn a_hung_or_strange_server_is_given_up_at_every_step() {
    let garbage = || Answer::Messages(vec![vec![0xff; 7]]);
    for (method, namespace, answer) in [
        ("Version/Version", None, Answer::Silence),
        ("Version/Version", None, Answer::Refused(tonic::Code::Unimplemented)),
        ("Version/Version", None, garbage()),
        ("Namespaces/List", None, Answer::Silence),
        (LIST, Some("shop"), Answer::Silence),
        (LIST, Some("shop"), garbage()),
        ("Tasks/List", Some("shop"), Answer::Refused(tonic::Code::Internal)),
        ("Events/Subscribe", None, Answer::Refused(tonic::Code::PermissionDenied)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server = start(&dir);
        server.answer(method, namespace, answer);
        let mut watched = Watched::start(server.socket.clone());
        let lost = watched.next_connection().await;
        let reason = lost.reason.unwrap_or_default();
        assert!(reason.contains(&server.socket.display().to_string()), "{method}: {reason}");
        assert!(!watched.task.is_finished(), "{method}");
    }
}

#[tokio::test]
async fn one_list_can_be_had_without_a_watch() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir);
    let listed = list(&server.socket, Duration::from_secs(5)).await.unwrap();
    assert_eq!(listed.len(), 2);
    server.answer("Version/Version", None, Answer::Silence);
    assert!(list(&dir.path().join("none"), Duration::from_secs(5)).await.is_err());
}
