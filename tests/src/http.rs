//! Asking an HTTP server for one thing.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
};

use serde::de::DeserializeOwned;

use crate::wait::LONG;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body of an answer that went well; panics with what was said where it did not.
    #[must_use]
    pub fn text(self) -> String {
        let body = String::from_utf8(self.body).expect("a body of UTF-8");
        assert_eq!(self.status, 200, "{body}");
        body
    }

    /// The same as JSON.
    #[must_use]
    pub fn json<T: DeserializeOwned>(self) -> T {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// What the server at this address answers; fails where there is none yet.
pub fn get(server: SocketAddr, path: &str) -> io::Result<Answer> {
    ask(server, "GET", path, "")
}

/// What it answers to a request without a body, with more header lines, each ended with CRLF.
pub fn ask(server: SocketAddr, method: &str, path: &str, headers: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(LONG))?;
    // HTTP/1.0: the body is what comes until the end.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {server}\r\n{headers}\r\n")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or_else(|| io::Error::other("an answer without an end of its head"))?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status in {head}")))?;
    Ok(Answer { status, body: bytes.split_off(end + 4) })
}

/// An address of this machine that nobody listened at a moment ago.
#[must_use]
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen anywhere");
    listener.local_addr().expect("its address")
}

/// A text as part of a URL's query.
#[must_use]
pub fn escaped(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}
