//! The life of an attempt: intent, outcome. The open row is the claim on the connection; the unique
//! index over open rows is what makes a second one impossible.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use crate::model::attempt::{Outcome, Trigger};
use crate::model::connection::{Due, Problem};
use crate::model::event::Event;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::model::token::{TokenSet, fingerprint};
use crate::storage::Storage;
use crate::storage::connections::key;
use crate::storage::error::StorageError;
use crate::storage::generations;
use crate::storage::outbox;
use crate::storage::rows::{millis, signed};
use crate::storage::writer::Write;
use crate::vault::Sealed;

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
    /// When a request began that may have left without a captured answer.
    pub doubt_since: Option<Timestamp>,
}

/// Whether the intent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It does.
    Yes,
    /// Another attempt is open, or the generation has moved on: look again.
    Lost,
}

/// A new generation, and all that goes with it, in one step.
#[derive(Debug)]
pub struct Succeeded {
    /// The attempt that ends.
    pub attempt: AttemptId,
    /// Whose token.
    pub connection: ConnectionId,
    /// The generation it was sent from; the new one is one more.
    pub generation: u64,
    /// How it came about, when that is worth a word.
    pub reason: Option<String>,
    /// The new token set, of which only the plain facts are stored from here.
    pub token: TokenSet,
    /// The new token set, sealed for its new generation.
    pub sealed: Sealed,
    /// When it is looked at next.
    pub due: Option<Due>,
    /// What to tell.
    pub events: Vec<Event>,
    /// Now.
    pub at: Timestamp,
    /// How long the attempt took.
    pub duration_ms: u64,
}

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
    /// Writes the intent, unless another is open or the generation has moved on.
    pub async fn begin(&self, begin: Begin) -> Result<Begun, StorageError> {
        self.writer.write(begin).await
    }

    /// Stores the next generation; `Lost`, and nothing written, if the one it was sent from is no
    /// longer current or the attempt is no longer open.
    pub async fn succeed(&self, succeeded: Succeeded) -> Result<Begun, StorageError> {
        self.write_times(succeeded).await
    }

    /// Stores a failure; `Lost`, and nothing written, if the attempt is no longer open.
    pub async fn fail(&self, failed: Failed) -> Result<Begun, StorageError> {
        self.write_times(failed).await
    }

    /// Records that nothing was sent, and why.
    pub async fn skip(&self, skipped: Skipped) -> Result<(), StorageError> {
        self.writer.write(skipped).await
    }
}

impl Write for Begin {
    type Answer = Begun;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Begun, StorageError>> {
        Box::pin(async move {
            if let Some(interrupted) = self.adopts {
                close_interrupted(db, interrupted).await?;
            }
            if !self.insert(db).await? {
                return Ok(Begun::Lost);
            }
            // Should this process die, somebody looks again when the lease ends.
            sqlx::query(
                "update connections
                 set last_attempt = ?, due_at = ?, due_trigger = 'recovery',
                     doubt_since = coalesce(doubt_since, ?)
                 where id = ?",
            )
            .bind(self.attempt.to_string())
            .bind(millis(self.lease_until))
            .bind(self.doubt_since.map(millis))
            .bind(key(&self.connection))
            .execute(db)
            .await?;
            Ok(Begun::Yes)
        })
    }
}

impl Begin {
    async fn insert(&self, db: &mut SqliteConnection) -> Result<bool, StorageError> {
        let done = sqlx::query(
            "insert into attempts (id, connection, provider, trigger, rotation, digest, owner,
                                   lease_until, generation, started_at)
             select ?1, id, provider, ?2, ?3, ?4, ?5, ?6, generation, ?7 from connections
             where id = ?8 and generation = ?9
               and not exists (select 1 from attempts where connection = ?8 and outcome is null)",
        )
        .bind(self.attempt.to_string())
        .bind(self.trigger.as_str())
        .bind(rotation_text(self.rotation))
        .bind(&self.digest)
        .bind(&self.owner)
        .bind(millis(self.lease_until))
        .bind(millis(self.at))
        .bind(key(&self.connection))
        .bind(signed(self.generation))
        .execute(db)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Closes an attempt that will never have an outcome.
pub(super) async fn close_interrupted(
    db: &mut SqliteConnection,
    id: AttemptId,
) -> Result<(), StorageError> {
    sqlx::query(
        "update attempts
         set outcome = 'failed', error_code = 'refresh.interrupted',
             error_message = 'keepfresh stopped before this attempt had an outcome; the next attempt resolves it'
         where id = ? and outcome is null",
    )
    .bind(id.to_string())
    .execute(db)
    .await?;
    Ok(())
}

fn rotation_text(rotation: Rotation) -> String {
    // A value of this enum always serialises.
    serde_json::to_string(&rotation).unwrap_or_default()
}

impl Write for Succeeded {
    type Answer = Begun;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Begun, StorageError>> {
        Box::pin(async move {
            if !self.advance(db).await? {
                return Ok(Begun::Lost);
            }
            let next = self.generation + 1;
            let by = Some(self.attempt);
            generations::replace(db, &self.connection, next, &self.sealed, by, self.at).await?;
            let end = End {
                attempt: self.attempt,
                outcome: Outcome::Success,
                reason: self.reason.as_deref(),
                failure: None,
                generation: Some(next),
                duration_ms: self.duration_ms,
            };
            end.write(db).await?;
            drop_captures(db, &self.connection).await?;
            outbox::append(db, &self.events).await?;
            Ok(Begun::Yes)
        })
    }
}

impl Succeeded {
    /// The compare and swap: only from the generation that was sent, only while the attempt is open.
    async fn advance(&self, db: &mut SqliteConnection) -> Result<bool, StorageError> {
        let token = &self.token;
        let done = sqlx::query(
            "update connections
             set generation = generation + 1, token_type = ?, issued_at = ?, expires_at = ?,
                 refresh_expires_at = ?, fingerprint = ?, scopes = ?, metadata = ?,
                 failures = 0, problem = null, problem_config = null, error_code = null,
                 error_message = null, doubt_since = null, due_at = ?, due_trigger = ?
             where id = ? and generation = ?
               and exists (select 1 from attempts where id = ? and outcome is null)",
        )
        .bind(&token.token_type)
        .bind(millis(self.at))
        .bind(token.expires_at.map(millis))
        .bind(token.refresh_expires_at.map(millis))
        .bind(fingerprint(&token.access_token))
        .bind(serde_json::to_string(&token.scopes).unwrap_or_default())
        .bind(serde_json::to_string(&token.metadata).unwrap_or_default())
        .bind(self.due.map(|it| millis(it.at)))
        .bind(self.due.map(|it| it.trigger.as_str()))
        .bind(key(&self.connection))
        .bind(signed(self.generation))
        .bind(self.attempt.to_string())
        .execute(db)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Write for Failed {
    type Answer = Begun;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Begun, StorageError>> {
        Box::pin(async move {
            let end = End {
                attempt: self.attempt,
                outcome: Outcome::Failed,
                reason: None,
                failure: Some(&self.failure),
                generation: None,
                duration_ms: self.duration_ms,
            };
            if !end.write(db).await? {
                return Ok(Begun::Lost);
            }
            self.note(db).await?;
            if !self.keep_captures {
                drop_captures(db, &self.connection).await?;
            }
            outbox::append(db, &self.events).await?;
            Ok(Begun::Yes)
        })
    }
}

impl Failed {
    async fn note(&self, db: &mut SqliteConnection) -> Result<(), StorageError> {
        sqlx::query(
            "update connections
             set failures = failures + 1, problem = ?2, problem_config = ?3, error_code = ?4,
                 error_message = ?5,
                 doubt_since = iif(?1 is null, null, coalesce(doubt_since, ?1)),
                 due_at = ?6, due_trigger = ?7
             where id = ?8 and generation = ?9",
        )
        .bind(self.doubt_since.map(millis))
        .bind(self.problem.map(Problem::as_str))
        .bind(&self.config)
        .bind(self.failure.code.as_ref())
        .bind(&self.failure.message)
        .bind(self.due.map(|it| millis(it.at)))
        .bind(self.due.map(|it| it.trigger.as_str()))
        .bind(key(&self.connection))
        .bind(signed(self.generation))
        .execute(db)
        .await?;
        Ok(())
    }
}

/// How an attempt ended.
struct End<'a> {
    attempt: AttemptId,
    outcome: Outcome,
    reason: Option<&'a str>,
    failure: Option<&'a Failure>,
    generation: Option<u64>,
    duration_ms: u64,
}

impl End<'_> {
    /// False if the attempt is not open: another process has adopted it.
    async fn write(&self, db: &mut SqliteConnection) -> Result<bool, StorageError> {
        let done = sqlx::query(
            "update attempts
             set outcome = ?, reason = ?, error_code = ?, error_message = ?,
                 generation = coalesce(?, generation), duration_ms = ?
             where id = ? and outcome is null",
        )
        .bind(self.outcome.as_str())
        .bind(self.reason)
        .bind(self.failure.map(|it| it.code.as_ref()))
        .bind(self.failure.map(|it| it.message.as_str()))
        .bind(self.generation.map(signed))
        .bind(signed(self.duration_ms))
        .bind(self.attempt.to_string())
        .execute(db)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Forgets the captured answers of a connection: they are spent.
pub(super) async fn drop_captures(
    db: &mut SqliteConnection,
    id: &ConnectionId,
) -> Result<(), StorageError> {
    sqlx::query("delete from captures where connection = ?").bind(key(id)).execute(db).await?;
    Ok(())
}

impl Write for Skipped {
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
