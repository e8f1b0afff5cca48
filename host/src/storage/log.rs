//! Attempts as people read them: the log, in pages, and the statistics. Ids of attempts are in the order
//! of time, so that a stretch of time is a stretch of ids, and nothing else is read.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::SqliteRow;

use crate::model::attempt::{Attempt, Outcome};
use crate::model::id::{AttemptId, ConnectionId};
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{self, Fields, key, millis};

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
    /// Only those older than this one, by its id as it stands there: for the next page.
    pub before: Option<String>,
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

/// Some of the attempts that were asked for.
#[derive(Debug, Default)]
pub struct LogPage {
    /// Newest first.
    pub attempts: Vec<Attempt>,
    /// Why others between them cannot be read.
    pub unreadable: Vec<StorageError>,
    /// Before which id the next page begins, if there is one.
    pub next: Option<String>,
}

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

impl LogFilter {
    /// Ids of what began since then are above this.
    fn first(&self) -> String {
        let since = self.since.map(first_id).unwrap_or_default();
        self.after.map_or(since.clone(), |it| it.to_string().max(since))
    }

    fn statement(&self) -> &'static str {
        match (&self.connection, self.outcome, &self.provider) {
            (Some(_), ..) => OF_CONNECTION,
            (None, Some(Outcome::Failed | Outcome::Skipped), _) => UNSUCCESSFUL,
            (None, _, Some(_)) => OF_PROVIDER,
            (None, _, None) => ALL,
        }
    }
}

/// What every id is above that was given to an attempt since then: the beginning of a UUID of version 7
/// is its time.
fn first_id(since: Timestamp) -> String {
    let since = since.checked_sub(MARGIN).unwrap_or(Timestamp::MIN).as_millisecond();
    let hex = format!("{:012x}", since.max(0));
    format!("{}-{}-", &hex[..8], &hex[8..])
}

impl Storage {
    /// Attempts that match, newest first; those that cannot be read are left out.
    pub async fn log(&self, filter: &LogFilter) -> Result<Vec<Attempt>, StorageError> {
        Ok(self.log_page(filter).await?.attempts)
    }

    /// The same, with what cannot be read, and where the next page begins.
    pub async fn log_page(&self, filter: &LogFilter) -> Result<LogPage, StorageError> {
        let query = sqlx::query(filter.statement())
            .bind(filter.first())
            .bind(&filter.before)
            .bind(filter.since.map(millis))
            .bind(filter.outcome.map(Outcome::as_str))
            .bind(filter.limit);
        let query = match &filter.connection {
            Some(connection) => query.bind(key(connection)).bind(&filter.provider),
            None => query.bind(&filter.provider),
        };
        let rows = query.fetch_all(&self.readers).await?;
        let mut page = LogPage::default();
        for row in &rows {
            match rows::attempt(row) {
                Ok(attempt) => page.attempts.push(attempt),
                Err(error) => page.unreadable.push(error),
            }
        }
        let last = rows.last().filter(|_| rows.len() == filter.limit as usize);
        let last = last.map(|it| Fields::new(it, "attempts", "id")).transpose()?;
        let next = last.map(|it| it.key().to_owned());
        // An id that is no text is shown as another one, and must not lead back.
        let leads_on = |it: &String| filter.before.as_ref().is_none_or(|before| it < before);
        page.next = next.filter(leads_on);
        Ok(page)
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
        let statement = match provider {
            Some(_) => {
                "select id, outcome, error_code, duration_ms from attempts
                 where id > ?1 and started_at >= ?2 and outcome is not null and provider = ?3"
            }
            None => {
                "select id, outcome, error_code, duration_ms from attempts
                 where id > ?1 and started_at >= ?2 and outcome is not null"
            }
        };
        let query = sqlx::query(statement).bind(first_id(since)).bind(millis(since));
        let query = match provider {
            Some(provider) => query.bind(provider),
            None => query,
        };
        let mut tally = Tally::default();
        let mut rows = query.fetch(&self.readers);
        while let Some(row) = rows.try_next().await? {
            // What cannot be read is counted by nobody, and shown by the log.
            let _ = tally.count(&row);
        }
        Ok(tally.sum())
    }
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
