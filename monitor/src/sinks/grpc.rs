//! Calls by gRPC, of messages that are encoded already.

use bytes::{Buf as _, BufMut as _, Bytes};
use http::uri::PathAndQuery;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use prost::Message;
use tokio::time::timeout;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::MetadataMap,
    transport::{Channel, Endpoint},
};

use super::{
    Failure, Then,
    http::{Address, PATIENCE, SecretHeaders, unreached},
};
use crate::error::chain;

/// What calls one server.
pub(super) struct Caller {
    channel: Channel,
    headers: SecretHeaders,
}

impl Caller {
    /// A caller that connects when it is first used, and again where the connection is lost.
    pub(super) fn new(
        address: &Address,
        connector: HttpsConnector<HttpConnector>,
        headers: SecretHeaders,
    ) -> Self {
        let endpoint = Endpoint::from(address.uri());
        Self { channel: endpoint.connect_with_connector_lazy(connector), headers }
    }

    /// One question, one answer.
    pub(super) async fn call(&self, method: &'static str, message: Bytes) -> Result<Bytes, Failure> {
        let mut request = Request::new(message);
        *request.metadata_mut() = MetadataMap::from_headers(self.headers.0.clone());
        let answer = async {
            let mut grpc = Grpc::new(self.channel.clone());
            grpc.ready().await.map_err(|error| Status::unavailable(chain(&error)))?;
            Ok(grpc.unary(request, PathAndQuery::from_static(method), Plain).await?.into_inner())
        };
        match timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|status| failure(&status)),
            Err(_elapsed) => Err(unreached(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }
}

/// What a status means: the specification of OTLP lists those after which to try again.
fn failure(status: &Status) -> Failure {
    let then = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Then::Retry(None),
        _ => Then::GiveUp,
    };
    let advice = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => ": check --otlp-headers-file",
        Code::Unimplemented => ": is it OTLP by HTTP that is spoken there? Then say --otlp-protocol http",
        _ => "",
    };
    let kind = u16::try_from(i32::from(status.code())).unwrap_or_default();
    // What tonic knows of a connection that it could not make is in the causes.
    let cause = std::error::Error::source(status).map(|source| format!(": {}", chain(source)));
    let said = format!("{}{}", status.message(), cause.unwrap_or_default());
    Failure { kind, why: format!("{:?}: {said}{advice}", status.code()), then }
}

/// The text in a `google.rpc.Status`, with which servers answer by HTTP too.
pub(super) fn message(bytes: &Bytes) -> Option<String> {
    #[derive(Clone, PartialEq, Message)]
    struct RpcStatus {
        #[prost(string, tag = "2")]
        message: String,
    }
    let status = RpcStatus::decode(bytes.clone()).ok()?;
    (!status.message.is_empty()).then_some(status.message)
}

/// Bytes as they are.
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.reserve(item.len());
        to.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_specification_names_is_tried_again() {
        let then = |code| failure(&Status::new(code, "x")).then;
        assert!([Code::Unavailable, Code::Aborted].iter().all(|code| then(*code) == Then::Retry(None)));
        let refused = [Code::Unauthenticated, Code::InvalidArgument, Code::Unimplemented, Code::Internal];
        assert!(refused.iter().all(|code| then(*code) == Then::GiveUp));
        assert!(failure(&Status::unauthenticated("no token")).why.contains("--otlp-headers-file"));
    }

    #[test]
    fn a_status_is_read() {
        // Code 3, message "bad".
        assert_eq!(message(&Bytes::from_static(b"\x08\x03\x12\x03bad")), Some("bad".to_owned()));
        assert_eq!(message(&Bytes::from_static(b"<html>")), None);
    }
}
