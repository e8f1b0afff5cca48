//! Answers made durable before anybody reads them. A row stays until the attempt that got it is
//! spent: then its tokens are a generation, or its failure is known.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::Storage;
use crate::storage::connections::key;
use crate::storage::error::StorageError;
use crate::storage::rows::{Fields, millis, signed};
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

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "insert or replace into captures
                     (connection, generation, seq, attempt, request, sealed, created_at)
                 values (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(key(&self.connection))
            .bind(signed(self.generation))
            .bind(self.seq)
            .bind(self.attempt.to_string())
            .bind(&self.request)
            .bind(self.sealed.as_bytes())
            .bind(millis(self.at))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}
