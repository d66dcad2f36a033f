use std::collections::BTreeMap;

use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    fake::{Answer, FakeDaemon},
    *,
};
use crate::runtime::ConnectionState;

const EVENTS: &str = include_str!("../../../testdata/runtime/docker-20.10/events.ndjson");
const LIST: &str = include_str!("../../../testdata/runtime/docker-20.10/list.json");
const INSPECT_RUNNING: &str = include_str!("../../../testdata/runtime/docker-20.10/inspect-running.json");
const INSPECT_EXITED: &str = include_str!("../../../testdata/runtime/docker-20.10/inspect-exited.json");

/// Ids of the captured containers, by their last names.
const SHORT: &str = "099b8b6c10e4e06469b03b3786c9d08d0c865ccd39e3d424a39d71419d79f3c4";
const LONGER: &str = "475672e2940a57f26c4aef59047ca612c3e7aaa2d754026151043952d1d7b253";
const ENDED: &str = "ff89b2a0bae8a7b4d3f11452eecc1fc4a5dcd5944ed4ef09fb5b3caa1bc770a1";
const PAU: &str = "bc6c58541d653280cd532a321f292ab86172e5b5fe9f2ea5dcc3dd5c225c7501";

const TIMING: Timing = Timing {
    answer: Duration::from_millis(300),
    ping: Duration::from_millis(50),
    shortest_pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(40),
};

/// A watch under way and what it has told.
struct Watched {
    events: mpsc::UnboundedReceiver<RuntimeEvent>,
    task: JoinHandle<()>,
}

impl Watched {
    fn start(dir: &TempDir) -> Self {
        Self::start_with(dir, TIMING)
    }

    fn start_with(dir: &TempDir, timing: Timing) -> Self {
        let settings = DockerSettings::new(Some(&FakeDaemon::host(dir))).unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        let out = move |event| sender.send(event).unwrap_or_default();
        let task = tokio::spawn(Watcher::new(settings, timing, out).run());
        Self { events, task }
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

    async fn next_list(&mut self) -> Vec<Metadata> {
        loop {
            if let RuntimeEvent::Listed(listed) = self.next().await {
                return listed;
            }
        }
    }

    /// Skips to the next facts about one container.
    async fn next_update(&mut self, id: &str) -> Metadata {
        loop {
            match self.next().await {
                RuntimeEvent::Updated(metadata) if metadata.id.as_str() == id => return *metadata,
                _ => {}
            }
        }
    }

    /// Why there is no connection, told once the daemon has failed in the way that the test set up.
    async fn failure(&mut self) -> String {
        loop {
            if let Some(reason) = self.next_connection().await.reason {
                return reason;
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn temp_dir() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn id(text: &str) -> ContainerId {
    ContainerId::new(text)
}

#[tokio::test]
async fn list_inspections_and_events_make_one_picture() {
    let dir = temp_dir();
    let daemon = FakeDaemon::start(&dir);
    daemon.answer(&format!("/containers/{LONGER}/json"), Answer::Json(INSPECT_RUNNING.to_owned()));
    let mut watched = Watched::start(&dir);

    let connection = watched.next_connection().await;
    assert!(connection.connected);
    assert_eq!(connection.server_version.as_deref(), Some("20.10.24+dfsg1"));
    let mut known: BTreeMap<ContainerId, Metadata> =
        watched.next_list().await.into_iter().map(|container| (container.id.clone(), container)).collect();
    let inspected = watched.next_update(LONGER).await;
    known.get_mut(&id(LONGER)).unwrap().merge(inspected);
    EVENTS.lines().for_each(|line| daemon.send_event(line));

    // The last captured event is the end of this one.
    let mut removed = Vec::new();
    while removed.len() < 2 {
        match watched.next().await {
            RuntimeEvent::Updated(newer) => {
                known
                    .entry(newer.id.clone())
                    .or_insert_with(|| Metadata::new(newer.id.clone(), newer.runtime))
                    .merge(*newer);
            }
            RuntimeEvent::Removed { id } => removed.push(known.remove(&id).unwrap()),
            event => panic!("unexpected {event:?}"),
        }
    }
    let [short, weighted] = removed.as_slice() else { panic!("two are removed") };
    assert_eq!((short.name.as_deref(), short.image.as_deref()), (Some("short"), Some("bb")));
    assert_eq!(short.exit_code, None, "its label hides the code");
    assert_eq!(weighted.exit_code, Some(4));
    assert_eq!(weighted.labels, [("weight".to_owned(), "1".to_owned())].into());
    let longer = &known[&id(LONGER)];
    assert_eq!((longer.name.as_deref(), longer.state), (Some("longer"), Some(State::Running)));
    assert_eq!(longer.pid, Some(8701));
    assert_eq!(known[&id(PAU)].state, Some(State::Paused));
    let ended = &known[&id(ENDED)];
    assert_eq!((ended.state, ended.exit_code), (Some(State::Exited), Some(5)));
    assert!(ended.finished_at > ended.started_at);
}

#[tokio::test]
async fn events_are_asked_for_before_the_list_and_only_live_containers_are_inspected() {
    let dir = temp_dir();
    let daemon = FakeDaemon::start(&dir);
    let mut watched = Watched::start(&dir);
    watched.next_list().await;
    while daemon.requests().iter().filter(|path| path.starts_with("/_ping")).count() < 2 {
        sleep(Duration::from_millis(10)).await;
    }
    let mut requests = daemon.requests();
    requests.retain(|path| !path.starts_with("/_ping") && path != "/version");
    let begins_with = |at: usize, begin: &str| requests.get(at).is_some_and(|path| path.starts_with(begin));
    assert!(begins_with(0, "/events?since="), "{requests:?}");
    assert!(begins_with(1, "/containers/json?all=true"), "{requests:?}");
    let mut inspected: Vec<&str> = requests.iter().skip(2).map(String::as_str).collect();
    inspected.sort_unstable();
    assert_eq!(inspected, [format!("/containers/{LONGER}/json"), format!("/containers/{PAU}/json")]);
}

#[tokio::test]
async fn a_new_connection_resumes_where_the_last_one_ended() {
    let dir = temp_dir();
    let daemon = FakeDaemon::start(&dir);
    let mut watched = Watched::start(&dir);
    watched.next_list().await;
    // Later than the start of this test, as the daemon's clock says.
    let seen = format!(
        r#"{{"Type":"container","Action":"pause","Actor":{{"ID":"{LONGER}"}},"timeNano":4000000000123456789}}"#
    );
    daemon.send_event(&seen);
    assert_eq!(watched.next_update(LONGER).await.state, Some(State::Paused));

    // It ended while nobody was listening, and the daemon forgot its events.
    daemon.answer(
        "/containers/json",
        Answer::Json(LIST.replace("running", "exited").replace("Up Less", "Exited (9) Less")),
    );
    let inspection = INSPECT_EXITED.replace(ENDED, LONGER);
    daemon.answer(&format!("/containers/{LONGER}/json"), Answer::Json(inspection));
    daemon.cut_streams();

    let lost = watched.next_connection().await;
    assert!(!lost.connected);
    assert!(watched.next_connection().await.connected);
    let listed = watched.next_list().await;
    let longer = listed.iter().find(|container| container.id == id(LONGER)).unwrap();
    assert_eq!((longer.state, longer.exit_code), (Some(State::Exited), Some(9)));
    let inspected = watched.next_update(LONGER).await;
    assert_eq!((inspected.state, inspected.exit_code), (Some(State::Exited), Some(5)));
    assert!(inspected.finished_at.is_some());
    let requests = daemon.requests();
    let resumed = requests.iter().rev().find(|path| path.starts_with("/events")).unwrap();
    assert!(resumed.starts_with("/events?since=4000000000.123456789&"), "{resumed}");
}

#[tokio::test]
async fn a_daemon_that_comes_late_is_found_and_its_absence_told_once() {
    let dir = temp_dir();
    let mut watched = Watched::start(&dir);
    let absent = watched.next_connection().await;
    assert!(!absent.connected);
    let reason = absent.reason.unwrap();
    assert!(
        reason.starts_with(&format!("open the socket of docker at {}: ", FakeDaemon::host(&dir))),
        "{reason}"
    );
    sleep(TIMING.longest_pause * 4).await;
    let _daemon = FakeDaemon::start(&dir);
    assert!(watched.next_connection().await.connected);
}

#[tokio::test]
async fn a_hung_daemon_is_given_up_at_every_step() {
    for (path, attempt) in [
        ("/version", "negotiate the API version"),
        ("/events", "follow the events"),
        ("/containers/json", "list the containers"),
        ("/_ping", "ping the daemon"),
    ] {
        let dir = temp_dir();
        let daemon = FakeDaemon::start(&dir);
        daemon.answer(path, Answer::Silence);
        let reason = Watched::start(&dir).failure().await;
        let expected = format!("{attempt} of docker at {}: ", FakeDaemon::host(&dir));
        assert!(reason.starts_with(&expected), "{path}: {reason}");
    }
}

#[tokio::test]
async fn a_hung_inspection_costs_only_its_fields() {
    let dir = temp_dir();
    let daemon = FakeDaemon::start(&dir);
    daemon.answer(&format!("/containers/{LONGER}/json"), Answer::Silence);
    daemon.answer(&format!("/containers/{PAU}/json"), Answer::Json("{\"State\":{\"Pid\":12}}".to_owned()));
    let mut watched = Watched::start(&dir);
    assert_eq!(watched.next_update(PAU).await.pid, Some(12));
    sleep(TIMING.answer * 2).await;
    EVENTS.lines().filter(|line| line.contains("pause")).for_each(|line| daemon.send_event(line));
    assert_eq!(watched.next_update(LONGER).await.state, Some(State::Paused));
}

#[tokio::test]
async fn garbage_is_refused_at_every_step() {
    let json = |text: &str| Answer::Json(text.to_owned());
    let stream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{]}\n\r\n";
    for (path, answer) in [
        ("/version", Answer::Raw("SSH-2.0-OpenSSH_9.2p1\r\n".to_owned())),
        ("/version", Answer::Raw(String::new())),
        ("/version", json("{}")),
        ("/version", json("\u{0}\u{1}")),
        ("/version", Answer::Raw("HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\n{\"mes".to_owned())),
        ("/containers/json", json("{\"message\":\"no list\"}")),
        ("/containers/json", json("[{\"Id\":[]}]")),
        ("/events", Answer::Raw(stream.to_owned())),
        ("/events", Answer::Raw("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned())),
    ] {
        let dir = temp_dir();
        let daemon = FakeDaemon::start(&dir);
        daemon.answer(path, answer);
        let mut watched = Watched::start(&dir);
        let reason = watched.failure().await;
        assert!(reason.contains(&FakeDaemon::host(&dir)), "{path}: {reason}");
        assert!(!watched.task.is_finished(), "{path}");
    }
}

#[test]
fn an_inspection_that_an_event_overtook_tells_what_does_not_change() {
    let (sender, told) = std::sync::mpsc::channel();
    let settings = DockerSettings::new(None).unwrap();
    let mut watcher = Watcher::new(settings, TIMING, move |event| sender.send(event).unwrap());
    let mut uninspected = watcher.take_list(parsed(LIST));
    assert_eq!(uninspected, [id(LONGER), id(PAU)].into());
    let pause = EVENTS.lines().find(|line| line.contains("\"pause\"") && line.contains(PAU)).unwrap();
    watcher.take_event(parsed(pause), &mut uninspected);
    told.try_iter().for_each(drop);

    watcher.take_inspection(&id(PAU), Some(parsed(INSPECT_RUNNING)), &mut uninspected);
    let mut lasting = Metadata::new(id(PAU), RuntimeKind::Docker);
    lasting.storage = translate::inspection(RuntimeKind::Docker, &id(PAU), parsed(INSPECT_RUNNING)).storage;
    assert!(lasting.storage.is_some());
    assert_eq!(told.try_recv().ok(), Some(RuntimeEvent::Updated(Box::new(lasting))));
    watcher.take_inspection(&id(LONGER), Some(parsed(INSPECT_RUNNING)), &mut uninspected);
    assert!(matches!(told.try_recv(), Ok(RuntimeEvent::Updated(metadata)) if metadata.pid == Some(8701)));
}

#[test]
fn an_exit_code_hidden_by_a_label_is_unknown_also_after_a_reconnection() {
    let (sender, told) = std::sync::mpsc::channel();
    let settings = DockerSettings::new(None).unwrap();
    let mut watcher = Watcher::new(settings, TIMING, move |event| sender.send(event).unwrap());
    let mut lines = EVENTS.lines().filter(|line| line.contains(SHORT)).map(parsed);
    let mut uninspected = BTreeSet::new();
    lines.by_ref().take(3).for_each(|event| watcher.take_event(event, &mut uninspected));
    watcher.take_list(Vec::new());
    lines.for_each(|event| watcher.take_event(event, &mut uninspected));
    assert!(watcher.exit_code_hidden.is_empty(), "a removed container is forgotten");
    let ends = told.try_iter().filter_map(|event| match event {
        RuntimeEvent::Updated(metadata) if metadata.state == Some(State::Exited) => Some(metadata.exit_code),
        _ => None,
    });
    assert_eq!(ends.collect::<Vec<_>>(), [None]);
}

/// An event of a container that nobody has, with as much in it as given.
fn made_up(action: &str, number: usize, filling: usize) -> EventMessage {
    let value = "x".repeat(filling);
    let actor = format!(r#"{{"ID":"{number:064x}","Attributes":{{"exitCode":"{value}"}}}}"#);
    parsed(&format!(r#"{{"Type":"container","Action":"{action}","Actor":{actor}}}"#))
}

#[tokio::test]
async fn events_that_come_before_the_list_are_bounded_in_bytes() {
    let dir = temp_dir();
    let daemon = FakeDaemon::start(&dir);
    daemon.answer("/containers/json", Answer::Silence);
    let settings = DockerSettings::new(Some(&FakeDaemon::host(&dir))).unwrap();
    let (docker, _, _) = connect(&settings, TIMING.answer).await.unwrap();
    let watcher = Watcher::new(settings, TIMING, |_| {});
    for filling in [0, 1 << 20] {
        let bytes = std::sync::atomic::AtomicUsize::new(0);
        let events = stream::repeat_with(|| {
            let event = made_up("create", 1, filling);
            bytes.fetch_add(translate::bytes(&event).max(filling), std::sync::atomic::Ordering::Relaxed);
            Ok(event)
        });
        let error = watcher.list(&docker, pin!(events)).await.unwrap_err();
        assert!(matches!(error, DockerError::TimedOut { .. }), "{error}");
        let bytes = bytes.into_inner();
        assert!((EARLY_BYTES..=EARLY_BYTES + filling + 1024).contains(&bytes), "{bytes}");
    }
}

#[test]
fn of_containers_that_events_tell_of_so_many_are_remembered() {
    let settings = DockerSettings::new(None).unwrap();
    let mut watcher = Watcher::new(settings, TIMING, |_| {});
    let (started, mut asked) = mpsc::channel(STARTED);
    watcher.started = Some(started);
    for number in 0..REMEMBERED + 10 {
        watcher.take_event(made_up("start", number, 1), &mut BTreeSet::new());
    }
    assert_eq!((watcher.live.len(), watcher.exit_code_hidden.len()), (REMEMBERED, REMEMBERED));
    assert_eq!(std::iter::from_fn(|| asked.try_recv().ok()).count(), STARTED);
    let mut endless = made_up("start", 0, 1);
    endless.actor.as_mut().unwrap().id = Some("a".repeat(1 << 20));
    assert_eq!(translate::event(RuntimeKind::Docker, endless), None);
}

fn parsed<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_host_is_a_socket_or_tcp() {
    for host in [None, Some("")] {
        assert_eq!(DockerSettings::new(host).unwrap().host(), DockerSettings::DEFAULT_HOST);
    }
    for host in ["unix:///run/docker.sock", "tcp://127.0.0.1:2375"] {
        assert_eq!(DockerSettings::new(Some(host)).unwrap().host(), host);
    }
    for host in
        ["/run/docker.sock", "unix://", "unix:///", "unix://run", "tcp://", "ssh://a", "https://a:2376", "x"]
    {
        let error = DockerSettings::new(Some(host)).unwrap_err();
        assert!(error.to_string().contains(&format!("{host:?}")), "{error}");
    }
}

#[test]
fn pauses_grow_to_the_longest_and_vary() {
    let mut pauses = Pauses::new(Timing::default());
    let taken: Vec<Duration> = (0..12).map(|_| pauses.after(Duration::ZERO)).collect();
    let due = (0..12).map(|doublings| Duration::from_millis(250 << doublings).min(Duration::from_secs(30)));
    for (pause, due) in taken.iter().zip(due) {
        assert!((due / 2..=due).contains(pause), "{pause:?} of {due:?}");
    }
    let longest: BTreeSet<&Duration> = taken.iter().skip(7).collect();
    assert!(longest.len() > 1, "{longest:?}");
    assert!(pauses.after(Duration::from_secs(31)) <= Duration::from_millis(250), "a connection held");
}

#[tokio::test]
async fn one_list_has_the_names_without_events_or_inspections() {
    let dir = temp_dir();
    let daemon = FakeDaemon::start(&dir);
    let settings = DockerSettings::new(Some(&FakeDaemon::host(&dir))).unwrap();
    let listed = list(&settings, Duration::from_secs(10)).await.unwrap();
    let named = listed.iter().find(|container| container.id.as_str() == ENDED).unwrap();
    assert!(named.name.is_some() && named.state == Some(State::Exited), "{named:?}");
    let requests = daemon.requests();
    assert!(!requests.iter().any(|path| path.contains("/events") || path.contains(ENDED)), "{requests:?}");
}

#[tokio::test]
async fn one_list_has_an_end_where_the_daemon_is_silent() {
    let dir = temp_dir();
    let daemon = FakeDaemon::start(&dir);
    daemon.answer("/containers/json", Answer::Silence);
    let settings = DockerSettings::new(Some(&FakeDaemon::host(&dir))).unwrap();
    let error = list(&settings, TIMING.answer).await.unwrap_err();
    assert!(matches!(error, DockerError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn podman_is_known_by_what_it_calls_itself() {
    let dir = temp_dir();
    let daemon = FakeDaemon::start(&dir);
    let version = r#"{"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}"#;
    daemon.answer("/version", Answer::Json(version.to_owned()));
    let mut watched = Watched::start(&dir);
    assert_eq!(watched.next_connection().await.server_version.as_deref(), Some("4.3.1"));
    assert!(watched.next_list().await.iter().all(|one| one.runtime == RuntimeKind::Podman));
    let settings = DockerSettings::new(Some(&FakeDaemon::host(&dir))).unwrap();
    let listed = list(&settings, Duration::from_secs(5)).await.unwrap();
    assert!(!listed.is_empty() && listed.iter().all(|one| one.runtime == RuntimeKind::Podman));
}
