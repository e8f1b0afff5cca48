//! Takes events from the outbox and tells whoever must know, at least once and in order. Today that
//! is the log; a listener that fails keeps its events waiting, and never delays a refresh.

use std::time::Duration;

use tracing::{info, warn};

use crate::lifecycle::Lifecycle;
use crate::model::clock::Clock;
use crate::model::code::Code;
use crate::model::event::{Event, EventKind};
use crate::storage::{Storage, StorageError};

/// Events in one go.
const BATCH: u32 = 256;

/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Delivers until the lifecycle's soft stop, and once more after it: what happened while stopping is
/// told too.
pub async fn run(storage: Storage, clock: Clock, lifecycle: Lifecycle) {
    while !lifecycle.stopping() {
        if let Err(error) = deliver(&storage, &clock).await {
            warn!(error.code = error.code().text(), "events could not be delivered: {error}");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = lifecycle.wait_for_soft_stop() => {}
        }
    }
}

/// Delivers everything that waits, and returns how many that were.
pub async fn deliver(storage: &Storage, clock: &Clock) -> Result<usize, StorageError> {
    let mut told = 0;
    loop {
        let waiting = storage.undelivered(BATCH).await?;
        if waiting.is_empty() {
            return Ok(told);
        }
        for it in &waiting {
            tell(&it.event);
        }
        told += waiting.len();
        let ids = waiting.iter().map(|it| it.id).collect();
        storage.delivered(ids, clock.now()).await?;
    }
}

fn tell(event: &Event) {
    let Event { kind, connection, generation, code, .. } = event;
    let code = code.as_ref().map_or("", Code::text);
    match kind {
        EventKind::Recovered => {
            info!(event = %kind, connection.id = %connection, generation, "{connection} works again");
        }
        // The refresher has said these where it handled them.
        EventKind::Refreshed | EventKind::Failed => {}
        EventKind::Reconnect | EventKind::Misconfigured | EventKind::Critical => {
            warn!(event = %kind, connection.id = %connection, error.code = code, "{connection} needs a person ({code}); see: keepfresh status {connection}");
        }
    }
}
