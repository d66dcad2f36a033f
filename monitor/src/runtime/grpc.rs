//! gRPC over a Unix socket: calls by name, with messages that are written by hand.
//!
//! Of the runtimes' large interfaces a dozen messages are needed, and of these a few members each: those are declared
//! with the numbers of the published protobuf, and protobuf skips the others. Nothing is generated, so no `protoc` is
//! needed to build.

use std::{io, path::PathBuf, time::Duration};

use futures_util::{Stream, TryStreamExt, stream};
use http::uri::PathAndQuery;
use prost::Message;
use tokio::time::timeout;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    metadata::AsciiMetadataValue,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

/// The largest answer that is taken. A list comes in one message; a container takes about a kilobyte of it.
const ANSWER_BYTES: usize = 64 << 20;

/// What goes wrong between us and a runtime.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The socket cannot be connected to.
    #[error("open the socket {}", socket.display())]
    Connect {
        /// Which.
        socket: PathBuf,
        /// What the client says.
        source: tonic::transport::Error,
    },
    /// It refused, or answered what nobody understands.
    #[error("{attempt} at {}: {}", socket.display(), status.message())]
    Call {
        /// What was asked for.
        attempt: &'static str,
        /// Where.
        socket: PathBuf,
        /// Its answer.
        status: Box<Status>,
    },
    /// It took the request and did not answer.
    #[error("{attempt} at {}: no answer within {} ms", socket.display(), limit.as_millis())]
    TimedOut {
        /// What was asked for.
        attempt: &'static str,
        /// Where.
        socket: PathBuf,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The socket's path cannot be part of an address.
    #[error("use {} as a socket", socket.display())]
    BadPath {
        /// Which.
        socket: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It ended the stream of its events.
    #[error("follow the events at {}: the stream was closed", socket.display())]
    Closed {
        /// Where.
        socket: PathBuf,
    },
}

impl GrpcError {
    /// Whether it has no such call.
    pub(super) fn is_unimplemented(&self) -> bool {
        matches!(self, Self::Call { status, .. } if status.code() == Code::Unimplemented)
    }
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Client {
    channel: Channel,
    socket: PathBuf,
    limit: Duration,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// What it is for, for errors.
    pub(super) attempt: &'static str,
    /// `/package.Service/Method`.
    pub(super) method: &'static str,
    /// containerd's namespace, where it matters.
    pub(super) namespace: Option<&'a str>,
}

impl Client {
    /// Connects. `limit` is for each answer; `ping` is how often a silent connection is tried.
    pub(super) async fn connect(
        socket: &std::path::Path,
        limit: Duration,
        ping: Duration,
    ) -> Result<Self, GrpcError> {
        let bad_path = |source| GrpcError::BadPath { socket: socket.to_owned(), source };
        let path = socket.to_str().ok_or_else(|| bad_path(io::Error::other("it is not UTF-8")))?;
        let endpoint = Endpoint::from_shared(format!("unix://{path}"))
            .map_err(|source| bad_path(io::Error::other(source)))?
            .connect_timeout(limit)
            .http2_keep_alive_interval(ping)
            .keep_alive_timeout(limit)
            .keep_alive_while_idle(true);
        let failed = |source| GrpcError::Connect { socket: socket.to_owned(), source };
        let channel = endpoint.connect().await.map_err(failed)?;
        Ok(Self { channel, socket: socket.to_owned(), limit })
    }

    /// One question, one answer.
    pub(super) async fn ask<Q, A>(&self, call: Call<'_>, question: Q) -> Result<A, GrpcError>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let answer = async {
            let mut grpc = self.ready().await?;
            let path = PathAndQuery::from_static(call.method);
            let codec = ProstCodec::<Q, A>::default();
            Ok(grpc.unary(request(call, question), path, codec).await?.into_inner())
        };
        match timeout(self.limit, answer).await {
            Ok(answer) => answer.map_err(|status| self.failed(call.attempt, status)),
            Err(_elapsed) => Err(self.timed_out(call.attempt)),
        }
    }

    /// One question, many answers: all of them.
    pub(super) async fn ask_for_all<Q, A>(&self, call: Call<'_>, question: Q) -> Result<Vec<A>, GrpcError>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        match timeout(self.limit, self.follow(call, question).try_collect()).await {
            Ok(answers) => answers,
            Err(_elapsed) => Err(self.timed_out(call.attempt)),
        }
    }

    /// One question, answers without end. A server may keep silent until the first, so the question is sent as soon as
    /// the stream is polled and not before it is returned.
    pub(super) fn follow<Q, A>(
        &self,
        call: Call<'_>,
        question: Q,
    ) -> impl Stream<Item = Result<A, GrpcError>> + Send + use<Q, A>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let (client, attempt, path) = (self.clone(), call.attempt, PathAndQuery::from_static(call.method));
        let request = request(call, question);
        let answers = {
            let client = client.clone();
            async move {
                let mut grpc = client.ready().await?;
                let answers = grpc.server_streaming(request, path, ProstCodec::<Q, A>::default()).await?;
                Ok::<_, Status>(answers.into_inner())
            }
        };
        stream::once(answers).try_flatten().map_err(move |status| client.failed(attempt, status))
    }

    /// The stream ended.
    pub(super) fn closed(&self) -> GrpcError {
        GrpcError::Closed { socket: self.socket.clone() }
    }

    async fn ready(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES);
        grpc.ready().await.map_err(|error| Status::unavailable(super::link::with_causes(&error)))?;
        Ok(grpc)
    }

    fn failed(&self, attempt: &'static str, status: Status) -> GrpcError {
        GrpcError::Call { attempt, socket: self.socket.clone(), status: Box::new(status) }
    }

    fn timed_out(&self, attempt: &'static str) -> GrpcError {
        GrpcError::TimedOut { attempt, socket: self.socket.clone(), limit: self.limit }
    }
}

fn request<Q>(call: Call<'_>, question: Q) -> Request<Q> {
    let mut request = Request::new(question);
    if let Some(namespace) = call.namespace.and_then(|name| AsciiMetadataValue::try_from(name).ok()) {
        request.metadata_mut().insert("containerd-namespace", namespace);
    }
    request
}

/// A moment, as `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Instant {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

impl Instant {
    /// Runtimes write "never" as the year 1 or as 0.
    pub(super) fn wall(self) -> Option<jiff::Timestamp> {
        let at = jiff::Timestamp::new(self.seconds, self.nanos).ok();
        at.filter(|at| *at > jiff::Timestamp::UNIX_EPOCH)
    }
}

/// A message of any kind, as `google.protobuf.Any`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

#[cfg(test)]
pub(super) mod fake;
