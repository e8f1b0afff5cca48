//! One bite of what is forgotten: a look at a few old rows, which costs the writer nothing, and a write
//! that removes them.

use jiff::Timestamp;
use rusqlite::params;
use serde_json::Value;

use crate::model::attempt::Outcome;
use crate::storage::Bite;
use crate::storage::error::StorageError;
use crate::storage::sqlite::Sqlite;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::millis;
use crate::storage::sqlite::writer::{Db, Write, change};

/// Rows in one write.
const BITE: u32 = 500;

/// A row that was looked at: its key, whether it is old, and whether nobody needs it.
type Seen<T> = (T, bool, bool);

const ANY: &str = "
    select id, started_at < ?2,
           not exists (select 1 from connections
                       where id = attempts.connection and last_attempt = attempts.id)
    from attempts where id > ?1 and id < 'g' order by id limit ?3";

const UNSUCCESSFUL: &str = "
    select id, started_at < ?2,
           not exists (select 1 from connections
                       where id = attempts.connection and last_attempt = attempts.id)
    from attempts indexed by attempts_unsuccessful
    where outcome <> 'success' and id > ?1 and id < 'g' and outcome = ?4 order by id limit ?3";

const SUCCESSFUL: &str = "
    select id, started_at < ?2,
           not exists (select 1 from connections
                       where id = attempts.connection and last_attempt = attempts.id)
    from attempts where id > ?1 and id < 'g' and outcome = ?4 order by id limit ?3";

/// Their ids are in the order of time, and hexadecimal: the first stretch without an old one is the end.
pub(super) async fn attempts(
    sqlite: &Sqlite,
    before: Timestamp,
    outcome: Option<Outcome>,
    after: String,
) -> Result<Bite<String>, StorageError> {
    let look = sqlx::query_as::<_, Seen<String>>(match outcome {
        None => ANY,
        Some(Outcome::Success) => SUCCESSFUL,
        Some(Outcome::Failed | Outcome::Skipped) => UNSUCCESSFUL,
    });
    let look = look.bind(after).bind(millis(before)).bind(BITE);
    let look = match outcome {
        Some(outcome) => look.bind(outcome.as_str()),
        None => look,
    };
    let seen = look.fetch_all(&sqlite.readers).await?;
    let ids = removable(&seen);
    let removed = match ids.len() {
        0 => 0,
        _ => sqlite.writer.write(Attempts { ids: Value::from(ids), before }).await?,
    };
    Ok(Bite { removed, next: next(seen) })
}

/// Events that everybody was told of who wants them. The last one stays: the next goes on with its number.
pub(super) async fn events(
    sqlite: &Sqlite,
    before: Timestamp,
    after: i64,
) -> Result<Bite<i64>, StorageError> {
    let look = sqlx::query_as::<_, Seen<i64>>(
        "select id, at < ?2,
                not exists (select 1 from listeners l
                            where l.seen < outbox.id
                              and outbox.kind in (select value from json_each(l.kinds)))
                and id < (select max(id) from outbox)
         from outbox where id > ?1 order by id limit ?3",
    );
    let look = look.bind(after).bind(millis(before)).bind(BITE);
    let seen = look.fetch_all(&sqlite.readers).await?;
    let ids = removable(&seen);
    let removed = match ids.len() {
        0 => 0,
        _ => sqlite.writer.write(Events { ids: Value::from(ids) }).await?,
    };
    Ok(Bite { removed, next: next(seen) })
}

/// Entries of the audit log. Their numbers are in the order of time; what is counted has the time of the last.
pub(super) async fn audit(
    sqlite: &Sqlite,
    before: Timestamp,
    after: i64,
) -> Result<Bite<i64>, StorageError> {
    let look = sqlx::query_as::<_, Seen<i64>>(
        "select id, at < ?2, true from audit where id > ?1 order by id limit ?3",
    );
    let look = look.bind(after).bind(millis(before)).bind(BITE);
    let seen = look.fetch_all(&sqlite.readers).await?;
    let ids = removable(&seen);
    let removed = match ids.len() {
        0 => 0,
        _ => sqlite.writer.write(Entries { ids: Value::from(ids), before }).await?,
    };
    Ok(Bite { removed, next: next(seen) })
}

fn removable<T: Clone>(seen: &[Seen<T>]) -> Vec<T> {
    seen.iter().filter(|(_, old, free)| *old && *free).map(|(id, ..)| id.clone()).collect()
}

/// The last row of a stretch that had an old one in it.
fn next<T>(seen: Vec<Seen<T>>) -> Option<T> {
    let any_old = seen.iter().any(|(_, old, _)| *old);
    seen.into_iter().next_back().filter(|_| any_old).map(|(id, ..)| id)
}

struct Attempts {
    ids: Value,
    before: Timestamp,
}

impl Write for Attempts {
    type Answer = u64;

    /// Looked at anew: between the look and this write much may have happened.
    fn apply(&self, db: &Db) -> Result<u64, StorageError> {
        let removed = change(
            db,
            "delete from attempts
             where id in (select value from json_each(?1)) and started_at < ?2
               and not exists (select 1 from connections
                               where id = attempts.connection and last_attempt = attempts.id)",
            params![self.ids.to_string(), millis(self.before)],
        )?;
        Ok(removed as u64)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

struct Events {
    ids: Value,
}

impl Write for Events {
    type Answer = u64;

    /// With the number up to which something was removed: whoever comes back to a place before it has missed
    /// something.
    fn apply(&self, db: &Db) -> Result<u64, StorageError> {
        let mut remove = db.prepare_cached(
            "delete from outbox
             where id in (select value from json_each(?1))
               and not exists (select 1 from listeners l
                               where l.seen < outbox.id
                                 and outbox.kind in (select value from json_each(l.kinds)))
               and id < (select max(id) from outbox)
             returning id",
        )?;
        let ids = remove.query_map(params![self.ids.to_string()], |row| row.get::<_, i64>(0))?;
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = ids.iter().max() {
            change(
                db,
                "insert into meta (key, value) values ('events_removed', cast(?1 as text))
                 on conflict (key) do update
                 set value = max(cast(value as integer), cast(excluded.value as integer))",
                params![last],
            )?;
        }
        Ok(ids.len() as u64)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

struct Entries {
    ids: Value,
    before: Timestamp,
}

impl Write for Entries {
    type Answer = u64;

    /// Looked at anew: what is counted may have been done again.
    fn apply(&self, db: &Db) -> Result<u64, StorageError> {
        let removed = change(
            db,
            "delete from audit where id in (select value from json_each(?1)) and at < ?2",
            params![self.ids.to_string(), millis(self.before)],
        )?;
        Ok(removed as u64)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}
