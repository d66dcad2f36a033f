//! `monitor serve`: measures until told to stop, and serves over HTTP.

use std::sync::mpsc::channel;

use axum::Router;

use super::{AppError, open_sources, require_rights, start_edges};
use crate::{
    collector::{
        collect::Collector,
        run::{Then, run},
    },
    serve::{
        hub, routes,
        server::{self, Server},
    },
    settings::{Serve, Source},
};

/// Serves until told to stop.
pub fn serve(source: &Source, settings: &Serve) -> Result<(), AppError> {
    require_rights()?;
    let listener = server::listen(&settings.listen)?;
    let mut collector = Collector::new(open_sources(source), source.keep_ended);
    let (sender, messages) = channel();
    start_edges(source, sender);
    let (mut publisher, inlet) = hub::open();
    let router = routes::router(inlet.hub(), Router::new());
    let server = Server::start(listener, router, inlet, settings.max_connections)?;
    log::info!("serving at http://{}", server.address());
    run(&mut collector, &messages, source.interval, |mut snapshot, _| {
        snapshot.coverage.lost.unwritten_snapshots_total = publisher.missed();
        publisher.publish(snapshot);
        Then::GoOn
    });
    drop(publisher);
    server.stop();
    Ok(())
}
