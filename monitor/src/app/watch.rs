//! `monitor events`: what happens, as it happens.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{AppError, await_runtimes, confined, open_sources, require_rights, signals::Ends, start_edges};
use crate::{
    collector::{
        collect::Collector,
        run::Message,
        witness::{Subject, Witnessed},
    },
    model::{Event, Happening, LossCause},
    output::{
        events,
        sink::{Ended, Sink, Target},
    },
    probes::{load::ProbeState, programs::Family},
    registry::Registry,
    settings::{Events, EventsForm, Source},
};

/// The ring buffer is emptied this often: what happened is told no later.
const DRAIN_EVERY: Duration = Duration::from_millis(50);
/// How long an event is held back for the name of its container, which a runtime tells a moment after the container's
/// cgroup is made.
const NAME_PATIENCE: Duration = Duration::from_millis(500);

/// Tells what happens until told to stop, or so many events as asked for.
pub fn watch(source: &Source, settings: &Events) -> Result<(), AppError> {
    require_rights()?;
    let target = settings.output.as_deref().map_or_else(|| Ok(Target::stdout()), Target::file)?;
    let mut collector = Collector::new(open_sources(source), source.keep_ended).with_witness();
    warn_of_what_is_not_told(&collector);
    let (sender, messages) = channel();
    start_edges(source, Ends::OnRequest, sender);
    let answers = source.runtimes.answers();
    if await_runtimes(&mut collector, &messages, answers) {
        return Ok(());
    }
    for name in settings.containers.iter().filter(|name| !collector.knows_container(name)) {
        log::warn!("no container is called {name} yet: its events are told when one is");
    }
    let form = settings.form;
    let sink = Sink::start(
        target,
        Box::new(move |batch: &Vec<Event>, out| match form {
            EventsForm::Line => events::encode_lines(batch, out),
            EventsForm::Text => events::encode_text(batch, out),
        }),
    );
    let mut teller = Teller {
        settings,
        awaits_names: answers > 0,
        pending: VecDeque::new(),
        sink,
        left: settings.count.unwrap_or(u64::MAX),
        dropped: 0,
    };
    confined::tick(&mut collector, false);
    run(&mut collector, &messages, source.interval, &mut teller);
    teller.finish()
}

/// What this kernel does not tell of costs its own kinds of event.
fn warn_of_what_is_not_told(collector: &Collector) {
    let is_for_events = |family| matches!(family, Family::Cgroups | Family::Processes | Family::Memory);
    for status in collector.probes().filter(|status| is_for_events(status.program.family)) {
        if let ProbeState::Refused(reason) | ProbeState::Unsupported(reason) = status.state {
            log::warn!("{} is not attached: {reason}", status.program.name);
        }
    }
}

/// Empties the ring buffer often, and takes a sample at each interval, for what the kernel only counts.
fn run(collector: &mut Collector, messages: &Receiver<Message>, interval: Duration, teller: &mut Teller<'_>) {
    let _ = collector.tick();
    let mut next_tick = Instant::now() + interval;
    loop {
        let is_stopped = wait(collector, messages, DRAIN_EVERY.min(interval));
        let now = Instant::now();
        collector.take_events();
        if is_stopped || now >= next_tick {
            let _ = collector.tick();
            next_tick = now + interval;
        }
        let patience = if is_stopped { Duration::ZERO } else { NAME_PATIENCE };
        teller.take(collector.take_witnessed(), now);
        if teller.tell(collector.registry(), now, patience).is_err() || is_stopped || teller.left == 0 {
            return;
        }
    }
}

/// Handles messages for so long; whether to stop.
fn wait(collector: &mut Collector, messages: &Receiver<Message>, time: Duration) -> bool {
    let deadline = Instant::now() + time;
    loop {
        match messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Message::Runtime(told)) => collector.runtime_told(&told.source, told.event),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
        // Messages that never cease must not keep the ring buffer from being emptied.
        if Instant::now() >= deadline {
            return false;
        }
    }
}

/// Hands events that were asked for to the sink, in their order.
struct Teller<'a> {
    settings: &'a Events,
    awaits_names: bool,
    /// What happened, and when it became known.
    pending: VecDeque<(Instant, Witnessed)>,
    sink: Sink<Vec<Event>>,
    /// Events that may still be told.
    left: u64,
    /// Events that the sink did not take.
    dropped: u64,
}

impl Teller<'_> {
    fn take(&mut self, witnessed: Vec<Witnessed>, now: Instant) {
        let wanted = witnessed.into_iter().filter(|one| self.settings.wants_kind(one.what.kind()));
        self.pending.extend(wanted.map(|one| (now, one)));
    }

    /// Tells all up to the first one whose container has no name yet, for which it waits no longer than `patience`.
    fn tell(&mut self, registry: &Registry, now: Instant, patience: Duration) -> Result<(), Ended> {
        let mut batch = Vec::new();
        if self.dropped > 0 {
            let what = Happening::Lost { cause: LossCause::SlowReader, count: self.dropped };
            batch.push(Witnessed { at: Timestamp::now(), subject: Subject::None, what }.describe(registry));
        }
        while self.left > 0
            && let Some((since, one)) = self.pending.front()
        {
            let event = one.describe(registry);
            let is_nameless = event.container.as_ref().is_some_and(|container| container.name.is_none());
            if self.awaits_names && is_nameless && now.duration_since(*since) < patience {
                break;
            }
            self.pending.pop_front();
            if self.settings.wants(&event) {
                self.left -= 1;
                batch.push(event);
            }
        }
        let count = batch.len() as u64;
        if count == 0 {
            return Ok(());
        }
        let before = self.sink.dropped();
        self.sink.send(Arc::new(batch))?;
        // What a batch that was dropped told of dropped ones is told again with the next one.
        let told = u64::from(self.dropped > 0);
        self.dropped = if self.sink.dropped() > before { self.dropped + count - told } else { 0 };
        Ok(())
    }

    fn finish(self) -> Result<(), AppError> {
        match self.sink.finish() {
            Err(error) if error.is_broken_pipe() => Ok(()),
            other => Ok(other?),
        }
    }
}
