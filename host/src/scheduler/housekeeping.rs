//! Deletes old attempts and delivered events, once a day.

use std::time::Duration;

use tracing::{info, warn};

use crate::scheduler::Scheduler;

/// How long finished attempts are kept.
const KEPT: Duration = Duration::from_hours(30 * 24);

const EVERY: Duration = Duration::from_hours(24);

pub(super) async fn run(scheduler: Scheduler) {
    let parts = &scheduler.0;
    while !parts.lifecycle.stopping() {
        let now = parts.clock.now();
        match parts.storage.prune(now - KEPT).await {
            Ok(pruned) if pruned.attempts + pruned.events > 0 => {
                info!(
                    "removed {} attempts and {} events older than 30 days",
                    pruned.attempts, pruned.events
                );
            }
            Ok(_) => {}
            Err(error) => {
                warn!(
                    error.code = error.code().text(),
                    "old attempts could not be removed: {error}"
                );
            }
        }
        tokio::select! {
            () = parts.clock.sleep_until(now + EVERY) => {}
            () = parts.lifecycle.wait_for_soft_stop() => {}
        }
    }
}
