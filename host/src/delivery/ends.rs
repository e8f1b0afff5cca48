//! Writes an event when a token comes near its end, or has ended, while refreshing it fails: those facts become true
//! by time alone, and no attempt writes them.

use std::time::Duration;

use tracing::warn;

use crate::delivery::channels::Parts;

/// How often it is looked for ends: sooner than anybody could act on one.
const EVERY: Duration = Duration::from_secs(30);

/// Looks for ends until the soft stop.
pub(super) async fn run(parts: Parts) {
    while !parts.lifecycle.stopping() {
        let now = parts.clock.now();
        let within = parts.manifest().alerts.critical_within;
        let noted = parts.storage.note_ends(now, within, &parts.held()).await;
        if let Err(error) = noted {
            let code = error.code();
            warn!(error.code = code.text(), "ends of tokens could not be noted: {error}");
        }
        tokio::select! {
            () = parts.clock.sleep_until(now + EVERY) => {}
            () = parts.lifecycle.wait_for_soft_stop() => {}
        }
    }
}
