//! What went wrong, as RFC 9457 has it: `application/problem+json`.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use schemars::JsonSchema;
use serde::Serialize;

/// A kind of problem: the last part of its `type`, and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    status: StatusCode,
    name: &'static str,
    title: &'static str,
}

impl Kind {
    /// Its HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.status
    }

    /// What it is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.title
    }
}

const fn kind(status: StatusCode, name: &'static str, title: &'static str) -> Kind {
    Kind { status, name, title }
}

/// A parameter is unknown, or its value cannot be.
pub const BAD_PARAMETER: Kind = kind(StatusCode::BAD_REQUEST, "bad-parameter", "bad parameter");
/// Nothing says that this client may ask.
pub const NO_TOKEN: Kind = kind(StatusCode::UNAUTHORIZED, "no-token", "not authorized");
/// A page of another site asks.
pub const FOREIGN_PAGE: Kind = kind(StatusCode::FORBIDDEN, "foreign-page", "asked by another site");
/// The name that the client has for this machine is not one of its names.
pub const UNKNOWN_HOST: Kind = kind(StatusCode::MISDIRECTED_REQUEST, "unknown-host", "unknown host");
/// Nothing is served at this path.
pub const NO_SUCH_PATH: Kind = kind(StatusCode::NOT_FOUND, "no-such-path", "nothing is served here");
/// No container has this name or id.
pub const NO_SUCH_CONTAINER: Kind = kind(StatusCode::NOT_FOUND, "no-such-container", "no such container");
/// No cgroup has this path or name.
pub const NO_SUCH_CGROUP: Kind = kind(StatusCode::NOT_FOUND, "no-such-cgroup", "no such cgroup");
/// No history is kept.
pub const NO_HISTORY: Kind = kind(StatusCode::NOT_FOUND, "no-history", "no history is kept");
/// The path is served, the method is not.
pub const BAD_METHOD: Kind = kind(StatusCode::METHOD_NOT_ALLOWED, "bad-method", "method not allowed");
/// The request took too long.
pub const SLOW_REQUEST: Kind = kind(StatusCode::REQUEST_TIMEOUT, "slow-request", "request too slow");
/// More than one container has this name, or an id that begins so.
pub const AMBIGUOUS_CONTAINER: Kind =
    kind(StatusCode::CONFLICT, "ambiguous-container", "more than one container");
/// The body is larger than is taken.
pub const LARGE_BODY: Kind = kind(StatusCode::PAYLOAD_TOO_LARGE, "large-body", "body too large");
/// An answer could not be made.
pub const INTERNAL: Kind = kind(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error");
/// Nothing was measured yet, or not for long.
pub const NOT_READY: Kind = kind(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "not ready");
/// There are too many connections, or requests that take long.
pub const TOO_BUSY: Kind = kind(StatusCode::SERVICE_UNAVAILABLE, "too-busy", "too busy");

/// The media type.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One problem.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
}

/// The answer's body. `type` and `status` are stable, the texts are for people.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Body9457<'a> {
    /// `urn:monitor:problem:` and the name of the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What was wrong with this request.
    detail: &'a str,
}

impl Problem {
    /// A problem of a kind, and what was wrong this time.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// What was wrong this time.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    fn body(&self) -> Vec<u8> {
        let body = Body9457 {
            kind: format!("urn:monitor:problem:{}", self.kind.name),
            title: self.kind.title,
            status: self.kind.status.as_u16(),
            detail: &self.detail,
        };
        // It cannot fail: strings and a number.
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// A whole HTTP/1.1 answer, where there is no request that could be answered in the usual way.
    #[must_use]
    pub(super) fn into_http1(self) -> Vec<u8> {
        let body = self.body();
        let mut answer = format!(
            "HTTP/1.1 {}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.kind.status,
            body.len()
        )
        .into_bytes();
        answer.extend(body);
        answer
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body()));
        *response.status_mut() = self.kind.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == NO_TOKEN {
            // Browsers ask their users for the password of a user, whoever that is.
            for scheme in ["Basic realm=\"monitor\", charset=\"UTF-8\"", "Bearer realm=\"monitor\""] {
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
            }
        }
        if self.kind == NOT_READY || self.kind == TOO_BUSY {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_kind_and_status() {
        let text = String::from_utf8(Problem::new(SLOW_REQUEST, "\"slow\"").into_http1()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["type"], "urn:monitor:problem:slow-request");
        assert_eq!(body["status"], 408);
        assert_eq!(body["detail"], "\"slow\"");
    }
}
