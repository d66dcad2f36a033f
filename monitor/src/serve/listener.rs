//! Where clients come in: a TCP port, with TLS or without, or a Unix socket, which only its owner and group can open.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    net,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net as unix,
    },
    path::{Path, PathBuf},
    pin::Pin,
    str::FromStr,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use super::access::Entrance;

/// What a Unix socket is written with.
const UNIX: &str = "unix:";

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `ADDRESS:PORT`.
    Tcp(String),
    /// `unix:PATH`.
    Unix(PathBuf),
}

/// A text that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither ADDRESS:PORT nor unix:PATH")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix(UNIX).filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(Self::Tcp(text.to_owned()))
            }
            _ => Err(AddressError(text.to_owned())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// Whoever can write to a socket can connect to it.
const MODE: u32 = 0o660;

/// An address that is taken, and not listened at yet.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
    shown: String,
}

#[derive(Debug)]
enum Kind {
    Tcp(net::TcpListener),
    Unix(unix::UnixListener, Option<Socket>),
}

/// The file of a Unix socket. Removed on drop, for which the server's thread has no right.
#[derive(Debug)]
pub struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        // In vain only where someone else has removed it.
        let _ = fs::remove_file(&self.0);
    }
}

/// One that is listened at.
#[derive(Debug)]
pub(super) enum Accepting {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection of any kind.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl Listener {
    /// Takes an address, so that nobody else can.
    pub fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(at) => {
                let listener = net::TcpListener::bind(at)?;
                listener.set_nonblocking(true)?;
                let shown = listener.local_addr()?.to_string();
                Ok(Self { kind: Kind::Tcp(listener), shown })
            }
            Address::Unix(path) => {
                let listener = bind_socket(path)?;
                listener.set_nonblocking(true)?;
                let socket = Socket(path.clone());
                fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
                Ok(Self { kind: Kind::Unix(listener, Some(socket)), shown: address.to_string() })
            }
        }
    }

    /// The file of a Unix socket, for who removes it in the end.
    pub fn take_socket(&mut self) -> Option<Socket> {
        match &mut self.kind {
            Kind::Tcp(_) => None,
            Kind::Unix(_, socket) => socket.take(),
        }
    }

    /// Where it is, as a client writes it.
    #[must_use]
    pub fn shown(&self, has_tls: bool) -> String {
        match self.kind {
            Kind::Tcp(_) if has_tls => format!("https://{}", self.shown),
            Kind::Tcp(_) => format!("http://{}", self.shown),
            Kind::Unix(..) => self.shown.clone(),
        }
    }

    /// Listens, within an event loop.
    pub(super) fn accepting(self) -> io::Result<Accepting> {
        match self.kind {
            Kind::Tcp(listener) => TcpListener::from_std(listener).map(Accepting::Tcp),
            Kind::Unix(listener, _socket) => UnixListener::from_std(listener).map(Accepting::Unix),
        }
    }
}

/// A socket that a server has left behind which is gone is no obstacle; any other file is.
fn bind_socket(path: &Path) -> io::Result<unix::UnixListener> {
    let taken = match unix::UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => error,
        other => return other,
    };
    match unix::UnixStream::connect(path) {
        Err(error)
            if error.kind() == ErrorKind::ConnectionRefused
                && fs::symlink_metadata(path)?.file_type().is_socket() =>
        {
            fs::remove_file(path)?;
            unix::UnixListener::bind(path)
        }
        _ => Err(taken),
    }
}

impl Accepting {
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // It may fail on a connection that is gone, which shows when it is read.
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

impl Stream {
    /// Where it came in.
    pub(super) fn entrance(&self) -> Entrance {
        match self {
            Self::Tcp(_) | Self::Tls(_) => Entrance::Port,
            Self::Unix(_) => Entrance::Socket,
        }
    }

    /// The same with TLS, which is not spoken on Unix sockets.
    pub(super) async fn secured(self, tls: Arc<ServerConfig>) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => {
                let stream = TlsAcceptor::from(tls).accept(stream).await?;
                Ok(Self::Tls(Box::new(stream)))
            }
            other => Ok(other),
        }
    }
}

/// Does the same with any.
macro_rules! either {
    ($stream:expr, $either:ident => $does:expr) => {
        match $stream.get_mut() {
            Stream::Tcp($either) => $does,
            Stream::Tls($either) => $does,
            Stream::Unix($either) => $does,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(address: &str) -> io::Result<Listener> {
        Listener::bind(&address.parse().unwrap())
    }

    #[test]
    fn a_socket_is_its_owners_and_goes_with_the_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("monitor.sock");
        let address = format!("unix:{}", path.display());
        let listener = bind(&address).unwrap();
        assert_eq!(listener.shown(true), address);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert!(bind(&address).is_err(), "somebody listens there");
        drop(listener);
        assert!(!path.exists());
        // Left behind by one that was killed.
        drop(unix::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        bind(&address).unwrap();
    }

    #[test]
    fn another_file_than_a_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        fs::write(&path, "precious").unwrap();
        assert!(bind(&format!("unix:{}", path.display())).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_port_is_shown_as_it_was_given_out() {
        let listener = bind("127.0.0.1:0").unwrap();
        let shown = listener.shown(false);
        assert!(shown.starts_with("http://127.0.0.1:") && !shown.ends_with(":0"), "{shown}");
        assert!(listener.shown(true).starts_with("https://127.0.0.1:"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["[::1]:8080", "localhost:0", "unix:/run/monitor.sock", "unix:monitor.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for wrong in ["", "nowhere", "localhost:", ":8080", "localhost:http", "localhost:65536", "unix:"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
