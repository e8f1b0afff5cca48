//! Answers made durable before anybody reads them, and requests that have left without one. A row
//! stays until the attempt that got it is spent: then its tokens are a generation, or its failure is
//! known.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::hex;
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{Fields, json_rows, key, millis, signed};
use crate::storage::writer::{Write, WriteOne};
use crate::vault::Sealed;

/// One answer of a provider.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The request that it answers.
    pub of: Departed,
    /// The answer.
    pub sealed: Sealed,
    /// How often a plugin was given it, the first time included.
    pub readings: u32,
}

/// A request that has left, or is about to.
#[derive(Clone, Debug)]
pub struct Departed {
    /// Whose.
    pub connection: ConnectionId,
    /// The generation that it is sent from.
    pub generation: u64,
    /// The attempt that sends it.
    pub attempt: AttemptId,
    /// Its place among the requests of the attempt.
    pub seq: u32,
    /// Method and URL without its query.
    pub request: String,
    /// When it left; of an answer, when that came.
    pub at: Timestamp,
}

/// What came of the requests of one generation.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Answers that nobody has spent, in order.
    pub(super) answers: Vec<Capture>,
    /// When the first request left that has no answer.
    pub(super) unanswered: Option<Timestamp>,
}

/// The requests of one generation that are not spent.
pub(super) async fn of(
    readers: &SqlitePool,
    id: &ConnectionId,
    generation: u64,
) -> Result<Requests, StorageError> {
    let rows = sqlx::query(
        "select * from captures where connection = ? and generation = ? order by attempt, seq",
    )
    .bind(key(id))
    .bind(signed(generation))
    .fetch_all(readers)
    .await?;
    let mut requests = Requests::default();
    for row in &rows {
        let fields = Fields::new(row, "captures", "connection")?;
        let of = departed(&fields)?;
        match fields.blob("sealed")? {
            Some(sealed) => requests.answers.push(Capture {
                of,
                sealed: Sealed::from_bytes(sealed),
                readings: small(&fields, "readings")?,
            }),
            None => requests.unanswered = requests.unanswered.into_iter().chain([of.at]).min(),
        }
    }
    Ok(requests)
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

impl Storage {
    /// Makes an answer durable, unless its generation is over. Never refused for being late: it is worth
    /// more than a neat order.
    pub async fn capture(&self, capture: Capture) -> Result<(), StorageError> {
        self.writer.write(capture).await
    }

    /// Makes it durable that a request leaves: until its answer is there, its outcome is in doubt.
    pub async fn depart(&self, request: Departed) -> Result<(), StorageError> {
        self.writer.write(request).await
    }
}

impl Write for Capture {
    type Answer = ();

    fn apply_all<'a>(
        writes: &'a [Self],
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Vec<()>, StorageError>> {
        Box::pin(async move {
            insert(db, &json_rows(writes, Self::row)).await?;
            Ok(vec![(); writes.len()])
        })
    }
}

impl WriteOne for Departed {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move { insert(db, &json_rows([self], Self::row)).await })
    }
}

async fn insert(db: &mut SqliteConnection, rows: &str) -> Result<(), StorageError> {
    sqlx::query(
        "insert or replace into captures
             (connection, attempt, seq, generation, request, sealed, created_at)
         select c.id, j.value ->> 'attempt', j.value ->> 'seq', c.generation,
                j.value ->> 'request', unhex(j.value ->> 'sealed'), j.value ->> 'at'
         from json_each(?) j cross join connections c
         where c.id = j.value ->> 'id' and c.generation = j.value ->> 'generation'",
    )
    .bind(rows)
    .execute(db)
    .await?;
    Ok(())
}

impl Departed {
    fn row(&self) -> Value {
        json!({
            "id": key(&self.connection),
            "generation": signed(self.generation),
            "seq": self.seq,
            "attempt": self.attempt,
            "request": self.request,
            "at": millis(self.at),
        })
    }
}

impl Capture {
    fn row(&self) -> Value {
        let mut row = self.of.row();
        row["sealed"] = hex(self.sealed.as_bytes()).into();
        row
    }
}

/// Forgets the requests and answers of a connection: they are spent.
pub(super) async fn forget(
    db: &mut SqliteConnection,
    id: &ConnectionId,
) -> Result<(), StorageError> {
    sqlx::query("delete from captures where connection = ?").bind(key(id)).execute(db).await?;
    Ok(())
}

/// Counts that the answers of a connection are given to a plugin once more.
pub(super) async fn count_reading(
    db: &mut SqliteConnection,
    id: &ConnectionId,
) -> Result<(), StorageError> {
    sqlx::query("update captures set readings = readings + 1 where connection = ?")
        .bind(key(id))
        .execute(db)
        .await?;
    Ok(())
}
