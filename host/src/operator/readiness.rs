//! Whether the daemon can do its work, in numbers: for probes, which know no names.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operator::Operator;

/// Whether the daemon can do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether tokens can be served and refreshed: the database answers, and its key opens it.
    pub ready: bool,
    /// Whether the database answers.
    pub database: bool,
    /// Whether there is a data key for it.
    pub key: bool,
    /// Providers of the manifest whose plugin runs.
    pub providers: usize,
    /// Providers that cannot be refreshed, because their plugin or their configuration is refused.
    pub providers_refused: usize,
    /// Seconds since the connection that waits longest was due; 0 when none is late.
    pub oldest_overdue_s: u64,
}

impl Operator {
    /// Looks now. A probe that hangs says nothing, so the database is asked for very little.
    pub async fn readiness(&self) -> Readiness {
        let now = self.now();
        let keys = self.0.storage.keyring().await;
        let earliest = self.0.storage.next_due(jiff::Timestamp::MIN).await;
        let database = keys.is_ok() && earliest.is_ok();
        let key = keys.is_ok_and(|it| !it.is_empty());
        let shelf = self.0.catalogue.shelf();
        let refused = shelf.providers.values().filter(|it| it.is_err()).count();
        let waits = |it: jiff::Timestamp| u64::try_from(now.duration_since(it).as_secs()).ok();
        Readiness {
            ready: database && key,
            database,
            key,
            providers: shelf.providers.len() - refused,
            providers_refused: refused,
            oldest_overdue_s: earliest.ok().flatten().and_then(waits).unwrap_or(0),
        }
    }
}
