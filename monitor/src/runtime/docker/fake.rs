//! A daemon on a socket of its own that says what a test wants it to.
//!
//! Made of plain threads, so that it goes on while the runtime under test is busy or stuck. A connection carries one
//! request, as bollard's do on a Unix socket.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// What a request gets.
#[derive(Clone)]
pub(super) enum Answer {
    /// 200 and this JSON.
    Json(String),
    /// These bytes and nothing else.
    Raw(String),
    /// The connection stays open and silent.
    Silence,
    /// The lines given to [`FakeDaemon::send_event`] from now on, until [`FakeDaemon::cut_streams`].
    EventStream,
}

/// What the daemon does, changed by the test while it runs.
#[derive(Default)]
struct Script {
    /// By how the request's path begins; the last that fits counts.
    answers: Vec<(String, Answer)>,
    /// Paths asked for, in order of their connections.
    requests: Vec<String>,
    /// Lines of the event streams that are open.
    events: Vec<String>,
    /// Streams of an earlier generation end.
    generation: u64,
    /// Connections that get no answer.
    silent: Vec<UnixStream>,
    is_stopped: bool,
}

#[derive(Default)]
struct Shared {
    script: Mutex<Script>,
    changed: Condvar,
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no test panics while it holds the script")
    }
}

pub(super) struct FakeDaemon {
    socket: PathBuf,
    shared: Arc<Shared>,
}

impl FakeDaemon {
    /// A daemon that answers as Docker 20.10 did, with the captured list and an event stream that is silent.
    pub(super) fn start(dir: &TempDir) -> Self {
        let socket = dir.path().join("docker.sock");
        let listener = UnixListener::bind(&socket).expect("bind a socket in the test's directory");
        let shared = Arc::new(Shared::default());
        let daemon = Self { socket, shared: Arc::clone(&shared) };
        let json = |text: &str| Answer::Json(text.to_owned());
        daemon.answer("/", Answer::Raw("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()));
        daemon.answer("/version", json(include_str!("../../../testdata/runtime/docker-20.10/version.json")));
        daemon.answer(
            "/containers/json",
            json(include_str!("../../../testdata/runtime/docker-20.10/list.json")),
        );
        daemon.answer("/_ping", Answer::Json("OK".to_owned()));
        daemon.answer("/events", Answer::EventStream);
        thread::spawn(move || accept(&listener, &shared));
        daemon
    }

    pub(super) fn host(dir: &TempDir) -> String {
        format!("unix://{}", dir.path().join("docker.sock").display())
    }

    pub(super) fn answer(&self, path: &str, answer: Answer) {
        self.shared.script().answers.push((path.to_owned(), answer));
    }

    pub(super) fn send_event(&self, line: &str) {
        self.shared.script().events.push(line.to_owned());
        self.shared.changed.notify_all();
    }

    /// Ends all event streams, as a daemon does that is stopped.
    pub(super) fn cut_streams(&self) {
        let mut script = self.shared.script();
        script.generation += 1;
        script.events.clear();
        self.shared.changed.notify_all();
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.shared.script().requests.clone()
    }
}

impl Drop for FakeDaemon {
    fn drop(&mut self) {
        self.shared.script().is_stopped = true;
        self.cut_streams();
        // Wakes the accepting thread, which then ends.
        let _ = UnixStream::connect(&self.socket);
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn accept(listener: &UnixListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().map_while(Result::ok) {
        if shared.script().is_stopped {
            return;
        }
        // One after the other, so that requests are noted in the order of their connections.
        let Some(path) = read_path(&stream) else { continue };
        let answer = {
            let mut script = shared.script();
            script.requests.push(path.clone());
            let fits = |(begin, _): &&(String, Answer)| path.starts_with(begin.as_str());
            script.answers.iter().rev().find(fits).map(|(_, answer)| answer.clone())
        };
        match answer {
            Some(Answer::EventStream) => {
                let shared = Arc::clone(shared);
                thread::spawn(move || stream_events(stream, &shared));
            }
            Some(Answer::Json(body)) => respond(stream, &format!("{}{body}", head(body.len()))),
            Some(Answer::Raw(text)) => respond(stream, &text),
            Some(Answer::Silence) | None => shared.script().silent.push(stream),
        }
    }
}

/// The path and query of a `GET`, with the rest of the head read and dropped.
fn read_path(stream: &UnixStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    lines.find(String::is_empty)?;
    Some(path)
}

fn head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n")
}

fn respond(mut stream: UnixStream, text: &str) {
    let text = text.to_owned();
    // The client may be gone, and an answer may be larger than what the socket holds.
    thread::spawn(move || stream.write_all(text.as_bytes()));
}

fn stream_events(mut stream: UnixStream, shared: &Shared) {
    let mut script = shared.script();
    let generation = script.generation;
    let mut sent = 0;
    let mut out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    loop {
        let chunks =
            script.events.iter().skip(sent).map(|line| format!("{:x}\r\n{line}\n\r\n", line.len() + 1));
        out.extend(chunks);
        sent = script.events.len();
        drop(script);
        if stream.write_all(out.as_bytes()).is_err() {
            return;
        }
        out.clear();
        script = shared
            .changed
            .wait_while(shared.script(), |script| {
                script.generation == generation && script.events.len() == sent
            })
            .expect("no test panics while it holds the script");
        if script.generation != generation {
            return;
        }
    }
}
