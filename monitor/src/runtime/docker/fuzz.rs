//! Promises of what reads Docker's and Podman's answers: [`crate::fuzzing`].

use bollard::models::{ContainerInspectResponse, ContainerSummary, EventMessage};
use serde::de::DeserializeOwned;

use super::translate;
use crate::{
    fuzzing::made,
    newtypes::ContainerId,
    runtime::{LABEL_BYTES, Metadata, RuntimeKind},
};

/// A list of containers, one of them looked at, or an event.
pub(crate) fn answers(input: &[u8]) {
    for runtime in [RuntimeKind::Docker, RuntimeKind::Podman] {
        for summary in read::<Vec<ContainerSummary>>(input).into_iter().flatten() {
            let id = summary.id.clone();
            let told = translate::summary(runtime, summary);
            assert_eq!(told.is_some(), id.is_some_and(|id| !id.is_empty()));
            told.iter().for_each(check);
        }
        if let Some(answer) = read::<ContainerInspectResponse>(input) {
            let told = translate::inspection(runtime, &ContainerId::new("id"), answer);
            assert!(told.pid.is_none_or(|pid| pid > 0));
            check(&told);
        }
        if let Some(happened) = read::<EventMessage>(input).and_then(|event| translate::event(runtime, event))
        {
            assert_eq!(happened.id, happened.metadata.id);
            check(&happened.metadata);
        }
    }
}

fn read<T: DeserializeOwned>(input: &[u8]) -> Option<T> {
    serde_json::from_slice(input).ok()
}

fn check(told: &Metadata) {
    made((told.log_place(), translate::hides_exit_code(told)));
    let bytes: usize = told.labels.iter().map(|(key, value)| key.len() + value.len()).sum();
    assert!(bytes <= LABEL_BYTES, "labels of {bytes} bytes");
    let storage = told.storage.iter();
    assert!(storage.flat_map(|storage| &storage.volumes).all(|volume| volume.source.is_absolute()));
    let mut again = told.clone();
    again.merge(told.clone());
    assert_eq!(again, *told, "hearing the same again changes nothing");
}
