//! What is kept: connections, sealed token sets, attempts, captured answers, events. Methods are
//! named for business steps; each is one transaction that shares its commit with others.
//!
//! Accepts only [`Sealed`](crate::vault::Sealed) secrets, so that plaintext cannot be written by
//! mistake. Knows nothing of plugins, and never holds a transaction open for a caller.

mod begin;
mod captures;
mod connections;
mod error;
mod failure;
mod generations;
mod keyring;
mod listeners;
mod listing;
mod log;
mod mending;
mod outbox;
mod people;
mod prune;
mod rows;
mod spill;
mod success;
mod times;
mod unreadable;
mod writer;

#[cfg(test)]
mod crowd;

#[cfg(test)]
mod plans;

#[cfg(test)]
mod tests;

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection as _};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

pub use begin::{Begin, Begun, Captured};
pub use captures::{Capture, Departed};
pub use connections::{Loaded, OpenAttempt, Pausing, Reconcile};
pub use error::StorageError;
pub use failure::{Abandoned, Failed, Skipped};
pub use generations::ManualSet;
pub use listeners::{Listener, OutboxEvent};
pub use listing::{Filter, Page, Unreadable};
pub use log::{LogFilter, LogPage, Statistics};
pub use mending::{CameOf, Doubtful, Forgiven, Moved};
pub use people::{Enrolment, Standing};
pub use prune::Pruned;
pub use success::Succeeded;

use outbox::Heard;
use spill::Spill;
use writer::{Write, Writer};

/// Readers beside the one writer: enough that a slow listing does not hold up refreshes.
const READERS: u32 = 4;

/// The database. A clone is cheap and means the same one.
#[derive(Clone)]
pub struct Storage {
    readers: SqlitePool,
    writer: Writer,
    times: Arc<Notify>,
    spill: Arc<Spill>,
    heard: Arc<watch::Sender<Heard>>,
    told: unreadable::Told,
    /// Cancelled when the writer has ended, however it did.
    writer_ended: CancellationToken,
}

impl Storage {
    /// Opens or creates the database file at `path` and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StorageError> {
        let unavailable = |source| StorageError::opening(path, source);
        make_private(path).map_err(|it| unavailable(sqlx::Error::Io(it)))?;
        let options = options(path);
        let mut db = options.connect().await.map_err(unavailable)?;
        migrate(&mut db, path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            // These are threads of this process: there is nothing to test.
            .test_before_acquire(false)
            .connect_with(options.read_only(false).pragma("query_only", "on"))
            .await
            .map_err(unavailable)?;
        let (writer, work) = Writer::new(db);
        let writer_ended = start_writer(work);
        let storage = Self {
            readers,
            writer,
            times: Arc::default(),
            spill: Arc::new(Spill::beside(path)),
            heard: Arc::new(watch::Sender::new(Heard::default())),
            told: unreadable::Told::default(),
            writer_ended,
        };
        let kinds = listeners::heard(&storage).await?;
        storage.heard.send_modify(|it| it.kinds = kinds);
        Ok(storage)
    }

    /// Whether another process may work on the same database, so that a claim which is not this process's own
    /// may be alive. On SQLite the instance lock says that none does.
    pub fn is_shared(&self) -> bool {
        false
    }

    /// Returns once nothing can be written any more, because the writer has failed inside or its database
    /// has gone. Whoever serves others ends then: what cannot store a token must not ask for one.
    pub async fn writer_ended(&self) {
        self.writer_ended.cancelled().await;
    }

    /// The database at `path` if there is one and its schema is up to date: opening it then changes
    /// nothing.
    pub async fn open_as_it_is(path: &Path) -> Result<Option<Self>, StorageError> {
        if !path.exists() {
            return Ok(None);
        }
        let unavailable = |source| StorageError::opening(path, source);
        let reader = options(path).create_if_missing(false).read_only(true);
        let mut db = reader.connect().await.map_err(unavailable)?;
        let query = sqlx::query_scalar("select version from _sqlx_migrations order by version");
        let applied: Vec<i64> = query.fetch_all(&mut db).await.unwrap_or_default();
        db.close().await.map_err(unavailable)?;
        let all =
            sqlx::migrate!("migrations/sqlite").iter().map(|it| it.version).collect::<Vec<_>>();
        if applied == all { Self::open(path).await.map(Some) } else { Ok(None) }
    }

    /// Returns once the time of some connection may have changed since the last call. A change between
    /// two calls is not missed.
    pub async fn times_changed(&self) {
        self.times.notified().await;
    }

    /// A write after which some connection may be due at another time.
    async fn write_times<W: Write>(&self, write: W) -> Result<W::Answer, StorageError> {
        let answer = self.writer.write(write).await;
        self.times.notify_one();
        answer
    }

    /// What is damaged in the file, if anything is.
    pub async fn check(&self) -> Result<Option<String>, StorageError> {
        let query = sqlx::query_scalar("pragma quick_check");
        let found: String = query.fetch_one(&self.readers).await?;
        Ok((found != "ok").then_some(found))
    }
}

/// Makes the file, for its owner alone; what SQLite puts beside it takes the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the writer outlives every tracked task; it ends with its last handle"
)]
fn start_writer(work: impl Future<Output = ()> + Send + 'static) -> CancellationToken {
    let ended = CancellationToken::new();
    // Dropped with the task, also when it panics.
    let guard = ended.clone().drop_guard();
    drop(tokio::spawn(async move {
        let _guard = guard;
        work.await;
    }));
    ended
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        // Deleted secrets, sealed as they are, do not linger in free pages.
        .pragma("secure_delete", "on")
        .disable_statement_logging()
}

async fn migrate(db: &mut sqlx::SqliteConnection, path: &Path) -> Result<(), StorageError> {
    use sqlx::migrate::MigrateError;
    match sqlx::migrate!("migrations/sqlite").run(&mut *db).await {
        Ok(()) => Ok(db.ping().await?),
        Err(MigrateError::VersionMissing(_)) => {
            Err(StorageError::SchemaNewer { path: path.to_owned() })
        }
        Err(error) => Err(StorageError::Migrate(error)),
    }
}
