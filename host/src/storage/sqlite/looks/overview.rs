//! All connections in numbers. Nobody reads a million rows for a page: most are fresh, and those are what is left
//! when the others are counted.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::sqlite::SqlitePool;

use crate::model::state::State;
use crate::storage::error::StorageError;
use crate::storage::looks::overview::CHANGES;
use crate::storage::sqlite::listeners;
use crate::storage::sqlite::rows::millis;
use crate::storage::sqlite::times::providers;
use crate::storage::{Counting, EndCounts, OutboxEvent, Overall};

/// The states of those that may be something else than fresh, as `state_of` says them; whether their token works.
/// Those that wait for a consent are no connections yet.
const STATES: &str = "
    with some (id) as (
        select id from connections indexed by connections_failing
        where failures > 0 or problem is not null
        union select id from connections indexed by connections_paused where paused_at is not null
        union select connection from claims
        union select id from connections indexed by connections_ends where expires_at <= ?1
        union select id from connections indexed by connections_ends
              where expires_at is null and issued_at is null
        union select c.id from json_each(?3) p cross join connections c
              on c.provider = p.value and c.due_at < ?2)
    select case
               when c.expires_at <= ?1 and c.failures = 0 and c.doubt_since is null
                    and c.paused_at is null and c.problem is null
                    and (c.due_at is null
                         or c.due_at > ?1 and c.refresh_expires_at > ?1
                            and c.due_at >= c.refresh_expires_at
                                - min((c.refresh_expires_at - min(c.issued_at, ?1)) / 3, 259200000))
                   then 'paused'
               when c.paused_at is not null and (c.paused_until is null or c.paused_until > ?1)
                   then 'paused'
               when c.problem = 'reconnect' then 'reconnect'
               when c.problem is not null then 'misconfigured'
               when exists (select 1 from claims where connection = c.id) then 'refreshing'
               when c.issued_at is null and c.failures = 0 then 'new'
               when c.issued_at is null or c.expires_at <= ?1 then 'expired'
               when c.failures > 0 or c.doubt_since is not null or c.due_at < ?2 then 'late'
               else 'fresh'
           end as state,
           c.issued_at is not null and coalesce(c.expires_at > ?1, 1) as works, count(*)
    from some cross join connections c on c.id = some.id
    where not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    group by state, works";

/// What `refresh --failed` takes.
const FAILED: &str = "
    select count(*) from connections indexed by connections_failing
    where failures > 0 or problem is not null";

const ENDS: &str = "
    select (select count(*) from connections where expires_at <= ?1),
           (select count(*) from connections where expires_at > ?1 and expires_at <= ?1 + 3600000),
           (select count(*) from connections
            where expires_at > ?1 + 3600000 and expires_at <= ?1 + 86400000),
           (select count(*) from connections
            where expires_at > ?1 + 86400000 and expires_at <= ?1 + 604800000),
           (select count(*) from connections
            where expires_at > ?1 + 604800000 and expires_at <= ?1 + 2592000000),
           (select count(*) from connections where expires_at > ?1 + 2592000000),
           (select count(*) from connections indexed by connections_ends
            where expires_at is null and issued_at is not null)";

const DUE: &str = "
    select (select count(*) from json_each(?2) p cross join connections c
            on c.provider = p.value and c.due_at >= h.value and c.due_at < h.value + 3600000)
    from json_each(?1) h";

/// Refreshes that go well are most of what happens; behind so many of them nobody looks.
const CHANGED: &str = "
    select *, cast(id as text) as key
    from (select * from outbox order by id desc limit 2000)
    where kind in (select value from json_each(?1))
    order by id desc limit ?2";

pub(super) async fn overall(
    readers: &SqlitePool,
    counting: &Counting,
) -> Result<Overall, StorageError> {
    let now = millis(counting.now);
    let names = Value::from(providers(readers).await?).to_string();
    let some = sqlx::query_as(STATES).bind(now).bind(millis(counting.overdue)).bind(&names);
    let some: Vec<(String, bool, i64)> = some.fetch_all(readers).await?;
    let ends = ends(readers, now).await?;
    let works = ends.hour + ends.day + ends.week + ends.month + ends.later + ends.unknown;
    let due = due(readers, counting, &names).await?;
    let failed: i64 = sqlx::query_scalar(FAILED).fetch_one(readers).await?;
    let changes = changes(readers, counting.changes).await?;
    let (states, failed) = (states(&some, works), failed.unsigned_abs());
    Ok(Overall { states, failed, ends, due, changes })
}

/// Those whose token works and of which nothing else is known are fresh.
fn states(some: &[(String, bool, i64)], works: u64) -> BTreeMap<State, u64> {
    let mut states = BTreeMap::new();
    let mut known = 0;
    for (state, works, count) in some {
        let count = count.unsigned_abs();
        known += if *works { count } else { 0 };
        if let Ok(state) = state.parse::<State>() {
            *states.entry(state).or_default() += count;
        }
    }
    *states.entry(State::Fresh).or_default() += works.saturating_sub(known);
    states.retain(|_, count| *count > 0);
    states
}

async fn ends(readers: &SqlitePool, now: i64) -> Result<EndCounts, StorageError> {
    let counts = sqlx::query_as(ENDS).bind(now).fetch_one(readers).await?;
    let (past, hour, day, week, month, later, unknown): (i64, i64, i64, i64, i64, i64, i64) =
        counts;
    let count = i64::unsigned_abs;
    Ok(EndCounts {
        past: count(past),
        hour: count(hour),
        day: count(day),
        week: count(week),
        month: count(month),
        later: count(later),
        unknown: count(unknown),
    })
}

async fn due(
    readers: &SqlitePool,
    counting: &Counting,
    providers: &str,
) -> Result<Vec<u64>, StorageError> {
    let hours = counting.hours.iter().map(|it| Value::from(millis(*it))).collect::<Value>();
    let due = sqlx::query_scalar(DUE).bind(hours.to_string()).bind(providers);
    let due: Vec<i64> = due.fetch_all(readers).await?;
    Ok(due.into_iter().map(i64::unsigned_abs).collect())
}

/// What cannot be read is told of where events are delivered.
async fn changes(readers: &SqlitePool, limit: u32) -> Result<Vec<OutboxEvent>, StorageError> {
    let kinds = CHANGES.iter().map(|it| Value::from(it.as_str())).collect::<Value>();
    let rows = sqlx::query(CHANGED).bind(kinds.to_string()).bind(limit);
    let rows = rows.fetch_all(readers).await?;
    Ok(rows.iter().filter_map(|it| listeners::event(it).ok()).collect())
}
