//! Sealed token sets. Only the current one is kept: an old token is of no use to anybody but a thief.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use crate::model::connection::Due;
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::{TokenSet, fingerprint};
use crate::storage::Storage;
use crate::storage::begin::close_interrupted;
use crate::storage::captures;
use crate::storage::error::StorageError;
use crate::storage::rows::{key, millis, signed};
use crate::storage::writer::WriteOne;
use crate::vault::Sealed;

/// A token set given, or taken away, by a person.
#[derive(Debug)]
pub struct ManualSet {
    /// Whose.
    pub connection: ConnectionId,
    /// The generation it replaces.
    pub generation: u64,
    /// The set and its sealed form; `None` forgets the token.
    pub token: Option<(TokenSet, Sealed)>,
    /// When it is looked at next.
    pub due: Option<Due>,
    /// The interrupted attempt of a dead process, closed in the same step.
    pub adopts: Option<AttemptId>,
    /// Now.
    pub at: Timestamp,
}

impl Storage {
    /// Stores or forgets a token by hand; false if a refresh was faster or is running.
    pub async fn set_manually(&self, set: ManualSet) -> Result<bool, StorageError> {
        self.write_times(set).await
    }
}

/// Makes `sealed` the only token set of the connection.
pub(super) async fn replace(
    db: &mut SqliteConnection,
    id: &ConnectionId,
    generation: u64,
    sealed: &Sealed,
    attempt: Option<AttemptId>,
    at: Timestamp,
) -> Result<(), StorageError> {
    forget(db, id).await?;
    sqlx::query(
        "insert into generations (connection, generation, sealed, attempt, created_at)
         values (?, ?, ?, ?, ?)",
    )
    .bind(key(id))
    .bind(signed(generation))
    .bind(sealed.as_bytes())
    .bind(attempt.map(|it| it.to_string()))
    .bind(millis(at))
    .execute(db)
    .await?;
    Ok(())
}

async fn forget(db: &mut SqliteConnection, id: &ConnectionId) -> Result<(), StorageError> {
    sqlx::query("delete from generations where connection = ?").bind(key(id)).execute(db).await?;
    Ok(())
}

impl WriteOne for ManualSet {
    type Answer = bool;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<bool, StorageError>> {
        Box::pin(async move {
            if let Some(interrupted) = self.adopts {
                close_interrupted(db, interrupted).await?;
            }
            if !self.advance(db).await? {
                return Ok(false);
            }
            captures::forget(db, &self.connection).await?;
            let next = self.generation + 1;
            match &self.token {
                Some((_, sealed)) => {
                    replace(db, &self.connection, next, sealed, None, self.at).await?;
                }
                None => forget(db, &self.connection).await?,
            }
            Ok(true)
        })
    }
}

impl ManualSet {
    async fn advance(&self, db: &mut SqliteConnection) -> Result<bool, StorageError> {
        let token = self.token.as_ref().map(|(token, _)| token);
        let done = sqlx::query(
            "update connections
             set generation = generation + 1, token_type = ?1, issued_at = ?2, expires_at = ?3,
                 refresh_expires_at = ?4, fingerprint = ?5, scopes = ?6, metadata = '[]',
                 config = null,
                 failures = 0, problem = null, problem_config = null, error_case = null,
                 error_code = null, error_message = null, doubt_since = null,
                 due_at = ?7, due_trigger = ?8
             where id = ?9 and generation = ?10
               and not exists (select 1 from attempts where connection = ?9 and outcome is null)",
        )
        .bind(token.map(|it| it.token_type.clone()))
        .bind(token.map(|_| millis(self.at)))
        .bind(token.and_then(|it| it.expires_at).map(millis))
        .bind(token.and_then(|it| it.refresh_expires_at).map(millis))
        .bind(token.map(|it| fingerprint(&it.access_token)))
        .bind(token.map(|it| serde_json::to_string(&it.scopes).unwrap_or_default()))
        .bind(self.due.map(|it| millis(it.at)))
        .bind(self.due.map(|it| it.trigger.as_str()))
        .bind(key(&self.connection))
        .bind(signed(self.generation))
        .execute(db)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
