//! What people look at, of SQLite: each question has an index, or costs what is in trouble.

mod forecast;
mod history;
mod orders;
mod overview;
mod stretches;
mod urgency;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::engine::Answer;
use crate::storage::looks::Looks;
use crate::storage::sqlite::{Sqlite, log};
use crate::storage::{Counting, Forecast, Overall, Recorded, Tried, Urgency, UrgentPage};

impl Looks for Sqlite {
    fn overall<'a>(&'a self, counting: &'a Counting) -> Answer<'a, Overall> {
        Box::pin(overview::overall(&self.readers, counting))
    }

    fn urgent<'a>(&'a self, wanted: &'a Urgency) -> Answer<'a, UrgentPage> {
        Box::pin(urgency::page(&self.readers, wanted))
    }

    fn tries<'a>(&'a self, id: &'a ConnectionId, since: Timestamp) -> Answer<'a, Vec<Tried>> {
        Box::pin(history::tries(&self.readers, id, since))
    }

    fn forecast(&self, now: Timestamp) -> Answer<'_, Vec<Forecast>> {
        Box::pin(forecast::forecast(&self.readers, now))
    }

    fn recorded(&self, id: AttemptId) -> Answer<'_, Option<Recorded>> {
        Box::pin(log::recorded(&self.readers, id))
    }
}
