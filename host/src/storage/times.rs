//! When connections are looked at: which are due, when the next one is, and changing that.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::model::attempt::Trigger;
use crate::model::clock;
use crate::model::connection::Due;
use crate::model::id::ConnectionId;
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{self, Fields, key, millis};
use crate::storage::writer::WriteOne;

impl Storage {
    /// Up to `limit` connections of `provider` that are due at `now` and `wanted`, the longest waiting
    /// first. Those that cannot be read are told of and passed over, as are those that nobody wants: they
    /// do not stand in the way of the others.
    pub async fn due(
        &self,
        provider: &str,
        now: Timestamp,
        limit: u32,
        wanted: impl Fn(&ConnectionId) -> bool,
    ) -> Result<Vec<(ConnectionId, Trigger)>, StorageError> {
        let mut ready = Vec::new();
        let mut look = Look { statement: DUE, column: "due_at", provider, now, after: START };
        while let Some(rows) = self.look(&mut look).await? {
            let due = rows.iter().filter_map(|row| self.readable(due_row(row)));
            ready.extend(due.filter(|(id, _)| wanted(id)));
            if ready.len() >= limit as usize {
                ready.truncate(limit as usize);
                break;
            }
        }
        Ok(ready)
    }

    /// When the next connection after `now` is due.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StorageError> {
        // A time that no calendar holds is nobody's next.
        let row = sqlx::query(
            "select 'next' as id, min(due_at) as due_at from connections
             where due_at > ? and due_at <= ?",
        )
        .bind(millis(now))
        .bind(millis(clock::LAST))
        .fetch_one(&self.readers)
        .await?;
        Fields::new(&row, "connections", "id")?.time("due_at")
    }

    /// Every provider that has connections, whether the manifest knows it or not.
    pub async fn providers(&self) -> Result<Vec<String>, StorageError> {
        // From one to the next in the index: the cost is the number of providers, not of connections.
        let query = sqlx::query_scalar(
            "with recursive found (provider) as (
                 select min(provider) from connections
                 union all
                 select (select min(provider) from connections c where c.provider > found.provider)
                 from found where found.provider is not null)
             select cast(provider as blob) from found where provider is not null",
        );
        let found: Vec<Vec<u8>> = query.fetch_all(&self.readers).await?;
        // A name that is no text is no provider's: what stands under it cannot be read.
        Ok(found.into_iter().filter_map(|it| String::from_utf8(it).ok()).collect())
    }

    /// Up to `limit` connections of `provider` whose `profile` is to be asked at `now`. Those that cannot be
    /// read are passed over.
    pub async fn probes_due(
        &self,
        provider: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ConnectionId>, StorageError> {
        let mut ready = Vec::new();
        let mut look = Look { statement: PROBES, column: "probe_at", provider, now, after: START };
        while let Some(rows) = self.look(&mut look).await? {
            // All of it: what cannot be read is not asked about, because the answer would be stored there.
            let due = rows.iter().filter_map(|row| self.readable(rows::connection(row)));
            ready.extend(due.map(|it| it.id));
            if ready.len() >= limit as usize {
                ready.truncate(limit as usize);
                break;
            }
        }
        Ok(ready)
    }

    /// When the next profile of `provider` is to be asked.
    pub async fn next_probe(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        let row = sqlx::query(
            "select 'next' as id, min(probe_at) as probe_at from connections
             where provider = ? and probe_at between ? and ?",
        )
        .bind(provider)
        .bind(millis(Timestamp::MIN))
        .bind(millis(clock::LAST))
        .fetch_one(&self.readers)
        .await?;
        Fields::new(&row, "connections", "id")?.time("probe_at")
    }

    /// Sets when a connection is looked at next. An open try is not looked at before its claim ends.
    pub async fn set_due(&self, id: &ConnectionId, due: Option<Due>) -> Result<(), StorageError> {
        self.write_times(SetDue { id: id.clone(), due }).await
    }

    /// Puts off what is due for `provider` up to `until`, to moments spread over `spread` after it: all
    /// in one statement, however many they are.
    pub async fn put_off(
        &self,
        provider: &str,
        until: Timestamp,
        spread: Duration,
    ) -> Result<(), StorageError> {
        // Only the scheduler does this, which asks for the next time afterwards.
        self.writer.write(PutOff { provider: provider.to_owned(), until, spread }).await
    }

    /// Makes `id` due at `now` if an attempt of it is open or an answer for it waits to be read.
    pub async fn wake(&self, id: &ConnectionId, now: Timestamp) -> Result<(), StorageError> {
        self.write_times(Wake { id: id.clone(), now }).await
    }

    /// Makes every connection with an open attempt due at `now`: its process is dead.
    pub async fn wake_interrupted(&self, now: Timestamp) -> Result<(), StorageError> {
        self.write_times(WakeInterrupted { now }).await
    }
}

/// Rows in one look at what is due.
const AT_ONCE: u32 = 32;

/// Before every row.
const START: (i64, String) = (i64::MIN, String::new());

const DUE: &str = "
    select id, due_at, due_trigger from connections
    where provider = ? and due_at <= ? and (due_at, id) > (?, ?)
    order by due_at, id limit ?";

const PROBES: &str = "
    select * from connections
    where provider = ? and probe_at <= ? and (probe_at, id) > (?, ?)
    order by probe_at, id limit ?";

/// A look at the connections of a provider whose time has come, a few at once.
struct Look<'a> {
    statement: &'static str,
    /// Its time.
    column: &'static str,
    provider: &'a str,
    now: Timestamp,
    /// The time and the key of the last one that was seen.
    after: (i64, String),
}

impl Look<'_> {
    /// Goes on behind that row. A key that is no text is shown as another one, and must not lead back:
    /// then it goes on with the time after it.
    fn pass(&mut self, time: i64, key: String) {
        let next = (time, key);
        self.after = if next > self.after { next } else { (time.saturating_add(1), String::new()) };
    }
}

impl Storage {
    /// The next few; `None` when there are no more.
    async fn look(&self, look: &mut Look<'_>) -> Result<Option<Vec<SqliteRow>>, StorageError> {
        let rows = sqlx::query(look.statement)
            .bind(look.provider)
            .bind(millis(look.now))
            .bind(look.after.0)
            .bind(&look.after.1)
            .bind(AT_ONCE)
            .fetch_all(&self.readers)
            .await?;
        let Some(last) = rows.last() else { return Ok(None) };
        let key = Fields::new(last, "connections", "id")?.key().to_owned();
        look.pass(last.try_get(look.column)?, key);
        Ok(Some(rows))
    }

    /// What was read; where that failed, it is told of.
    fn readable<T>(&self, read: Result<T, StorageError>) -> Option<T> {
        read.inspect_err(|error| self.report(error)).ok()
    }
}

fn due_row(row: &SqliteRow) -> Result<(ConnectionId, Trigger), StorageError> {
    let fields = Fields::new(row, "connections", "id")?;
    let id = fields.required("id", fields.word("id")?)?;
    fields.time("due_at")?;
    Ok((id, fields.required("due_trigger", fields.word("due_trigger")?)?))
}

struct SetDue {
    id: ConnectionId,
    due: Option<Due>,
}

impl WriteOne for SetDue {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections
                 set due_at = ?2, due_trigger = iif(open.id is null, ?3, 'recovery')
                 from (select 1) left join attempts open
                      on open.connection = ?1 and open.outcome is null
                 where connections.id = ?1
                   and (open.id is null or ?2 > coalesce(connections.due_at, 0))",
            )
            .bind(key(&self.id))
            .bind(self.due.map(|it| millis(it.at)))
            .bind(self.due.map(|it| it.trigger.as_str()))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

struct PutOff {
    provider: String,
    until: Timestamp,
    spread: Duration,
}

impl WriteOne for PutOff {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections set due_at = ?2 + abs(random() % ?3)
                 where provider = ?1 and due_at <= ?2 and paused_at is null
                   and not exists (select 1 from attempts
                                   where connection = connections.id and outcome is null)",
            )
            .bind(&self.provider)
            .bind(millis(self.until))
            .bind(i64::try_from(self.spread.as_millis()).unwrap_or(i64::MAX).max(1))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

struct Wake {
    id: ConnectionId,
    now: Timestamp,
}

impl WriteOne for Wake {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections set due_at = ?2, due_trigger = 'recovery'
                 where id = ?1 and paused_at is null
                   and (exists (select 1 from attempts where connection = ?1 and outcome is null)
                        or exists (select 1 from captures where connection = ?1))",
            )
            .bind(key(&self.id))
            .bind(millis(self.now))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

struct WakeInterrupted {
    now: Timestamp,
}

impl WriteOne for WakeInterrupted {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections set due_at = ?, due_trigger = 'recovery'
                 where id in (select connection from attempts where outcome is null)",
            )
            .bind(millis(self.now))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}
