//! A try that failed and what follows from it, and a request that sent nothing. Credentials are never
//! touched here.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use crate::model::attempt::Trigger;
use crate::model::connection::{Due, Problem};
use crate::model::event::Event;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::Storage;
use crate::storage::begin::Begun;
use crate::storage::captures::forget;
use crate::storage::error::StorageError;
use crate::storage::outbox;
use crate::storage::rows::{key, millis, signed};
use crate::storage::writer::WriteOne;

/// A try that failed, and what follows from it, in one step. Credentials are never touched.
#[derive(Debug)]
pub struct Failed {
    /// The attempt that ends.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// The generation it was sent from: the failure says nothing about another one.
    pub generation: u64,
    /// Why.
    pub failure: Failure,
    /// Set when only a person can help.
    pub problem: Option<Problem>,
    /// Keyed digest of the configuration, with a problem.
    pub config: Option<Vec<u8>>,
    /// Set when the outcome at the provider is unknown: when the request began.
    pub doubt_since: Option<Timestamp>,
    /// Whether captured answers stay for a replay.
    pub keep_captures: bool,
    /// When it is looked at next.
    pub due: Option<Due>,
    /// What to tell.
    pub events: Vec<Event>,
    /// Now.
    pub at: Timestamp,
    /// How long the attempt took.
    pub duration_ms: u64,
}

/// A try of a person that came to nothing, beside a token that it does not concern.
#[derive(Debug)]
pub struct Abandoned {
    /// The attempt that ends.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// Why.
    pub failure: Failure,
    /// When it is looked at next, as it was before.
    pub due: Option<Due>,
    /// How long the attempt took.
    pub duration_ms: u64,
}

/// A request for a refresh that sent nothing.
#[derive(Clone, Debug)]
pub struct Skipped {
    /// Its id.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// Why it was asked for.
    pub trigger: Trigger,
    /// Why nothing was sent.
    pub reason: String,
    /// The current generation.
    pub generation: u64,
    /// Now.
    pub at: Timestamp,
}

impl Storage {
    /// Stores a failure; `Lost`, and nothing written, if the attempt is no longer open.
    pub async fn fail(&self, mut failed: Failed) -> Result<Begun, StorageError> {
        self.keep_heard(&mut failed.events);
        let tells = !failed.events.is_empty();
        let spent = (!failed.keep_captures).then(|| failed.connection.clone());
        let begun = self.write_times(failed).await?;
        self.wake_listeners(tells);
        if let Some(id) = spent.filter(|_| begun == Begun::Yes) {
            self.drop_answers(&id);
        }
        Ok(begun)
    }

    /// Ends an attempt and leaves the connection as it was before; `Lost` if it is no longer open.
    pub async fn abandon(&self, abandoned: Abandoned) -> Result<Begun, StorageError> {
        self.write_times(abandoned).await
    }

    /// Records that nothing was sent, and why.
    pub async fn skip(&self, skipped: Skipped) -> Result<(), StorageError> {
        self.writer.write(skipped).await
    }
}

impl WriteOne for Failed {
    type Answer = Begun;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Begun, StorageError>> {
        Box::pin(async move {
            if !close(db, self.attempt, &self.failure, self.duration_ms).await? {
                return Ok(Begun::Lost);
            }
            self.note(db).await?;
            if !self.keep_captures {
                forget(db, &self.connection).await?;
            }
            outbox::append(db, &self.events).await?;
            Ok(Begun::Yes)
        })
    }
}

impl WriteOne for Abandoned {
    type Answer = Begun;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Begun, StorageError>> {
        Box::pin(async move {
            if !close(db, self.attempt, &self.failure, self.duration_ms).await? {
                return Ok(Begun::Lost);
            }
            sqlx::query("update connections set due_at = ?, due_trigger = ? where id = ?")
                .bind(self.due.map(|it| millis(it.at)))
                .bind(self.due.map(|it| it.trigger.as_str()))
                .bind(key(&self.connection))
                .execute(db)
                .await?;
            Ok(Begun::Yes)
        })
    }
}

/// False if the attempt is not open: another process has adopted it.
async fn close(
    db: &mut SqliteConnection,
    attempt: AttemptId,
    failure: &Failure,
    duration_ms: u64,
) -> Result<bool, StorageError> {
    let done = sqlx::query(
        "update attempts
         set outcome = 'failed', error_case = ?, error_code = ?, error_message = ?,
             duration_ms = ?
         where id = ? and outcome is null",
    )
    .bind(failure.case.as_str())
    .bind(failure.code.text())
    .bind(&failure.message)
    .bind(signed(duration_ms))
    .bind(attempt.to_string())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

impl Failed {
    async fn note(&self, db: &mut SqliteConnection) -> Result<(), StorageError> {
        sqlx::query(
            "update connections
             set failures = failures + 1, problem = ?2, problem_config = ?3, error_code = ?4,
                 error_message = ?5, error_case = ?10,
                 doubt_since = iif(?1 is null, null, coalesce(doubt_since, ?1)),
                 due_at = ?6, due_trigger = ?7
             where id = ?8 and generation = ?9",
        )
        .bind(self.doubt_since.map(millis))
        .bind(self.problem.map(Problem::as_str))
        .bind(&self.config)
        .bind(self.failure.code.text())
        .bind(&self.failure.message)
        .bind(self.due.map(|it| millis(it.at)))
        .bind(self.due.map(|it| it.trigger.as_str()))
        .bind(key(&self.connection))
        .bind(signed(self.generation))
        .bind(self.failure.case.as_str())
        .execute(db)
        .await?;
        Ok(())
    }
}

impl WriteOne for Skipped {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "insert into attempts (id, connection, provider, trigger, outcome, reason, rotation,
                                       owner, lease_until, generation, started_at, duration_ms)
                 values (?, ?, ?, ?, 'skipped', ?, '\"unknown\"', '', 0, ?, ?, 0)",
            )
            .bind(self.attempt.to_string())
            .bind(key(&self.connection))
            .bind(self.connection.provider())
            .bind(self.trigger.as_str())
            .bind(&self.reason)
            .bind(signed(self.generation))
            .bind(millis(self.at))
            .execute(&mut *db)
            .await?;
            Ok(())
        })
    }
}
