//! A new generation and all that goes with it: the compare and swap that lets only the generation
//! after the one that was sent be stored, and only by the attempt that is still open.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnection;

use crate::model::connection::Due;
use crate::model::event::Event;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::{TokenSet, fingerprint, hex};
use crate::storage::begin::Begun;
use crate::storage::error::StorageError;
use crate::storage::rows::{json_rows, key, millis, signed};
use crate::storage::writer::Write;
use crate::storage::{Storage, outbox};
use crate::vault::Sealed;

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
    /// Keyed digests of the configuration that it came of, if they are known.
    pub config: Option<Vec<u8>>,
    /// Why it is of no use, when it came dead: then the attempt has failed.
    pub dead: Option<Failure>,
    /// When it is looked at next.
    pub due: Option<Due>,
    /// What to tell.
    pub events: Vec<Event>,
    /// Now.
    pub at: Timestamp,
    /// How long the attempt took.
    pub duration_ms: u64,
}

impl Storage {
    /// Stores the next generation; `Lost`, and nothing written, if the one it was sent from is no
    /// longer current or the attempt is no longer open.
    pub async fn succeed(&self, mut succeeded: Succeeded) -> Result<Begun, StorageError> {
        self.keep_heard(&mut succeeded.events);
        let (id, tells) = (succeeded.connection.clone(), !succeeded.events.is_empty());
        let begun = self.write_times(succeeded).await?;
        self.wake_listeners(tells);
        if begun == Begun::Yes {
            self.drop_answers(&id);
        }
        Ok(begun)
    }
}

impl Write for Succeeded {
    type Answer = Begun;

    fn apply_all<'a>(
        writes: &'a [Self],
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Vec<Begun>, StorageError>> {
        Box::pin(async move {
            let advanced = advance(db, &json_rows(writes, Self::facts)).await?;
            let stands = |it: &&Self| advanced.contains(&key(&it.connection));
            let rows = json_rows(writes.iter().filter(stands), Succeeded::generation_row);
            for statement in STORE {
                sqlx::query(*statement).bind(&rows).execute(&mut *db).await?;
            }
            let events = writes.iter().filter(stands).flat_map(|it| &it.events);
            outbox::append(db, events).await?;
            let begun = |it: &Self| if stands(&it) { Begun::Yes } else { Begun::Lost };
            Ok(writes.iter().map(begun).collect())
        })
    }
}

/// What follows once the generations have advanced: the sealed set replaces the one before it, the
/// attempt is over, its captured answers are spent.
const STORE: &[&str] = &[
    "delete from generations where connection in (select value ->> 'id' from json_each(?))",
    "insert into generations (connection, generation, sealed, attempt, created_at)
     select value ->> 'id', value ->> 'generation', unhex(value ->> 'sealed'),
            value ->> 'attempt', value ->> 'at'
     from json_each(?)",
    "update attempts
     set outcome = iif(j.error_code is null, 'success', 'failed'), reason = j.reason,
         error_case = j.error_case, error_code = j.error_code, error_message = j.error_message,
         generation = j.generation, duration_ms = j.duration_ms
     from (select value ->> 'attempt' as id, value ->> 'reason' as reason,
                  value ->> 'error_case' as error_case, value ->> 'error_code' as error_code,
                  value ->> 'error_message' as error_message,
                  value ->> 'generation' as generation, value ->> 'duration_ms' as duration_ms
           from json_each(?)) j
     where attempts.id = j.id",
    "delete from captures where connection in (select value ->> 'id' from json_each(?))",
];

impl Succeeded {
    fn facts(&self) -> Value {
        let token = &self.token;
        json!({
            "id": key(&self.connection),
            "attempt": self.attempt,
            "from": signed(self.generation),
            "token_type": token.token_type,
            "at": millis(self.at),
            "expires_at": token.expires_at.map(millis),
            "refresh_expires_at": token.refresh_expires_at.map(millis),
            "fingerprint": fingerprint(&token.access_token),
            "scopes": json!(token.scopes).to_string(),
            "metadata": json!(token.metadata).to_string(),
            "config": self.config.as_deref().map(hex),
            "error_case": self.dead.as_ref().map(|it| it.case.as_str()),
            "error_code": self.dead.as_ref().map(|it| &it.code),
            "error_message": self.dead.as_ref().map(|it| &it.message),
            "due_at": self.due.map(|it| millis(it.at)),
            "due_trigger": self.due.map(|it| it.trigger.as_str()),
        })
    }

    fn generation_row(&self) -> Value {
        json!({
            "id": key(&self.connection),
            "attempt": self.attempt,
            "generation": signed(self.generation + 1),
            "sealed": hex(self.sealed.as_bytes()),
            "at": millis(self.at),
            "reason": self.reason,
            "error_case": self.dead.as_ref().map(|it| it.case.as_str()),
            "error_code": self.dead.as_ref().map(|it| &it.code),
            "error_message": self.dead.as_ref().map(|it| &it.message),
            "duration_ms": signed(self.duration_ms),
        })
    }
}

/// Advances what may advance; returns the connections that did.
async fn advance(db: &mut SqliteConnection, rows: &str) -> Result<HashSet<String>, StorageError> {
    let advanced = sqlx::query_scalar(
        "update connections
         set generation = generation + 1, token_type = j.value ->> 'token_type',
             issued_at = j.value ->> 'at', expires_at = j.value ->> 'expires_at',
             refresh_expires_at = j.value ->> 'refresh_expires_at',
             fingerprint = j.value ->> 'fingerprint', scopes = j.value ->> 'scopes',
             metadata = j.value ->> 'metadata', config = unhex(j.value ->> 'config'),
             failures = iif(j.value ->> 'error_code' is null, 0, failures + 1),
             problem = null, problem_config = null, error_case = j.value ->> 'error_case',
             error_code = j.value ->> 'error_code',
             error_message = j.value ->> 'error_message', doubt_since = null,
             due_at = j.value ->> 'due_at', due_trigger = j.value ->> 'due_trigger'
         from json_each(?) j
         where connections.id = j.value ->> 'id' and connections.generation = j.value ->> 'from'
           and exists (select 1 from attempts
                       where id = j.value ->> 'attempt' and outcome is null)
         returning connections.id",
    );
    Ok(advanced.bind(rows).fetch_all(db).await?.into_iter().collect())
}
