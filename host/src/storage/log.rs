//! Attempts as people read them: the log, the statistics, and forgetting the old ones.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::model::attempt::{Attempt, Outcome};
use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::Storage;
use crate::storage::connections::Filter;
use crate::storage::error::StorageError;
use crate::storage::rows::{self, Fields, key, millis};
use crate::storage::writer::WriteOne;

/// Which attempts to list.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only of this connection.
    pub connection: Option<ConnectionId>,
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
    /// Only those that began then or later.
    pub since: Option<Timestamp>,
    /// Only those newer than this one: for following.
    pub after: Option<AttemptId>,
    /// At most so many.
    pub limit: u32,
}

/// How refreshes went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Attempts that stored a new generation.
    pub success: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Requests that sent nothing.
    pub skipped: u64,
    /// Failed attempts by error code.
    pub causes: BTreeMap<String, u64>,
    /// Median duration of what was sent, in milliseconds.
    pub p50_ms: Option<u64>,
    /// 95th percentile of the same.
    pub p95_ms: Option<u64>,
}

/// What was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Finished attempts.
    pub attempts: u64,
    /// Delivered events.
    pub events: u64,
}

impl Storage {
    /// Attempts that match, newest first.
    pub async fn log(&self, filter: &LogFilter) -> Result<Vec<Attempt>, StorageError> {
        let rows = sqlx::query(
            "select * from attempts
             where (?1 is null or provider = ?1) and (?2 is null or connection = ?2)
               and (?3 is null or outcome = ?3) and (?4 is null or started_at >= ?4)
               and (?5 is null or id > ?5)
             order by id desc limit ?6",
        )
        .bind(&filter.provider)
        .bind(filter.connection.as_ref().map(key))
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.since.map(millis))
        .bind(filter.after.map(|it| it.to_string()))
        .bind(filter.limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(rows::attempt).collect()
    }

    /// One attempt.
    pub async fn attempt(&self, id: AttemptId) -> Result<Option<Attempt>, StorageError> {
        let query = sqlx::query("select * from attempts where id = ?").bind(id.to_string());
        let row = query.fetch_optional(&self.readers).await?;
        row.as_ref().map(rows::attempt).transpose()
    }

    /// Counts, causes and durations of attempts since then, of one provider or all.
    pub async fn statistics(
        &self,
        provider: Option<&str>,
        since: Timestamp,
    ) -> Result<Statistics, StorageError> {
        let mut found = Statistics::default();
        let mut durations = Vec::new();
        let rows = sqlx::query(
            "select 'attempts' as key, outcome, error_code, duration_ms from attempts
             where started_at >= ? and (?2 is null or provider = ?2) and outcome is not null",
        )
        .bind(millis(since))
        .bind(provider)
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            count(&mut found, &mut durations, row)?;
        }
        durations.sort_unstable();
        found.p50_ms = percentile(&durations, 50);
        found.p95_ms = percentile(&durations, 95);
        Ok(found)
    }

    /// Removes finished attempts and delivered events that are older, in one transaction.
    pub async fn prune(&self, before: Timestamp) -> Result<Pruned, StorageError> {
        self.writer.write(Prune { before }).await
    }

    pub(super) async fn last_attempts(
        &self,
        filter: &Filter,
    ) -> Result<BTreeMap<ConnectionId, Attempt>, StorageError> {
        let rows = sqlx::query(
            "select a.* from connections c join attempts a on a.id = (
                 select id from attempts where connection = c.id order by id desc limit 1)
             where ?1 is null or c.provider = ?1",
        )
        .bind(&filter.provider)
        .fetch_all(&self.readers)
        .await?;
        let by_id = |row| rows::attempt(row).map(|it| (it.connection.clone(), it));
        rows.iter().map(by_id).collect()
    }
}

fn count(
    found: &mut Statistics,
    durations: &mut Vec<u64>,
    row: &SqliteRow,
) -> Result<(), StorageError> {
    let fields = Fields::new(row, "attempts", "key")?;
    match fields.word("outcome")? {
        Some(Outcome::Success) => found.success += 1,
        Some(Outcome::Failed) => {
            found.failed += 1;
            let code = fields.text("error_code")?.unwrap_or_default();
            *found.causes.entry(code).or_default() += 1;
        }
        Some(Outcome::Skipped) => {
            found.skipped += 1;
            return Ok(());
        }
        None => return Ok(()),
    }
    durations.extend(fields.integer("duration_ms")?.and_then(|it| u64::try_from(it).ok()));
    Ok(())
}

/// The nearest-rank percentile of sorted values.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

struct Prune {
    before: Timestamp,
}

impl WriteOne for Prune {
    type Answer = Pruned;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Pruned, StorageError>> {
        Box::pin(async move {
            let attempts = sqlx::query(
                "delete from attempts
                 where started_at < ? and outcome is not null
                   and id not in (select last_attempt from connections
                                  where last_attempt is not null)",
            )
            .bind(millis(self.before))
            .execute(&mut *db)
            .await?;
            let events = sqlx::query(
                "delete from outbox where at < ?
                       and id <= (select coalesce(min(seen), 9223372036854775807) from listeners)
                       and id < (select max(id) from outbox)",
            )
            .bind(millis(self.before))
            .execute(db)
            .await?;
            Ok(Pruned { attempts: attempts.rows_affected(), events: events.rows_affected() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_a_value_that_occurred() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[7], 95), Some(7));
        assert_eq!(percentile(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(percentile(&(1..=100).collect::<Vec<_>>(), 95), Some(95));
    }
}
