//! Outlets, their messages, and what they have said.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::clock;
use crate::model::code::Code;
use crate::storage::error::StorageError;
use crate::storage::outlets::{Lane, NEWS_WITHIN, Place, Queued};
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, json, millis};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Ending, Message, Noted, Outlet, Settled};

pub(super) async fn all(readers: &SqlitePool) -> Result<Vec<Outlet>, StorageError> {
    let rows = sqlx::query(
        "select o.*,
                (select count(*) from messages m where m.outlet = o.name)
                + (select count(*) from pending p where p.sink = o.name) as waiting,
                coalesce((select next_at from messages m where m.outlet = o.name and apart = 0
                          order by id limit 1),
                         (select min(next_at) from messages m where m.outlet = o.name and apart = 1),
                         (select min(next_at) from pending p where p.sink = o.name)) as next_at
         from outlets o order by o.name",
    );
    rows.fetch_all(readers).await?.iter().map(readable).collect()
}

/// One whose row is damaged is shown with that as its error, and hides no other.
fn readable(row: &SqliteRow) -> Result<Outlet, StorageError> {
    outlet(row).or_else(|error| {
        let StorageError::Row { row, .. } = &error else { return Err(error) };
        let (name, error) = (row.clone(), Some((error.code(), error.to_string())));
        Ok(Outlet { name, error, ..Outlet::default() })
    })
}

fn outlet(row: &SqliteRow) -> Result<Outlet, StorageError> {
    let fields = Fields::new(row, "outlets", "name");
    let code = fields.text("error_code")?.map(|it| Code::read(&it));
    Ok(Outlet {
        name: fields.key().to_owned(),
        delivered_at: fields.time("delivered_at")?,
        failing_since: fields.time("failing_since")?,
        error: code.zip(fields.text("error_message")?),
        disabled_at: fields.time("disabled_at")?,
        waiting: fields.count("waiting")?,
        next_at: fields.time("next_at")?,
    })
}

pub(super) async fn is_disabled(readers: &SqlitePool, outlet: &str) -> Result<bool, StorageError> {
    let off = "select exists (select 1 from outlets where name = ? and disabled_at is not null)";
    Ok(sqlx::query_scalar(off).bind(outlet).fetch_one(readers).await?)
}

const IN_ORDER: &str = "
    select *, cast(id as text) as key from messages
    where outlet = ? and apart = 0 and id > ?
    order by id limit ?";

const APART: &str = "
    select *, cast(id as text) as key from messages
    where outlet = ? and apart = 1 and (next_at, id) > (?, ?)
    order by next_at, id limit ?";

pub(super) async fn queued(
    readers: &SqlitePool,
    outlet: &str,
    lane: Lane,
    after: Place,
    limit: u32,
) -> Result<Queued, StorageError> {
    let rows = match lane {
        Lane::InOrder => sqlx::query(IN_ORDER).bind(outlet).bind(after.id),
        Lane::Apart => sqlx::query(APART).bind(outlet).bind(after.next_at).bind(after.id),
    };
    let rows = rows.bind(limit).fetch_all(readers).await?;
    let last = rows.last().map(place).transpose()?;
    let mut queued = Queued { last, ..Queued::default() };
    for row in &rows {
        match message(row) {
            Ok(message) => queued.messages.push(message),
            Err(error) => queued.unreadable.push(error),
        }
    }
    Ok(queued)
}

fn place(row: &SqliteRow) -> Result<Place, StorageError> {
    Ok(Place { next_at: row.try_get("next_at")?, id: row.try_get("id")? })
}

fn message(row: &SqliteRow) -> Result<Message, StorageError> {
    let fields = Fields::new(row, "messages", "key");
    Ok(Message {
        id: fields.required("id", fields.integer("id")?)?,
        made_at: fields.required("made_at", fields.time("made_at")?)?,
        content: fields.required("content", fields.text("content")?)?,
        tries: u32::try_from(fields.count("tries")?).unwrap_or(u32::MAX),
        next_at: fields.required("next_at", fields.time("next_at")?)?,
        rest: fields.json("rest")?,
    })
}

pub(super) async fn alerts(
    readers: &SqlitePool,
    outlet: &str,
) -> Result<Vec<Result<(String, String), StorageError>>, StorageError> {
    let all = "select subject, state from alerts where outlet = ? order by subject";
    let all = sqlx::query(all).bind(outlet).fetch_all(readers).await?;
    Ok(all.iter().map(alert).collect())
}

fn alert(row: &SqliteRow) -> Result<(String, String), StorageError> {
    let fields = Fields::new(row, "alerts", "subject");
    let subject = fields.required("subject", fields.text("subject")?)?;
    Ok((subject, fields.required("state", fields.text("state")?)?))
}

impl Write for Noted {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(db, "insert or ignore into outlets (name) values (?1)", params![self.outlet])?;
        if let Some(seen) = self.seen {
            let note = "update listeners set seen = max(seen, ?2) where name = ?1";
            change(db, note, params![self.outlet, seen])?;
        }
        for (subject, state) in &self.alerts {
            let put = "insert into alerts (outlet, subject, state) values (?1, ?2, ?3)
                       on conflict (outlet, subject) do update set state = excluded.state";
            let forget = "delete from alerts where outlet = ?1 and subject = ?2";
            match state {
                Some(state) => change(db, put, params![self.outlet, subject, state])?,
                None => change(db, forget, params![self.outlet, subject])?,
            };
        }
        self.hasten(db)?;
        let in_order = self.messages.iter().map(|it| (it, false));
        for (content, apart) in in_order.chain(self.apart.iter().map(|it| (it, true))) {
            let add = "insert into messages (outlet, made_at, content, next_at, apart)
                       values (?1, ?2, ?3, ?2, ?4)";
            change(db, add, params![self.outlet, millis(self.at), content, apart])?;
        }
        Ok(())
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

impl Noted {
    /// What is new brings nearer what holds it up, unless the receiver has asked for time.
    fn hasten(&self, db: &Db) -> Result<(), StorageError> {
        if self.messages.is_empty() {
            return Ok(());
        }
        let hasten = "update messages set next_at = max(?2, coalesce(held_until, ?2))
                      where outlet = ?1 and apart = 0 and next_at > ?2";
        let soon = millis(clock::after(self.at, NEWS_WITHIN));
        change(db, hasten, params![self.outlet, soon]).map(drop)
    }
}

impl Write for Settled {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(db, "insert or ignore into outlets (name) values (?1)", params![self.outlet])?;
        match &self.ending {
            Ending::Delivered => {
                self.forget(db)?;
                self.went_well(db)
            }
            Ending::Dropped => self.forget(db),
            Ending::Again(next, code, why) => {
                self.put_off(db, *next, false)?;
                self.failed(db, code, why, false)
            }
            Ending::Told(next, code, why) => {
                self.put_off(db, *next, true)?;
                self.failed(db, code, why, false)
            }
            Ending::Partly { rest, next, code, why } => {
                self.put_off(db, *next, false)?;
                let apart = "update messages set apart = 1, rest = ?2 where id = ?1";
                change(db, apart, params![self.message, json(rest)])?;
                self.went_well(db)?;
                self.failed(db, code, why, false)
            }
            Ending::GivenUp(code, why) => {
                self.forget(db)?;
                self.failed(db, code, why, false)
            }
            Ending::Disabled(code, why) => {
                self.forget(db)?;
                self.failed(db, code, why, true)
            }
        }
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

impl Settled {
    fn forget(&self, db: &Db) -> Result<(), StorageError> {
        change(db, "delete from messages where id = ?1", params![self.message]).map(drop)
    }

    fn put_off(&self, db: &Db, next: Timestamp, told: bool) -> Result<(), StorageError> {
        let again =
            "update messages set tries = tries + 1, next_at = ?2, held_until = iif(?3, ?2, null)
                     where id = ?1";
        change(db, again, params![self.message, millis(next), told]).map(drop)
    }

    fn went_well(&self, db: &Db) -> Result<(), StorageError> {
        change(
            db,
            "update outlets
             set delivered_at = ?2, failing_since = null, error_code = null, error_message = null,
                 disabled_at = null
             where name = ?1",
            params![self.outlet, millis(self.at)],
        )
        .map(drop)
    }

    fn failed(&self, db: &Db, code: &Code, why: &str, ends: bool) -> Result<(), StorageError> {
        change(
            db,
            "update outlets
             set failing_since = coalesce(failing_since, ?2), error_code = ?3, error_message = ?4,
                 disabled_at = iif(?5, ?2, disabled_at)
             where name = ?1",
            params![self.outlet, millis(self.at), code.text(), why, ends],
        )
        .map(drop)
    }
}

/// Those of a kind that stay.
pub(super) struct Keep {
    pub(super) kind: String,
    pub(super) names: Vec<String>,
}

impl Write for Keep {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let names = json(&self.names);
        for forget in [
            "delete from outlets
             where name >= ?1 || ':' and name < ?1 || ';'
               and name not in (select value from json_each(?2))",
            "delete from messages
             where outlet >= ?1 || ':' and outlet < ?1 || ';'
               and outlet not in (select value from json_each(?2))",
            "delete from alerts
             where outlet >= ?1 || ':' and outlet < ?1 || ';'
               and outlet not in (select value from json_each(?2))",
        ] {
            change(db, forget, params![self.kind, names])?;
        }
        Ok(())
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// What a clock that was ahead has put off.
pub(super) struct Recall {
    pub(super) outlet: String,
    pub(super) now: Timestamp,
    pub(super) ahead: Duration,
}

impl Write for Recall {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let longest = millis(clock::after(self.now, self.ahead));
        change(
            db,
            "update messages set made_at = min(made_at, ?2), next_at = ?2, held_until = null
             where outlet = ?1 and (made_at > ?2 or next_at > ?3)",
            params![self.outlet, millis(self.now), longest],
        )
        .map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// A process that is at work.
pub(super) struct Alive(pub(super) Timestamp);

impl Write for Alive {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let note = "insert into meta (key, value) values ('alive_at', ?1)
                    on conflict (key) do update set value = excluded.value";
        change(db, note, params![self.0.to_string()]).map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}
