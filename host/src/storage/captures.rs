//! Answers made durable before anybody reads them. A row stays until the attempt that got it is
//! spent: then its tokens are a generation, or its failure is known.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::hex;
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{Fields, json_rows, key, millis, signed};
use crate::storage::writer::Write;
use crate::vault::Sealed;

/// One answer of a provider.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Whose.
    pub connection: ConnectionId,
    /// The generation that the request was sent from.
    pub generation: u64,
    /// Its place among the requests of the attempt.
    pub seq: u32,
    /// The attempt that sent the request.
    pub attempt: AttemptId,
    /// Method and URL without its query.
    pub request: String,
    /// The answer.
    pub sealed: Sealed,
    /// When it came.
    pub at: Timestamp,
}

/// The unspent answers of one generation, in order.
pub(super) async fn of(
    readers: &SqlitePool,
    id: &ConnectionId,
    generation: u64,
) -> Result<Vec<Capture>, StorageError> {
    let rows =
        sqlx::query("select * from captures where connection = ? and generation = ? order by seq")
            .bind(key(id))
            .bind(signed(generation))
            .fetch_all(readers)
            .await?;
    rows.iter().map(capture).collect()
}

fn capture(row: &SqliteRow) -> Result<Capture, StorageError> {
    let fields = Fields::new(row, "captures", "connection")?;
    let sealed = fields.required("sealed", fields.blob("sealed")?)?;
    Ok(Capture {
        connection: fields.required("connection", fields.word("connection")?)?,
        generation: fields.count("generation")?,
        seq: u32::try_from(fields.count("seq")?).map_err(|_| fields.damaged("seq"))?,
        attempt: fields.required("attempt", fields.word("attempt")?)?,
        request: fields.required("request", fields.text("request")?)?,
        sealed: Sealed::from_bytes(sealed),
        at: fields.required("created_at", fields.time("created_at")?)?,
    })
}

impl Storage {
    /// Makes an answer durable. Never refused: a late answer is worth more than a neat order.
    pub async fn capture(&self, capture: Capture) -> Result<(), StorageError> {
        self.writer.write(capture).await
    }
}

impl Write for Capture {
    type Answer = ();

    fn apply_all<'a>(
        writes: &'a [Self],
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Vec<()>, StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "insert or replace into captures
                     (connection, generation, seq, attempt, request, sealed, created_at)
                 select value ->> 'id', value ->> 'generation', value ->> 'seq',
                        value ->> 'attempt', value ->> 'request', unhex(value ->> 'sealed'),
                        value ->> 'at'
                 from json_each(?)",
            )
            .bind(json_rows(writes, Self::row))
            .execute(db)
            .await?;
            Ok(vec![(); writes.len()])
        })
    }
}

impl Capture {
    fn row(&self) -> Value {
        json!({
            "id": key(&self.connection),
            "generation": signed(self.generation),
            "seq": self.seq,
            "attempt": self.attempt,
            "request": self.request,
            "sealed": hex(self.sealed.as_bytes()),
            "at": millis(self.at),
        })
    }
}

/// Forgets the captured answers of a connection: they are spent.
pub(super) async fn forget(
    db: &mut SqliteConnection,
    id: &ConnectionId,
) -> Result<(), StorageError> {
    sqlx::query("delete from captures where connection = ?").bind(key(id)).execute(db).await?;
    Ok(())
}
