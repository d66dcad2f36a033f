//! Asks a running `monitor serve`, over TCP, TLS or a Unix socket, within a time.

use std::{fmt, io, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use crate::credentials::{CredentialsError, Identity, Secret, Trust};

/// Bytes of an answer at most: some ten thousand containers.
const LARGEST: usize = 128 << 20;

/// Where `monitor serve` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `http://HOST:PORT`.
    Tcp(String),
    /// `https://HOST:PORT`.
    Tls(String),
    /// `unix:PATH`.
    Unix(PathBuf),
}

/// A server, and what it is shown.
#[derive(Clone)]
pub struct Server {
    address: Address,
    token: Option<Secret>,
    tls: Option<Arc<ClientConfig>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with something else.
    #[error("{0:?} is none of http://HOST:PORT, https://HOST:PORT and unix:PATH")]
    Unknown(String),
    /// It has what anybody could see. It is not repeated here.
    #[error(
        "it has a user or a password, which anybody can see: --auth-token-file names a file with a token"
    )]
    Credentials,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there.
    #[error("connect to {0}: does `monitor serve` run there?")]
    Connect(String, #[source] io::Error),
    /// One of the two does not take the other for who it is to be.
    #[error("agree with {0} on who both are: see --ca-file and --client-cert-file")]
    Agree(String, #[source] io::Error),
    /// The answer broke off.
    #[error("ask {0}")]
    Ask(String, #[source] hyper::Error),
    /// The answer broke off, or is too long.
    #[error("read the answer of {0}")]
    Read(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// There was an answer, and it was an error.
    #[error("{asked} says: {detail}")]
    Refused {
        /// What was asked.
        asked: String,
        /// The status of the answer.
        status: StatusCode,
        /// What it says.
        detail: String,
    },
    /// The answer is not what was asked for.
    #[error("{0} is not what `monitor serve` answers")]
    Form(String, #[source] serde_json::Error),
    /// There was none in time.
    #[error("no answer of {asked} within {:.1} s", within.as_secs_f64())]
    Late {
        /// What was asked.
        asked: String,
        /// How long was waited.
        within: Duration,
    },
    /// The event loop could not be had.
    #[error("start an event loop")]
    Start(#[source] io::Error),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let unknown = || AddressError::Unknown(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(unknown()) } else { Ok(Self::Unix(path.into())) };
        }
        if text.contains('@') {
            return Err(AddressError::Credentials);
        }
        let (scheme, host) = text.split_once("://").ok_or_else(unknown)?;
        let host = host.trim_end_matches('/');
        if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
            return Err(unknown());
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = |usual: u16| if has_port { host.to_owned() } else { format!("{host}:{usual}") };
        match scheme {
            "http" => Ok(Self::Tcp(with_port(80))),
            "https" => Ok(Self::Tls(with_port(443))),
            _ => Err(unknown()),
        }
    }
}

impl Server {
    /// One that is shown a token, where there is one.
    #[must_use]
    pub fn new(address: Address, token: Option<Secret>) -> Self {
        Self { address, token, tls: None }
    }

    /// How it must prove to be itself, and what certificate it is shown, where TLS is spoken.
    pub fn with_tls(self, trust: &Trust, identity: Option<&Identity>) -> Result<Self, CredentialsError> {
        let tls = match (&self.address, identity) {
            (Address::Tcp(_) | Address::Unix(_), _) => None,
            (Address::Tls(_), None) => Some(trust.client()),
            (Address::Tls(_), Some(identity)) => Some(trust.client_with(identity)?),
        };
        Ok(Self { tls: tls.map(Arc::new), ..self })
    }
}

/// The problem details of an error.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    detail: String,
}

/// What is served at a path, as JSON, within a time.
pub fn get<T: DeserializeOwned>(server: &Server, path: &str, within: Duration) -> Result<T, ClientError> {
    let shown = server.address.shown(path);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answer = async { timeout(within, ask(server, path, &shown)).await };
    let asked = runtime.map_err(ClientError::Start)?.block_on(answer);
    let (status, body) = asked.map_err(|_elapsed| ClientError::Late { asked: shown.clone(), within })??;
    if status != StatusCode::OK {
        let detail = serde_json::from_slice::<Problem>(&body).map(|problem| problem.detail);
        let detail = detail.unwrap_or_else(|_no_problem| status.to_string());
        return Err(ClientError::Refused { asked: shown, status, detail });
    }
    serde_json::from_slice(&body).map_err(|error| ClientError::Form(shown, error))
}

impl Address {
    fn shown(&self, path: &str) -> String {
        match self {
            Self::Tcp(host) => format!("http://{host}{path}"),
            Self::Tls(host) => format!("https://{host}{path}"),
            Self::Unix(socket) => format!("unix:{} {path}", socket.display()),
        }
    }
}

async fn ask(server: &Server, path: &str, shown: &str) -> Result<(StatusCode, Bytes), ClientError> {
    let Server { address, token, tls } = server;
    let failed = |error| ClientError::Connect(shown.to_owned(), error);
    let request = |host: &str| {
        let request = request(host, path, token.as_ref());
        request.map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))
    };
    match address {
        Address::Tcp(host) => {
            let stream = TcpStream::connect(host).await.map_err(failed)?;
            exchange(stream, request(host)?, shown).await
        }
        Address::Tls(host) => {
            // It is there where the server was made with TLS.
            let tls = tls.clone().ok_or_else(|| failed(io::ErrorKind::Unsupported.into()))?;
            let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
            let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned());
            let name = name.map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
            let stream = TcpStream::connect(host).await.map_err(failed)?;
            let stream = TlsConnector::from(tls).connect(name, stream).await;
            let stream = stream.map_err(|error| ClientError::Agree(shown.to_owned(), error))?;
            exchange(stream, request(host)?, shown).await
        }
        Address::Unix(socket) => {
            let stream = UnixStream::connect(socket).await.map_err(failed)?;
            exchange(stream, request("localhost")?, shown).await
        }
    }
}

fn request(host: &str, path: &str, token: Option<&Secret>) -> Result<Request<Empty<Bytes>>, http::Error> {
    let mut request = Request::get(path).header(header::HOST, host).body(Empty::new())?;
    if let Some(token) = token {
        let mut value = header::HeaderValue::from_str(&format!("Bearer {}", token.reveal()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}

async fn exchange<S>(
    stream: S,
    request: Request<Empty<Bytes>>,
    shown: &str,
) -> Result<(StatusCode, Bytes), ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error| ClientError::Ask(shown.to_owned(), error);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST).collect().await;
    Ok((status, body.map_err(|error| ClientError::Read(shown.to_owned(), error))?.to_bytes()))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        os::unix::net::UnixListener,
        thread,
    };

    use serde_json::Value;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[test]
    fn addresses_are_hosts_or_sockets() {
        let tcp = |host: &str| Ok(Address::Tcp(host.to_owned()));
        assert_eq!("http://127.0.0.1:8080".parse(), tcp("127.0.0.1:8080"));
        assert_eq!("http://[::1]:8080/".parse(), tcp("[::1]:8080"));
        assert_eq!("http://host".parse(), tcp("host:80"));
        assert_eq!("http://[::1]".parse(), tcp("[::1]:80"));
        for unix in ["unix:/run/m.sock", "unix:///run/m.sock"] {
            assert_eq!(unix.parse(), Ok(Address::Unix("/run/m.sock".into())));
        }
        assert_eq!("https://host".parse(), Ok(Address::Tls("host:443".to_owned())));
        for wrong in ["", "host:8080", "http://", "http://a/b", "unix:", "ftp://h"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
        let said = "http://me:xyzzy@host".parse::<Address>().unwrap_err().to_string();
        assert!(said.contains("--auth-token-file") && !said.contains("xyzzy"), "{said}");
    }

    /// Answers one request with these bytes.
    fn answering(answer: &'static str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        Server::new(Address::Tcp(address.to_string()), None)
    }

    fn failure(server: &Server) -> String {
        crate::error::chain(&get::<Value>(server, "/x", Duration::from_millis(500)).unwrap_err())
    }

    #[test]
    fn an_answer_is_read_whole() {
        let server = answering("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}");
        assert_eq!(get::<Value>(&server, "/x", PATIENCE).unwrap()["a"], 1);
    }

    #[test]
    fn what_fails_says_why() {
        let problem = "HTTP/1.1 404 Not Found\r\ncontent-length: 24\r\n\r\n{\"detail\":\"no such one\"}";
        assert!(
            failure(&answering(problem)).ends_with("says: no such one"),
            "{}",
            failure(&answering(problem))
        );
        let plain = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        assert!(failure(&answering(plain)).contains("503"));
        assert!(failure(&answering("garbage\r\n\r\n")).starts_with("ask http://"));
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        assert!(failure(&answering(text)).contains("is not what"));
        assert!(
            failure(&Server::new(Address::Tcp("127.0.0.1:1".to_owned()), None))
                .contains("does `monitor serve` run")
        );
    }

    #[test]
    fn who_does_not_answer_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _silent = UnixListener::bind(&path).unwrap();
        assert!(failure(&Server::new(Address::Unix(path), None)).contains("within 0.5 s"));
    }
}
