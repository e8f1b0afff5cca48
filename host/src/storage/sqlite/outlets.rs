//! Outlets, their messages, and what they have said.

use jiff::Timestamp;
use rusqlite::params;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::code::Code;
use crate::storage::error::StorageError;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, json, millis};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Ending, Message, Noted, Outlet, Settled};

pub(super) async fn all(readers: &SqlitePool) -> Result<Vec<Outlet>, StorageError> {
    let rows = sqlx::query(
        "select o.*,
                (select count(*) from messages m where m.outlet = o.name)
                + (select count(*) from pending p where p.sink = o.name) as waiting,
                coalesce((select min(next_at) from messages m where m.outlet = o.name),
                         (select min(next_at) from pending p where p.sink = o.name)) as next_at
         from outlets o order by o.name",
    );
    rows.fetch_all(readers).await?.iter().map(outlet).collect()
}

fn outlet(row: &SqliteRow) -> Result<Outlet, StorageError> {
    let fields = Fields::new(row, "outlets", "name")?;
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

pub(super) async fn messages(
    readers: &SqlitePool,
    outlet: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Message>, StorageError> {
    let rows = sqlx::query(
        "select id, made_at, content, tries, cast(id as text) as key from messages
         where outlet = ? and next_at <= ? order by next_at, id limit ?",
    );
    let rows = rows.bind(outlet).bind(millis(now)).bind(limit).fetch_all(readers).await?;
    let mut messages = rows.iter().map(message).collect::<Result<Vec<_>, _>>()?;
    // What is late is told in the order in which it happened.
    messages.sort_by_key(|it| it.id);
    Ok(messages)
}

fn message(row: &SqliteRow) -> Result<Message, StorageError> {
    let fields = Fields::new(row, "messages", "key")?;
    Ok(Message {
        id: fields.required("id", fields.integer("id")?)?,
        made_at: fields.required("made_at", fields.time("made_at")?)?,
        content: fields.required("content", fields.text("content")?)?,
        tries: u32::try_from(fields.count("tries")?).unwrap_or(u32::MAX),
    })
}

pub(super) async fn next_message(
    readers: &SqlitePool,
    outlet: &str,
) -> Result<Option<Timestamp>, StorageError> {
    let next = "select min(next_at) from messages where outlet = ?";
    let next: Option<i64> = sqlx::query_scalar(next).bind(outlet).fetch_one(readers).await?;
    Ok(next.and_then(|it| Timestamp::from_millisecond(it).ok()))
}

pub(super) async fn alerts(
    readers: &SqlitePool,
    outlet: &str,
) -> Result<Vec<(String, String)>, StorageError> {
    let all = "select subject, state from alerts where outlet = ? order by subject";
    Ok(sqlx::query_as(all).bind(outlet).fetch_all(readers).await?)
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
        for content in &self.messages {
            let add = "insert into messages (outlet, made_at, content, next_at)
                       values (?1, ?2, ?3, ?2)";
            change(db, add, params![self.outlet, millis(self.at), content])?;
        }
        Ok(())
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
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
                let again = "update messages set tries = tries + 1, next_at = ?2 where id = ?1";
                change(db, again, params![self.message, millis(*next)])?;
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
