//! Promises of what reads containerd's messages: [`crate::fuzzing`].

use prost::Message as _;

use super::{
    api::{Container, ContainerMessage, Envelope, ListNamespacesResponse, ListTasksResponse},
    translate,
};
use crate::{fuzzing::made, runtime::grpc::Any};

/// A message, by its first byte of one kind: a container, its specification, a list of tasks, an event.
pub(crate) fn messages(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind {
        b'c' => {
            let told = ContainerMessage::decode(bytes).ok().and_then(|message| message.container);
            made(told.and_then(|container| translate::container("default", container)));
        }
        b's' => {
            let spec = Any { type_url: String::new(), value: bytes.to_vec() };
            let container = Container { id: "web".to_owned(), spec: Some(spec), ..Container::default() };
            let told = translate::container("default", container).expect("it has an id");
            let path = told.cgroup_path.as_deref();
            let is_path = |path: &str| path.starts_with('/') && path.len() <= translate::LONGEST_PATH;
            assert!(path.is_some_and(is_path), "{path:?}");
            made(told.log_place());
        }
        b't' => {
            let tasks = ListTasksResponse::decode(bytes).map(|list| list.tasks).unwrap_or_default();
            for task in &tasks {
                assert!(translate::task("default", task).pid.is_none_or(|pid| pid > 0));
            }
        }
        b'n' => made(ListNamespacesResponse::decode(bytes)),
        _ => made(Envelope::decode(bytes).ok().and_then(|envelope| translate::event(&envelope))),
    }
}
