//! The intent to send. Its open row is the claim on the connection; the unique index over open rows is
//! what makes a second one impossible.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnection;

use crate::model::attempt::Trigger;
use crate::model::code;
use crate::model::failure::Case;
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::storage::error::StorageError;
use crate::storage::rows::{json_rows, key, millis, signed};
use crate::storage::writer::Write;
use crate::storage::{Storage, captures};

/// The intent to send: durable before any byte is.
#[derive(Clone, Debug)]
pub struct Begin {
    /// The new attempt.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// Why.
    pub trigger: Trigger,
    /// The generation to send from; another one means that somebody was faster.
    pub generation: u64,
    /// What the provider does with used refresh tokens.
    pub rotation: Rotation,
    /// Digest of the plugin that will run.
    pub digest: String,
    /// This process.
    pub owner: String,
    /// Now.
    pub at: Timestamp,
    /// When another process may take over.
    pub lease_until: Timestamp,
    /// The interrupted attempt that this one takes over, closed in the same step.
    pub adopts: Option<AttemptId>,
    /// What becomes of answers that were captured.
    pub captured: Captured,
    /// When a request began that may have left without a captured answer.
    pub doubt_since: Option<Timestamp>,
}

/// What a new attempt does with the answers of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured {
    /// It leaves them where they are.
    Stay,
    /// It reads them once more, which counts.
    AreRead,
    /// It gives them up for a new request: what is captured from now on is its.
    AreGivenUp,
}

/// Whether the intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It does.
    Yes,
    /// Another attempt is open, or the generation has moved on: look again.
    Lost,
}

impl Storage {
    /// Writes the intent, unless another is open or the generation has moved on.
    pub async fn begin(&self, begin: Begin) -> Result<Begun, StorageError> {
        self.writer.write(begin).await
    }
}

impl Write for Begin {
    type Answer = Begun;

    fn apply_all<'a>(
        writes: &'a [Self],
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Vec<Begun>, StorageError>> {
        Box::pin(async move {
            for interrupted in writes.iter().filter_map(|it| it.adopts) {
                close_interrupted(db, interrupted).await?;
            }
            let rows = json_rows(writes, Self::row);
            let open = insert(db, &rows).await?;
            claim(db, &rows).await?;
            let begun = |it: &&Self| open.contains(&it.attempt.to_string());
            for write in writes.iter().filter(begun).filter(|it| it.touches_captures()) {
                write.settle_captures(db).await?;
            }
            let begun = |it: &Self| {
                if open.contains(&it.attempt.to_string()) { Begun::Yes } else { Begun::Lost }
            };
            Ok(writes.iter().map(begun).collect())
        })
    }
}

impl Begin {
    fn touches_captures(&self) -> bool {
        self.captured != Captured::Stay
    }

    async fn settle_captures(&self, db: &mut SqliteConnection) -> Result<(), StorageError> {
        // A request without an answer stays with the answers: reading them does not settle it.
        match self.captured {
            Captured::Stay => Ok(()),
            Captured::AreRead => captures::count_reading(db, &self.connection).await,
            Captured::AreGivenUp => captures::forget(db, &self.connection).await,
        }
    }

    fn row(&self) -> Value {
        json!({
            "attempt": self.attempt,
            "id": key(&self.connection),
            "trigger": self.trigger.as_str(),
            "rotation": serde_json::to_string(&self.rotation).unwrap_or_default(),
            "digest": self.digest,
            "owner": self.owner,
            "lease_until": millis(self.lease_until),
            "at": millis(self.at),
            "generation": signed(self.generation),
            "doubt_since": self.doubt_since.map(millis),
        })
    }
}

/// Opens the attempts whose connections are free and of the right generation; returns their ids.
async fn insert(db: &mut SqliteConnection, rows: &str) -> Result<HashSet<String>, StorageError> {
    let opened = sqlx::query_scalar(
        "insert into attempts (id, connection, provider, trigger, rotation, digest, owner,
                               lease_until, generation, started_at)
         select j.value ->> 'attempt', c.id, c.provider, j.value ->> 'trigger',
                j.value ->> 'rotation', j.value ->> 'digest', j.value ->> 'owner',
                j.value ->> 'lease_until', c.generation, j.value ->> 'at'
         from json_each(?) j cross join connections c
         where c.id = j.value ->> 'id' and c.generation = j.value ->> 'generation'
           and not exists (select 1 from attempts a
                           where a.connection = c.id and a.outcome is null)
         returning id",
    );
    Ok(opened.bind(rows).fetch_all(db).await?.into_iter().collect())
}

/// Should this process die, somebody looks again when the leases end.
async fn claim(db: &mut SqliteConnection, rows: &str) -> Result<(), StorageError> {
    sqlx::query(
        "update connections
         set last_attempt = j.attempt, due_at = j.lease_until, due_trigger = 'recovery',
             doubt_since = coalesce(connections.doubt_since, j.doubt_since)
         from (select value ->> 'id' as id, value ->> 'attempt' as attempt,
                      value ->> 'lease_until' as lease_until,
                      value ->> 'doubt_since' as doubt_since
               from json_each(?)) j
         where connections.id = j.id and exists (select 1 from attempts where id = j.attempt)",
    )
    .bind(rows)
    .execute(db)
    .await?;
    Ok(())
}

/// Closes an attempt that will never have an outcome.
pub(super) async fn close_interrupted(
    db: &mut SqliteConnection,
    id: AttemptId,
) -> Result<(), StorageError> {
    sqlx::query(
        "update attempts
         set outcome = 'failed', error_case = ?, error_code = ?,
             error_message = 'keepfresh stopped before this attempt had an outcome; the next attempt resolves it'
         where id = ? and outcome is null",
    )
    .bind(Case::InDoubt.as_str())
    .bind(code::Refresh::Interrupted.text())
    .bind(id.to_string())
    .execute(db)
    .await?;
    Ok(())
}
