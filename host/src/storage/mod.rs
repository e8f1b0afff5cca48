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
mod log;
mod mending;
mod outbox;
mod people;
mod rows;
mod spill;
mod success;
mod times;
mod writer;

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

pub use begin::{Begin, Begun, Captured};
pub use captures::{Capture, Departed};
pub use connections::{Filter, Loaded, OpenAttempt, Pausing, Reconcile};
pub use error::StorageError;
pub use failure::{Abandoned, Failed, Skipped};
pub use generations::ManualSet;
pub use listeners::{Listener, OutboxEvent};
pub use log::{LogFilter, Pruned, Statistics};
pub use mending::{CameOf, Doubtful, Forgiven, Moved};
pub use people::{Enrolment, Standing};
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
        start_writer(work);
        let spill = Arc::new(Spill::beside(path));
        let heard = Arc::new(watch::Sender::new(Heard::default()));
        let storage = Self { readers, writer, times: Arc::default(), spill, heard };
        let kinds = listeners::heard(&storage).await?;
        storage.heard.send_modify(|it| it.kinds = kinds);
        Ok(storage)
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
fn start_writer(work: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(work));
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
