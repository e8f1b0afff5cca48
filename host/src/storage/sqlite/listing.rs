//! Connections in pages, by id: whoever lists them holds one page and no more.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::attempt::Attempt;
use crate::model::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::sqlite::captures;
use crate::storage::sqlite::connections::open_attempt;
use crate::storage::sqlite::rows::{self, Fields, key, millis};
use crate::storage::{Counted, Filter, Page, Unreadable};

/// All of them, or those of a provider, whose ids stand together; without those that wait for a consent.
const ALL: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c
    left join claims a on a.connection = c.id
    where c.id > ?1 and c.id < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or c.active_at >= ?3)
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.id limit ?4";

const FAILED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c indexed by connections_failing
    left join claims a on a.connection = c.id
    where (c.failures > 0 or c.problem is not null)
      and c.id > ?1 and c.id < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or c.active_at >= ?3)
    order by c.id limit ?4";

const LABELLED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from labels l cross join connections c on c.id = l.connection
    left join claims a on a.connection = c.id
    where l.label = ?5
      and l.connection > ?1 and l.connection < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or c.active_at >= ?3) and (not ?6 or c.failures > 0 or c.problem is not null)
    order by l.connection limit ?4";

const NAMED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from json_each(?5) j cross join connections c on c.id = j.value
    left join claims a on a.connection = c.id
    where c.id > ?1 and c.id < coalesce(?2, cast(x'ffff' as text))
      and (?3 is null or c.active_at >= ?3) and (not ?6 or c.failures > 0 or c.problem is not null)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
    limit ?4";

const OPEN: &str = "
    select a.* from json_each(?) j cross join claims a on a.connection = j.value";

const FINISHED: &str = "
    select a.* from json_each(?) j cross join attempts a
    where a.id = (select id from attempts where connection = j.value order by id desc limit 1)";

pub(super) async fn counted(readers: &SqlitePool) -> Result<Vec<Counted>, StorageError> {
    let all = "select provider, count(*) from connections group by provider";
    let stuck = "select provider, count(*) from connections where problem is not null
                 group by provider";
    // A name that is damaged is counted as any other.
    let all: Vec<(Vec<u8>, i64)> = sqlx::query_as(all).fetch_all(readers).await?;
    let stuck: Vec<(Vec<u8>, i64)> = sqlx::query_as(stuck).fetch_all(readers).await?;
    let stuck = stuck.into_iter().collect::<HashMap<_, _>>();
    let counted = |(provider, count): (Vec<u8>, i64)| Counted {
        needing_a_person: stuck.get(&provider).map_or(0, |it| it.unsigned_abs()),
        connections: count.unsigned_abs(),
        provider: String::from_utf8_lossy(&provider).into_owned(),
    };
    Ok(all.into_iter().map(counted).collect())
}

pub(super) async fn page(
    readers: &SqlitePool,
    filter: &Filter,
    after: Option<&str>,
    limit: u32,
) -> Result<Page, StorageError> {
    let (rows, next) = found(readers, filter, after, limit).await?;
    Ok(Page { next, ..filled(readers, &rows).await? })
}

pub(super) async fn selected(
    readers: &SqlitePool,
    filter: &Filter,
    after: Option<&str>,
    limit: u32,
) -> Result<Page, StorageError> {
    let (rows, next) = found(readers, filter, after, limit).await?;
    let mut page = Page { next, rows: Vec::with_capacity(rows.len()), ..Page::default() };
    for row in &rows {
        let read = read(readers, row).await;
        page.rows.push(read.map_err(|error| Unreadable { key: raw_key(row), error }));
    }
    Ok(page)
}

/// The rows of a page, and behind which key the next one begins.
async fn found(
    readers: &SqlitePool,
    filter: &Filter,
    after: Option<&str>,
    limit: u32,
) -> Result<(Vec<SqliteRow>, Option<String>), StorageError> {
    let named = named(filter, after, limit);
    let rows = rows(readers, filter, named.as_deref(), after, limit).await?;
    let keys = rows.iter().map(raw_key).collect::<Vec<_>>();
    let last = match &named {
        Some(named) => named.last(),
        None => keys.last().filter(|_| keys.len() == limit as usize),
    };
    // A key that is no text is shown as another one, and must not lead back.
    let next = last.filter(|it| after.is_none_or(|after| it.as_str() > after)).cloned();
    let next = next.filter(|it| named.is_none() || has_more(filter, it));
    Ok((rows, next))
}

/// Rows with their last attempts.
pub(super) async fn filled(readers: &SqlitePool, rows: &[SqliteRow]) -> Result<Page, StorageError> {
    let keys = rows.iter().map(raw_key).collect::<Vec<_>>();
    let (mut last, attempts) = last_attempts(readers, &keys).await?;
    let mut page = Page { rows: Vec::with_capacity(rows.len()), attempts, next: None };
    for (row, key) in rows.iter().zip(keys) {
        let read = read(readers, row).await.map(|mut connection| {
            connection.last_attempt = last.remove(&key);
            connection
        });
        page.rows.push(read.map_err(|error| Unreadable { key, error }));
    }
    Ok(page)
}

async fn rows(
    readers: &SqlitePool,
    filter: &Filter,
    named: Option<&[String]>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<SqliteRow>, StorageError> {
    let (first, end) = range(filter.provider.as_deref(), after);
    let statement = match (named, &filter.label, filter.failed) {
        (Some(_), ..) => NAMED,
        (None, Some(_), _) => LABELLED,
        (None, None, true) => FAILED,
        (None, None, false) => ALL,
    };
    let query = sqlx::query(statement)
        .bind(first)
        .bind(end)
        .bind(filter.active_since.map(millis))
        .bind(limit);
    let query = match (named, &filter.label) {
        (Some(named), label) => {
            query.bind(Value::from(named).to_string()).bind(filter.failed).bind(label)
        }
        (None, Some(label)) => query.bind(label).bind(filter.failed),
        (None, None) => query,
    };
    Ok(query.fetch_all(readers).await?)
}

/// The connection, if all can be read that a refresh of it would read.
async fn read(readers: &SqlitePool, row: &SqliteRow) -> Result<Connection, StorageError> {
    let connection = rows::connection(row)?;
    open_attempt(row)?;
    if Fields::new(row, "captures", "id").count("captured")? > 0 {
        captures::listed(readers, &connection.id, connection.generation).await?;
    }
    Ok(connection)
}

/// The newest attempts of those connections, by key, and the errors of those that cannot be read.
async fn last_attempts(
    readers: &SqlitePool,
    keys: &[String],
) -> Result<(BTreeMap<String, Attempt>, Vec<StorageError>), StorageError> {
    let keys = Value::from(keys).to_string();
    // Open ones first: what ends between the two looks is then seen twice, and not by neither.
    let open = sqlx::query(OPEN).bind(&keys).fetch_all(readers).await?;
    let finished = sqlx::query(FINISHED).bind(&keys).fetch_all(readers).await?;
    let mut found = BTreeMap::<String, Attempt>::new();
    let mut unreadable = Vec::new();
    let attempts =
        finished.iter().map(|it| rows::attempt(it)).chain(open.iter().map(|it| rows::open(it)));
    for attempt in attempts {
        match attempt {
            Ok(attempt) => {
                let ended = found.get(&key(&attempt.connection)).filter(|it| it.id == attempt.id);
                if ended.is_none() {
                    found.insert(key(&attempt.connection), attempt);
                }
            }
            Err(error) => unreadable.push(error),
        }
    }
    Ok((found, unreadable))
}

/// Those that are named and come next, if any are named at all.
fn named(filter: &Filter, after: Option<&str>, limit: u32) -> Option<Vec<String>> {
    if filter.ids.is_empty() {
        return None;
    }
    let mut keys = filter.ids.iter().map(key).collect::<Vec<_>>();
    keys.retain(|it| after.is_none_or(|after| it.as_str() > after));
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(limit as usize);
    Some(keys)
}

fn has_more(filter: &Filter, last: &str) -> bool {
    filter.ids.iter().any(|it| key(it).as_str() > last)
}

/// Keys between which all are that are wanted: those of a provider begin with its name and a slash, and
/// a zero comes right after the slash.
fn range(provider: Option<&str>, after: Option<&str>) -> (String, Option<String>) {
    let after = after.unwrap_or_default().to_owned();
    match provider {
        Some(provider) => (after.max(format!("{provider}/")), Some(format!("{provider}0"))),
        None => (after, None),
    }
}

pub(super) fn raw_key(row: &SqliteRow) -> String {
    Fields::new(row, "connections", "id").key().to_owned()
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn the_connections_of_a_provider_stand_between_its_slash_and_what_follows_it() {
        let (first, end) = range(Some("a"), None);
        let end = end.unwrap();
        for inside in ["a/b", "a/default", "a/\u{10ffff}"] {
            assert!(first.as_str() < inside && inside < end.as_str(), "{inside}");
        }
        for outside in ["a", "a-b/c", "a.b/c", "a0/c", "ab/c", "b/c"] {
            assert!(first.as_str() >= outside || outside >= end.as_str(), "{outside}");
        }
        assert_eq!(range(Some("a"), Some("a/b")).0, "a/b");
    }
}
