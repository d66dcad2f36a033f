//! `monitor serve`: measures until told to stop, and serves over HTTP.

use std::{
    collections::VecDeque,
    sync::{Arc, mpsc::channel},
};

use jiff::Timestamp;

use super::{AppError, open_sources, require_rights, start_edges};
use crate::{
    cadvisor::{self, Cadvisor},
    collector::{
        collect::Collector,
        run::{Then, run},
        witness::{Subject, Witnessed},
    },
    model::{Event, Happening, LossCause},
    registry::Registry,
    serve::{
        hub,
        metrics::{self, Encode},
        routes,
        server::{self, Server},
        watchdog,
    },
    settings::{Serve, Source},
};

/// Serves until told to stop.
pub fn serve(source: &Source, settings: &Serve) -> Result<(), AppError> {
    require_rights()?;
    let listener = server::listen(&settings.listen)?;
    let mut collector = Collector::new(open_sources(source), source.keep_ended).with_witness();
    let (sender, messages) = channel();
    start_edges(source, sender);
    let (mut publisher, inlet) = hub::open();
    let cadvisor = Arc::new(Cadvisor::new(inlet.hub(), settings.container_labels.clone()));
    let also = Arc::clone(&cadvisor);
    let also: Encode = Box::new(move |snapshot, out| also.put_metrics(snapshot, out));
    let metrics = metrics::routes(inlet.hub(), settings.metrics.clone(), vec![also]);
    let router = routes::router(inlet.hub(), metrics.merge(cadvisor::router(cadvisor)));
    let server = Server::start(listener, router, inlet, settings.max_connections, source.interval)?;
    watchdog::ready();
    log::info!("serving at http://{}", server.address());
    let mut teller = Teller::default();
    run(&mut collector, &messages, source.interval, |mut snapshot, collector| {
        let witnessed = collector.take_witnessed();
        let missed = publisher.take_missed_events();
        publisher.tell(teller.describe(witnessed, missed, collector.registry()));
        snapshot.coverage.lost.unwritten_snapshots_total = publisher.missed_snapshots();
        publisher.publish(snapshot);
        Then::GoOn
    });
    watchdog::stopping();
    drop(publisher);
    server.stop();
    Ok(())
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
