//! Events, and those who are told of them. A row stays until everybody was told of it.

use std::collections::BTreeSet;

use rusqlite::params;
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::code::Code;
use crate::model::event::{Event, EventKind};
use crate::storage::error::StorageError;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, json, key, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{OutboxEvent, Stretch, Waiting};

/// Adds events inside the transaction of the change that they tell of.
pub(super) fn append(db: &Db, events: &[Event]) -> Result<(), StorageError> {
    for event in events {
        change(
            db,
            "insert into outbox (at, kind, connection, generation, code)
             values (?1, ?2, ?3, ?4, ?5)",
            params![
                millis(event.at),
                event.kind.as_str(),
                key(&event.connection),
                signed(event.generation),
                event.code.as_ref().map(Code::text),
            ],
        )?;
    }
    Ok(())
}

pub(super) async fn heard(readers: &SqlitePool) -> Result<BTreeSet<EventKind>, StorageError> {
    let kinds: Vec<String> =
        sqlx::query_scalar("select kinds from listeners").fetch_all(readers).await?;
    // A kind of a newer version is one that this version does not write.
    let known = |text: &String| serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
    Ok(kinds.iter().flat_map(known).filter_map(|it| it.parse().ok()).collect())
}

pub(super) async fn waiting(
    readers: &SqlitePool,
    name: &str,
    after: i64,
    limit: u32,
) -> Result<Waiting, StorageError> {
    // What is written after this is looked at the next time.
    let newest = sqlx::query_scalar("select coalesce(max(id), 0) from outbox");
    let newest: i64 = newest.fetch_one(readers).await?;
    // The kinds stand in no relation to the row: they are read once, and not for each event.
    let rows = sqlx::query(
        "select o.*, cast(o.id as text) as key
         from listeners l join outbox o on o.id > max(l.seen, ?1)
         where l.name = ?2
           and o.kind in (select value from json_each((select kinds from listeners where name = ?2)))
         order by o.id limit ?3",
    );
    let rows = rows.bind(after).bind(name).bind(limit).fetch_all(readers).await?;
    let last: Option<i64> = rows.last().map(|it| it.try_get("id")).transpose()?;
    let looked = last.filter(|_| rows.len() >= limit as usize).unwrap_or(newest);
    let mut waiting = Waiting { last, looked, ..Waiting::default() };
    for row in &rows {
        match event(row) {
            Ok(event) => waiting.events.push(event),
            Err(error) => waiting.unreadable.push(error),
        }
    }
    Ok(waiting)
}

/// The events first, and then what was removed: what is removed in between is not taken for something that was
/// never there.
pub(super) async fn after(
    readers: &SqlitePool,
    after: i64,
    limit: u32,
) -> Result<Stretch, StorageError> {
    let rows = sqlx::query(
        "select *, cast(id as text) as key from outbox where id > ? order by id limit ?",
    );
    let rows = rows.bind(after).bind(limit).fetch_all(readers).await?;
    // An older version did not note what it had removed.
    let ends = sqlx::query_as(
        "select coalesce((select cast(value as integer) from meta where key = 'events_removed'),
                         (select min(id) - 1 from outbox), 0),
                coalesce((select max(id) from outbox), 0)",
    );
    let (removed, newest) = ends.fetch_one(readers).await?;
    let last = rows.last().map(|it| it.try_get("id")).transpose()?.unwrap_or(after);
    let mut stretch = Stretch { last, removed, newest, ..Stretch::default() };
    for row in &rows {
        match event(row) {
            Ok(event) => stretch.events.push(event),
            Err(error) => stretch.unreadable.push(error),
        }
    }
    Ok(stretch)
}

pub(super) fn event(row: &SqliteRow) -> Result<OutboxEvent, StorageError> {
    let fields = Fields::new(row, "outbox", "key");
    let kind: EventKind = fields.required("kind", fields.word("kind")?)?;
    Ok(OutboxEvent {
        id: fields.required("id", fields.integer("id")?)?,
        event: Event {
            kind,
            connection: fields.required("connection", fields.word("connection")?)?,
            at: fields.required("at", fields.time("at")?)?,
            generation: fields.count("generation")?,
            code: fields.text("code")?.map(|it| Code::read(&it)),
        },
    })
}

/// One who wants to be told.
pub(super) struct Listen {
    pub(super) name: String,
    pub(super) kinds: Vec<EventKind>,
}

impl Write for Listen {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(
            db,
            "insert into listeners (name, kinds, seen)
             values (?1, ?2, coalesce((select max(id) from outbox), 0))
             on conflict (name) do update set kinds = excluded.kinds",
            params![self.name, json(&self.kinds)],
        )
        .map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// Those who stay.
pub(super) struct Keep {
    pub(super) names: Vec<String>,
}

impl Write for Keep {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let forget = "delete from listeners where name not in (select value from json_each(?1))";
        change(db, forget, params![json(&self.names)]).map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// One who was told.
pub(super) struct Told {
    pub(super) name: String,
    pub(super) id: i64,
}

impl Write for Told {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let note = "update listeners set seen = max(seen, ?2) where name = ?1";
        change(db, note, params![self.name, self.id]).map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}
