//! What systemd is told of a service of `Type=notify`. Without systemd nobody listens, and nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::interval;

use super::hub::Hub;

/// Says that requests are answered.
pub fn ready() {
    notify(NotifyState::Ready);
}

/// Says that the end has begun.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

/// Says again and again that all is well, as long as snapshots come at the interval that they should.
pub(super) async fn watch(hub: Hub, tick: Duration) {
    let Some(patience) = sd_notify::watchdog_enabled() else { return };
    let mut again = interval(patience / 3);
    loop {
        again.tick().await;
        if hub.is_fed(tick) {
            notify(NotifyState::Watchdog);
        }
    }
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        log::warn!("tell systemd: {error}");
    }
}
