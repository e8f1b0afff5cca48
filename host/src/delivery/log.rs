//! The log of the daemon, as a listener: what needs a person, and what works again. The refresher has said the rest
//! where it handled it.

use std::time::Duration;

use tracing::{info, warn};

use crate::lifecycle::Lifecycle;
use crate::model::code::Code;
use crate::model::event::{Event, EventKind};
use crate::storage::{Listener, Storage, StorageError};

/// Its place in the stream of events.
pub(super) const NAME: &str = "log";

const TOLD: [EventKind; 4] =
    [EventKind::Recovered, EventKind::Reconnect, EventKind::Misconfigured, EventKind::Critical];

/// Events in one go.
const BATCH: u32 = 256;

/// After a database that failed, it is asked again so much later.
const AFTER_A_FAULT: Duration = Duration::from_secs(10);

/// Delivers events to the log.
pub struct Log(Listener);

impl Log {
    /// Continues where it left off.
    pub async fn continued(storage: &Storage) -> Result<Self, StorageError> {
        Ok(Self(storage.listen(NAME, &TOLD).await?))
    }

    /// Passes over what happened before now: whoever did it has seen it, an earlier run has logged it, and what
    /// still holds is counted in the line that says that the daemon is ready.
    pub async fn pass_over(&self) -> Result<(), StorageError> {
        while let Some(last) = self.0.waiting(BATCH).await?.last() {
            self.0.told(last.id).await?;
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
                    Ok(_) => self.0.woken().await,
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
            let waiting = self.0.waiting(BATCH).await?;
            let Some(last) = waiting.last() else { return Ok(told) };
            for it in &waiting {
                tell(&it.event);
            }
            told += waiting.len();
            self.0.told(last.id).await?;
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
        EventKind::Refreshed | EventKind::Failed | EventKind::Ending | EventKind::Expired => {}
        EventKind::Reconnect | EventKind::Misconfigured | EventKind::Critical => {
            warn!(event = %kind, connection.id = %connection.full(), error.code = code, "{connection} needs a person ({code}); see: keepfresh status {connection}");
        }
    }
}
