//! Rows that cannot be read. Each is told of once and left as it is: what cannot be understood cannot be
//! mended by a program, and the others have nothing to do with it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::storage::error::StorageError;
use crate::storage::writer::Writer;
use crate::storage::{Filter, Storage};

/// What was told already, in this process.
pub(super) type Told = Arc<Mutex<HashSet<String>>>;

/// Rows that are named; a damaged file may have any number of them.
const MOST: usize = 100;

/// Connections in one look.
const AT_ONCE: u32 = 500;

impl Storage {
    /// Logs that a row cannot be read, once for each.
    pub fn report(&self, unreadable: &StorageError) {
        let text = unreadable.to_string();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(text.clone()) {
            error!(error.code = unreadable.code().text(), "{text}");
        }
    }

    /// What cannot be read of connections, their open and last attempts, and their captured answers.
    async fn unreadable(&self) -> Result<Vec<StorageError>, StorageError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(&Filter::default(), after.as_deref(), AT_ONCE).await?;
            found.extend(page.rows.into_iter().filter_map(|it| Some(it.err()?.error)));
            found.extend(page.attempts);
            after = page.next;
            if after.is_none() || found.len() >= MOST {
                return Ok(found);
            }
        }
    }
}

/// What cannot be read in the database at `path`, which is only looked at: it is neither made nor brought
/// up to date, and one of another version is left to its own program.
pub async fn look_through(path: &Path) -> Result<Vec<StorageError>, StorageError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let unavailable = |source| StorageError::opening(path, source);
    let readers = SqlitePoolOptions::new().max_connections(2).connect_with(options.clone());
    let readers = readers.await.map_err(unavailable)?;
    let version = sqlx::query_scalar("select max(version) from _sqlx_migrations");
    let version: Option<i64> = match version.fetch_one(&readers).await.map_err(StorageError::from) {
        Ok(version) => version,
        // A file that was made a moment ago has no tables yet.
        Err(StorageError::Other(_)) => None,
        Err(error) => return Err(error),
    };
    if version != sqlx::migrate!("migrations/sqlite").iter().map(|it| it.version).max() {
        return Ok(Vec::new());
    }
    // Its loop is not run: nothing is written.
    let (writer, _) = Writer::new(options.connect().await.map_err(unavailable)?);
    let nobody = Storage {
        readers,
        writer,
        times: Arc::default(),
        told: Told::default(),
        writer_ended: CancellationToken::new(),
    };
    nobody.unreadable().await
}
