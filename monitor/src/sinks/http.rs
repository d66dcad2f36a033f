//! Requests to servers of others: addresses, secrets, TLS.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_LENGTH, RETRY_AFTER, USER_AGENT},
    uri::PathAndQuery,
};
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use tokio::time::timeout;

use super::{Failure, Then};
use crate::{
    credentials::{CredentialsError, Secret, Trust},
    error::chain,
    url::escaped,
};

/// How long a request may take, connecting included.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read; what servers say in an error is shorter.
const ANSWER_BYTES: usize = 64 << 10;
/// Characters of it that are told.
pub(super) const TOLD_CHARACTERS: usize = 240;
/// The kind of a failure that has no HTTP status.
const UNREACHED: u16 = 0;

/// Why nothing can be sent over HTTP.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A file with a secret or certificates.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A file with headers is no such file.
    #[error("{}: line {line} is no header such as `authorization: Bearer TOKEN`", path.display())]
    NoHeader {
        /// Which.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// An address without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Uri);

impl Address {
    /// What is wrong with a text that is none. Does not repeat the text, in which there may be a secret.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_invalid| "it is no URL")?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err("it does not begin with http:// or https://");
        }
        match uri.authority() {
            Some(authority) if authority.as_str().contains('@') => {
                Err("it has a user or a password, which anybody can see: there are flags for files with them")
            }
            Some(authority) if !authority.host().is_empty() => Ok(Self(uri)),
            _ => Err("it names no host"),
        }
    }

    /// The whole.
    pub(super) fn uri(&self) -> Uri {
        self.0.clone()
    }

    /// A place below it; parameters are escaped.
    pub(super) fn below(&self, path: &str, parameters: &[(&str, &str)]) -> Uri {
        let query: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let whole = format!("{}{path}?{}", self.0.path().trim_end_matches('/'), query.join("&"));
        let mut parts = self.0.clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(whole).ok();
        // All of it is valid by itself.
        Uri::from_parts(parts).unwrap_or_else(|_invalid| self.0.clone())
    }
}

/// Without its query, in which some servers want a secret.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        write!(f, "{scheme}://{authority}{}", self.0.path().trim_end_matches('/'))
    }
}

/// How a request says who it is from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// A name and a password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token behind this word.
    Token {
        /// `Token` for InfluxDB, `Bearer` for others.
        scheme: &'static str,
        /// The token.
        token: Secret,
    },
}

impl Credentials {
    /// As a header.
    pub(super) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let text = match self {
            Self::None => return None,
            Self::Basic { user, password } => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.reveal())))
            }
            Self::Token { scheme, token } => format!("{scheme} {}", token.reveal()),
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some((AUTHORIZATION, value))
    }
}

/// Headers out of a file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretHeaders(pub(super) HeaderMap);

impl fmt::Debug for SecretHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl SecretHeaders {
    /// One `NAME: VALUE` a line; empty lines are skipped.
    pub fn read(path: &Path) -> Result<Self, HttpError> {
        let failed = |source| CredentialsError::Read { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(failed)?;
        let mut headers = HeaderMap::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let header = line.split_once(':').and_then(|(name, value)| {
                let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
                Some((name, HeaderValue::from_str(value.trim()).ok()?))
            });
            let refused = || HttpError::NoHeader { path: path.to_owned(), line: number + 1 };
            let (name, mut value) = header.ok_or_else(refused)?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(Self(headers))
    }
}

/// What opens connections to a server, with TLS where its address says so.
pub(super) fn connector(trust: &Trust, address: &Address, is_http2: bool) -> HttpsConnector<HttpConnector> {
    // Reading the system's certificates takes a while, and memory.
    let is_used = address.0.scheme_str() == Some("https");
    let config = if is_used { trust.client() } else { Trust::Only(Vec::new()).client() };
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(PATIENCE / 2));
    let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
    if is_http2 {
        builder.enable_http2().wrap_connector(http)
    } else {
        builder.enable_http1().wrap_connector(http)
    }
}

/// What posts to one server.
#[derive(Clone, Debug)]
pub(super) struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    headers: HeaderMap,
}

/// A server's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// What the server asks for before the next attempt.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

impl Client {
    /// A client that posts to this place with these headers.
    pub(super) fn new(
        connector: HttpsConnector<HttpConnector>,
        uri: Uri,
        credentials: &Credentials,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Self {
        let inner = legacy::Client::builder(TokioExecutor::new()).build(connector);
        let agent = HeaderValue::from_static(concat!("monitor/", env!("CARGO_PKG_VERSION")));
        let all = headers.into_iter().chain([(USER_AGENT, agent)]).chain(credentials.header());
        Self { inner, uri, headers: all.collect() }
    }

    /// Posts; fails where there is no answer.
    pub(super) async fn post(&self, body: Bytes) -> Result<Answer, Failure> {
        match timeout(PATIENCE, self.exchange(body)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(unreached(why)),
            Err(_elapsed) => Err(unreached(format!("no answer within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn exchange(&self, body: Bytes) -> Result<Answer, String> {
        let length = body.len();
        let mut request =
            Request::post(self.uri.clone()).body(Full::new(body)).map_err(|error| error.to_string())?;
        request.headers_mut().extend(self.headers.clone());
        request.headers_mut().insert(CONTENT_LENGTH, length.into());
        let answer = self.inner.request(request).await.map_err(|error| cause(&error))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await;
        Ok(Answer {
            status: head.status,
            retry_after: head.headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?)),
            // An answer too long to read is still one.
            body: body.map(Collected::to_bytes).unwrap_or_default(),
        })
    }
}

/// What is behind an error that says little itself.
fn cause(error: &legacy::Error) -> String {
    std::error::Error::source(error).map_or_else(|| chain(error), chain)
}

/// Nobody answered.
pub(super) fn unreached(why: String) -> Failure {
    Failure { kind: UNREACHED, why, then: Then::Retry(None) }
}

/// Seconds, or a date.
pub(super) fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::parse(text.trim()).ok()?.timestamp();
    let wait = at.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
    Duration::try_from(wait).ok()
}

impl Answer {
    /// The failure that this answer is, with what to do about it.
    pub(super) fn failure(&self, then: Then, advice: &str) -> Failure {
        let said = self.said();
        let status = self.status;
        let mut why = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
        if !advice.is_empty() {
            why = format!("{why}: {advice}");
        }
        Failure { kind: status.as_u16(), why, then }
    }

    /// What the server says, in one line: the message where it is JSON.
    pub(super) fn said(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let object: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let message = object.as_ref().and_then(|object| {
            let members = ["error", "message"].iter().filter_map(|name| object.get(name)?.as_str());
            members.into_iter().next()
        });
        let words: Vec<&str> = message.unwrap_or(&text).split_whitespace().collect();
        words.join(" ").chars().filter(|one| !one.is_control()).take(TOLD_CHARACTERS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_no_credentials_and_hide_their_query() {
        let address = Address::parse("https://db:8086/influx/?token=x").unwrap();
        assert_eq!(address.to_string(), "https://db:8086/influx");
        let place = address.below("/write", &[("db", "a b/ü"), ("precision", "ns")]);
        assert_eq!(place.to_string(), "https://db:8086/influx/write?db=a%20b%2F%C3%BC&precision=ns");
        for (wrong, word) in [
            ("http://user:xyzzy@db/", "files"),
            ("db:8086", "http://"),
            ("ftp://db", "http://"),
            ("http:///write", "URL"),
            ("no url", "URL"),
        ] {
            let said = Address::parse(wrong).unwrap_err();
            assert!(said.contains(word) && !said.contains("xyzzy"), "{wrong}: {said}");
        }
    }

    #[test]
    fn credentials_are_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "pass word\n").unwrap();
        let password = Secret::read(file.path()).unwrap();
        let credentials = Credentials::Basic { user: "me".to_owned(), password };
        let (_, header) = credentials.header().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic bWU6cGFzcyB3b3Jk");
        let shown = format!("{credentials:?} {header:?}");
        assert!(!shown.contains("pass w") && !shown.contains("bWU"), "{shown}");
    }

    #[test]
    fn headers_are_read_line_by_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "authorization: Bearer t\n\nX-Scope-OrgID: 7\n").unwrap();
        let headers = SecretHeaders::read(file.path()).unwrap();
        assert_eq!(headers.0["x-scope-orgid"], "7");
        assert!(!format!("{headers:?}").contains("Bearer"));
        fs::write(file.path(), "a: b\nnothing\n").unwrap();
        let refused = SecretHeaders::read(file.path()).unwrap_err();
        assert!(matches!(refused, HttpError::NoHeader { line: 2, .. }), "{refused}");
    }

    #[test]
    fn a_server_may_ask_for_time() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn what_a_server_says_is_told_in_one_line() {
        let said = |body: &'static str| {
            let body = Bytes::from_static(body.as_bytes());
            Answer { status: StatusCode::NOT_FOUND, body, ..Answer::default() }
                .failure(Then::GiveUp, "make it")
                .why
        };
        assert_eq!(
            said("{\"error\":\"database not\\nfound\"}"),
            "404 Not Found: database not found: make it"
        );
        assert_eq!(said("{\"code\":\"x\",\"message\":\"no bucket\"}"), "404 Not Found: no bucket: make it");
        assert_eq!(said(""), "404 Not Found: make it");
    }
}
