//! `monitor serve --replay`: a recording in the place of what is measured.

use std::{sync::Arc, time::Duration};

use super::{
    AppError,
    record::{Next, Pace},
};
use crate::{
    recording::Recording,
    serve::{Hub, Publisher, past::Past},
    settings::Replayed,
};

/// Publishes a recording: what comes at once goes to the history right away, and the last snapshot of it to everybody; the rest
/// is published at its pace. Returns when told to stop.
pub(super) fn publish(
    settings: &Replayed,
    publisher: &mut Publisher,
    hub: &Hub,
    past: Option<&Arc<Past>>,
) -> Result<(), AppError> {
    let mut pace = Pace::new(settings.speed);
    let mut began_at = None;
    let mut held = None;
    for snapshot in Recording::open(&settings.path)? {
        let snapshot = snapshot?;
        let began_at = *began_at.get_or_insert(snapshot.taken_at);
        let is_before = settings.from.is_some_and(|from| snapshot.taken_at < from.after(began_at));
        if settings.speed.is_none() || is_before {
            if let Some((past, earlier)) = past.zip(held.replace(snapshot)) {
                // Nothing is written of it.
                drop(past.change(|history| history.push(&earlier)));
            }
            if pace.wait(Duration::ZERO) == Next::Stop {
                return Ok(());
            }
            continue;
        }
        if let Some(last) = held.take() {
            publisher.publish(last);
        }
        if pace.wait_for(snapshot.taken_at) == Next::Stop {
            return Ok(());
        }
        publisher.publish(snapshot);
    }
    if let Some(last) = held {
        publisher.publish(last);
    }
    hub.complete();
    while pace.wait(Duration::from_hours(1)) == Next::GoOn {}
    Ok(())
}
