//! HTTP to a daemon, of which no more is read than a daemon has to say: any user may have one, and its answers are kept whole
//! until they are understood.

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bollard::{BollardRequest, ClientVersion, Docker, errors::Error as BollardError};
use hyper::{Request, Response, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};

/// Bytes of an answer at most: a list of ten thousand containers.
const ANSWER_BYTES: usize = 32 << 20;
/// Bytes of an event at most. They have the container's labels.
const EVENT_BYTES: usize = 4 << 20;

/// Bytes that may still come until what has come is understood.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    left: Arc<AtomicUsize>,
    most: usize,
}

impl Allowance {
    fn of(most: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(most)), most }
    }

    /// Of one event after the other.
    pub(super) fn for_events() -> Self {
        Self::of(EVENT_BYTES)
    }

    /// To be called when something was understood.
    pub(super) fn renew(&self) {
        self.left.store(self.most, Ordering::Relaxed);
    }

    fn spend(&self, bytes: usize) -> io::Result<()> {
        let left = self.left.load(Ordering::Relaxed).checked_sub(bytes);
        let left = left.ok_or_else(|| {
            io::Error::other(format!("more than {} MiB came that are nothing whole", self.most >> 20))
        })?;
        self.left.store(left, Ordering::Relaxed);
        Ok(())
    }
}

/// Where a daemon listens.
#[derive(Clone, Debug)]
enum Place {
    Socket(PathBuf),
    Port(String),
}

/// A client of the daemon at `unix://PATH` or `tcp://HOST:PORT`. Each answer is bounded by itself, or all by this allowance.
pub(super) fn open(
    host: &str,
    head_limit: u64,
    version: &ClientVersion,
    allowance: Option<Allowance>,
) -> Result<Docker, BollardError> {
    let place = match host.strip_prefix("unix://") {
        Some(path) if !Path::new(path).exists() => {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{path} is not there")).into());
        }
        Some(path) => Place::Socket(path.into()),
        None => Place::Port(host.trim_start_matches("tcp://").to_owned()),
    };
    let shown = match &place {
        Place::Socket(_) => "http://localhost".to_owned(),
        Place::Port(host) => format!("http://{host}"),
    };
    let transport = move |request: BollardRequest| {
        let allowance = allowance.clone().unwrap_or_else(|| Allowance::of(ANSWER_BYTES));
        ask(place.clone(), request, allowance)
    };
    Docker::connect_with_custom_transport(transport, Some(shown), head_limit, version)
}

async fn ask(
    place: Place,
    request: BollardRequest,
    allowance: Allowance,
) -> Result<Response<Incoming>, BollardError> {
    match place {
        Place::Socket(path) => exchange(UnixStream::connect(path).await?, request, allowance).await,
        Place::Port(host) => exchange(TcpStream::connect(host).await?, request, allowance).await,
    }
}

async fn exchange<S>(
    stream: S,
    request: BollardRequest,
    allowance: Allowance,
) -> Result<Response<Incoming>, BollardError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(Bounded { stream, allowance })).await?;
    // How it ends, the answer tells.
    tokio::spawn(connection);
    let (mut head, body) = request.into_parts();
    let host = head.uri.authority().and_then(|host| header::HeaderValue::from_str(host.as_str()).ok());
    head.headers.extend(host.map(|host| (header::HOST, host)));
    if let Some(path) = head.uri.path_and_query() {
        head.uri = path.clone().into();
    }
    Ok(sender.send_request(Request::from_parts(head, body)).await?)
}

/// A connection that fails when its allowance is spent.
#[derive(Debug)]
struct Bounded<S> {
    stream: S,
    allowance: Allowance,
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Err(error) = self.allowance.spend(buffer.filled().len() - before) {
            return Poll::Ready(Err(error));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_is_never_whole_ends() {
        let (stream, mut other) = tokio::io::duplex(1024);
        let allowance = Allowance::of(3000);
        let mut bounded = Bounded { stream, allowance: allowance.clone() };
        let mut bytes = [0; 1000];
        for renews in [false, false, true, false, false, false] {
            other.write_all(&bytes).await.unwrap();
            bounded.read_exact(&mut bytes).await.unwrap();
            if renews {
                allowance.renew();
            }
        }
        other.write_all(&bytes).await.unwrap();
        assert!(bounded.read_exact(&mut bytes).await.is_err());
    }
}
