//! Transfers of a known size.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

/// How long a peer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a datagram, which fits into a packet of any link.
const DATAGRAM: usize = 1200;

/// Which ends of a transfer are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Sender,
    Receiver,
    Both,
    /// Nobody listens, and every connection is refused.
    Refused,
}

/// The transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    /// Each datagram is answered by a short one before the next, so that none is lost.
    Udp,
}

/// What is to be transferred.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    pub(crate) ends: Ends,
    pub(crate) protocol: Protocol,
    /// Where the receiver is.
    pub(crate) address: SocketAddr,
    /// From the sender, in each connection.
    pub(crate) bytes: usize,
    /// One after the other; of TCP.
    pub(crate) connections: usize,
}

/// A transfer whose receiver, if it is here, can be reached.
#[derive(Debug)]
pub(crate) struct Prepared {
    transfer: Transfer,
    receiver: Option<Receiver>,
}

#[derive(Debug)]
enum Receiver {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

impl Transfer {
    /// Opens the receiver's socket.
    pub(crate) fn prepare(self) -> io::Result<Prepared> {
        let receiver = match (self.ends, self.protocol) {
            (Ends::Sender | Ends::Refused, _) => None,
            (_, Protocol::Tcp) => Some(Receiver::Tcp(TcpListener::bind(self.address)?)),
            (_, Protocol::Udp) => Some(Receiver::Udp(UdpSocket::bind(self.address)?)),
        };
        Ok(Prepared { transfer: self, receiver })
    }
}

impl Prepared {
    /// Transfers all of it.
    pub(crate) fn run(self) -> io::Result<()> {
        let Self { transfer, receiver } = self;
        thread::scope(|scope| {
            let receiver = receiver.map(|receiver| scope.spawn(move || receiver.run(transfer)));
            match transfer.ends {
                Ends::Sender | Ends::Both => send(transfer)?,
                Ends::Refused => be_refused(transfer)?,
                Ends::Receiver => {}
            }
            receiver
                .map_or(Ok(()), |receiver| receiver.join().map_err(|_panic| io::Error::other("panicked"))?)
        })
    }
}

impl Receiver {
    fn run(self, transfer: Transfer) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                for _ in 0..transfer.connections {
                    let (stream, _) = listener.accept()?;
                    receive_stream(stream, transfer.bytes)?;
                }
                Ok(())
            }
            Self::Udp(socket) => receive_datagrams(&socket, transfer.bytes),
        }
    }
}

fn send(transfer: Transfer) -> io::Result<()> {
    match transfer.protocol {
        Protocol::Tcp => {
            (0..transfer.connections).try_for_each(|_| send_stream(transfer.address, transfer.bytes))
        }
        Protocol::Udp => send_datagrams(transfer.address, transfer.bytes),
    }
}

fn be_refused(transfer: Transfer) -> io::Result<()> {
    for _ in 0..transfer.connections {
        match TcpStream::connect_timeout(&transfer.address, PATIENCE) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            other => return Err(io::Error::other(format!("not refused: {other:?}"))),
        }
    }
    Ok(())
}

fn send_stream(address: SocketAddr, bytes: usize) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    let chunk = vec![7; 1 << 16];
    let mut left = bytes;
    while left > 0 {
        let sent = stream.write(&chunk[..left.min(chunk.len())])?;
        left -= sent;
    }
    stream.shutdown(Shutdown::Write)?;
    // Until the other end has closed, so that this one is a full socket to the last packet.
    match stream.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::Error::other("the receiver answered")),
    }
}

fn receive_stream(mut stream: TcpStream, bytes: usize) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let received = io::copy(&mut stream, &mut io::sink())?;
    if received == bytes as u64 {
        Ok(())
    } else {
        Err(io::Error::other(format!("{received} of {bytes} bytes came")))
    }
}

fn send_datagrams(address: SocketAddr, bytes: usize) -> io::Result<()> {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0; 16], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut left = bytes;
    while left > 0 {
        left -= socket.send(&vec![7; left.min(DATAGRAM)])?;
        socket.recv(&mut [0])?;
    }
    Ok(())
}

fn receive_datagrams(socket: &UdpSocket, bytes: usize) -> io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut left = bytes;
    while left > 0 {
        let (length, sender) = socket.recv_from(&mut [0; DATAGRAM])?;
        left = left.saturating_sub(length);
        socket.send_to(&[1], sender)?;
    }
    Ok(())
}
