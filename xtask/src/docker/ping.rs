//! Asks a Docker daemon whether it is there.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const REQUEST: &[u8] = b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n";

/// Whether the daemon at `host`, written as in `DOCKER_HOST`, answers within `patience`.
///
/// Only `unix://` and plain `tcp://` are understood; nothing answers at any other.
pub(super) fn answers(host: &str, patience: Duration) -> bool {
    ping(host, patience).unwrap_or(false)
}

fn ping(host: &str, patience: Duration) -> io::Result<bool> {
    if let Some(path) = host.strip_prefix("unix://") {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(patience))?;
        return exchange(stream);
    }
    let Some(address) = host.strip_prefix("tcp://") else {
        return Ok(false);
    };
    let Some(address) = address.to_socket_addrs()?.next() else {
        return Ok(false);
    };
    let stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    exchange(stream)
}

fn exchange(mut stream: impl Read + Write) -> io::Result<bool> {
    stream.write_all(REQUEST)?;
    let mut answer = Vec::new();
    // HTTP/1.0: the daemon closes when it has said all.
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(is_ok(&answer))
}

fn is_ok(answer: &[u8]) -> bool {
    let status = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    status.starts_with(b"HTTP/1.") && status.get(8..12).is_some_and(|code| code == b" 200")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn only_a_200_counts() {
        assert!(is_ok(b"HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\n\r\nOK"));
        assert!(!is_ok(b"HTTP/1.0 500 Internal Server Error\r\n\r\n"));
        assert!(!is_ok(b"SSH-2.0-OpenSSH\r\n"));
        assert!(!is_ok(b""));
    }

    #[test]
    fn a_daemon_on_a_port_is_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("tcp://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; REQUEST.len()];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nOK").unwrap();
            request
        });
        assert!(answers(&host, Duration::from_secs(5)));
        assert_eq!(server.join().unwrap(), REQUEST);
    }

    #[test]
    fn nobody_answers_where_nobody_is() {
        let patience = Duration::from_millis(100);
        assert!(!answers("unix:///nonexistent/docker.sock", patience));
        assert!(!answers("ssh://somewhere", patience));
    }
}
