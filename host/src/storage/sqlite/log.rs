//! The log, in pages, and the statistics. Ids of attempts are in the order of time, so that a stretch of
//! time is a stretch of ids, and nothing else is read. Open attempts are in a table of their own, and few.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::attempt::{Attempt, Outcome};
use crate::model::id::AttemptId;
use crate::storage::error::StorageError;
use crate::storage::sqlite::rows::{self, Fields, key, millis};
use crate::storage::{LogFilter, LogPage, Statistics};

/// What did not succeed is a small part of the log as a rule, and has an index of its own.
const UNSUCCESSFUL: &str = "
    select * from attempts indexed by attempts_unsuccessful
    where outcome <> 'success' and id > ?1 and id < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or started_at >= ?3) and outcome = ?4
      and (?6 is null or provider = ?6)
    order by id desc limit ?5";

const OF_CONNECTION: &str = "
    select * from attempts
    where connection = ?6 and id > ?1 and id < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or started_at >= ?3) and (?4 is null or outcome = ?4)
      and (?7 is null or provider = ?7)
    order by id desc limit ?5";

const OF_PROVIDER: &str = "
    select * from attempts
    where provider = ?6 and id > ?1 and id < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or started_at >= ?3) and (?4 is null or outcome = ?4)
    order by id desc limit ?5";

const ALL: &str = "
    select * from attempts
    where id > ?1 and id < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or started_at >= ?3) and (?4 is null or outcome = ?4)
    order by id desc limit ?5";

/// How much later than its id an attempt may have begun: a person waits for a slot, a clock is set.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

const OPEN: &str = "
    select *, attempt as id from claims
    where attempt > ?1 and attempt < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or started_at >= ?3) and (?4 is null or connection = ?4)
      and (?5 is null or provider = ?5)
    order by attempt desc limit ?6";

/// Ids of what began since then are above this.
fn first(filter: &LogFilter) -> String {
    let since = filter.since.map(first_id).unwrap_or_default();
    filter.after.map_or(since.clone(), |it| it.to_string().max(since))
}

fn statement(filter: &LogFilter) -> &'static str {
    match (&filter.connection, filter.outcome, &filter.provider) {
        (Some(_), ..) => OF_CONNECTION,
        (None, Some(Outcome::Failed | Outcome::Skipped), _) => UNSUCCESSFUL,
        (None, _, Some(_)) => OF_PROVIDER,
        (None, _, None) => ALL,
    }
}

/// What every id is above that was given to an attempt since then: the beginning of a UUID of version 7
/// is its time.
fn first_id(since: Timestamp) -> String {
    let since = since.checked_sub(MARGIN).unwrap_or(Timestamp::MIN).as_millisecond();
    let hex = format!("{:012x}", since.max(0));
    format!("{}-{}-", &hex[..8], &hex[8..])
}

pub(super) async fn page(
    readers: &SqlitePool,
    filter: &LogFilter,
) -> Result<LogPage, StorageError> {
    // Open ones first: what ends between the two looks is then seen twice, and not by neither.
    let open = match filter.outcome {
        Some(_) => Vec::new(),
        None => open(readers, filter).await?,
    };
    let mut all = finished(readers, filter).await?;
    all.extend(open);
    all.sort_by(|(one, _), (other, _)| other.cmp(one));
    all.dedup_by(|(again, _), (id, _)| again == id);
    all.truncate(filter.limit as usize);
    // An id that is no text is shown as another one, and must not lead back.
    let leads_on = |it: &&String| filter.before.as_ref().is_none_or(|before| *it < before);
    let last = all.last().filter(|_| all.len() == filter.limit as usize).map(|(id, _)| id);
    let mut page = LogPage { next: last.filter(leads_on).cloned(), ..LogPage::default() };
    for (_, read) in all {
        match read {
            Ok(attempt) => page.attempts.push(attempt),
            Err(error) => page.unreadable.push(error),
        }
    }
    Ok(page)
}

/// An id as it stands there, and the attempt if it can be read.
type Read = (String, Result<Attempt, StorageError>);

async fn finished(readers: &SqlitePool, filter: &LogFilter) -> Result<Vec<Read>, StorageError> {
    let query = sqlx::query(statement(filter))
        .bind(first(filter))
        .bind(&filter.before)
        .bind(filter.since.map(millis))
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.limit);
    let query = match &filter.connection {
        Some(connection) => query.bind(key(connection)).bind(&filter.provider),
        None => query.bind(&filter.provider),
    };
    let rows = query.fetch_all(readers).await?;
    rows.iter().map(|row| Ok((raw_id(row, "attempts")?, rows::attempt(row)))).collect()
}

async fn open(readers: &SqlitePool, filter: &LogFilter) -> Result<Vec<Read>, StorageError> {
    let query = sqlx::query(OPEN)
        .bind(first(filter))
        .bind(&filter.before)
        .bind(filter.since.map(millis))
        .bind(filter.connection.as_ref().map(key))
        .bind(&filter.provider)
        .bind(filter.limit);
    let rows = query.fetch_all(readers).await?;
    rows.iter().map(|row| Ok((raw_id(row, "claims")?, rows::open(row)))).collect()
}

fn raw_id(row: &SqliteRow, table: &'static str) -> Result<String, StorageError> {
    Ok(Fields::new(row, table, "id")?.key().to_owned())
}

/// One attempt, open or finished.
pub(super) async fn attempt(
    readers: &SqlitePool,
    id: AttemptId,
) -> Result<Option<Attempt>, StorageError> {
    if let Some(found) = ended(readers, id).await? {
        return Ok(Some(found));
    }
    let open = sqlx::query("select * from claims where attempt = ?").bind(id.to_string());
    match open.fetch_optional(readers).await? {
        Some(row) => rows::open(&row).map(Some),
        // It may have ended between the two looks.
        None => ended(readers, id).await,
    }
}

async fn ended(readers: &SqlitePool, id: AttemptId) -> Result<Option<Attempt>, StorageError> {
    let query = sqlx::query("select * from attempts where id = ?").bind(id.to_string());
    query.fetch_optional(readers).await?.as_ref().map(rows::attempt).transpose()
}

pub(super) async fn statistics(
    readers: &SqlitePool,
    provider: Option<&str>,
    since: Timestamp,
) -> Result<Statistics, StorageError> {
    let statement = match provider {
        Some(_) => {
            "select id, outcome, error_code, duration_ms from attempts
             where id > ?1 and started_at >= ?2 and provider = ?3"
        }
        None => {
            "select id, outcome, error_code, duration_ms from attempts
             where id > ?1 and started_at >= ?2"
        }
    };
    let query = sqlx::query(statement).bind(first_id(since)).bind(millis(since));
    let query = match provider {
        Some(provider) => query.bind(provider),
        None => query,
    };
    let mut tally = Tally::default();
    let mut rows = query.fetch(readers);
    while let Some(row) = rows.try_next().await? {
        // What cannot be read is counted by nobody, and shown by the log.
        let _ = tally.count(&row);
    }
    Ok(tally.sum())
}

/// Attempts as they are counted. Durations are kept by their length: there are millions of attempts, and
/// some thousand different milliseconds.
#[derive(Default)]
struct Tally {
    found: Statistics,
    durations: BTreeMap<u64, u64>,
}

impl Tally {
    fn count(&mut self, row: &SqliteRow) -> Result<(), StorageError> {
        let fields = Fields::new(row, "attempts", "id")?;
        let code = fields.text("error_code")?;
        let took = fields.integer("duration_ms")?.and_then(|it| u64::try_from(it).ok());
        match fields.word("outcome")? {
            Some(Outcome::Success) => self.found.success += 1,
            Some(Outcome::Failed) => {
                self.found.failed += 1;
                *self.found.causes.entry(code.unwrap_or_default()).or_default() += 1;
            }
            Some(Outcome::Skipped) => {
                self.found.skipped += 1;
                return Ok(());
            }
            None => return Ok(()),
        }
        if let Some(took) = took {
            *self.durations.entry(took).or_default() += 1;
        }
        Ok(())
    }

    fn sum(mut self) -> Statistics {
        self.found.p50_ms = percentile(&self.durations, 50);
        self.found.p95_ms = percentile(&self.durations, 95);
        self.found
    }
}

/// The nearest-rank percentile of values with their counts.
fn percentile(counted: &BTreeMap<u64, u64>, percent: u64) -> Option<u64> {
    let rank = (counted.values().sum::<u64>() * percent).div_ceil(100);
    let mut passed = 0;
    counted.iter().find_map(|(value, count)| {
        passed += count;
        (passed >= rank).then_some(*value)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::{first_id, percentile};
    use crate::model::id::AttemptId;

    fn counted(values: impl IntoIterator<Item = u64>) -> BTreeMap<u64, u64> {
        let mut counted = BTreeMap::new();
        for value in values {
            *counted.entry(value).or_default() += 1;
        }
        counted
    }

    #[test]
    fn a_percentile_is_a_value_that_occurred() {
        assert_eq!(percentile(&counted([]), 50), None);
        assert_eq!(percentile(&counted([7]), 95), Some(7));
        assert_eq!(percentile(&counted([1, 2, 3, 4]), 50), Some(2));
        assert_eq!(percentile(&counted([5, 5, 5, 9]), 50), Some(5));
        assert_eq!(percentile(&counted(1..=100), 95), Some(95));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "ids are made of the system's time")]
    fn a_stretch_of_time_is_a_stretch_of_ids() {
        let id = AttemptId::generate().to_string();
        let now = Timestamp::now();
        assert!(first_id(now) < id, "what has just begun began since now");
        let later = now + std::time::Duration::from_hours(2);
        assert!(first_id(later) > id, "and long before what comes in two hours");
        assert_eq!(first_id(Timestamp::UNIX_EPOCH), "00000000-0000-");
        assert_eq!(first_id(Timestamp::MIN), "00000000-0000-");
    }
}
