//! What we use of containerd's API, with the numbers of its protobuf: the files named below are in
//! <https://github.com/containerd/containerd/tree/v1.7.0/api>. containerd only ever adds to it.

use std::collections::HashMap;

use prost::Message;

use crate::runtime::grpc::{Any, Instant};

/// `google.protobuf.Empty`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Empty {}

/// services/version/v1/version.proto
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct VersionResponse {
    #[prost(string, tag = "1")]
    pub(super) version: String,
}

/// services/namespaces/v1/namespace.proto
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Namespace {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

/// services/namespaces/v1/namespace.proto
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ListNamespacesResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) namespaces: Vec<Namespace>,
}

/// services/containers/v1/containers.proto
#[derive(Clone, PartialEq, Message)]
pub(super) struct Container {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(map = "string, string", tag = "2")]
    pub(super) labels: HashMap<String, String>,
    #[prost(string, tag = "3")]
    pub(super) image: String,
    #[prost(message, optional, tag = "5")]
    pub(super) spec: Option<Any>,
    #[prost(message, optional, tag = "8")]
    pub(super) created_at: Option<Instant>,
}

/// services/containers/v1/containers.proto: `GetContainerRequest`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct GetContainerRequest {
    #[prost(string, tag = "1")]
    pub(super) id: String,
}

/// services/containers/v1/containers.proto: `GetContainerResponse` and `ListContainerMessage`, which are alike.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ContainerMessage {
    #[prost(message, optional, tag = "1")]
    pub(super) container: Option<Container>,
}

/// types/task/task.proto
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Process {
    /// The container's id too: in a list of tasks `container_id` is empty.
    #[prost(string, tag = "2")]
    pub(super) id: String,
    #[prost(uint32, tag = "3")]
    pub(super) pid: u32,
    #[prost(enumeration = "TaskStatus", tag = "4")]
    pub(super) status: i32,
    #[prost(uint32, tag = "9")]
    pub(super) exit_status: u32,
    #[prost(message, optional, tag = "10")]
    pub(super) exited_at: Option<Instant>,
}

/// types/task/task.proto
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
pub(super) enum TaskStatus {
    Unknown = 0,
    Created = 1,
    Running = 2,
    Stopped = 3,
    Paused = 4,
    Pausing = 5,
}

/// services/tasks/v1/tasks.proto
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ListTasksResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) tasks: Vec<Process>,
}

/// services/events/v1/events.proto; also `ListContainersRequest`, which is alike.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Filters {
    #[prost(string, repeated, tag = "1")]
    pub(super) filters: Vec<String>,
}

/// types/event.proto
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Envelope {
    #[prost(message, optional, tag = "1")]
    pub(super) timestamp: Option<Instant>,
    #[prost(string, tag = "2")]
    pub(super) namespace: String,
    #[prost(string, tag = "3")]
    pub(super) topic: String,
    #[prost(message, optional, tag = "4")]
    pub(super) event: Option<Any>,
}

/// events/container.proto: `ContainerCreate`, `ContainerUpdate` and `ContainerDelete`, as far as they are alike.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct ContainerEvent {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(string, tag = "2")]
    pub(super) image: String,
}

/// events/task.proto: `TaskStart`, `TaskPaused` and `TaskResumed`, as far as they are alike.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct TaskEvent {
    #[prost(string, tag = "1")]
    pub(super) container_id: String,
    #[prost(uint32, tag = "2")]
    pub(super) pid: u32,
}

/// events/task.proto
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct TaskExit {
    #[prost(string, tag = "1")]
    pub(super) container_id: String,
    /// The container's id for its first process; another one for what was executed in it.
    #[prost(string, tag = "2")]
    pub(super) id: String,
    #[prost(uint32, tag = "4")]
    pub(super) exit_status: u32,
    #[prost(message, optional, tag = "5")]
    pub(super) exited_at: Option<Instant>,
}
