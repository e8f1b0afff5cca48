//! What is wrong now, and tokens that end while that is so. Costs what is in trouble, and not what is stored.

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde_json::json;
use sqlx::sqlite::SqlitePool;

use crate::model::code::Code;
use crate::model::connection::Problem;
use crate::model::event::{Event, EventKind};
use crate::storage::error::StorageError;
use crate::storage::sqlite::listeners::append;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::millis;
use crate::storage::sqlite::writer::{Db, Write};
use crate::storage::troubles::ENDS_AT_ONCE;
use crate::storage::{Ends, Examples, Held, Trouble};

/// Provider, problem, and counts: of all, of those that end soon, of those that have ended.
type Group = (Bytes, Option<Bytes>, i64, i64, i64);

/// A text that may be damaged, and then still is counted.
type Bytes = Vec<u8>;

/// What has to be done, in all three. What a person has corrected stays that person's until it was tried: it has not
/// failed since.
const FAILING: &str = "
    select provider,
           coalesce(problem,
                    case when error_case in ('invalid-credentials', 'misconfigured') then 'misconfigured'
                         when error_case in ('grant-expired', 'token-rejected') then 'reconnect' end) as todo,
           count(*), count(*) filter (where expires_at > ?1 and expires_at <= ?2),
           count(*) filter (where expires_at <= ?1)
    from connections indexed by connections_failing
    where (failures > 0 or problem is not null) and paused_at is null
    group by provider, todo";

const NAMES: &str = "
    select name from connections indexed by connections_failing
    where (failures > 0 or problem is not null) and paused_at is null
      and id > ?1 and id < ?2
      and coalesce(problem,
                    case when error_case in ('invalid-credentials', 'misconfigured') then 'misconfigured'
                         when error_case in ('grant-expired', 'token-rejected') then 'reconnect' end) is ?3
    order by id limit ?4";

const CAUSES: &str = "
    select coalesce(error_code, '') as code, count(*) as found, coalesce(max(error_message), '')
    from connections indexed by connections_failing
    where (failures > 0 or problem is not null) and paused_at is null
      and id > ?1 and id < ?2
      and coalesce(problem,
                    case when error_case in ('invalid-credentials', 'misconfigured') then 'misconfigured'
                         when error_case in ('grant-expired', 'token-rejected') then 'reconnect' end) is ?3
    group by code order by found desc, code limit ?4";

/// What is due at a provider that is not asked, and has not failed itself.
const HELD: &str = "
    select count(*), count(*) filter (where expires_at > ?1 and expires_at <= ?2),
           count(*) filter (where expires_at <= ?1)
    from connections
    where provider = ?3 and due_at <= ?4 and failures = 0 and problem is null and paused_at is null";

pub(super) async fn all(
    readers: &SqlitePool,
    now: Timestamp,
    soon: Timestamp,
    held: &[Held],
) -> Result<Vec<Trouble>, StorageError> {
    let (now, soon) = (millis(now), millis(soon));
    let groups: Vec<Group> =
        sqlx::query_as(FAILING).bind(now).bind(soon).fetch_all(readers).await?;
    let mut all = groups.into_iter().map(of_group).collect::<Vec<_>>();
    for (provider, until) in held {
        let waiting = sqlx::query_as(HELD).bind(now).bind(soon).bind(provider).bind(spread(*until));
        let (affected, ending, expired): (i64, i64, i64) = waiting.fetch_one(readers).await?;
        let waiting = trouble((provider.clone(), None), [affected, ending, expired]);
        match all.iter_mut().find(|it| it.provider == *provider && it.problem.is_none()) {
            Some(failing) => {
                failing.affected += waiting.affected;
                failing.ending += waiting.ending;
                failing.expired += waiting.expired;
            }
            None if waiting.affected > 0 => all.push(waiting),
            None => {}
        }
    }
    Ok(all)
}

fn of_group((provider, problem, affected, ending, expired): Group) -> Trouble {
    // A word that a newer version has written, or none at all, is a problem that only a person can solve.
    let problem = problem.map(|it| lossy(&it).parse().unwrap_or(Problem::Misconfigured));
    trouble((lossy(&provider), problem), [affected, ending, expired])
}

fn trouble((provider, problem): (String, Option<Problem>), counts: [i64; 3]) -> Trouble {
    let [affected, ending, expired] = counts.map(i64::unsigned_abs);
    Trouble { provider, problem, affected, ending, expired }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// What is put off comes back within half a minute after that.
fn spread(until: Timestamp) -> i64 {
    millis(until).saturating_add(30_000)
}

pub(super) async fn examples(
    readers: &SqlitePool,
    provider: &str,
    problem: Option<Problem>,
    limit: u32,
) -> Result<Examples, StorageError> {
    let (first, end) = (format!("{provider}/"), format!("{provider}0"));
    let problem = problem.map(Problem::as_str);
    let names = sqlx::query_scalar(NAMES);
    let names = names.bind(&first).bind(&end).bind(problem).bind(limit);
    let names: Vec<Bytes> = names.fetch_all(readers).await?;
    let causes = sqlx::query_as(CAUSES);
    let causes: Vec<(Bytes, i64, Bytes)> =
        causes.bind(&first).bind(&end).bind(problem).bind(limit).fetch_all(readers).await?;
    let cause = |(code, found, text): (Bytes, i64, Bytes)| {
        (lossy(&code), found.unsigned_abs(), lossy(&text))
    };
    let names = names.iter().map(|it| lossy(it)).collect();
    Ok(Examples { names, causes: causes.into_iter().map(cause).collect() })
}

/// Ends behind ?1 and up to ?2 that were not told of; ?4 says whether they are past, which is told of for itself.
const FAILING_ENDS: &str = "
    update connections
    set ending_told = iif(?4, ending_told, generation), expired_told = iif(?4, generation, expired_told)
    where id in (select id from connections indexed by connections_failing
                 where (failures > 0 or problem is not null) and problem is null
                   and paused_at is null and expires_at > ?1 and expires_at <= ?2
                   and iif(?4, expired_told, ending_told) is not generation
                 limit ?3)
    returning id, generation, error_code";

/// The same of what waits for providers that are not asked, which are ?5.
const HELD_ENDS: &str = "
    update connections
    set ending_told = iif(?4, ending_told, generation), expired_told = iif(?4, generation, expired_told)
    where id in (select c.id from json_each(?5) h cross join connections c
                 where c.provider = h.value ->> 'provider' and c.due_at <= h.value ->> 'until'
                   and c.failures = 0 and c.problem is null and c.paused_at is null
                   and c.expires_at > ?1 and c.expires_at <= ?2
                   and iif(?4, c.expired_told, c.ending_told) is not c.generation
                 limit ?3)
    returning id, generation, error_code";

impl Write for Ends {
    type Answer = u64;

    fn apply(&self, db: &Db) -> Result<u64, StorageError> {
        let (now, soon) = (millis(self.now), millis(self.soon));
        let mut events = Vec::new();
        if self.ending {
            events.extend(self.found(db, EventKind::Ending, (now, soon))?);
        }
        if self.expired {
            events.extend(self.found(db, EventKind::Expired, (i64::MIN, now))?);
        }
        append(db, &events)?;
        Ok(events.len() as u64)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

impl Ends {
    fn found(
        &self,
        db: &Db,
        kind: EventKind,
        (after, until): (i64, i64),
    ) -> Result<Vec<Event>, StorageError> {
        let past = kind == EventKind::Expired;
        let event = |row: &Row<'_>| self.event(kind, row);
        let mut events = db
            .prepare_cached(FAILING_ENDS)?
            .query_map(params![after, until, ENDS_AT_ONCE, past], event)?
            .collect::<Result<Vec<_>, _>>()?;
        if !self.held.is_empty() {
            let all = self.held.iter();
            let all = all.map(|(name, until)| json!({"provider": name, "until": spread(*until)}));
            let all = all.collect::<serde_json::Value>().to_string();
            let mut statement = db.prepare_cached(HELD_ENDS)?;
            let more = params![after, until, ENDS_AT_ONCE, past, all];
            let more = statement.query_map(more, event)?;
            events.extend(more.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(events.into_iter().flatten().collect())
    }

    /// `None` for a row that cannot be read, which is told of elsewhere.
    fn event(&self, kind: EventKind, row: &Row<'_>) -> rusqlite::Result<Option<Event>> {
        let Some(connection) = text(row, 0)?.and_then(|it| it.parse().ok()) else {
            return Ok(None);
        };
        let generation = row.get::<_, i64>(1)?.unsigned_abs();
        let code = text(row, 2)?.map(Code::read);
        Ok(Some(Event { kind, connection, at: self.now, generation, code }))
    }
}

/// A text; `None` where there is none, or what is there is none.
fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<Option<&'r str>> {
    Ok(row.get_ref(column)?.as_str().ok())
}
