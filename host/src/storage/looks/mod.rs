//! What people look at, beside the lists that scripts read as well: all connections in numbers, those that need
//! somebody first, what has become of one, what is planned ahead.

/// All connections in numbers.
pub(super) mod overview;

/// The order in which people have to look at them.
pub(super) mod urgency;

/// What was tried with one of them.
pub(super) mod history;

/// How many are looked at in each of the next hours.
pub(super) mod forecast;

use jiff::Timestamp;

use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::engine::Answer;
use crate::storage::{
    Counting, Forecast, Overall, Recorded, Storage, StorageError, Tried, Urgency, UrgentPage,
};

/// Questions that every database answers by its indexes.
pub(super) trait Looks {
    /// See [`Storage::overall`].
    fn overall<'a>(&'a self, counting: &'a Counting) -> Answer<'a, Overall>;
    /// See [`Storage::urgent`].
    fn urgent<'a>(&'a self, wanted: &'a Urgency) -> Answer<'a, UrgentPage>;
    /// See [`Storage::tries`].
    fn tries<'a>(&'a self, id: &'a ConnectionId, since: Timestamp) -> Answer<'a, Vec<Tried>>;
    /// See [`Storage::forecast`].
    fn forecast(&self, now: Timestamp) -> Answer<'_, Vec<Forecast>>;
    /// See [`Storage::recorded`].
    fn recorded(&self, id: AttemptId) -> Answer<'_, Option<Recorded>>;
}

impl Storage {
    /// All connections in numbers, and what has happened last.
    pub async fn overall(&self, counting: &Counting) -> Result<Overall, StorageError> {
        self.engine.overall(counting).await
    }

    /// Some connections, in the order in which people have to look at them.
    pub async fn urgent(&self, wanted: &Urgency) -> Result<UrgentPage, StorageError> {
        self.engine.urgent(wanted).await
    }

    /// What was tried with a connection since then, newest first, up to a number of times.
    pub async fn tries(
        &self,
        id: &ConnectionId,
        since: Timestamp,
    ) -> Result<Vec<Tried>, StorageError> {
        self.engine.tries(id, since).await
    }

    /// How many connections of each provider are overdue at `now`, and how many are looked at in each of the next
    /// hours; providers in the order of their names.
    pub async fn forecast(&self, now: Timestamp) -> Result<Vec<Forecast>, StorageError> {
        self.engine.forecast(now).await
    }

    /// One attempt, open or finished, with what lists leave out.
    pub async fn recorded(&self, id: AttemptId) -> Result<Option<Recorded>, StorageError> {
        self.engine.recorded(id).await
    }
}
