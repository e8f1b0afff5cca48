//! Sealed token sets, one for each connection: an old token is of no use to anybody but a thief. And the
//! one way in which a new one takes the place of the old.

use jiff::Timestamp;
use rusqlite::params;

use crate::model::connection::{Agreed, Due};
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::{TokenSet, fingerprint};
use crate::storage::ManualSet;
use crate::storage::error::StorageError;
use crate::storage::sqlite::captures;
use crate::storage::sqlite::claims::close_interrupted;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{json, key, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::vault::Sealed;

/// The next generation of a connection.
pub(super) struct Advance<'a> {
    pub(super) connection: &'a ConnectionId,
    /// The generation that it follows.
    pub(super) from: u64,
    /// The attempt that must have the claim; `None` when nobody may have it.
    pub(super) attempt: Option<AttemptId>,
    /// The set and its sealed form; `None` when the token is forgotten.
    pub(super) token: Option<(&'a TokenSet, &'a Sealed)>,
    /// Keyed digests of the configuration that it came of, if they are known.
    pub(super) config: Option<&'a [u8]>,
    /// Why it is of no use, when it came dead.
    pub(super) dead: Option<&'a Failure>,
    /// What a person agreed to for it. By hand, nobody has agreed to anything.
    pub(super) agreed: Option<&'a Agreed>,
    /// Whether it may be another account's than before.
    pub(super) may_be_another: bool,
    /// When it is looked at next.
    pub(super) due: Option<Due>,
    pub(super) at: Timestamp,
}

const FACTS: &str = "
    update connections
    set generation = generation + 1, token_type = ?4, issued_at = ?5, expires_at = ?6,
        refresh_expires_at = ?7, fingerprint = ?8, scopes = ?9, metadata = ?10, config = ?11,
        failures = iif(?13 is null, 0, failures + 1), problem = null, problem_config = null,
        error_case = ?12, error_code = ?13, error_message = ?14, doubt_since = null,
        due_at = ?15, due_trigger = ?16, last_attempt = coalesce(?3, last_attempt),
        agreed = iif(?3 is null, null, coalesce(?17, agreed)), profile = iif(?18, null, profile)
    where id = ?1 and generation = ?2
      and ?3 is (select attempt from claims where connection = ?1)";

/// Stores the next generation and spends what was captured for it; false, and nothing written, if
/// another one is there by now, or the claim is another's.
pub(super) fn advance(db: &Db, next: &Advance<'_>) -> Result<bool, StorageError> {
    if !next.facts(db)? {
        return Ok(false);
    }
    captures::forget(db, next.connection)?;
    next.replace(db)?;
    Ok(true)
}

impl Advance<'_> {
    fn facts(&self, db: &Db) -> Result<bool, StorageError> {
        let token = self.token.map(|(token, _)| token);
        let advanced = change(
            db,
            FACTS,
            params![
                key(self.connection),
                signed(self.from),
                self.attempt.map(|it| it.to_string()),
                token.map(|it| it.token_type.as_str()),
                token.map(|_| millis(self.at)),
                token.and_then(|it| it.expires_at).map(millis),
                token.and_then(|it| it.refresh_expires_at).map(millis),
                token.map(|it| fingerprint(&it.access_token)),
                token.map(|it| json(&it.scopes)),
                token.map(|it| json(&it.metadata)),
                self.config,
                self.dead.map(|it| it.case.as_str()),
                self.dead.map(|it| it.code.text()),
                self.dead.map(|it| it.message.as_str()),
                self.due.map(|it| millis(it.at)),
                self.due.map(|it| it.trigger.as_str()),
                self.agreed.map(json),
                self.may_be_another,
            ],
        )?;
        Ok(advanced == 1)
    }

    fn replace(&self, db: &Db) -> Result<(), StorageError> {
        let connection = key(self.connection);
        let Some((_, sealed)) = self.token else {
            let forget = "delete from generations where connection = ?1";
            return change(db, forget, params![connection]).map(drop);
        };
        change(
            db,
            "insert into generations (connection, generation, sealed, attempt, created_at)
             values (?1, ?2, ?3, ?4, ?5)
             on conflict (connection) do update
             set generation = excluded.generation, sealed = excluded.sealed,
                 attempt = excluded.attempt, created_at = excluded.created_at",
            params![
                connection,
                signed(self.from + 1),
                sealed.as_bytes(),
                self.attempt.map(|it| it.to_string()),
                millis(self.at),
            ],
        )
        .map(drop)
    }
}

impl Write for ManualSet {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        if let Some(interrupted) = self.adopts {
            close_interrupted(db, &self.connection, self.generation, interrupted, self.at)?;
        }
        let next = Advance {
            connection: &self.connection,
            from: self.generation,
            attempt: None,
            token: self.token.as_ref().map(|(token, sealed)| (token, sealed)),
            config: None,
            dead: None,
            agreed: None,
            may_be_another: false,
            due: self.due,
            at: self.at,
        };
        advance(db, &next)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.connection.clone())
    }
}
