//! Attempts as people read them: the log, in pages, and the statistics.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::attempt::{Attempt, Outcome};
use crate::model::exchange::Exchange;
use crate::model::id::ConnectionId;
use crate::storage::{Storage, StorageError};

/// Which attempts to list.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only of this connection.
    pub connection: Option<ConnectionId>,
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
    /// Only those that began then or later.
    pub since: Option<Timestamp>,
    /// Only those older than this one, by its id as it stands there: for the next page.
    pub before: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// How refreshes went, counted by the hour. Pruning the log takes nothing away from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// All of them together.
    pub all: Figures,
    /// Those of each provider.
    pub providers: BTreeMap<String, Figures>,
}

/// Counts and durations of attempts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Attempts that stored a new generation.
    pub success: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Requests that sent nothing.
    pub skipped: u64,
    /// Failed attempts by error code.
    pub causes: BTreeMap<String, u64>,
    /// Half of those that asked the provider waited for it so long at most, in milliseconds.
    pub p50_ms: Option<u64>,
    /// The same of 95 in a hundred.
    pub p95_ms: Option<u64>,
}

/// Attempts in the order in which they ended.
#[derive(Debug, Default)]
pub struct LogEnds {
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// Why others between them cannot be read.
    pub unreadable: Vec<StorageError>,
    /// The place to go on behind.
    pub next: i64,
    /// Whether there are more already.
    pub more: bool,
}

/// One attempt, with what lists leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The attempt.
    pub attempt: Attempt,
    /// Digest of the plugin that ran, if one did.
    pub digest: Option<String>,
    /// The requests that it made.
    pub exchanges: Vec<Exchange>,
}

/// Some of the attempts that were asked for.
#[derive(Debug, Default)]
pub struct LogPage {
    /// Newest first.
    pub attempts: Vec<Attempt>,
    /// Why others between them cannot be read.
    pub unreadable: Vec<StorageError>,
    /// Before which id the next page begins, if there is one.
    pub next: Option<String>,
}

impl Storage {
    /// Attempts that match, newest first; those that cannot be read are left out.
    pub async fn log(&self, filter: &LogFilter) -> Result<Vec<Attempt>, StorageError> {
        Ok(self.log_page(filter).await?.attempts)
    }
}
