//! The tries of one connection, newest first, without what a list shows of them.

use jiff::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::id::ConnectionId;
use crate::storage::Tried;
use crate::storage::error::StorageError;
use crate::storage::looks::history::MOST;
use crate::storage::sqlite::log::first_id;
use crate::storage::sqlite::rows::{Fields, key, milliseconds};

const TRIES: &str = "
    select id, outcome, started_at, duration_ms, waited_ms, provider_ms, generation, digest
    from attempts
    where connection = ?1 and id > ?2
    order by id desc limit ?3";

pub(super) async fn tries(
    readers: &SqlitePool,
    connection: &ConnectionId,
    since: Timestamp,
) -> Result<Vec<Tried>, StorageError> {
    let query = sqlx::query(TRIES).bind(key(connection)).bind(first_id(since)).bind(MOST);
    let rows = query.fetch_all(readers).await?;
    // What cannot be read is counted by nobody; lists tell of it.
    Ok(rows.iter().filter_map(|it| tried(it).ok()).filter(|it| it.started_at >= since).collect())
}

fn tried(row: &SqliteRow) -> Result<Tried, StorageError> {
    let fields = Fields::new(row, "attempts", "id");
    Ok(Tried {
        id: fields.required("id", fields.word("id")?)?,
        outcome: fields.required("outcome", fields.word("outcome")?)?,
        started_at: fields.required("started_at", fields.time("started_at")?)?,
        duration_ms: milliseconds(&fields, "duration_ms")?,
        waited_ms: milliseconds(&fields, "waited_ms")?,
        provider_ms: milliseconds(&fields, "provider_ms")?,
        generation: fields.count("generation")?,
        // A try counts whatever is known of its plugin.
        digest: fields.text("digest").ok().flatten().filter(|it| !it.is_empty()),
    })
}
