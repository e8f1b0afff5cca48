//! Forgetting what nobody looks at any more: finished attempts, and events that were told. It is done in small
//! bites, each a write of its own, with a pause between two of them: a refresh never waits for more than
//! one.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::sqlite::SqliteConnection;

use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::millis;
use crate::storage::writer::WriteOne;

/// Rows in one write.
const BITE: u32 = 500;

/// The writer is left to others for so long after each bite.
const BREATH: Duration = Duration::from_millis(10);

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Finished attempts.
    pub attempts: u64,
    /// Delivered events.
    pub events: u64,
}

impl Storage {
    /// Removes finished attempts, and events that everybody was told of, that are older; the last attempt of a connection
    /// stays. What is not removed when keepfresh stops is removed the next time.
    pub async fn prune(&self, before: Timestamp) -> Result<Pruned, StorageError> {
        let attempts = self.prune_attempts(before).await?;
        let events = self.prune_events(before).await?;
        Ok(Pruned { attempts, events })
    }

    /// Their ids are in the order of time, and hexadecimal: the first stretch without an old one is the
    /// end.
    async fn prune_attempts(&self, before: Timestamp) -> Result<u64, StorageError> {
        let (mut removed, mut after) = (0, String::new());
        loop {
            let look = sqlx::query_as::<_, (String, bool, bool)>(
                "select id, started_at < ?2,
                        outcome is not null
                        and not exists (select 1 from connections
                                        where id = attempts.connection and last_attempt = attempts.id)
                 from attempts where id > ?1 and id < 'g' order by id limit ?3",
            );
            let look = look.bind(&after).bind(millis(before)).bind(BITE);
            let seen = look.fetch_all(&self.readers).await?;
            let old = seen.iter().filter(|(_, old, done)| *old && *done);
            let old = old.map(|(id, ..)| id.clone()).collect::<Vec<_>>();
            let rows = old.len();
            removed += self.bite(rows, Attempts { ids: Value::from(old), before }).await?;
            match seen.last() {
                Some((last, ..)) if seen.iter().any(|(_, old, _)| *old) => after.clone_from(last),
                _ => return Ok(removed),
            }
        }
    }

    /// Events that everybody was told of. The last one stays: the next goes on with its number.
    async fn prune_events(&self, before: Timestamp) -> Result<u64, StorageError> {
        let (mut removed, mut after) = (0, 0);
        loop {
            let look = sqlx::query_as::<_, (i64, bool, bool)>(
                "select id, at < ?2,
                        id <= (select coalesce(min(seen), 9223372036854775807) from listeners)
                        and id < (select max(id) from outbox)
                 from outbox where id > ?1 order by id limit ?3",
            );
            let look = look.bind(after).bind(millis(before)).bind(BITE);
            let seen = look.fetch_all(&self.readers).await?;
            let old = seen.iter().filter(|(_, old, done)| *old && *done);
            let old = old.map(|(id, ..)| *id).collect::<Vec<_>>();
            let rows = old.len();
            removed += self.bite(rows, Events { ids: Value::from(old) }).await?;
            match seen.last() {
                Some((last, ..)) if seen.iter().any(|(_, old, _)| *old) => after = *last,
                _ => return Ok(removed),
            }
        }
    }

    async fn bite<W: WriteOne<Answer = u64>>(
        &self,
        rows: usize,
        bite: W,
    ) -> Result<u64, StorageError> {
        if rows == 0 {
            return Ok(0);
        }
        let removed = self.writer.write(bite).await?;
        tokio::time::sleep(BREATH).await;
        Ok(removed)
    }
}

struct Attempts {
    ids: Value,
    before: Timestamp,
}

struct Events {
    ids: Value,
}

impl WriteOne for Attempts {
    type Answer = u64;

    /// Looked at anew: between the look and this write much may have happened.
    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<u64, StorageError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "delete from attempts
                 where id in (select value from json_each(?))
                   and started_at < ? and outcome is not null
                   and not exists (select 1 from connections
                                   where id = attempts.connection and last_attempt = attempts.id)",
            )
            .bind(self.ids.to_string())
            .bind(millis(self.before))
            .execute(db)
            .await?;
            Ok(done.rows_affected())
        })
    }
}

impl WriteOne for Events {
    type Answer = u64;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<u64, StorageError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "delete from outbox
                 where id in (select value from json_each(?))
                   and id <= (select coalesce(min(seen), 9223372036854775807) from listeners)
                   and id < (select max(id) from outbox)",
            )
            .bind(self.ids.to_string())
            .execute(db)
            .await?;
            Ok(done.rows_affected())
        })
    }
}
