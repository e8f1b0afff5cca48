//! Deletes what is older than the manifest wants kept, once a day: attempts, delivered events, the audit log.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{info, warn};

use crate::model::clock;
use crate::model::said;
use crate::scheduler::{Parts, Scheduler};
use crate::storage::{Pruned, Pruning, StorageError};

/// How long statistics know how refreshes went: a year, and the month a year before.
const COUNTED: Duration = Duration::from_hours(400 * 24);

const EVERY: Duration = Duration::from_hours(24);

pub(super) async fn run(scheduler: Scheduler) {
    let parts = &scheduler.0;
    while !parts.lifecycle.stopping() {
        let now = parts.clock.now();
        // Read each time: a reload may have changed it.
        let manifest = parts.manifest.read().unwrap_or_else(PoisonError::into_inner).clone();
        match forget(parts, manifest.storage.retention, now).await {
            Ok(pruned) if pruned != Pruned::default() => {
                let Pruned { attempts, events, audit } = pruned;
                let before = said::moment(clock::before(now, manifest.storage.retention));
                info!(
                    "removed {attempts} attempts, {events} events and {audit} entries of the audit log from before {before}"
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

async fn forget(
    parts: &Parts,
    retention: Duration,
    now: Timestamp,
) -> Result<Pruned, StorageError> {
    let pruned = parts.storage.prune(clock::before(now, retention), Pruning::LogAndAudit).await?;
    parts.storage.forget_hours(clock::before(now, COUNTED.max(retention))).await?;
    Ok(pruned)
}
