//! Fetches the profiles that are due, a few at a time, because they are not urgent. Each provider
//! has its own lane, so that one that does not answer only holds up itself.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use tracing::warn;

use crate::scheduler::Scheduler;
use crate::storage::StorageError;

/// Probes of one provider at once.
const AT_ONCE: usize = 4;

/// Probes that are looked up at once.
const BATCH: u32 = 256;

/// How often it is looked whether one is due, at least.
const LOOK: Duration = Duration::from_secs(30);

/// Opens a lane for each provider that has connections, also for those that come later.
pub(super) async fn run(scheduler: Scheduler) {
    let parts = &scheduler.0;
    let mut lanes = HashSet::new();
    while !parts.lifecycle.stopping() {
        match parts.storage.providers().await {
            Ok(providers) => {
                for provider in providers {
                    if lanes.insert(provider.clone()) {
                        parts.lifecycle.spawn("probes", lane(scheduler.clone(), provider));
                    }
                }
            }
            Err(error) => complain(&error),
        }
        wait(&scheduler, parts.clock.now() + LOOK).await;
    }
}

async fn lane(scheduler: Scheduler, provider: String) {
    let parts = &scheduler.0;
    while !parts.lifecycle.stopping() {
        if let Err(error) = ask_due(&scheduler, &provider).await {
            complain(&error);
        }
        let now = parts.clock.now();
        let (soonest, latest) = (now + Duration::from_secs(1), now + LOOK);
        let next = parts.storage.next_probe(&provider).await.ok().flatten().unwrap_or(latest);
        wait(&scheduler, next.clamp(soonest, latest)).await;
    }
}

async fn ask_due(scheduler: &Scheduler, provider: &str) -> Result<(), StorageError> {
    let parts = &scheduler.0;
    let due = parts.storage.probes_due(provider, parts.clock.now(), BATCH).await?;
    let ask = |id| async move {
        if let Err(failure) = parts.refresher.profiles.probe(&id).await {
            warn!(connection.id = %id.full(), error.code = %failure.code, "the profile of {id} could not be stored: {failure}");
        }
    };
    stream::iter(due).for_each_concurrent(AT_ONCE, ask).await;
    Ok(())
}

async fn wait(scheduler: &Scheduler, until: Timestamp) {
    let parts = &scheduler.0;
    tokio::select! {
        () = parts.clock.sleep_until(until) => {}
        () = parts.lifecycle.wait_for_soft_stop() => {}
    }
}

fn complain(error: &StorageError) {
    warn!(error.code = error.code().text(), "the profiles that are due could not be read: {error}");
}
