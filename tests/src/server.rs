//! `monitor serve` under test, and the plainest client.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    monitor::{self, INTERVAL, command},
    wait,
};

/// A running `monitor serve`, at a port of the system's choice.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    complaints: Receiver<String>,
    /// What it said before it said where it serves.
    said_first: Vec<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The status line and the headers, as they came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Server {
    /// Starts it and waits for its first snapshot.
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        Self::spawn(serve(args))
    }

    /// Starts one that speaks TLS, and waits until it serves.
    #[must_use]
    pub fn start_tls(args: &[&str]) -> Self {
        Self::launch(serve(args))
    }

    /// Starts it by a command that makes it verbose.
    #[must_use]
    pub fn spawn(command: Command) -> Self {
        let server = Self::launch(command);
        wait::until("the first snapshot", || (server.get("/healthz").status == 200).then_some(()));
        server
    }

    /// Starts it and waits until it says where it serves.
    fn launch(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("start monitor");
        let stderr = BufReader::new(child.stderr.take().expect("its standard error"));
        let (said, complaints) = channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        let (address, said_first) = address(&complaints);
        Self { child, address, complaints, said_first }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its answer to a GET.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, "")
    }

    /// With more header lines, each ended with CRLF.
    #[must_use]
    pub fn get_with(&self, path: &str, headers: &str) -> Answer {
        // HTTP/1.0, so that nothing comes in chunks.
        self.ask(format!("GET {path} HTTP/1.0\r\n{headers}\r\n").as_bytes())
    }

    /// The body of its answer to a GET, which must be 200 and JSON. What it does not know yet is waited for: a container's name
    /// comes from its runtime, after its cgroup.
    #[must_use]
    pub fn json(&self, path: &str) -> Value {
        wait::until(path, || {
            let answer = self.get(path);
            assert!([200, 404].contains(&answer.status), "{path}: {answer:?}");
            (answer.status == 200).then(|| answer.json())
        })
    }

    /// Its answer to these bytes.
    #[must_use]
    pub fn ask(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // It may answer and close before it has read all of it.
        let _ = stream.write_all(bytes);
        Answer::read(stream)
    }

    /// A connection to it.
    #[must_use]
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("connect to monitor");
        stream.set_read_timeout(Some(wait::LONG)).expect("set a timeout");
        stream
    }

    /// The value of a series without labels, or with all of them, at /metrics.
    #[must_use]
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.get("/metrics").text();
        let values = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        values.map(|value| value.parse().expect("a number")).next()
    }

    /// What it has said on standard error; what came after it said where it serves, once.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.said_first.iter().cloned().chain(self.complaints.try_iter()).collect()
    }

    /// What it says of a database or collector that it writes to.
    #[must_use]
    pub fn sink(&self, name: &str) -> Value {
        self.json("/api/v1/snapshot")["coverage"]["sinks"][name].clone()
    }

    /// Waits until it has written there, and nothing waits.
    pub fn wait_for_sink(&self, name: &str) {
        wait::until(&format!("{name} to take what is written"), || {
            let sink = self.sink(name);
            (sink["state"] == "ok" && sink["queued_bytes"] == 0).then_some(())
        });
    }

    /// Waits until writing there fails for a reason with these words, and returns the reason.
    #[must_use]
    pub fn wait_for_failure(&self, name: &str, words: &str) -> String {
        wait::until(&format!("{name} to fail with {words}"), || {
            let sink = self.sink(name);
            let reason = sink["reason"].as_str()?.to_owned();
            (sink["state"] == "failing" && reason.contains(words)).then_some(reason)
        })
    }

    /// The next snapshots of a container, as they are streamed.
    #[must_use]
    pub fn stream(&self, container: &str, count: usize) -> Vec<Value> {
        let mut stream = self.connect();
        let request = format!("GET /api/v1/stream?container={container} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("ask for a stream");
        data_lines(stream).map(|data| serde_json::from_str(&data).expect("JSON")).take(count).collect()
    }

    /// Its process.
    #[must_use]
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// Sends a signal and waits for the end.
    #[must_use]
    pub fn end(mut self, signal: Signal) -> ExitStatus {
        monitor::send(&self.child, signal);
        wait::until("the end of monitor", || self.child.try_wait().expect("wait for monitor"))
    }
}

fn serve(args: &[&str]) -> Command {
    let mut command = command(&["serve", "--verbose", "--listen", "127.0.0.1:0"]);
    if !args.contains(&"--interval") {
        command.args(["--interval", INTERVAL]);
    }
    command.args(args);
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // Whatever fails now, the first error is the one to show.
        let _ = self.child.kill().and_then(|()| self.child.wait());
        if thread::panicking() {
            self.complaints.try_iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

impl Answer {
    /// Reads one until the connection ends.
    #[must_use]
    pub fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // What came before an error is the answer.
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).expect("UTF-8");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self { status: status.expect("a status"), head, body: bytes[end + 4..].to_vec() }
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The last part of the type of a problem.
    #[must_use]
    pub fn problem(&self) -> String {
        assert!(self.head.contains("application/problem+json"), "no problem: {self:?}");
        let kind = self.json()["type"].as_str().expect("a type").to_owned();
        kind.rsplit(':').next().expect("a part").to_owned()
    }
}

/// The data of server-sent events, until the stream ends.
pub fn data_lines(stream: TcpStream) -> impl Iterator<Item = String> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("data: ").map(str::to_owned))
}

fn address(complaints: &Receiver<String>) -> (SocketAddr, Vec<String>) {
    let mut said = Vec::new();
    while let Ok(line) = complaints.recv_timeout(wait::LONG + Duration::from_secs(1)) {
        let url = line.split_once("serving at ").and_then(|(_, url)| url.split_once("://"));
        if let Some((_, address)) = url {
            return (address.parse().expect("an address"), said);
        }
        said.push(line);
    }
    panic!("monitor does not say where it serves: {said:?}")
}
