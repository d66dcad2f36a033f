//! How much slower a bulk transfer over the loopback interface goes: with nothing attached, with empty programs, with monitor; in
//! turns.
#![expect(unsafe_code, reason = "setsockopt(2) with a name")]

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::fd::AsRawFd as _,
    thread::{self, JoinHandle},
};

use crate::{
    helpers::Pinned,
    options::Options,
    report::{Bar, Part},
    triples::{self, Timing, points, row, time},
};

/// The most that monitor may slow the transfer down beyond the empty programs, in percent points.
const TRANSFER_POINTS: f64 = 3.0;
const TRIPLES: usize = 36;
const CHUNKS: usize = 10;
/// Bytes of a write: as many as a packet has at most.
const PIECE: usize = 1 << 16;
/// Of a chunk.
const PIECES: usize = 2000;
/// The hooks that it passes.
const HOOKS: [&str; 3] = ["sched_switch", "cgroup_skb_ingress", "cgroup_skb_egress"];

pub(crate) fn measure(options: Options) -> Part {
    let [transfers] = triples::measure(options.rounds(TRIPLES), &HOOKS, [time_transfer]);
    let what = "bulk transfer over loopback: percent points beyond the empty programs";
    Part {
        title: "Slow-down of a bulk transfer",
        method: format!(
            "A thread that writes {PIECE} bytes at a time to a TCP connection over the loopback interface, and one that \
             reads them, both on one CPU, so that all of its time is theirs; {CHUNKS} chunks of {PIECES} writes each, \
             with empty programs on `{}` for the control. Time of one write and what follows from it; otherwise as \
             above, {} triples.",
            HOOKS.join("`, `"),
            transfers.len(),
        ),
        columns: triples::COLUMNS,
        rows: vec![
            row("64 KiB, median chunk", &transfers, |timing| timing.median),
            row("64 KiB, best chunk", &transfers, |timing| timing.best),
        ],
        bars: vec![Bar { what, most: TRANSFER_POINTS, measured: points(&transfers, |timing| timing.median) }],
    }
}

fn time_transfer() -> Timing {
    let _pinned = Pinned::to_last_cpu();
    let mut transfer = Transfer::open();
    transfer.pieces(PIECES);
    time(CHUNKS, PIECES, || transfer.pieces(PIECES))
}

/// A connection, whose other end says when it has read a chunk.
struct Transfer {
    stream: TcpStream,
    piece: Vec<u8>,
    receiver: Option<JoinHandle<()>>,
}

impl Transfer {
    fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen");
        let stream = TcpStream::connect(listener.local_addr().expect("its address")).expect("connect");
        let (other, _) = listener.accept().expect("accept");
        send_without_pauses(&stream);
        // It is kept on the same CPU as who starts it.
        let receiver = thread::spawn(move || receive(other));
        Self { stream, piece: vec![7; PIECE], receiver: Some(receiver) }
    }

    fn pieces(&mut self, count: usize) {
        for _ in 0..count {
            self.stream.write_all(&self.piece).expect("write to a connection");
        }
        self.stream.read_exact(&mut [0]).expect("hear of its end");
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        // In vain only where the other end is gone.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        let ended = self.receiver.take().map(JoinHandle::join);
        assert!(ended.is_none_or(|ended| ended.is_ok()) || thread::panicking(), "the receiver panicked");
    }
}

/// Chooses what every kernel has and what uses no timers: others, such as BBR, pace what they send.
fn send_without_pauses(stream: &TcpStream) {
    const NAME: &[u8] = b"reno";
    let length = libc::socklen_t::try_from(NAME.len()).expect("a short name");
    // SAFETY: the name outlives the call and has that length.
    let answer = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_CONGESTION,
            NAME.as_ptr().cast(),
            length,
        )
    };
    assert_eq!(answer, 0, "choose how to avoid congestion: {}", std::io::Error::last_os_error());
}

fn receive(mut stream: TcpStream) {
    let mut piece = vec![0; PIECE];
    let mut received = 0;
    loop {
        match stream.read(&mut piece).expect("read from a connection") {
            0 => return,
            bytes => received += bytes,
        }
        if received == PIECES * PIECE {
            received = 0;
            stream.write_all(&[1]).expect("tell of the end");
        }
    }
}
