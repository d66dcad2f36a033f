use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::runtime::LABEL_BYTES;

const EVENTS: &str = include_str!("../../../../testdata/runtime/docker-20.10/events.ndjson");
const LIST: &str = include_str!("../../../../testdata/runtime/docker-20.10/list.json");
const INSPECT_RUNNING: &str = include_str!("../../../../testdata/runtime/docker-20.10/inspect-running.json");
const INSPECT_EXITED: &str = include_str!("../../../../testdata/runtime/docker-20.10/inspect-exited.json");

fn captured_list() -> BTreeMap<String, Metadata> {
    let list: Vec<ContainerSummary> = serde_json::from_str(LIST).unwrap();
    list.into_iter()
        .filter_map(|one| summary(RuntimeKind::Docker, one))
        .map(|container| (container.name.clone().unwrap(), container))
        .collect()
}

/// The captured events that are kept, by action and container name.
fn captured_event(action: &str, name: &str) -> Option<Happened> {
    let events = EVENTS.lines().map(|line| serde_json::from_str::<EventMessage>(line).unwrap());
    events
        .filter(|event| event.action.as_deref() == Some(action))
        .filter_map(|message| event(RuntimeKind::Docker, message))
        .find(|happened| happened.metadata.name.as_deref() == Some(name))
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_list_tells_names_states_and_exit_codes() {
    let list = captured_list();
    let states: Vec<_> = list.iter().map(|(name, c)| (name.as_str(), c.state, c.exit_code)).collect();
    assert_eq!(
        states,
        [
            ("ended", Some(State::Exited), Some(5)),
            ("longer", Some(State::Running), None),
            ("made", Some(State::Created), None),
            ("pau", Some(State::Paused), None),
        ]
    );
    assert_eq!(list["longer"].labels, labels(&[("tier", "back")]));
    assert_eq!(list["longer"].image.as_deref(), Some("bb"));
    assert_eq!(list["longer"].created_at, Timestamp::from_second(1_795_375_918).ok());
}

#[test]
fn an_inspection_tells_times_and_the_end_but_no_live_state() {
    let read =
        |text| inspection(RuntimeKind::Docker, &ContainerId::new("c"), serde_json::from_str(text).unwrap());
    let running = read(INSPECT_RUNNING);
    assert_eq!((running.state, running.exit_code, running.finished_at), (None, None, None));
    assert_eq!(running.pid, Some(8701));
    assert_eq!(running.started_at, "2026-11-22T19:31:59.078198036Z".parse().ok());
    assert_eq!(running.created_at, "2026-11-22T19:31:58.883859512Z".parse().ok());
    let exited = read(INSPECT_EXITED);
    assert_eq!((exited.state, exited.exit_code, exited.pid), (Some(State::Exited), Some(5), None));
    assert!(exited.finished_at > exited.started_at);
}

#[test]
fn an_inspection_tells_where_data_lie() {
    let read = |json: &str| {
        storage(RuntimeKind::Docker, &ContainerId::new("c"), &mut serde_json::from_str(json).unwrap())
            .storage
            .unwrap()
    };
    let captured = read(INSPECT_RUNNING);
    let layer = captured.layer.as_deref().unwrap().display().to_string();
    assert!(layer.starts_with("/var/lib/docker/overlay2/") && layer.ends_with("/diff"), "{layer}");
    let log = captured.log.as_deref().unwrap().display().to_string();
    assert!(log.starts_with("/var/lib/docker/containers/") && log.ends_with("-json.log"), "{log}");
    assert!(captured.volumes.is_empty());

    // With containerd's image store, a log driver without files, and mounts of every kind.
    let image_store = read(
        r#"{"LogPath":"","GraphDriver":{"Data":null,"Name":"overlayfs"},"Mounts":[
            {"Type":"volume","Name":"v","Source":"/d/volumes/v/_data","Destination":"/data","RW":true},
            {"Type":"bind","Source":"/etc","Destination":"/host","RW":false},
            {"Type":"tmpfs","Source":"","Destination":"/tmp","RW":true}]}"#,
    );
    assert_eq!((&image_store.layer, &image_store.log), (&None, &None));
    let volume = |kind, name: Option<&str>, source: &str, destination: &str| VolumeMount {
        kind,
        name: name.map(str::to_owned),
        source: source.into(),
        destination: destination.to_owned(),
    };
    let expected = [
        volume(VolumeKind::Volume, Some("v"), "/d/volumes/v/_data", "/data"),
        volume(VolumeKind::Bind, None, "/etc", "/host"),
    ];
    assert_eq!(image_store.volumes, expected);
}

#[test]
fn each_event_tells_its_part() {
    let metadata = |action, name| captured_event(action, name).unwrap().metadata;
    let made = captured_event("create", "long").unwrap();
    assert_eq!(made.metadata.state, Some(State::Created));
    assert_eq!(made.metadata.created_at, made.at);
    assert_eq!(made.metadata.image.as_deref(), Some("bb"));
    assert_eq!(made.metadata.labels, labels(&[("tier", "back")]));
    assert_eq!(metadata("start", "long").state, Some(State::Running));
    assert_eq!(metadata("pause", "long").state, Some(State::Paused));
    assert_eq!(metadata("unpause", "long").state, Some(State::Running));
    let renamed = metadata("rename", "longer");
    assert_eq!((renamed.state, renamed.labels), (None, labels(&[("tier", "back")])));
    let died = captured_event("die", "ended").unwrap();
    assert_eq!((died.metadata.state, died.metadata.exit_code), (Some(State::Exited), Some(5)));
    assert_eq!(died.metadata.finished_at, died.at);
    assert_eq!(died.metadata.labels, labels(&[]));
    assert_eq!(captured_event("destroy", "short").unwrap().action, Action::Destroy);
    assert_eq!(captured_event("attach", "short"), None);
}

#[test]
fn a_label_that_hides_the_exit_code_is_noticed_before_the_end() {
    assert!(captured_event("create", "short").unwrap().hides_exit_code);
    assert!(captured_event("start", "short").unwrap().hides_exit_code);
    assert!(!captured_event("create", "long").unwrap().hides_exit_code);
    assert!(!captured_event("die", "ended").unwrap().hides_exit_code);
}

#[test]
fn podman_s_events_tell_the_same() {
    const EVENTS: &str = include_str!("../../../../testdata/runtime/podman-4.3/events.ndjson");
    let messages = EVENTS.lines().map(|line| serde_json::from_str::<EventMessage>(line).unwrap());
    let told: Vec<Happened> = messages.filter_map(|message| event(RuntimeKind::Podman, message)).collect();
    let states: Vec<_> = told
        .iter()
        .map(|happened| {
            (happened.metadata.name.as_deref().unwrap(), happened.metadata.state, happened.action)
        })
        .collect();
    assert_eq!(
        states,
        [
            ("w2", Some(State::Created), Action::Other),
            ("w2", Some(State::Running), Action::Other),
            ("w4", Some(State::Created), Action::Other),
            ("w4", Some(State::Running), Action::Other),
            ("w4", Some(State::Exited), Action::Other),
            ("w2", Some(State::Paused), Action::Other),
            ("w2", Some(State::Running), Action::Other),
            ("w9", None, Action::Other),
            ("w9", Some(State::Exited), Action::Other),
            ("w9", None, Action::Destroy),
        ]
    );
    let ended = told.iter().filter(|happened| happened.metadata.state == Some(State::Exited));
    assert_eq!(ended.map(|happened| happened.metadata.exit_code).collect::<Vec<_>>(), [Some(6), Some(137)]);
    assert_eq!(told[0].metadata.labels, labels(&[("colour", "blue")]));
    assert!(told.iter().all(|happened| happened.metadata.runtime == RuntimeKind::Podman));
}

#[test]
fn podman_s_list_is_docker_s() {
    const LIST: &str = include_str!("../../../../testdata/runtime/podman-4.3/list.json");
    let list: Vec<ContainerSummary> = serde_json::from_str(LIST).unwrap();
    let told: Vec<_> =
        list.into_iter().map(|one| summary(RuntimeKind::Podman, one).expect("an id")).collect();
    let [ended, paused] = told.as_slice() else { panic!("two are listed") };
    assert_eq!((ended.state, ended.exit_code), (Some(State::Exited), Some(6)));
    assert_eq!((paused.name.as_deref(), paused.state), (Some("w2"), Some(State::Paused)));
    assert_eq!(paused.image.as_deref(), Some("localhost/bb:latest"));
}

#[test]
fn link_names_are_not_the_containers_own() {
    let own = |names: &[&str]| own_name(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(own(&["/web/db", "/db"]).as_deref(), Some("db"));
    assert_eq!(own(&["/"]), None);
    assert_eq!(own(&[]), None);
}

#[test]
fn a_status_is_read_for_its_code_only_where_it_has_one() {
    assert_eq!(exit_code_in_status("Exited (137) 3 minutes ago"), Some(137));
    assert_eq!(exit_code_in_status("Exited (-1) 3 minutes ago"), Some(-1));
    assert_eq!(exit_code_in_status("Restarting (1) 2 seconds ago"), Some(1));
    for status in ["", "Created", "Up 2 hours (Paused)", "Exited (", "Exited (x) now", "Up 1 second (3)"] {
        assert_eq!(exit_code_in_status(status), None, "{status}");
    }
}

#[test]
fn labels_beyond_the_limit_are_counted() {
    let mut metadata = Metadata::new(ContainerId::new("c"), RuntimeKind::Docker);
    let large = "x".repeat(LABEL_BYTES - 2);
    metadata.set_labels(
        [("a", "1"), ("b", large.as_str()), ("c", "")].map(|(n, v)| (n.to_owned(), v.to_owned())),
    );
    assert_eq!(metadata.labels, labels(&[("a", "1"), ("c", "")]));
    assert_eq!(metadata.labels_left_out, 1);
}

proptest! {
    #[test]
    fn any_event_is_taken_or_left(
        action in prop_oneof![
            prop::sample::select(vec!["create", "start", "die", "rename", "destroy", "oom"]).prop_map(str::to_owned),
            any::<String>(),
        ],
        id in prop::option::of(any::<String>()),
        attributes in prop::collection::hash_map(
            prop_oneof![prop::sample::select(vec!["name", "image", EXIT_CODE]).prop_map(str::to_owned), any::<String>()],
            any::<String>(),
            0..6,
        ),
        time_nano in prop::option::of(any::<i64>()),
        time in prop::option::of(any::<i64>()),
    ) {
        let names: Vec<String> = attributes.keys().cloned().collect();
        let actor = Some(bollard::models::EventActor { id: id.clone(), attributes: Some(attributes) });
        let message = EventMessage { action: Some(action), actor, time, time_nano, ..EventMessage::default() };
        if let Some(happened) = event(RuntimeKind::Docker, message) {
            prop_assert_eq!(Some(happened.id.as_str()), id.as_deref());
            prop_assert_eq!(&happened.metadata.id, &happened.id);
            prop_assert!(happened.metadata.labels.keys().all(|label| names.contains(label)));
            prop_assert!(!happened.metadata.labels.contains_key("name"));
        }
    }
}
