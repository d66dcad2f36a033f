//! Docker's answers → our words. Pure: every rule about what an answer means is tested here with captured ones.

use std::{path::PathBuf, sync::Arc};

use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary, ContainerSummaryStateEnum,
    EventMessage, MountPoint,
};
use jiff::Timestamp;

use crate::{
    newtypes::ContainerId,
    runtime::{
        Metadata, PAIR_BYTES, RuntimeKind, State,
        storage::{Storage, VolumeKind, VolumeMount},
    },
};

/// The attribute of a `die` event. The daemon copies the labels over its own attributes, so that a label of this
/// name hides the code (`LogContainerEventWithAttributes`, daemon/events.go).
const EXIT_CODE: &str = "exitCode";

/// What Podman puts among the labels besides name, image and exit code (`ConvertToEntitiesEvent`,
/// pkg/domain/entities/events.go).
const PODMAN_ATTRIBUTES: [&str; 2] = ["containerExitCode", "podId"];

/// An event that tells something about a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Happened {
    pub(super) id: ContainerId,
    pub(super) action: Action,
    /// By the daemon's clock.
    pub(super) at: Option<Timestamp>,
    /// Whether a label is seen that will hide the exit code.
    pub(super) hides_exit_code: bool,
    /// What it tells.
    pub(super) metadata: Metadata,
}

/// Whether there still is a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Destroy,
    Other,
}

/// One line of the list. None for one without an id.
pub(super) fn summary(runtime: RuntimeKind, summary: ContainerSummary) -> Option<Metadata> {
    let mut metadata = Metadata::new(container_id(summary.id)?, runtime);
    metadata.name = summary.names.and_then(|names| own_name(&names));
    metadata.image = summary.image;
    metadata.set_labels(summary.labels.unwrap_or_default());
    metadata.state = summary.state.and_then(listed_state);
    metadata.created_at = summary.created.and_then(|second| Timestamp::from_second(second).ok());
    if !metadata.state.is_some_and(State::is_live) {
        metadata.exit_code = summary.status.as_deref().and_then(exit_code_in_status);
    }
    Some(metadata)
}

/// What an inspection tells that does not change in a container's life, so that it may come at any time.
pub(super) fn storage(
    runtime: RuntimeKind,
    id: &ContainerId,
    answer: &mut ContainerInspectResponse,
) -> Metadata {
    // With containerd's image store the driver has no data; the directory is found by the mount.
    let layer = answer.graph_driver.take().and_then(|mut driver| driver.data.remove("UpperDir"));
    let mut metadata = Metadata::new(id.clone(), runtime);
    metadata.storage = Some(Arc::new(Storage {
        layer: layer.and_then(host_path),
        log: answer.log_path.take().and_then(host_path),
        volumes: answer.mounts.take().into_iter().flatten().filter_map(volume).collect(),
    }));
    metadata
}

/// A mount of something on the host; `None` for one in memory.
fn volume(mount: MountPoint) -> Option<VolumeMount> {
    let kind = match mount.typ.as_deref()? {
        "volume" => VolumeKind::Volume,
        "bind" => VolumeKind::Bind,
        _ => return None,
    };
    Some(VolumeMount {
        kind,
        name: mount.name.filter(|name| !name.is_empty()),
        source: host_path(mount.source?)?,
        destination: mount.destination?,
    })
}

fn host_path(path: String) -> Option<PathBuf> {
    Some(PathBuf::from(path)).filter(|path| path.is_absolute())
}

/// What only an inspection tells. A live state is left to the list and the events: it can be older than they are.
pub(super) fn inspection(
    runtime: RuntimeKind,
    id: &ContainerId,
    mut answer: ContainerInspectResponse,
) -> Metadata {
    let mut metadata = storage(runtime, id, &mut answer);
    metadata.created_at = answer.created.as_deref().and_then(instant);
    let Some(state) = answer.state else { return metadata };
    metadata.started_at = state.started_at.as_deref().and_then(instant);
    metadata.pid = state.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
    if let Some(ended @ (State::Exited | State::Dead)) = state.status.and_then(inspected_state) {
        metadata.state = Some(ended);
        metadata.exit_code = state.exit_code;
        metadata.finished_at = state.finished_at.as_deref().and_then(instant);
    }
    metadata
}

/// An event, or None where it tells nothing that we keep (an exec, an attach, a health check).
pub(super) fn event(runtime: RuntimeKind, event: EventMessage) -> Option<Happened> {
    let at = instant_of(&event);
    let actor = event.actor?;
    let id = container_id(actor.id)?;
    let mut attributes = actor.attributes.unwrap_or_default();
    let mut metadata = Metadata::new(id.clone(), runtime);
    let mut action = Action::Other;
    let name = event.action.as_deref()?;
    match name {
        "create" => {
            metadata.state = Some(State::Created);
            metadata.created_at = at;
        }
        "start" => {
            metadata.state = Some(State::Running);
            metadata.started_at = at;
        }
        "die" => {
            metadata.state = Some(State::Exited);
            metadata.finished_at = at;
            metadata.exit_code = attributes.remove(EXIT_CODE).and_then(|code| code.parse().ok());
            attributes.remove("execDuration");
        }
        "pause" => metadata.state = Some(State::Paused),
        "unpause" => metadata.state = Some(State::Running),
        "rename" => {
            attributes.remove("oldName");
        }
        "update" | "oom" => {}
        // Podman's word is the second.
        "destroy" | "remove" => action = Action::Destroy,
        _ => return None,
    }
    if runtime == RuntimeKind::Podman {
        for name in PODMAN_ATTRIBUTES {
            attributes.remove(name);
        }
    }
    // A label of one of these two names is hidden by the attribute; the list has it.
    metadata.name = attributes.remove("name");
    metadata.image = attributes.remove("image");
    let hides_exit_code = attributes.contains_key(EXIT_CODE);
    metadata.set_labels(attributes);
    Some(Happened { id, action, at, hides_exit_code, metadata })
}

/// Whether a `die` event of this container would carry the label's value for the exit code.
pub(super) fn hides_exit_code(container: &Metadata) -> bool {
    container.labels.contains_key(EXIT_CODE)
}

/// What an event takes in memory, about.
pub(super) fn bytes(event: &EventMessage) -> usize {
    let actor = event.actor.as_ref();
    let texts = [event.action.as_deref(), actor.and_then(|actor| actor.id.as_deref())];
    let texts: usize = texts.into_iter().flatten().map(str::len).sum();
    let attributes = actor.and_then(|actor| actor.attributes.as_ref()).into_iter().flatten();
    let attributes = attributes.map(|(name, value)| name.len() + value.len() + PAIR_BYTES);
    size_of::<EventMessage>() + texts + attributes.sum::<usize>()
}

/// Longer than any runtime's ids, which are 64 digits.
const LONGEST_ID: usize = 256;

fn container_id(id: Option<String>) -> Option<ContainerId> {
    id.filter(|id| (1..=LONGEST_ID).contains(&id.len())).map(|id| ContainerId::new(&id))
}

/// The names of links to a container (`/other/alias`) are listed beside its own.
fn own_name(names: &[String]) -> Option<String> {
    names
        .iter()
        .map(|name| name.strip_prefix('/').unwrap_or(name))
        .find(|name| !name.is_empty() && !name.contains('/'))
        .map(str::to_owned)
}

/// `Exited (137) 3 minutes ago`, the one place in a list that has the code.
fn exit_code_in_status(status: &str) -> Option<i64> {
    let code = status.strip_prefix("Exited (").or_else(|| status.strip_prefix("Restarting ("))?;
    code.split_once(')')?.0.parse().ok()
}

fn listed_state(state: ContainerSummaryStateEnum) -> Option<State> {
    Some(match state {
        ContainerSummaryStateEnum::EMPTY => return None,
        ContainerSummaryStateEnum::CREATED => State::Created,
        // One that is being stopped still runs.
        ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::STOPPING => State::Running,
        ContainerSummaryStateEnum::PAUSED => State::Paused,
        ContainerSummaryStateEnum::RESTARTING => State::Restarting,
        ContainerSummaryStateEnum::EXITED => State::Exited,
        ContainerSummaryStateEnum::REMOVING => State::Removing,
        ContainerSummaryStateEnum::DEAD => State::Dead,
    })
}

fn inspected_state(state: ContainerStateStatusEnum) -> Option<State> {
    Some(match state {
        ContainerStateStatusEnum::EMPTY => return None,
        ContainerStateStatusEnum::CREATED => State::Created,
        ContainerStateStatusEnum::RUNNING | ContainerStateStatusEnum::STOPPING => State::Running,
        ContainerStateStatusEnum::PAUSED => State::Paused,
        ContainerStateStatusEnum::RESTARTING => State::Restarting,
        ContainerStateStatusEnum::REMOVING => State::Removing,
        ContainerStateStatusEnum::EXITED => State::Exited,
        ContainerStateStatusEnum::DEAD => State::Dead,
    })
}

/// Docker writes "never" as the year 1.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|at| *at > Timestamp::UNIX_EPOCH)
}

fn instant_of(event: &EventMessage) -> Option<Timestamp> {
    match event.time_nano {
        Some(nanosecond) => Timestamp::from_nanosecond(nanosecond.into()).ok(),
        None => event.time.and_then(|second| Timestamp::from_second(second).ok()),
    }
}

#[cfg(test)]
mod tests;
