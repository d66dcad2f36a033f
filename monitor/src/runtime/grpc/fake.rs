//! A gRPC server on a socket of its own that says what a test wants it to.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use h2::{RecvStream, SendStream, server};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message;
use tempfile::TempDir;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::broadcast,
    task::JoinHandle,
};
use tonic::Code;

/// What a call gets.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These messages, and the end.
    Messages(Vec<Vec<u8>>),
    /// No answer but this code.
    Refused(Code),
    /// The messages given to [`FakeServer::send_event`] from now on.
    Events,
    /// Nothing at all.
    Silence,
}

/// One message as an answer.
pub(crate) fn message(message: &impl Message) -> Answer {
    Answer::Messages(vec![message.encode_to_vec()])
}

#[derive(Default)]
struct Script {
    /// By method, and by containerd's namespace where one is named.
    answers: HashMap<(String, Option<String>), Answer>,
    requests: Vec<String>,
    connections: Vec<JoinHandle<()>>,
}

pub(crate) struct FakeServer {
    pub(crate) socket: PathBuf,
    script: Arc<Mutex<Script>>,
    events: broadcast::Sender<Vec<u8>>,
    accepting: JoinHandle<()>,
}

impl FakeServer {
    pub(crate) fn start(dir: &TempDir) -> Self {
        let socket = dir.path().join("grpc.sock");
        let listener = UnixListener::bind(&socket).expect("bind a socket in the test's directory");
        let script = Arc::new(Mutex::new(Script::default()));
        let (events, _) = broadcast::channel(64);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&script), events.clone()));
        Self { socket, script, events, accepting }
    }

    /// `method` is `Service/Method` without the package.
    pub(crate) fn answer(&self, method: &str, namespace: Option<&str>, answer: Answer) {
        locked(&self.script).answers.insert((method.to_owned(), namespace.map(str::to_owned)), answer);
    }

    pub(crate) fn send_event(&self, event: &impl Message) {
        assert!(self.events.send(event.encode_to_vec()).is_ok(), "nobody follows the events");
    }

    /// How many calls of this method there were.
    pub(crate) fn calls(&self, method: &str) -> usize {
        locked(&self.script).requests.iter().filter(|called| *called == method).count()
    }

    /// Drops all connections, as a server does that is killed.
    pub(crate) fn cut(&self) {
        locked(&self.script).connections.drain(..).for_each(|connection| connection.abort());
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

fn locked(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().expect("no test panics while it holds the script")
}

async fn accept(listener: UnixListener, script: Arc<Mutex<Script>>, events: broadcast::Sender<Vec<u8>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let connection = tokio::spawn(serve(stream, Arc::clone(&script), events.clone()));
        locked(&script).connections.push(connection);
    }
}

async fn serve(stream: UnixStream, script: Arc<Mutex<Script>>, events: broadcast::Sender<Vec<u8>>) {
    let Ok(mut connection) = server::handshake(stream).await else { return };
    let mut silent = Vec::new();
    // Tasks that end with the connection.
    let mut calls = tokio::task::JoinSet::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let answer = answer_to(&request, &script);
        let head = || Response::builder().status(200).header("content-type", "application/grpc");
        match answer {
            Answer::Silence => silent.push((request, respond)),
            Answer::Refused(code) => {
                let head = head().header("grpc-status", i32::from(code)).body(()).expect("a head");
                let _ = respond.send_response(head, true);
            }
            Answer::Messages(messages) => {
                let Ok(mut body) = respond.send_response(head().body(()).expect("a head"), false) else {
                    return;
                };
                for message in messages {
                    send(&mut body, &message);
                }
                let ok =
                    HeaderMap::from_iter([("grpc-status".parse().expect("a name"), HeaderValue::from(0))]);
                let _ = body.send_trailers(ok);
            }
            Answer::Events => {
                let mut events = events.subscribe();
                // Like grpc-go, no head before the first message.
                calls.spawn(async move {
                    let mut body = None;
                    while let Ok(event) = events.recv().await {
                        if body.is_none() {
                            body = respond.send_response(head().body(()).expect("a head"), false).ok();
                        }
                        let Some(body) = &mut body else { return };
                        send(body, &event);
                    }
                });
            }
        }
    }
}

fn answer_to(request: &Request<RecvStream>, script: &Mutex<Script>) -> Answer {
    let path = request.uri().path();
    let (service, method) = path.trim_start_matches('/').split_once('/').expect("/package.Service/Method");
    let method = format!("{}/{method}", service.rsplit('.').next().unwrap_or_default());
    let namespace =
        request.headers().get("containerd-namespace").map(|name| name.to_str().unwrap().to_owned());
    let mut script = locked(script);
    script.requests.push(method.clone());
    let answer = script.answers.get(&(method, namespace));
    answer.cloned().unwrap_or(Answer::Refused(Code::Unimplemented))
}

/// A message in gRPC's frame: not compressed, its length, itself.
fn send(body: &mut SendStream<Bytes>, message: &[u8]) {
    let length = u32::try_from(message.len()).expect("a short message");
    let frame = [&[0], length.to_be_bytes().as_slice(), message].concat();
    let _ = body.send_data(frame.into(), false);
}
