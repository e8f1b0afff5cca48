//! Attempts as people read them: the log, in pages, and the statistics.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::attempt::{Attempt, Outcome};
use crate::model::id::{AttemptId, ConnectionId};
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
    /// Only those newer than this one: for following.
    pub after: Option<AttemptId>,
    /// Only those older than this one, by its id as it stands there: for the next page.
    pub before: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// How refreshes went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Attempts that stored a new generation.
    pub success: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Requests that sent nothing.
    pub skipped: u64,
    /// Failed attempts by error code.
    pub causes: BTreeMap<String, u64>,
    /// Median duration of what was sent, in milliseconds.
    pub p50_ms: Option<u64>,
    /// 95th percentile of the same.
    pub p95_ms: Option<u64>,
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
