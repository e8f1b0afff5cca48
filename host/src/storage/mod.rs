//! What is kept: connections, sealed token sets, attempts, captured answers, events. Methods are
//! named for business steps; each is all or nothing. `engine` lists what a database must do for that, and
//! `sqlite` does it.
//!
//! Accepts only [`Sealed`](crate::vault::Sealed) secrets, so that plaintext cannot be written by
//! mistake. Knows nothing of plugins, and never holds a transaction open for a caller.

mod access;
mod accounts;
mod alarm;
mod attempts;
mod captures;
mod connections;
mod engine;
mod enrol;
mod error;
mod listeners;
mod listing;
mod log;
mod looks;
mod outlets;
mod prune;
mod sinks;
mod spill;
mod sqlite;
mod stream;
mod times;
mod troubles;
mod unreadable;

#[cfg(test)]
mod contract;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

pub use access::{AuditFilter, AuditPage, KeyUse, StoredKey};
pub use accounts::{Change, NewSession, Present, SessionStep, StoredAccount, StoredLink};
pub use attempts::{Abandoned, Begin, Begun, Captured, Failed, Renewal, Skipped, Succeeded};
pub use captures::{Capture, Departed};
pub use connections::{Loaded, ManualSet, OpenAttempt, Pausing, Presented, Reconcile, Tally};
pub use enrol::{Enrolment, Standing};
pub use error::StorageError;
pub use listeners::{Listener, OutboxEvent, Waiting};
pub use listing::{Counted, Filter, Page, Unreadable};
pub use log::{Figures, LogEnds, LogFilter, LogPage, Recorded, Statistics};
pub use looks::forecast::{Forecast, HOURS_AHEAD};
pub use looks::history::Tried;
pub use looks::overview::{Counting, EndCounts, Overall};
pub use looks::urgency::{EndsIn, Order, Place, Try, Urgency, UrgentPage};
pub use outlets::{Ending, Message, Noted, Outlet, Settled};
pub use prune::{Bite, Pruned, Pruning};
pub use sinks::{
    About, Came, Delivered, Done, Record, Selected, SinkState, Sweep, Swept, ToLookAt, Wanted,
};
pub use stream::{Stream, Stretch};
pub use times::{CameOf, Doubtful, DuePage, Forgiven, Mark, Moved};
pub use troubles::{Ends, Examples, Held, Trouble};

use crate::model::connection::Due;
use alarm::Alarm;
use engine::Engine;
use listeners::Heard;
use spill::Spill;
use sqlite::Sqlite;

/// How long a database is waited for that is to be closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// The database. A clone is cheap and means the same one.
#[derive(Clone)]
pub struct Storage {
    engine: Arc<dyn Engine>,
    alarm: Arc<Alarm>,
    spill: Arc<Spill>,
    heard: Arc<watch::Sender<Heard>>,
    told: unreadable::Told,
}

impl Storage {
    /// Opens or creates the database file at `path` and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StorageError> {
        Self::over(Arc::new(Sqlite::open(path).await?), Spill::beside(path)).await
    }

    /// The database at `path` if there is one and its schema is up to date: opening it then changes
    /// nothing.
    pub async fn open_as_it_is(path: &Path) -> Result<Option<Self>, StorageError> {
        if Sqlite::is_up_to_date(path).await? { Self::open(path).await.map(Some) } else { Ok(None) }
    }

    /// Whether there is a database at `path` and its schema is up to date, so that opening it changes nothing.
    pub async fn is_up_to_date(path: &Path) -> bool {
        // One that cannot be looked at says why when it is opened.
        Sqlite::is_up_to_date(path).await.unwrap_or(false)
    }

    /// A database behind an engine, with `spill` for answers that it does not take.
    async fn over(engine: Arc<dyn Engine>, spill: Spill) -> Result<Self, StorageError> {
        let storage = Self {
            engine,
            alarm: Arc::default(),
            spill: Arc::new(spill),
            heard: Arc::new(watch::Sender::new(Heard::default())),
            told: unreadable::Told::default(),
        };
        storage.note_heard().await?;
        Ok(storage)
    }

    /// Whether other processes may work on the same connections at the same time. If not, every claim that
    /// is not this process's own is that of a dead one.
    pub fn is_shared(&self) -> bool {
        self.engine.is_shared()
    }

    /// Returns once nothing can be written any more, because the writer has failed inside or its database
    /// has gone. Whoever serves others ends then: what cannot store a token must not ask for one.
    pub async fn writer_ended(&self) {
        self.engine.ended().cancelled().await;
    }

    /// Closes the database: its file alone is a copy then. For the end of a process, when nobody works
    /// on it any more; who still does is not waited for longer than a moment.
    pub async fn close(&self) {
        if tokio::time::timeout(CLOSED_WITHIN, self.engine.close()).await.is_err() {
            tracing::warn!("the database is still in use and was not closed");
        }
    }

    /// Somebody looks from now on at what is due.
    pub fn looking(&self) {
        self.alarm.looking();
    }

    /// That look is over, and the next one is at `next`: returns once something may be due before that which the look
    /// has not seen.
    pub async fn due_before(&self, next: Option<Timestamp>) {
        self.alarm.rings_before(next).await;
    }

    /// Ends the writer as a mistake in it would.
    #[cfg(test)]
    pub(crate) async fn break_writer(&self) {
        let broken = self.engine.break_writer().await;
        assert!(matches!(broken, Err(StorageError::WriterGone)), "{broken:?}");
    }

    /// A step after which some connection may be due at another time.
    async fn changing_times<T>(
        &self,
        step: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let answer = step.await;
        self.alarm.set(None);
        answer
    }

    /// A step after which one connection is due then, or never.
    async fn making_due<T>(
        &self,
        due: Option<Due>,
        step: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let answer = step.await;
        if let Some(due) = due {
            self.alarm.set(Some(due.at));
        }
        answer
    }
}
