//! The intent to send. Its row is the claim on the connection, of which there is at most one: the key of
//! the table sees to that. It becomes a finished attempt when it ends.

use jiff::Timestamp;
use rusqlite::params;

use crate::model::attempt::{Course, Outcome, Spent};
use crate::model::code;
use crate::model::exchange::Exchange;
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::error::StorageError;
use crate::storage::sqlite::captures;
use crate::storage::sqlite::hours::Ended;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{json, key, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Begin, Begun, Captured, Renewal};

/// Takes the connection, if it is free and of the right generation.
const CLAIM: &str = "
    insert into claims (connection, attempt, provider, trigger, rotation, digest, owner, lease_until,
                        generation, started_at)
    select id, ?3, provider, ?4, ?5, ?6, ?7, ?8, generation, ?9
    from connections where id = ?1 and generation = ?2
    on conflict (connection) do nothing";

impl Write for Begin {
    type Answer = Begun;

    fn apply(&self, db: &Db) -> Result<Begun, StorageError> {
        if let Some(interrupted) = self.adopts {
            close_interrupted(db, &self.connection, self.generation, interrupted, self.at)?;
        }
        let claimed = change(
            db,
            CLAIM,
            params![
                key(&self.connection),
                signed(self.generation),
                self.attempt.to_string(),
                self.trigger.as_str(),
                json(&self.rotation),
                self.digest,
                self.owner,
                millis(self.lease_until),
                millis(self.at),
            ],
        )?;
        if claimed == 0 {
            return Ok(Begun::Lost);
        }
        self.note_doubt(db)?;
        // A request without an answer stays with the answers: reading them does not settle it.
        match self.captured {
            Captured::Stay => {}
            Captured::AreRead => captures::count_reading(db, &self.connection)?,
            Captured::AreGivenUp => captures::forget(db, &self.connection)?,
        }
        Ok(Begun::Yes)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.connection.clone())
    }
}

impl Begin {
    fn note_doubt(&self, db: &Db) -> Result<(), StorageError> {
        let Some(since) = self.doubt_since else { return Ok(()) };
        let note = "update connections set doubt_since = coalesce(doubt_since, ?2) where id = ?1";
        change(db, note, params![key(&self.connection), millis(since)]).map(drop)
    }
}

impl Write for Renewal {
    type Answer = Begun;

    fn apply(&self, db: &Db) -> Result<Begun, StorageError> {
        let renewed = change(
            db,
            "update claims set lease_until = max(lease_until, ?3)
             where connection = ?1 and attempt = ?2",
            params![key(&self.connection), self.attempt.to_string(), millis(self.lease_until)],
        )?;
        Ok(if renewed == 1 { Begun::Yes } else { Begun::Lost })
    }

    fn touched(&self) -> Touched {
        Touched::One(self.connection.clone())
    }
}

/// How a claim becomes a finished attempt.
pub(super) struct End<'a> {
    pub(super) connection: &'a ConnectionId,
    pub(super) attempt: AttemptId,
    pub(super) course: &'a Course,
    /// The generation that is current from now on, if it is another one.
    pub(super) generation: Option<u64>,
    /// Now.
    pub(super) at: Timestamp,
    /// `None` when nobody knows.
    pub(super) duration_ms: Option<u64>,
    pub(super) spent: Spent,
    pub(super) exchanges: &'a [Exchange],
}

const FINISH: &str = "
    insert into attempts (id, connection, provider, trigger, outcome, reason, error_case, error_code,
                          error_message, rotation, digest, generation, started_at, duration_ms,
                          waited_ms, provider_ms, ended, exchanges)
    select attempt, connection, provider, trigger, ?3, ?4, ?5, ?6, ?7, rotation, digest,
           coalesce(?8, generation), started_at, ?9, ?10, ?11, ?12, ?13
    from claims where connection = ?1 and attempt = ?2";

/// Ends an attempt; false, and nothing written, if it has no claim any more.
pub(super) fn finish(db: &Db, end: &End<'_>) -> Result<bool, StorageError> {
    let (connection, attempt) = (key(end.connection), end.attempt.to_string());
    let (outcome, reason, failure) = parts(end.course);
    let finished = change(
        db,
        FINISH,
        params![
            connection,
            attempt,
            outcome.map(Outcome::as_str),
            reason,
            failure.map(|it| it.case.as_str()),
            failure.map(|it| it.code.text()),
            failure.map(|it| it.message.as_str()),
            end.generation.map(signed),
            end.duration_ms.map(signed),
            end.spent.waited_ms.map(signed),
            end.spent.provider_ms.map(signed),
            db.place(end.at)?,
            (!end.exchanges.is_empty()).then(|| json(&end.exchanges)),
        ],
    )?;
    if finished == 0 {
        return Ok(false);
    }
    if let Some(outcome) = outcome {
        let (provider, code) = (end.connection.provider(), failure.map(|it| it.code.text()));
        let provider_ms = end.spent.provider_ms;
        db.count(&Ended { provider, outcome, code, provider_ms, at: end.at });
    }
    let release = "delete from claims where connection = ?1 and attempt = ?2";
    change(db, release, params![connection, attempt])?;
    Ok(true)
}

/// A course, taken apart for its columns.
fn parts(course: &Course) -> (Option<Outcome>, Option<&str>, Option<&Failure>) {
    match course {
        Course::Open => (None, None, None),
        Course::Success(how) => (Some(Outcome::Success), how.as_deref(), None),
        Course::Skipped(reason) => (Some(Outcome::Skipped), Some(reason), None),
        Course::Failed(failure) => (Some(Outcome::Failed), None, Some(failure)),
    }
}

/// Closes an attempt that will never have an outcome, unless another generation is there: whoever wanted to
/// take it over is then lost, and writes nothing. Otherwise, unless what follows
/// says more, its connection is looked at now.
pub(super) fn close_interrupted(
    db: &Db,
    connection: &ConnectionId,
    generation: u64,
    attempt: AttemptId,
    at: Timestamp,
) -> Result<(), StorageError> {
    let current = "select 1 from connections where id = ?1 and generation = ?2";
    if !db.prepare_cached(current)?.exists(params![key(connection), signed(generation)])? {
        return Ok(());
    }
    let message =
        "keepfresh stopped before this attempt was finished; the next attempt resolves it";
    let course = Course::Failed(Failure::new(Case::InDoubt, code::Refresh::Interrupted, message));
    let (course, generation, duration_ms, spent) = (&course, None, None, Spent::default());
    let exchanges = &[];
    let end = End { connection, attempt, course, generation, at, duration_ms, spent, exchanges };
    if finish(db, &end)? {
        let note = "update connections set last_attempt = ?2, due_at = ?3, due_trigger = 'recovery'
                    where id = ?1";
        change(db, note, params![key(connection), attempt.to_string(), millis(at)])?;
    }
    Ok(())
}
