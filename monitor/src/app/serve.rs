//! `monitor serve`: measures until told to stop, and serves over HTTP.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use axum::Router;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    AppError, confined, export::Export, open_sources, replayed, require_rights, signals::Ends, start_edges,
};
use crate::{
    cadvisor::{self, Cadvisor},
    collector::{
        collect::Collector,
        run::{Message, Then, run},
        witness::{Subject, Witnessed},
    },
    history::History,
    model::{Event, Happening, LossCause},
    registry::Registry,
    serve::{
        Hub, Publisher, ServeError,
        access::{Access, guarded},
        dashboard, hub,
        listener::Address,
        metrics::{self, Encode},
        past::{self, Keeper, Past, keeper::open_folder},
        routes,
        server::{self, Server},
        watchdog,
    },
    settings::{KeptHistory, Serve, Source},
    sinks::Reports,
};

/// Serves until told to stop.
pub fn serve(source: &Source, settings: &Serve) -> Result<(), AppError> {
    if settings.replay.is_none() {
        require_rights()?;
    }
    let access = Arc::new(Access::open(settings.access.rules.clone()).map_err(ServeError::Access)?);
    let listener = server::listen(&settings.listen)?;
    let address = listener.shown(access.tls().is_some());
    warn_of_openness(settings, &address);
    let removes_socket = matches!(settings.listen, Address::Unix(_));
    let (mut publisher, inlet) = hub::open();
    let hub = inlet.hub();
    let keeper = settings.history.as_ref().map(|kept| keep(kept, &hub)).transpose()?;
    let past = keeper.as_ref().map(Keeper::past);
    let router = guarded(router(settings, &hub, past.clone()), Arc::clone(&access), hub.clone());
    let (reports, of_sinks) = watch::channel(Reports::new());
    let export = Export::start(settings, &hub, reports)?;
    // A recording may have pauses.
    let tick = if settings.replay.is_some() { Duration::MAX } else { source.interval };
    let start = || Server::start(listener, &access, router, inlet, settings.max_connections, tick);
    let server = if let Some(replay) = &settings.replay {
        let server = start()?;
        say_ready(&address);
        confined::replay(removes_socket);
        replayed::publish(replay, &mut publisher, &hub, past.as_ref())?;
        server
    } else {
        let mut collector = Collector::new(open_sources(source), source.keep_ended).with_witness();
        let (sender, messages) = channel();
        start_edges(source, Ends::OnRequest, sender);
        let server = start()?;
        say_ready(&address);
        confined::tick(&mut collector, removes_socket);
        measure(&mut collector, &messages, source.interval, &mut publisher, &of_sinks);
        server
    };
    watchdog::stopping();
    drop(publisher);
    server.stop();
    if let Some(export) = export {
        export.stop();
    }
    if let Some(keeper) = keeper {
        keeper.stop();
    }
    Ok(())
}

/// Says what others can see of what is served.
fn warn_of_openness(settings: &Serve, address: &str) {
    if settings.access.is_open {
        log::warn!("whoever reaches {address} can read everything: --insecure");
    }
    if settings.access.is_overheard {
        log::warn!(
            "the token for {address} goes over the network for all to read: --tls-cert-file keeps it secret"
        );
    }
}

fn say_ready(address: &str) {
    watchdog::ready();
    log::info!("serving at {address}");
}

/// Starts to keep what is published.
fn keep(kept: &KeptHistory, hub: &Hub) -> Result<Keeper, AppError> {
    let past = Past::new(History::new(&kept.resolutions, kept.limit), hub.clone());
    let folder = kept.data_dir.as_deref().and_then(open_folder);
    Ok(Keeper::start(past, folder).map_err(ServeError::Start)?)
}

fn router(settings: &Serve, hub: &Hub, past: Option<Arc<Past>>) -> Router {
    let cadvisor = Arc::new(Cadvisor::new(hub.clone(), settings.container_labels.clone()));
    let also = Arc::clone(&cadvisor);
    let others: Vec<Encode> = vec![Box::new(move |snapshot, out| also.put_metrics(snapshot, out))];
    let own = past.clone().map(|past| -> Encode { Box::new(move |_, out| past.put_metrics(out)) });
    let metrics = metrics::routes(hub.clone(), settings.metrics.clone(), own.into_iter().collect(), others);
    let more = metrics.merge(cadvisor::router(cadvisor)).merge(past::routes(past)).merge(dashboard::router());
    routes::router(hub.clone(), more)
}

/// Publishes what is measured, until told to stop.
fn measure(
    collector: &mut Collector,
    messages: &Receiver<Message>,
    interval: Duration,
    publisher: &mut Publisher,
    of_sinks: &watch::Receiver<Reports>,
) {
    let mut teller = Teller::default();
    run(collector, messages, interval, |mut snapshot, collector| {
        let witnessed = collector.take_witnessed();
        let missed = publisher.take_missed_events();
        publisher.tell(teller.describe(witnessed, missed, collector.registry()));
        snapshot.coverage.lost.unwritten_snapshots_total = publisher.missed_snapshots();
        snapshot.coverage.sinks.clone_from(&of_sinks.borrow());
        publisher.publish(snapshot);
        Then::GoOn
    });
}

/// Describes what was witnessed, tick by tick.
#[derive(Default)]
struct Teller {
    /// What was held back at the last tick for the name of its container.
    pending: VecDeque<Witnessed>,
}

impl Teller {
    /// What can be told, in its order. An event of a container without a name is held back once, and what comes after it with
    /// it: its runtime may tell the name a moment later.
    fn describe(&mut self, witnessed: Vec<Witnessed>, missed: u64, registry: &Registry) -> Vec<Event> {
        let mut events = Vec::new();
        if missed > 0 {
            let what = Happening::Lost { cause: LossCause::SlowReader, count: missed };
            events.push(Witnessed { at: Timestamp::now(), subject: Subject::None, what }.describe(registry));
        }
        events.extend(self.pending.drain(..).map(|one| one.describe(registry)));
        let mut witnessed = witnessed.into_iter();
        for one in witnessed.by_ref() {
            let event = one.describe(registry);
            if event.container.as_ref().is_some_and(|container| container.name.is_none()) {
                self.pending.push_back(one);
                break;
            }
            events.push(event);
        }
        self.pending.extend(witnessed);
        events
    }
}
