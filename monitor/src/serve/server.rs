//! The server's thread: accepts connections, within a bound, until told to stop.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::Router;
use tokio::{
    io::AsyncWriteExt as _,
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use super::{
    access::{Access, AccessError},
    connection,
    hub::{Hub, Inlet},
    keys,
    listener::{Accepting, Address, Listener, Socket, Stream},
    priority,
    problem::{self, Problem},
    watchdog,
};
use crate::confine::{self, Part};

/// How much lower the thread's priority is than the tick's.
const NICE: i32 = 5;
/// How long connections may take to end when the server stops.
const LAST_PATIENCE: Duration = Duration::from_secs(3);
/// How long to wait before the next connection is accepted where the system has no room for one.
const NO_ROOM: Duration = Duration::from_millis(100);
/// How long a client that is one too many may take to read so.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(1);

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("listen on {address}: choose another with --listen")]
    Listen {
        /// As it was given.
        address: Address,
        /// Why not.
        source: io::Error,
    },
    /// Who may ask cannot be known.
    #[error("say who may ask")]
    Access(#[from] AccessError),
    /// The thread cannot be had.
    #[error("start the server's thread")]
    Start(#[source] io::Error),
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    stop: watch::Sender<()>,
    thread: JoinHandle<()>,
    socket: Option<Socket>,
}

/// Takes an address, so that nobody else can, before anything is measured.
pub fn listen(address: &Address) -> Result<Listener, ServeError> {
    Listener::bind(address).map_err(|source| ServeError::Listen { address: address.clone(), source })
}

impl Server {
    /// Serves on a thread of its own, with at most so many connections at a time, what is published at each tick.
    pub fn start(
        mut listener: Listener,
        access: &Arc<Access>,
        router: Router,
        inlet: Inlet,
        most_connections: u32,
        tick: Duration,
    ) -> Result<Self, ServeError> {
        let (stop, stopped) = watch::channel(());
        let socket = listener.take_socket();
        keys::watch(Arc::clone(access)).map_err(ServeError::Start)?;
        let access = Arc::clone(access);
        // One thread: whatever clients ask for, it takes no more than one CPU.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Start)?;
        let serve = move || {
            priority::lower(NICE);
            confine::enter(Part::Serve);
            runtime.block_on(async move {
                let hub = inlet.hub();
                let distributed = tokio::spawn(inlet.distribute());
                tokio::spawn(watchdog::watch(hub.clone(), tick));
                match listener.accepting() {
                    Ok(listener) => {
                        accept(listener, &access, &router, &hub, stopped, most_connections).await;
                    }
                    Err(error) => log::error!("serve HTTP: {error}"),
                }
                // Who takes snapshots learns from it that no more come. It fails only where it has panicked, which was said.
                let _ = distributed.await;
            });
        };
        let thread =
            thread::Builder::new().name("serve".to_owned()).spawn(serve).map_err(ServeError::Start)?;
        Ok(Self { stop, thread, socket })
    }

    /// Takes no more connections and waits for a while until those that there are have ended.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            log::error!("the server's thread has panicked");
        }
        drop(self.socket);
    }
}

async fn accept(
    listener: Accepting,
    access: &Access,
    router: &Router,
    hub: &Hub,
    mut stopped: watch::Receiver<()>,
    most_connections: u32,
) {
    let places = Arc::new(Semaphore::new(usize::try_from(most_connections).unwrap_or(usize::MAX)));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                log::warn!("accept a connection: {error}");
                sleep(NO_ROOM).await;
                continue;
            }
        };
        let figures = hub.figures();
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            figures.refused_connections_total.fetch_add(1, Ordering::Relaxed);
            // Within TLS it could not be said without work, of which there is too much.
            if access.tls().is_none() {
                tokio::spawn(timeout(REFUSAL_PATIENCE, refuse(stream)));
            }
            continue;
        };
        let open = Open::count(hub);
        let (tls, router, hub, stopped) = (access.tls(), router.clone(), hub.clone(), stopped.clone());
        tokio::spawn(async move {
            connection::serve(stream, tls, router, hub, stopped).await;
            drop(open);
            drop(place);
        });
    }
    drop(listener);
    let _ = timeout(LAST_PATIENCE, places.acquire_many(most_connections)).await;
}

/// A connection that is counted as open as long as this lives.
struct Open(Hub);

impl Open {
    fn count(hub: &Hub) -> Self {
        hub.figures().accepted_connections_total.fetch_add(1, Ordering::Relaxed);
        hub.figures().connections.fetch_add(1, Ordering::Relaxed);
        Self(hub.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.figures().connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Says that there are too many.
async fn refuse(mut stream: Stream) {
    let problem = Problem::new(problem::TOO_BUSY, "there are too many connections");
    let _ = stream.write_all(&problem.into_http1()).await;
    let _ = stream.shutdown().await;
}
