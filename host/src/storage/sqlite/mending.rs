//! What many rows say, put right by few statements: times that no fact allows, and what waits for a
//! person who has acted.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use serde_json::{Value, json};
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::storage::error::StorageError;
use crate::storage::sqlite::rows::{self, Fields, json_rows, key, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{CameOf, Doubtful, Forgiven, Moved};

/// Rows that are looked at together.
const PAGE: u32 = 500;

pub(super) async fn doubtful(
    readers: &SqlitePool,
    now: Timestamp,
    ahead: Duration,
    scheduled: &[String],
    after: Option<&str>,
) -> Result<(Vec<Doubtful>, Option<String>), StorageError> {
    let rows = sqlx::query(DOUBTFUL)
        .bind(after.unwrap_or_default())
        .bind(millis(now))
        .bind(millis(now + ahead))
        .bind(Value::from(scheduled).to_string())
        .bind(PAGE)
        .fetch_all(readers)
        .await?;
    let last = rows.last().map(|it| Fields::new(it, "connections", "id"));
    // A key that is no text is shown as another one, and must not lead back.
    let next = last.map(|it| it.key().to_owned());
    let next = next.filter(|it| after.is_none_or(|after| it.as_str() > after));
    // One that cannot be read is left alone.
    let found = rows.iter().filter_map(|it| read(it).ok()).collect();
    Ok((found, next))
}

/// What is paused or waits for a person has no time that could be wrong.
const DOUBTFUL: &str = "
    select c.*, c.failing and exists (select 1 from attempts a
                                      where a.id = c.last_attempt and a.started_at > ?3) as ahead
    from (select *, failures > 0 or doubt_since is not null as failing from connections) c
    where c.id > ?1 and c.paused_at is null and c.problem is null
      and (c.due_at > ?2
             and (c.issued_at > ?3
                  or c.failing
                  or c.due_at > c.expires_at
                     -- What rests is looked at once more before its refresh token ends.
                     and not coalesce(
                         c.due_at between c.refresh_expires_at
                                          - min((c.refresh_expires_at - c.issued_at) / 3, 259200000)
                                  and c.refresh_expires_at, false))
           or c.due_at is null and c.issued_at is not null and c.expires_at is null
             and c.provider in (select value from json_each(?4)))
    order by c.id limit ?5";

fn read(row: &SqliteRow) -> Result<Doubtful, StorageError> {
    let ahead = Fields::new(row, "connections", "id").count("ahead")? > 0;
    Ok(Doubtful { connection: rows::connection(row)?, ahead })
}

pub(super) async fn waits_for_correction(
    readers: &SqlitePool,
    provider: &str,
) -> Result<bool, StorageError> {
    let query = sqlx::query_scalar(
        "select exists (select 1 from connections
                        where provider = ? and problem is not null
                          and problem = 'misconfigured' and origin = 'added')",
    );
    Ok(query.bind(provider).fetch_one(readers).await?)
}

pub(super) async fn came_of(readers: &SqlitePool) -> Result<Vec<CameOf>, StorageError> {
    let rows = sqlx::query(
        "select min(id) as id, count(*) as count, settings, config
         from connections where issued_at is not null and config is not null
         group by provider, iif(origin = 'manifest', name, null), settings, config
         order by 1",
    )
    .fetch_all(readers)
    .await?;
    rows.iter().map(origin).collect()
}

fn origin(row: &SqliteRow) -> Result<CameOf, StorageError> {
    let fields = Fields::new(row, "connections", "id");
    Ok(CameOf {
        id: fields.required("id", fields.word("id")?)?,
        count: fields.count("count")?,
        settings: fields.json("settings")?.unwrap_or_default(),
        config: fields.blob("config")?.unwrap_or_default(),
    })
}

/// Other times for many.
pub(super) struct Moves(pub(super) Vec<Moved>);

impl Write for Moves {
    type Answer = u64;

    fn apply(&self, db: &Db) -> Result<u64, StorageError> {
        let moved = change(
            db,
            "update connections
             set due_at = j.value ->> 'due_at', due_trigger = j.value ->> 'due_trigger'
             from json_each(?1) j
             where connections.id = j.value ->> 'id'
               and connections.generation = j.value ->> 'generation'
               and connections.due_at is j.value ->> 'found'",
            params![json_rows(&self.0, row)],
        )?;
        Ok(moved as u64)
    }
}

fn row(moved: &Moved) -> Value {
    json!({
        "id": key(&moved.id),
        "generation": signed(moved.generation),
        "found": moved.found.map(|it| millis(it.at)),
        "due_at": moved.due.map(|it| millis(it.at)),
        "due_trigger": moved.due.map(|it| it.trigger.as_str()),
    })
}

/// Times that are still to come, taken back.
pub(super) struct Future {
    pub(super) now: Timestamp,
    pub(super) late: Timestamp,
}

impl Write for Future {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(
            db,
            "update connections
             set paused_until = iif(paused_at > ?2, ?1 + paused_until - paused_at, paused_until),
                 paused_at = min(paused_at, ?1),
                 doubt_since = min(doubt_since, ?1),
                 active_at = min(active_at, ?1)
             where paused_at > ?2 or doubt_since > ?2 or active_at > ?2",
            params![millis(self.now), millis(self.late)],
        )
        .map(drop)
    }
}

impl Write for Forgiven {
    type Answer = u64;

    fn apply(&self, db: &Db) -> Result<u64, StorageError> {
        let listed = self.listed.iter().map(key).collect::<Vec<_>>();
        // Those whose callers fail, or will first, are tried first.
        let forgiven = change(
            db,
            "update connections
             set problem = null, problem_config = null,
                 due_at = ?1 + r.place * ?2, due_trigger = 'expiry'
             from (select id, row_number() over (order by expires_at) - 1 as place
                   from connections
                   where provider = ?3 and problem is not null and problem = 'misconfigured'
                     and problem_config is not ?4 and origin = 'added'
                     and id not in (select value from json_each(?5))) r
             where connections.id = r.id",
            params![
                millis(self.at),
                length(self.step),
                self.provider,
                self.config,
                Value::from(listed).to_string(),
            ],
        )?;
        Ok(forgiven as u64)
    }
}

/// Profiles that are asked within a period.
pub(super) struct ProbeWithin {
    pub(super) provider: String,
    pub(super) period: Duration,
    pub(super) now: Timestamp,
}

impl Write for ProbeWithin {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        // Spread over the period, as when they were added.
        change(
            db,
            "update connections set probe_at = ?1 + abs(random() % ?2)
             where provider = ?3 and probe_at > ?1 + ?2",
            params![millis(self.now), length(self.period).max(1), self.provider],
        )
        .map(drop)
    }
}

/// All of a provider, one after the other.
pub(super) struct LookAtAll {
    pub(super) provider: String,
    pub(super) step: Duration,
    pub(super) at: Timestamp,
}

impl Write for LookAtAll {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(
            db,
            "update connections set due_at = ?1 + r.place * ?2, due_trigger = 'expiry'
             from (select id, row_number() over (order by expires_at) - 1 as place
                   from connections where provider = ?3 and problem is null) r
             where connections.id = r.id",
            params![millis(self.at), length(self.step), self.provider],
        )
        .map(drop)
    }
}

/// In milliseconds.
fn length(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
