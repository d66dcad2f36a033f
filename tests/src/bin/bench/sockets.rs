//! Traffic between sockets of this process, over the loopback interface.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
};

/// Two sockets that know each other, and one that listens.
#[derive(Debug)]
pub(crate) struct Sockets {
    sender: UdpSocket,
    receiver: UdpSocket,
    listener: TcpListener,
    /// Whose datagrams nobody takes, and which its own are full of.
    full: UdpSocket,
}

impl Sockets {
    pub(crate) fn open() -> Self {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind a UDP socket");
        let (sender, receiver) = (bind(), bind());
        sender.connect(receiver.local_addr().expect("its address")).expect("connect a UDP socket");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen");
        let full = bind();
        full.connect(full.local_addr().expect("its address")).expect("connect a UDP socket to itself");
        let sockets = Self { sender, receiver, listener, full };
        // More than any buffer holds by default.
        sockets.datagrams_without_room(10_000);
        sockets
    }

    /// Passes datagrams, one by one.
    pub(crate) fn datagrams(&self, count: u64) {
        let mut byte = [0];
        for _ in 0..count {
            self.sender.send(&byte).expect("send a datagram");
            self.receiver.recv(&mut byte).expect("receive a datagram");
        }
    }

    /// Sends datagrams for which there is no room.
    pub(crate) fn datagrams_without_room(&self, count: u64) {
        (0..count).for_each(|_| assert_eq!(self.full.send(&[0]).expect("send a datagram"), 1));
    }

    /// Opens connections, each of which the other end resets: it closes with a byte unread. None is left in
    /// `TIME_WAIT`.
    pub(crate) fn reset_connections(&self, count: u64) {
        let address = self.listener.local_addr().expect("its address");
        for _ in 0..count {
            let mut client = TcpStream::connect(address).expect("connect");
            let (server, _) = self.listener.accept().expect("accept");
            client.write_all(&[1]).expect("write");
            server.peek(&mut [0]).expect("wait for the byte");
            drop(server);
            let answer = client.read(&mut [0]).map_err(|error| error.kind());
            assert_eq!(answer, Err(ErrorKind::ConnectionReset));
        }
    }
}
