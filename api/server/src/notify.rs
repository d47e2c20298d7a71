//! What the service manager is told (`sd_notify(3)`); nothing where there is none.

use sd_notify::NotifyState;
use std::time::Duration;

/// What the server is busy with, for `systemctl status`.
pub fn status(what: &str) {
    tell(&[NotifyState::Status(what)]);
}

/// Requests are served from now on.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] says that it was.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager was not told of the reload"),
    }
}

/// No new connection is taken any more.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what was accepted")]);
}

/// Appends go on.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How long the service manager waits for [`alive`] before it ends the process, if it does.
pub fn patience() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}
