//! A pod, made as the kubelet does: by the Container Runtime Interface. The numbers are those of its protobuf,
//! <https://github.com/kubernetes/cri-api/blob/v0.30.0/pkg/apis/runtime/v1/api.proto>.

use std::{collections::HashMap, path::Path};

use http::uri::PathAndQuery;
use prost::Message;
use tokio::runtime::{Builder, Runtime};
use tonic::{
    Request, Status,
    client::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, Message)]
struct PodMetadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    uid: String,
    #[prost(string, tag = "3")]
    namespace: String,
}

#[derive(Clone, PartialEq, Message)]
struct NamespaceOption {
    #[prost(int32, tag = "1")]
    network: i32,
}

/// Shares the host's network, which needs no plugins.
const NODE: i32 = 2;

#[derive(Clone, PartialEq, Message)]
struct SecurityContext {
    #[prost(message, optional, tag = "1")]
    namespace_options: Option<NamespaceOption>,
}

#[derive(Clone, PartialEq, Message)]
struct LinuxPod {
    #[prost(string, tag = "1")]
    cgroup_parent: String,
    #[prost(message, optional, tag = "2")]
    security_context: Option<SecurityContext>,
}

#[derive(Clone, PartialEq, Message)]
struct PodConfig {
    #[prost(message, optional, tag = "1")]
    metadata: Option<PodMetadata>,
    #[prost(map = "string, string", tag = "6")]
    labels: HashMap<String, String>,
    #[prost(message, optional, tag = "8")]
    linux: Option<LinuxPod>,
}

#[derive(Clone, PartialEq, Message)]
struct RunPod {
    #[prost(message, optional, tag = "1")]
    config: Option<PodConfig>,
}

/// `metadata` of a container and `image`, whose only member that is needed has the same number and type.
#[derive(Clone, PartialEq, Message)]
struct Name {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerConfig {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Name>,
    #[prost(message, optional, tag = "2")]
    image: Option<Name>,
    #[prost(string, repeated, tag = "3")]
    command: Vec<String>,
    #[prost(map = "string, string", tag = "9")]
    labels: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct CreateContainer {
    #[prost(string, tag = "1")]
    pod: String,
    #[prost(message, optional, tag = "2")]
    config: Option<ContainerConfig>,
    #[prost(message, optional, tag = "3")]
    sandbox_config: Option<PodConfig>,
}

/// Every answer and every other question: an id, or nothing.
#[derive(Clone, PartialEq, Message)]
struct Id {
    #[prost(string, tag = "1")]
    id: String,
}

/// A running pod with one running container. Removed on drop.
#[derive(Debug)]
pub struct Pod {
    runtime: Runtime,
    channel: Channel,
    sandbox: String,
    container: String,
}

/// How a pod is called.
#[derive(Clone, Copy, Debug)]
pub struct PodName<'a> {
    /// Its name.
    pub name: &'a str,
    /// Kubernetes' namespace.
    pub namespace: &'a str,
    /// Kubernetes' uid.
    pub uid: &'a str,
    /// Where its cgroup is to be made.
    pub cgroup_parent: &'a str,
}

impl Pod {
    /// Makes a pod at this socket, with a container of this name in it; both get the labels that the kubelet writes.
    #[must_use]
    pub fn run(socket: &Path, pod: PodName<'_>, container: &str, image: &str, command: &[&str]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("make an event loop");
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).expect("an address");
        let channel = runtime.block_on(endpoint.connect()).expect("connect to the CRI");
        let mut made = Self { runtime, channel, sandbox: String::new(), container: String::new() };
        let labels = [("pod.name", pod.name), ("pod.namespace", pod.namespace), ("pod.uid", pod.uid)];
        let mut labels: HashMap<String, String> =
            labels.map(|(label, value)| (format!("io.kubernetes.{label}"), value.to_owned())).into();
        let config = PodConfig {
            metadata: Some(PodMetadata {
                name: pod.name.to_owned(),
                uid: pod.uid.to_owned(),
                namespace: pod.namespace.to_owned(),
            }),
            labels: labels.clone(),
            linux: Some(LinuxPod {
                cgroup_parent: pod.cgroup_parent.to_owned(),
                security_context: Some(SecurityContext {
                    namespace_options: Some(NamespaceOption { network: NODE }),
                }),
            }),
        };
        made.sandbox = made.must("RunPodSandbox", RunPod { config: Some(config.clone()) });
        labels.insert("io.kubernetes.container.name".to_owned(), container.to_owned());
        let container = ContainerConfig {
            metadata: Some(Name { name: container.to_owned() }),
            image: Some(Name { name: image.to_owned() }),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            labels,
        };
        let create = CreateContainer {
            pod: made.sandbox.clone(),
            config: Some(container),
            sandbox_config: Some(config),
        };
        made.container = made.must("CreateContainer", create);
        let _nothing = made.must("StartContainer", Id { id: made.container.clone() });
        made
    }

    /// The id of the container.
    #[must_use]
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The id of what holds the pod's namespaces.
    #[must_use]
    pub fn sandbox(&self) -> &str {
        &self.sandbox
    }

    /// Ends the container.
    pub fn stop_container(&self) {
        let _nothing = self.must("StopContainer", Id { id: self.container.clone() });
    }

    fn must<Q: Message + Default + 'static>(&self, method: &str, question: Q) -> String {
        self.ask(method, question).unwrap_or_else(|status| panic!("{method}: {status}"))
    }

    fn ask<Q: Message + Default + 'static>(&self, method: &str, question: Q) -> Result<String, Status> {
        let path = format!("/runtime.v1.RuntimeService/{method}");
        let path = PathAndQuery::try_from(path).expect("a method's name");
        self.runtime.block_on(async {
            let mut grpc = Grpc::new(self.channel.clone());
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            let codec = ProstCodec::<Q, Id>::default();
            Ok(grpc.unary(Request::new(question), path, codec).await?.into_inner().id)
        })
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        for method in ["StopPodSandbox", "RemovePodSandbox"] {
            // The daemon's own end shows what was left.
            let _ = self.ask(method, Id { id: self.sandbox.clone() });
        }
    }
}
