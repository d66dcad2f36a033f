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
    /// Datagrams are sent faster than they are received: not at all before the last one is sent.
    Flood,
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
    /// Where it listens, if that is elsewhere.
    pub(crate) listen: Option<SocketAddr>,
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
        let here = self.listen.unwrap_or(self.address);
        let receiver = match (self.ends, self.protocol) {
            (Ends::Sender | Ends::Refused, _) => None,
            (_, Protocol::Tcp) => Some(Receiver::Tcp(TcpListener::bind(here)?)),
            (_, Protocol::Udp) => Some(Receiver::Udp(UdpSocket::bind(here)?)),
        };
        Ok(Prepared { transfer: self, receiver })
    }
}

impl Prepared {
    /// Transfers all of it.
    pub(crate) fn run(self) -> io::Result<()> {
        let Self { transfer, receiver } = self;
        if let (Ends::Flood, Some(Receiver::Udp(socket))) = (transfer.ends, &receiver) {
            return flood(socket, transfer.bytes);
        }
        thread::scope(|scope| {
            let receiver = receiver.map(|receiver| scope.spawn(move || receiver.run(transfer)));
            match transfer.ends {
                Ends::Sender | Ends::Both => send(transfer)?,
                Ends::Refused => be_refused(transfer)?,
                Ends::Receiver | Ends::Flood => {}
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

/// Sends all to a socket of our own, then takes what found room in its buffer.
fn flood(socket: &UdpSocket, bytes: usize) -> io::Result<()> {
    let sender = UdpSocket::bind((socket.local_addr()?.ip(), 0))?;
    sender.connect(socket.local_addr()?)?;
    let mut left = bytes;
    while left > 0 {
        left -= sender.send(&vec![7; left.min(DATAGRAM)])?;
    }
    socket.set_nonblocking(true)?;
    loop {
        match socket.recv(&mut [0; DATAGRAM]) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
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
