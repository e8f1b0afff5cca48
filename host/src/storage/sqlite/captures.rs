//! Answers made durable before anybody reads them, and requests that have left without one: a row that
//! has no answer yet is such a request.

use jiff::Timestamp;
use rusqlite::params;
use sqlx::sqlite::SqlitePool;

use crate::model::id::ConnectionId;
use crate::storage::error::StorageError;
use crate::storage::sqlite::cells::Cells;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, key, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Capture, Departed};
use crate::vault::Sealed;

/// What came of the requests of one generation.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Answers that nobody has spent, in order.
    pub(super) answers: Vec<Capture>,
    /// When the first request left that has no answer.
    pub(super) unanswered: Option<Timestamp>,
}

const UNSPENT: &str =
    "select * from captures where connection = ?1 and generation = ?2 order by attempt, seq";

/// The requests of one generation that are not spent.
pub(super) fn of(
    db: &rusqlite::Connection,
    id: &ConnectionId,
    generation: u64,
) -> Result<Requests, StorageError> {
    let mut statement = db.prepare_cached(UNSPENT)?;
    let mut rows = statement.query(params![key(id), signed(generation)])?;
    let mut requests = Requests::default();
    while let Some(row) = rows.next()? {
        requests.add(row)?;
    }
    Ok(requests)
}

/// The same, for whoever lists connections.
pub(super) async fn listed(
    readers: &SqlitePool,
    id: &ConnectionId,
    generation: u64,
) -> Result<Requests, StorageError> {
    let query = sqlx::query(UNSPENT).bind(key(id)).bind(signed(generation));
    let mut requests = Requests::default();
    for row in &query.fetch_all(readers).await? {
        requests.add(row)?;
    }
    Ok(requests)
}

impl Requests {
    fn add(&mut self, row: &dyn Cells) -> Result<(), StorageError> {
        let fields = Fields::new(row, "captures", "connection");
        let of = departed(&fields)?;
        match fields.blob("sealed")? {
            Some(sealed) => self.answers.push(Capture {
                of,
                sealed: Sealed::from_bytes(sealed),
                readings: small(&fields, "readings")?,
            }),
            None => self.unanswered = self.unanswered.into_iter().chain([of.at]).min(),
        }
        Ok(())
    }
}

fn departed(fields: &Fields<'_>) -> Result<Departed, StorageError> {
    Ok(Departed {
        connection: fields.required("connection", fields.word("connection")?)?,
        generation: fields.count("generation")?,
        attempt: fields.required("attempt", fields.word("attempt")?)?,
        seq: small(fields, "seq")?,
        request: fields.required("request", fields.text("request")?)?,
        at: fields.required("created_at", fields.time("created_at")?)?,
    })
}

fn small(fields: &Fields<'_>, column: &'static str) -> Result<u32, StorageError> {
    u32::try_from(fields.count(column)?).map_err(|_| fields.damaged(column))
}

impl Write for Capture {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        insert(db, &self.of, Some(&self.sealed))
    }

    fn touched(&self) -> Touched {
        Touched::One(self.of.connection.clone())
    }
}

impl Write for Departed {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        insert(db, self, None)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.connection.clone())
    }
}

/// Nothing, if another generation is there by now. A request that is noted late takes no answer away, and an
/// answer that is kept twice was read as often as before.
fn insert(db: &Db, of: &Departed, sealed: Option<&Sealed>) -> Result<(), StorageError> {
    change(
        db,
        "insert into captures (connection, attempt, seq, generation, request, sealed, created_at)
         select id, ?3, ?4, generation, ?5, ?6, ?7 from connections where id = ?1 and generation = ?2
         on conflict (connection, attempt, seq) do update
         set generation = excluded.generation, request = excluded.request, sealed = excluded.sealed,
             created_at = excluded.created_at
         where excluded.sealed is not null",
        params![
            key(&of.connection),
            signed(of.generation),
            of.attempt.to_string(),
            of.seq,
            of.request,
            sealed.map(Sealed::as_bytes),
            millis(of.at),
        ],
    )
    .map(drop)
}

/// Forgets the requests and answers of a connection: they are spent.
pub(super) fn forget(db: &Db, id: &ConnectionId) -> Result<(), StorageError> {
    change(db, "delete from captures where connection = ?1", params![key(id)]).map(drop)
}

/// Counts that the answers of a connection are given to a plugin once more.
pub(super) fn count_reading(db: &Db, id: &ConnectionId) -> Result<(), StorageError> {
    let count = "update captures set readings = readings + 1
                 where connection = ?1 and sealed is not null";
    change(db, count, params![key(id)]).map(drop)
}
