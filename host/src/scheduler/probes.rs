//! Asks the profiles that are due, a few at a time: what they tell is worth knowing, not hurrying for.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tracing::warn;

use crate::scheduler::Scheduler;
use crate::storage::StorageError;

/// Probes at once.
const AT_ONCE: usize = 4;

/// How often it is looked whether one is due, at least.
const LOOK: Duration = Duration::from_secs(30);

pub(super) async fn run(scheduler: Scheduler) {
    let parts = &scheduler.0;
    while !parts.lifecycle.stopping() {
        if let Err(error) = ask_due(&scheduler).await {
            warn!(error.code = error.code().text(), "profiles could not be looked up: {error}");
        }
        let latest = parts.clock.now() + LOOK;
        let next = parts.storage.next_probe().await.ok().flatten().unwrap_or(latest);
        let soonest = parts.clock.now() + Duration::from_secs(1);
        tokio::select! {
            () = parts.clock.sleep_until(next.clamp(soonest, latest)) => {}
            () = parts.lifecycle.wait_for_soft_stop() => {}
        }
    }
}

async fn ask_due(scheduler: &Scheduler) -> Result<(), StorageError> {
    let parts = &scheduler.0;
    let due = parts.storage.probes_due(parts.clock.now(), 256).await?;
    let ask = |id| async move {
        if let Err(failure) = parts.refresher.probe(&id).await {
            warn!(connection.id = %id, error.code = %failure.code, "the profile of {id} could not be stored: {failure}");
        }
    };
    stream::iter(due).for_each_concurrent(AT_ONCE, ask).await;
    Ok(())
}
