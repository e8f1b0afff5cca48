//! What many rows say, put right by few statements: times that no fact allows, and what waits for a
//! person who has acted.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::model::connection::{Connection, Due};
use crate::model::id::ConnectionId;
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{self, Fields, json_rows, key, millis, signed};
use crate::storage::writer::WriteOne;

/// Rows that are looked at together.
const PAGE: u32 = 500;

/// A connection whose next look may not follow from its facts.
#[derive(Debug)]
pub struct Doubtful {
    /// Its facts.
    pub connection: Connection,
    /// Whether its last try began later than now: it was told to wait by a clock that was ahead.
    pub ahead: bool,
}

/// Another time for a connection, if it still is as it was found.
#[derive(Debug)]
pub struct Moved {
    /// Which.
    pub id: ConnectionId,
    /// The generation that was found.
    pub generation: u64,
    /// When it was to be looked at.
    pub found: Option<Due>,
    /// When it is.
    pub due: Option<Due>,
}

/// Connections of one provider that are tried again, because what a person had to correct has changed.
#[derive(Clone, Debug)]
pub struct Forgiven {
    /// Whose.
    pub provider: String,
    /// Keyed digest of the configuration that they have now: those that failed with it are left alone.
    pub config: Vec<u8>,
    /// Those that the manifest lists: each of them has a configuration of its own.
    pub listed: Vec<ConnectionId>,
    /// The time between one and the next: together they would be a storm.
    pub step: Duration,
    /// Now.
    pub at: Timestamp,
}

impl Storage {
    /// A page of connections after `after` whose next look is not what a clock that goes right would
    /// have given them at `now`, and where the next page begins. `scheduled` are providers with a
    /// schedule: nothing of theirs is without a next look for want of an end.
    pub async fn doubtful(
        &self,
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
            .fetch_all(&self.readers)
            .await?;
        let last = rows.last().map(|it| Fields::new(it, "connections", "id")).transpose()?;
        // A key that is no text is shown as another one, and must not lead back.
        let next = last.map(|it| it.key().to_owned());
        let next = next.filter(|it| after.is_none_or(|after| it.as_str() > after));
        // One that cannot be read is left alone.
        let found = rows.iter().filter_map(|it| doubtful(it).ok()).collect();
        Ok((found, next))
    }

    /// Moves them, unless they have been moved by somebody else.
    pub async fn move_due(&self, all: Vec<Moved>) -> Result<u64, StorageError> {
        if all.is_empty() {
            return Ok(0);
        }
        self.write_times(Moves(all)).await
    }

    /// Takes back what a clock that was ahead has noted: pauses last as long as they were meant to, and
    /// nothing has been in doubt, or was asked for, since a time that is to come.
    pub async fn forget_the_future(
        &self,
        now: Timestamp,
        ahead: Duration,
    ) -> Result<(), StorageError> {
        self.write_times(Future { now, late: now + ahead }).await
    }

    /// Asks for the profiles of `provider` within `period`, where a clock that was ahead has said later.
    pub async fn probe_within(
        &self,
        provider: &str,
        period: Duration,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let provider = provider.to_owned();
        self.writer.write(ProbeWithin { provider, period, now }).await
    }

    /// Whether some connection that was added to `provider` waits for a person to correct something.
    pub async fn waits_for_correction(&self, provider: &str) -> Result<bool, StorageError> {
        let query = sqlx::query_scalar(
            "select exists (select 1 from connections
                            where provider = ? and problem is not null
                              and problem = 'misconfigured' and origin = 'added')",
        );
        Ok(query.bind(provider).fetch_one(&self.readers).await?)
    }

    /// Makes what waits for a person at one provider due again, one after the other; returns how many.
    pub async fn forgive(&self, forgiven: Forgiven) -> Result<u64, StorageError> {
        self.write_times(forgiven).await
    }

    /// Makes all of a provider that the manifest does not know due, one after the other: each finds out
    /// and says so.
    pub async fn look_at_all(
        &self,
        provider: &str,
        step: Duration,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.write_times(LookAtAll { provider: provider.to_owned(), step, at }).await
    }
}

/// Connections whose tokens came of the same configuration.
#[derive(Clone, Debug)]
pub struct CameOf {
    /// One of them.
    pub id: ConnectionId,
    /// How many there are.
    pub count: u64,
    /// Settings of their own.
    pub settings: BTreeMap<String, String>,
    /// Keyed digests of the configuration.
    pub config: Vec<u8>,
}

impl Storage {
    /// What the tokens came of, those of the manifest each for itself, the others together.
    pub async fn came_of(&self) -> Result<Vec<CameOf>, StorageError> {
        let rows = sqlx::query(
            "select min(id) as id, count(*) as count, settings, config
             from connections where issued_at is not null and config is not null
             group by provider, iif(origin = 'manifest', name, null), settings, config
             order by 1",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(came_of).collect()
    }
}

fn came_of(row: &SqliteRow) -> Result<CameOf, StorageError> {
    let fields = Fields::new(row, "connections", "id")?;
    Ok(CameOf {
        id: fields.required("id", fields.word("id")?)?,
        count: fields.count("count")?,
        settings: fields.json("settings")?.unwrap_or_default(),
        config: fields.blob("config")?.unwrap_or_default(),
    })
}

/// What is paused, waits for a person or is being tried has no time that could be wrong.
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
      and not exists (select 1 from attempts a where a.connection = c.id and a.outcome is null)
    order by c.id limit ?5";

fn doubtful(row: &SqliteRow) -> Result<Doubtful, StorageError> {
    let ahead = Fields::new(row, "connections", "id")?.count("ahead")? > 0;
    Ok(Doubtful { connection: rows::connection(row)?, ahead })
}

struct Moves(Vec<Moved>);

impl Moved {
    fn row(&self) -> Value {
        json!({
            "id": key(&self.id),
            "generation": signed(self.generation),
            "found": self.found.map(|it| millis(it.at)),
            "due_at": self.due.map(|it| millis(it.at)),
            "due_trigger": self.due.map(|it| it.trigger.as_str()),
        })
    }
}

impl WriteOne for Moves {
    type Answer = u64;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<u64, StorageError>> {
        Box::pin(async move {
            let moved = sqlx::query(
                "update connections
                 set due_at = j.value ->> 'due_at', due_trigger = j.value ->> 'due_trigger'
                 from json_each(?) j
                 where connections.id = j.value ->> 'id'
                   and connections.generation = j.value ->> 'generation'
                   and connections.due_at is j.value ->> 'found'
                   and not exists (select 1 from attempts a
                                   where a.connection = connections.id and a.outcome is null)",
            );
            let moved = moved.bind(json_rows(&self.0, Moved::row)).execute(db).await?;
            Ok(moved.rows_affected())
        })
    }
}

struct Future {
    now: Timestamp,
    late: Timestamp,
}

impl WriteOne for Future {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections
                 set paused_until = iif(paused_at > ?2, ?1 + paused_until - paused_at, paused_until),
                     paused_at = min(paused_at, ?1),
                     doubt_since = min(doubt_since, ?1),
                     active_at = min(active_at, ?1)
                 where paused_at > ?2 or doubt_since > ?2 or active_at > ?2",
            )
            .bind(millis(self.now))
            .bind(millis(self.late))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

impl WriteOne for Forgiven {
    type Answer = u64;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<u64, StorageError>> {
        Box::pin(async move {
            // Those whose callers fail, or will first, are tried first.
            let forgiven = sqlx::query(
                "update connections
                 set problem = null, problem_config = null,
                     due_at = ?1 + r.place * ?2, due_trigger = 'expiry'
                 from (select id, row_number() over (order by expires_at) - 1 as place
                       from connections
                       where provider = ?3 and problem is not null and problem = 'misconfigured'
                         and problem_config is not ?4 and origin = 'added'
                         and id not in (select value from json_each(?5))) r
                 where connections.id = r.id",
            )
            .bind(millis(self.at))
            .bind(i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX))
            .bind(&self.provider)
            .bind(&self.config)
            .bind(Value::from(self.listed.iter().map(key).collect::<Vec<_>>()).to_string())
            .execute(db)
            .await?;
            Ok(forgiven.rows_affected())
        })
    }
}

struct ProbeWithin {
    provider: String,
    period: Duration,
    now: Timestamp,
}

impl WriteOne for ProbeWithin {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            // Spread over the period, as when they were added.
            sqlx::query(
                "update connections set probe_at = ?1 + abs(random() % ?2)
                 where provider = ?3 and probe_at > ?1 + ?2",
            )
            .bind(millis(self.now))
            .bind(i64::try_from(self.period.as_millis()).unwrap_or(i64::MAX).max(1))
            .bind(&self.provider)
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

struct LookAtAll {
    provider: String,
    step: Duration,
    at: Timestamp,
}

impl WriteOne for LookAtAll {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections set due_at = ?1 + r.place * ?2, due_trigger = 'expiry'
                 from (select id, row_number() over (order by expires_at) - 1 as place
                       from connections where provider = ?3 and problem is null) r
                 where connections.id = r.id
                   and not exists (select 1 from attempts a
                                   where a.connection = connections.id and a.outcome is null)",
            )
            .bind(millis(self.at))
            .bind(i64::try_from(self.step.as_millis()).unwrap_or(i64::MAX))
            .bind(&self.provider)
            .execute(db)
            .await?;
            Ok(())
        })
    }
}
