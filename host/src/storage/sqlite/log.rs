//! The log, in pages and in the order of ends. Ids of attempts are in the order of time, so that a stretch of
//! time is a stretch of ids, and nothing else is read. Open attempts are in a table of their own, and few.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::attempt::{Attempt, Outcome};
use crate::model::id::AttemptId;
use crate::storage::error::StorageError;
use crate::storage::sqlite::db::LAST;
use crate::storage::sqlite::rows::{self, Fields, key, millis};
use crate::storage::{LogEnds, LogFilter, LogPage, Recorded};

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

const ENDED: &str = "
    select * from attempts indexed by attempts_ended
    where ended > ?1 and ended <= ?2 and (?3 is null or provider = ?3)
      and (?4 is null or connection = ?4) and (?5 is null or outcome = ?5)
    order by ended limit ?6";

/// Ids of what began since then are above this.
fn first(filter: &LogFilter) -> String {
    filter.since.map(first_id).unwrap_or_default()
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
pub(super) fn first_id(since: Timestamp) -> String {
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
    rows.iter().map(|row| Ok((raw_id(row, "attempts"), rows::attempt(row)))).collect()
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
    rows.iter().map(|row| Ok((raw_id(row, "claims"), rows::open(row)))).collect()
}

fn raw_id(row: &SqliteRow, table: &'static str) -> String {
    Fields::new(row, table, "id").key().to_owned()
}

/// One attempt, open or finished.
pub(super) async fn attempt(
    readers: &SqlitePool,
    id: AttemptId,
) -> Result<Option<Attempt>, StorageError> {
    Ok(recorded(readers, id).await?.map(|it| it.attempt))
}

/// The same with what lists leave out.
pub(super) async fn recorded(
    readers: &SqlitePool,
    id: AttemptId,
) -> Result<Option<Recorded>, StorageError> {
    if let Some(found) = ended(readers, id).await? {
        return Ok(Some(found));
    }
    let open = sqlx::query("select * from claims where attempt = ?").bind(id.to_string());
    let Some(row) = open.fetch_optional(readers).await? else {
        // It may have ended between the two looks.
        return ended(readers, id).await;
    };
    let digest = Fields::new(&row, "claims", "connection").text("digest")?;
    let (attempt, digest) = (rows::open(&row)?, digest.filter(|it| !it.is_empty()));
    Ok(Some(Recorded { attempt, digest, exchanges: Vec::new() }))
}

async fn ended(readers: &SqlitePool, id: AttemptId) -> Result<Option<Recorded>, StorageError> {
    let query = sqlx::query("select * from attempts where id = ?").bind(id.to_string());
    let Some(row) = query.fetch_optional(readers).await? else { return Ok(None) };
    let fields = Fields::new(&row, "attempts", "id");
    Ok(Some(Recorded {
        attempt: rows::attempt(&row)?,
        digest: fields.text("digest")?.filter(|it| !it.is_empty()),
        // What cannot be read of them makes the attempt no worse.
        exchanges: fields.json("exchanges").ok().flatten().unwrap_or_default(),
    }))
}

/// The end of the order first: what ends while we look is found by the next look, and by no two.
pub(super) async fn ends(
    readers: &SqlitePool,
    filter: &LogFilter,
    after: Option<i64>,
) -> Result<LogEnds, StorageError> {
    let last: i64 = sqlx::query_scalar(LAST).fetch_one(readers).await?;
    let Some(after) = after else { return Ok(LogEnds { next: last, ..LogEnds::default() }) };
    let query = sqlx::query(ENDED)
        .bind(after)
        .bind(last)
        .bind(&filter.provider)
        .bind(filter.connection.as_ref().map(key))
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.limit);
    let rows = query.fetch_all(readers).await?;
    let more = rows.len() == filter.limit as usize;
    // A place behind the last one is of a database that was replaced; whoever has it goes on with this one.
    let mut ends = LogEnds { next: last, more, ..LogEnds::default() };
    if let Some(row) = rows.last().filter(|_| more) {
        ends.next = row.try_get("ended")?;
    }
    for row in &rows {
        match rows::attempt(row) {
            Ok(attempt) => ends.attempts.push(attempt),
            Err(error) => ends.unreadable.push(error),
        }
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::first_id;
    use crate::model::id::AttemptId;

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
