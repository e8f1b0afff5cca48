//! Delivers events to their listeners, at least once and in order. Today that is the log; a
//! listener that fails keeps its events waiting, and never delays a refresh. Who reads the events of the
//! whole day, from a place of its own, has a feed.

/// Events for many readers.
mod feed;

use std::time::Duration;

use tracing::{info, warn};

pub use feed::{Feed, Part, Place};

use crate::lifecycle::Lifecycle;
use crate::model::code::Code;
use crate::model::event::{Event, EventKind};
use crate::storage::{Listener, Storage, StorageError};

/// The place of the log in the stream of events.
const LOG: &str = "log";

/// What the log is told of. The refresher has said the rest where it handled it.
const TOLD: [EventKind; 4] =
    [EventKind::Recovered, EventKind::Reconnect, EventKind::Misconfigured, EventKind::Critical];

/// Events in one go.
const BATCH: u32 = 256;

/// After a database that failed, it is asked again so much later.
const AFTER_A_FAULT: Duration = Duration::from_secs(10);

/// Delivers events to the log.
pub struct Delivery {
    log: Listener,
    feed: Feed,
}

impl Delivery {
    /// Continues where the log left off. There is no other listener today.
    pub async fn start(storage: &Storage) -> Result<Self, StorageError> {
        storage.keep_listeners(&[LOG, feed::NAME]).await?;
        let log = storage.listen(LOG, &TOLD).await?;
        Ok(Self { log, feed: Feed::start(storage).await? })
    }

    /// All events, for others.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }

    /// Passes over what happened before now: whoever did it has seen it, an earlier run has logged it, and what
    /// still holds is counted in the line that says that the daemon is ready.
    pub async fn pass_over(&self) -> Result<(), StorageError> {
        while let Some(last) = self.log.waiting(BATCH).await?.last() {
            self.log.told(last.id).await?;
        }
        Ok(())
    }

    /// Delivers events as they are written, until the soft stop.
    pub async fn run(mut self, lifecycle: Lifecycle) {
        while !lifecycle.stopping() {
            let failed = self.deliver().await.inspect_err(|error| {
                warn!(error.code = error.code().text(), "events could not be delivered: {error}");
            });
            let again = async {
                match failed {
                    Ok(_) => self.log.woken().await,
                    Err(_) => tokio::time::sleep(AFTER_A_FAULT).await,
                }
            };
            tokio::select! {
                () = again => {}
                () = lifecycle.wait_for_soft_stop() => {}
            }
        }
    }

    /// Delivers everything that waits, and returns how many that were.
    pub async fn deliver(&self) -> Result<usize, StorageError> {
        let mut told = 0;
        loop {
            let waiting = self.log.waiting(BATCH).await?;
            let Some(last) = waiting.last() else { return Ok(told) };
            for it in &waiting {
                tell(&it.event);
            }
            told += waiting.len();
            self.log.told(last.id).await?;
        }
    }
}

fn tell(event: &Event) {
    let Event { kind, connection, generation, code, .. } = event;
    let code = code.as_ref().map_or("", Code::text);
    match kind {
        EventKind::Recovered => {
            info!(event = %kind, connection.id = %connection.full(), generation, "{connection} works again");
        }
        EventKind::Refreshed | EventKind::Failed => {}
        EventKind::Reconnect | EventKind::Misconfigured | EventKind::Critical => {
            warn!(event = %kind, connection.id = %connection.full(), error.code = code, "{connection} needs a person ({code}); see: keepfresh status {connection}");
        }
    }
}
