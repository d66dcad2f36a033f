//! Promises of what reads the answers of CRI: [`crate::fuzzing`].

use prost::Message as _;

use super::{
    api::{ContainerEventResponse, ContainerStatusResponse, ListContainersResponse, ListPodSandboxResponse},
    translate,
};
use crate::{fuzzing::made, runtime::RuntimeKind};

/// A message, by its first byte of one kind: a list of containers, one of pods, a container's state, an event.
pub(crate) fn messages(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind {
        b'c' => {
            let Ok(list) = ListContainersResponse::decode(bytes) else { return };
            let count = list.containers.len();
            assert_eq!(translate::list(RuntimeKind::Crio, Vec::new(), list.containers).len(), count);
        }
        b'p' => {
            let Ok(list) = ListPodSandboxResponse::decode(bytes) else { return };
            let count = list.items.len();
            assert_eq!(translate::list(RuntimeKind::Crio, list.items, Vec::new()).len(), count);
        }
        b's' => {
            let status = ContainerStatusResponse::decode(bytes).ok().and_then(|answer| answer.status);
            let told = status.map(|status| translate::status(RuntimeKind::Crio, status, None));
            if let Some(told) = told {
                made(told.log_place());
            }
        }
        _ => made(ContainerEventResponse::decode(bytes)),
    }
}
