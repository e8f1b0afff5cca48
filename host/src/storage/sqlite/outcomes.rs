//! How attempts end: a new generation, a failure and what follows from it, a try of a person that came to
//! nothing, a request that sent nothing.

use rusqlite::params;

use crate::model::attempt::{Course, Outcome};
use crate::model::connection::Problem;
use crate::storage::error::StorageError;
use crate::storage::sqlite::captures;
use crate::storage::sqlite::claims::{End, finish};
use crate::storage::sqlite::generations::{Advance, advance};
use crate::storage::sqlite::hours::Ended;
use crate::storage::sqlite::listeners::append;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{key, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Abandoned, Begun, Failed, Skipped, Succeeded};

impl Write for Succeeded {
    type Answer = Begun;

    /// The compare and swap: only the generation after the one that was sent is stored, and only by the
    /// attempt that still has the claim.
    fn apply(&self, db: &Db) -> Result<Begun, StorageError> {
        let next = Advance {
            connection: &self.connection,
            from: self.generation,
            attempt: Some(self.attempt),
            token: Some((&self.token, &self.sealed)),
            config: self.config.as_deref(),
            dead: self.dead.as_ref(),
            agreed: self.agreed.as_ref(),
            may_be_another: self.may_be_another,
            due: self.due,
            at: self.at,
        };
        if !advance(db, &next)? {
            return Ok(Begun::Lost);
        }
        let success = || Course::Success(self.reason.clone());
        let course = self.dead.clone().map_or_else(success, Course::Failed);
        let end = End {
            connection: &self.connection,
            attempt: self.attempt,
            course: &course,
            generation: Some(self.generation + 1),
            at: self.at,
            duration_ms: Some(self.duration_ms),
            spent: self.spent,
            exchanges: &self.exchanges,
        };
        finish(db, &end)?;
        append(db, &self.events)?;
        Ok(Begun::Yes)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.connection.clone())
    }
}

impl Write for Failed {
    type Answer = Begun;

    fn apply(&self, db: &Db) -> Result<Begun, StorageError> {
        let course = Course::Failed(self.failure.clone());
        let end = End {
            connection: &self.connection,
            attempt: self.attempt,
            course: &course,
            generation: None,
            at: self.at,
            duration_ms: Some(self.duration_ms),
            spent: self.spent,
            exchanges: &self.exchanges,
        };
        if !finish(db, &end)? {
            return Ok(Begun::Lost);
        }
        // Answers of another generation are not its to spend.
        if self.note(db)? && !self.keep_captures {
            captures::forget(db, &self.connection)?;
        }
        append(db, &self.events)?;
        Ok(Begun::Yes)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.connection.clone())
    }
}

impl Failed {
    /// What it says of the connection; false, and nothing written, if another generation is there.
    fn note(&self, db: &Db) -> Result<bool, StorageError> {
        let noted = change(
            db,
            "update connections
             set failures = failures + 1, problem = ?3, problem_config = ?4, error_case = ?5,
                 error_code = ?6, error_message = ?7,
                 doubt_since = iif(?8 is null, null, coalesce(doubt_since, ?8)),
                 due_at = ?9, due_trigger = ?10, last_attempt = ?11
             where id = ?1 and generation = ?2",
            params![
                key(&self.connection),
                signed(self.generation),
                self.problem.map(Problem::as_str),
                self.config,
                self.failure.case.as_str(),
                self.failure.code.text(),
                self.failure.message,
                self.doubt_since.map(millis),
                self.due.map(|it| millis(it.at)),
                self.due.map(|it| it.trigger.as_str()),
                self.attempt.to_string(),
            ],
        )?;
        Ok(noted == 1)
    }
}

impl Write for Abandoned {
    type Answer = Begun;

    fn apply(&self, db: &Db) -> Result<Begun, StorageError> {
        let course = Course::Failed(self.failure.clone());
        let end = End {
            connection: &self.connection,
            attempt: self.attempt,
            course: &course,
            generation: None,
            at: self.at,
            duration_ms: Some(self.duration_ms),
            spent: self.spent,
            exchanges: &self.exchanges,
        };
        if !finish(db, &end)? {
            return Ok(Begun::Lost);
        }
        let note = "update connections set last_attempt = ?2 where id = ?1";
        change(db, note, params![key(&self.connection), self.attempt.to_string()])?;
        Ok(Begun::Yes)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.connection.clone())
    }
}

impl Write for Skipped {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(
            db,
            "insert into attempts (id, connection, provider, trigger, outcome, reason, rotation,
                                   generation, started_at, duration_ms, ended)
             values (?1, ?2, ?3, ?4, 'skipped', ?5, '\"unknown\"', ?6, ?7, 0, ?8)",
            params![
                self.attempt.to_string(),
                key(&self.connection),
                self.connection.provider(),
                self.trigger.as_str(),
                self.reason,
                signed(self.generation),
                millis(self.at),
                db.place(self.at)?,
            ],
        )?;
        let (provider, outcome) = (self.connection.provider(), Outcome::Skipped);
        db.count(&Ended { provider, outcome, code: None, provider_ms: None, at: self.at });
        Ok(())
    }

    fn touched(&self) -> Touched {
        Touched::One(self.connection.clone())
    }
}
