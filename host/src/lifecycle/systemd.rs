//! Tells systemd how the service is. Each does nothing when there is no `NOTIFY_SOCKET`, and a
//! failure is only logged: the service works without being watched.

use std::time::Duration;

use sd_notify::NotifyState;

/// The service answers. Also ends a reload, whether or not it worked.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// A reload begins. For `Type=notify-reload`, systemd tells this one from an older one by the time.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the monotonic clock cannot be read"),
    }
}

/// The stop has begun and may take this long: by default systemd would kill after 90 seconds.
pub fn stopping(longest: Duration) {
    let longest = u32::try_from(longest.as_micros()).unwrap_or(u32::MAX);
    notify(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(longest)]);
}

/// The line that `systemctl status` shows.
pub fn status(text: &str) {
    notify(&[NotifyState::Status(&one_line(text))]);
}

/// A line end would begin another field of the protocol.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be notified");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_cannot_begin_another_field() {
        assert_eq!(one_line("3 late\nREADY=1"), "3 late READY=1");
    }

    #[test]
    fn without_systemd_nothing_happens() {
        ready();
        reloading();
        stopping(Duration::from_secs(150));
        status("3 late");
    }
}
