//! A connection that fails where its other side does not read, or does not finish what it began to ask.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::listener::Stream;

/// How long each side of a connection may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From the first byte of a request to the first of its answer.
    pub(super) request: Duration,
    /// While what is written finds no room.
    pub(super) write: Duration,
}

/// A connection that keeps to a [`Patience`].
#[derive(Debug)]
pub(super) struct Stalling {
    stream: Stream,
    patience: Patience,
    /// Runs from the first byte that came after the last one that was written.
    unanswered: Option<Pin<Box<Sleep>>>,
    /// Runs while a write waits.
    unread: Option<Pin<Box<Sleep>>>,
    fate: Fate,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing that was not to be expected.
    Usual,
    /// A request did not come to its end in time.
    SlowRequest,
    /// What was written was not read in time.
    Unread,
}

impl Stalling {
    pub(super) fn new(stream: Stream, patience: Patience) -> Self {
        Self { stream, patience, unanswered: None, unread: None, fate: Fate::Usual }
    }

    pub(super) fn fate(&self) -> Fate {
        self.fate
    }

    fn fail(&mut self, fate: Fate) -> io::Error {
        self.fate = fate;
        io::ErrorKind::TimedOut.into()
    }

    fn wrote<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.unanswered = None;
        }
        self.went_on(cx, written)
    }

    fn went_on<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        let patience = self.patience.write;
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep(patience)));
        if unread.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Err(self.fail(Fate::Unread)))
    }
}

impl AsyncRead for Stalling {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            let patience = self.patience.request;
            self.unanswered.get_or_insert_with(|| Box::pin(sleep(patience)));
        }
        let is_late =
            self.unanswered.as_mut().is_some_and(|unanswered| unanswered.as_mut().poll(cx).is_ready());
        if read.is_pending() && is_late {
            return Poll::Ready(Err(self.fail(Fate::SlowRequest)));
        }
        read
    }
}

impl AsyncWrite for Stalling {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // With TLS what was written may wait here.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.went_on(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
