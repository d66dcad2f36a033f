//! HTTP/1.1 on one connection, with TLS or without, within bounds of time and size.

use std::{
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::watch,
    time::timeout,
};
use tokio_rustls::rustls::ServerConfig;

use super::{
    hub::Hub,
    listener::Stream,
    problem::{self, Problem},
    stalling::{Fate, Patience, Stalling},
};

/// How long a connection may be idle: more than the minute at which some scrape.
const IDLE: Duration = Duration::from_secs(75);
/// A request that came is answered within [`super::routes::ANSWER_WITHIN`]; one that comes piece by piece has no longer.
const PATIENCE: Patience = Patience { request: Duration::from_secs(15), write: Duration::from_secs(10) };
/// Bytes of a request's head, and of an answer that waits to be written, at most.
const BUFFER: usize = 64 << 10;
/// How long a client may take to agree on a key.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long, and for how many bytes, a client is listened to that was told to go: it may still be sending, and what it is
/// told would be lost if the connection were cut.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 << 20;

/// Answers on one connection until either side ends it.
pub(super) async fn serve(
    stream: Stream,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    hub: Hub,
    mut stop: watch::Receiver<()>,
) {
    let stream = match tls {
        None => stream,
        Some(tls) => match timeout(HANDSHAKE, stream.secured(tls)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return log::debug!("agree on a key with a client: {error}"),
            Err(_elapsed) => return,
        },
    };
    let entrance = stream.entrance();
    let service = TowerToHyperService::new(router);
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(BUFFER)
        .serve_connection(
            TokioIo::new(Stalling::new(stream, PATIENCE)),
            service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(entrance);
                Box::pin(service.call(request))
            }),
        );
    let mut is_stopping = false;
    let ended = loop {
        tokio::select! {
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
            _ = stop.changed(), if !is_stopping => {
                is_stopping = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let mut stream = connection.into_parts().io.into_inner();
    match stream.fate() {
        Fate::Unread => {
            hub.figures().dropped_clients_total.fetch_add(1, Ordering::Relaxed);
            return;
        }
        Fate::SlowRequest => {
            let problem = Problem::new(problem::SLOW_REQUEST, "the request did not come to its end in time");
            hub.figures().count(problem.status());
            let _ = stream.write_all(&problem.into_http1()).await;
        }
        Fate::Usual => {}
    }
    let _ = timeout(LINGER, stream.shutdown()).await;
    if ended.is_err() {
        let _ = timeout(LINGER, discard(stream)).await;
    }
}

/// Reads what still comes, up to a bound.
async fn discard(stream: Stalling) {
    let mut rest = stream.take(LINGER_BYTES as u64);
    let mut buffer = [0; 4096];
    while matches!(rest.read(&mut buffer).await, Ok(read) if read > 0) {}
}
