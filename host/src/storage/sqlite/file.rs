//! The file: made for its owner alone, opened for one that writes and a few that read, and brought up to
//! date.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::OpenFlags;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio_util::sync::CancellationToken;

use crate::storage::error::StorageError;
use crate::storage::sqlite::Sqlite;
use crate::storage::sqlite::reader::Reader;
use crate::storage::sqlite::recent::Recent;
use crate::storage::sqlite::writer::{Db, Writer};

/// Readers beside the one writer: enough that a slow listing does not hold up refreshes.
const READERS: u32 = 4;

/// How long the write lock is waited for, when another program has it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Statements that the writer keeps prepared: all of them, and some to spare.
const PREPARED: usize = 128;

impl Sqlite {
    /// Opens or creates the file at `path` and brings its schema up to date.
    pub(in crate::storage) async fn open(path: &Path) -> Result<Self, StorageError> {
        open(path).await
    }

    /// Whether opening the file at `path` would change nothing.
    pub(in crate::storage) async fn is_up_to_date(path: &Path) -> Result<bool, StorageError> {
        is_up_to_date(path).await
    }
}

async fn open(path: &Path) -> Result<Sqlite, StorageError> {
    let unavailable =
        |source: sqlx::Error| StorageError::opening(path, source.to_string(), source.into());
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
    let unopened =
        |source: rusqlite::Error| StorageError::opening(path, source.to_string(), source.into());
    let reader = for_reading(path).map_err(unopened)?;
    let writer = for_writing(path).map_err(unopened)?;
    // Held until another has the file open: the last one that closes it would clean up what is beside it.
    db.close().await.map_err(unavailable)?;
    let recent = Arc::new(Recent::new());
    let no_thread = |it| unavailable(sqlx::Error::Io(it));
    let gone = CancellationToken::new();
    let reader = Reader::start(reader, &gone).map_err(no_thread)?;
    let writer = Writer::start(writer, Arc::clone(&recent), &gone).map_err(no_thread)?;
    Ok(Sqlite { readers, reader, writer, recent, gone })
}

/// Makes the file, for its owner alone; what SQLite puts beside it takes the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(LONGEST_WAIT)
        .foreign_keys(true)
        // Deleted secrets, sealed as they are, do not linger in free pages.
        .pragma("secure_delete", "on")
        .disable_statement_logging()
}

/// For a thread of its own: nobody else uses it.
fn alone(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = rusqlite::Connection::open_with_flags(path, flags)?;
    db.busy_timeout(LONGEST_WAIT)?;
    db.set_prepared_statement_cache_capacity(PREPARED);
    Ok(db)
}

/// The same for the one that reads rows of connections.
fn for_reading(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let db = alone(path)?;
    db.execute_batch("pragma query_only = on;")?;
    Ok(db)
}

/// The same for the one that writes.
fn for_writing(path: &Path) -> rusqlite::Result<Db> {
    let db = alone(path)?;
    db.execute_batch(
        "pragma synchronous = full;
         pragma foreign_keys = on;
         pragma secure_delete = on;
         pragma temp_store = memory;",
    )?;
    Ok(Db::over(db))
}

async fn migrate(db: &mut SqliteConnection, path: &Path) -> Result<(), StorageError> {
    use sqlx::migrate::MigrateError;
    match sqlx::migrate!("migrations/sqlite").run(&mut *db).await {
        Ok(()) => Ok(db.ping().await?),
        Err(MigrateError::VersionMissing(_)) => {
            Err(StorageError::SchemaNewer { path: path.to_owned() })
        }
        Err(error) => Err(StorageError::Migrate(error.to_string())),
    }
}

/// Whether there is a file and its schema is that of this program.
async fn is_up_to_date(path: &Path) -> Result<bool, StorageError> {
    if !path.exists() {
        return Ok(false);
    }
    let unavailable =
        |source: sqlx::Error| StorageError::opening(path, source.to_string(), source.into());
    let reader = options(path).create_if_missing(false).read_only(true);
    let mut db = reader.connect().await.map_err(unavailable)?;
    let query = sqlx::query_scalar("select version from _sqlx_migrations order by version");
    let applied: Vec<i64> = query.fetch_all(&mut db).await.unwrap_or_default();
    db.close().await.map_err(unavailable)?;
    let all = sqlx::migrate!("migrations/sqlite").iter().map(|it| it.version).collect::<Vec<_>>();
    Ok(applied == all)
}

/// What is damaged in the file, if anything is.
pub(super) async fn check(readers: &SqlitePool) -> Result<Option<String>, StorageError> {
    let query = sqlx::query_scalar("pragma quick_check");
    let found: String = query.fetch_one(readers).await?;
    Ok((found != "ok").then_some(found))
}
