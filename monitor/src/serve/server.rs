//! The server's thread: accepts connections, within a bound, until told to stop.

use std::{
    io,
    net::{self, SocketAddr},
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::Router;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use super::{
    connection,
    hub::{Hub, Inlet},
    problem::{self, Problem},
    watchdog,
};

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
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// The thread cannot be had.
    #[error("start the server's thread")]
    Start(#[source] io::Error),
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<()>,
    thread: JoinHandle<()>,
}

/// Takes an address, so that nobody else can, before anything is measured.
pub fn listen(address: &str) -> Result<net::TcpListener, ServeError> {
    let bind = || {
        let listener = net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|source| ServeError::Listen { address: address.to_owned(), source })
}

impl Server {
    /// Serves on a thread of its own, with at most so many connections at a time, what is published at each tick.
    pub fn start(
        listener: net::TcpListener,
        router: Router,
        inlet: Inlet,
        most_connections: u32,
        tick: Duration,
    ) -> Result<Self, ServeError> {
        let address = listener.local_addr().map_err(ServeError::Start)?;
        let (stop, stopped) = watch::channel(());
        // One thread: whatever clients ask for, it takes no more than one CPU.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Start)?;
        let serve = move || {
            runtime.block_on(async move {
                let hub = inlet.hub();
                let distributed = tokio::spawn(inlet.distribute());
                tokio::spawn(watchdog::watch(hub.clone(), tick));
                match TcpListener::from_std(listener) {
                    Ok(listener) => accept(listener, &router, &hub, stopped, most_connections).await,
                    Err(error) => log::error!("serve HTTP: {error}"),
                }
                distributed.abort();
            });
        };
        let thread =
            thread::Builder::new().name("serve".to_owned()).spawn(serve).map_err(ServeError::Start)?;
        Ok(Self { address, stop, thread })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections and waits for a while until those that there are have ended.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            log::error!("the server's thread has panicked");
        }
    }
}

async fn accept(
    listener: TcpListener,
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
            Ok((stream, _)) => stream,
            Err(error) => {
                log::warn!("accept a connection: {error}");
                sleep(NO_ROOM).await;
                continue;
            }
        };
        let figures = hub.figures();
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            figures.refused_connections_total.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(timeout(REFUSAL_PATIENCE, refuse(stream)));
            continue;
        };
        let _ = stream.set_nodelay(true);
        let open = Open::count(hub);
        let (router, hub, stopped) = (router.clone(), hub.clone(), stopped.clone());
        tokio::spawn(async move {
            connection::serve(stream, router, hub, stopped).await;
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
async fn refuse(mut stream: TcpStream) {
    let problem = Problem::new(problem::TOO_BUSY, "there are too many connections");
    let _ = stream.write_all(&problem.into_http1()).await;
    let _ = stream.shutdown().await;
}
