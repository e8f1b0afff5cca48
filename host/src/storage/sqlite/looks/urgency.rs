//! Connections by urgency, page by page. Each stretch of the order is read from an index of its own that begins with
//! the end of the token, so that a page costs what is on it; a search, or a filter that few fit, costs one pass over
//! the index at most.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::state::{State, state_of};
use crate::storage::error::StorageError;
use crate::storage::looks::urgency::TRIES;
use crate::storage::sqlite::listing::{self, raw_key};
use crate::storage::sqlite::rows::{self, millis};
use crate::storage::sqlite::times::providers;
use crate::storage::{EndsIn, Place, Try, Urgency, UrgentPage};

/// What only a person can mend.
const STUCK: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c indexed by connections_stuck
    left join claims a on a.connection = c.id
    where c.problem is not null and c.paused_at is null and (?9 is null or c.problem = ?9)
      and (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.ends_at, c.id limit ?8";

/// What fails and is tried again: those whose token has ended come first by themselves.
const BROKEN: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c indexed by connections_broken
    left join claims a on a.connection = c.id
    where c.failures > 0 and c.problem is null and c.paused_at is null
      and (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.ends_at, c.id limit ?8";

/// What should have been refreshed and was not even tried.
const OVERDUE: &str = "
    select c.*, a.owner, a.attempt as open_id, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from json_each(?10) p cross join connections c on c.provider = p.value and c.due_at < ?9
    left join claims a on a.connection = c.id
    where c.failures = 0 and c.problem is null and c.paused_at is null
      and (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.ends_at, c.id limit ?8";

/// What nothing is wrong with, by the end of the token. Names are looked at in the index alone.
const ENDING: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections k indexed by connections_ends cross join connections c on c.id = k.id
    left join claims a on a.connection = c.id
    where (k.expires_at, k.id) > (?1, ?2) and k.expires_at <= ?3
      and k.id > ?4 and k.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(k.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = k.id))
      and c.failures = 0 and c.problem is null and c.paused_at is null
      and (c.due_at is null or c.due_at >= ?9)
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by k.expires_at, k.id limit ?8";

/// The same where no end is known: without a token, or with one of which nobody says when it ends.
const WITHOUT_END: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections k indexed by connections_ends cross join connections c on c.id = k.id
    left join claims a on a.connection = c.id
    where k.expires_at is null and k.id > ?2 and (c.issued_at is null) = ?10
      and k.id > ?4 and k.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(k.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = k.id))
      and c.failures = 0 and c.problem is null and c.paused_at is null
      and (c.due_at is null or c.due_at >= ?9)
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by k.id limit ?8";

/// What a person has paused.
const PAUSED: &str = "
    select c.*, a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from connections c indexed by connections_paused
    left join claims a on a.connection = c.id
    where c.paused_at is not null
      and (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
      and not (c.generation = 0 and c.enrolled is x'636f6e73656e74')
    order by c.ends_at, c.id limit ?8";

/// What is under way, for those who look for that alone.
const OPEN: &str = "
    select c.*, a.owner, a.attempt as open_id, a.lease_until, a.started_at, a.rotation,
           exists (select 1 from captures where connection = c.id) as captured
    from claims a cross join connections c on c.id = a.connection
    where (c.ends_at, c.id) > (?1, ?2) and c.ends_at <= ?3
      and c.id > ?4 and c.id < coalesce(?5, cast(x'ffff' as text))
      and (?6 is null or instr(lower(c.id), ?6) > 0)
      and (?7 is null or exists (select 1 from labels where label = ?7 and connection = c.id))
    order by c.ends_at, c.id limit ?8";

/// The last tries of those connections, each list from the newest on.
const TRIED: &str = "
    select j.value as key,
           (select json_group_array(json_array(outcome, started_at, duration_ms))
            from (select outcome, started_at, duration_ms from attempts
                  where connection = j.value order by id desc limit ?2)) as tries
    from json_each(?1) j";

/// Looks for one page, of so many rows each, where a state is wanted. One that few are in is found by then, or the
/// next page goes on looking.
const LOOKS: usize = 20;
const ROWS: u32 = 500;

/// A token that does not end.
const ENDLESS: i64 = i64::MAX;

/// No token.
const NONE: i64 = -1;

/// A part of the order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stretch {
    Stuck,
    Broken,
    Overdue,
    New,
    Ahead,
    Endless,
    Past,
    Paused,
    /// No part of it, but a way to find few.
    Open,
}

impl Stretch {
    /// Where those in `state` can be, in order; everything when none is named.
    fn of(state: Option<State>) -> &'static [Self] {
        use Stretch::{Ahead, Broken, Endless, New, Open, Overdue, Past, Paused, Stuck};
        match state {
            None => &[Stuck, Broken, Overdue, New, Ahead, Endless, Past, Paused],
            Some(State::Reconnect | State::Misconfigured) => &[Stuck],
            Some(State::Late) => &[Broken, Overdue],
            Some(State::Expired) => &[Broken, Overdue, Past],
            Some(State::New) => &[Overdue, New],
            Some(State::Fresh) => &[Ahead, Endless],
            Some(State::Paused) => &[Past, Paused],
            Some(State::Refreshing) => &[Open],
        }
    }

    fn statement(self) -> &'static str {
        match self {
            Self::Stuck => STUCK,
            Self::Broken => BROKEN,
            Self::Overdue => OVERDUE,
            Self::Ahead | Self::Past => ENDING,
            Self::New | Self::Endless => WITHOUT_END,
            Self::Paused => PAUSED,
            Self::Open => OPEN,
        }
    }

    /// The first and the last end of a token in it.
    fn ends(self, now: i64) -> (i64, i64) {
        match self {
            Self::New => (NONE, NONE),
            Self::Endless => (ENDLESS, ENDLESS),
            Self::Ahead => (now + 1, ENDLESS - 1),
            Self::Past => (NONE + 1, now),
            Self::Stuck | Self::Broken | Self::Overdue | Self::Paused | Self::Open => {
                (NONE, ENDLESS)
            }
        }
    }
}

/// The first and the last end that is wanted.
fn wanted_ends(ends: Option<EndsIn>, now: i64) -> (i64, i64) {
    match ends {
        None => (NONE, ENDLESS),
        Some(EndsIn::Past) => (NONE + 1, now),
        Some(EndsIn::Within(after, until)) => (millis(after) + 1, millis(until)),
        Some(EndsIn::Unknown) => (ENDLESS, ENDLESS),
    }
}

pub(super) async fn page(
    readers: &SqlitePool,
    wanted: &Urgency,
) -> Result<UrgentPage, StorageError> {
    let providers = Value::from(providers(readers).await?).to_string();
    let look = Look { readers, wanted, providers };
    let (mut found, after) = (Found::default(), wanted.after.as_ref());
    for stretch in Stretch::of(wanted.state) {
        let begun = after.filter(|it| it.stretch == *stretch as u8);
        let is_over = after.is_some_and(|it| it.stretch > *stretch as u8);
        if !is_over && found.next.is_none() {
            found.read(&look, *stretch, begun).await?;
        }
    }
    let keys = found.rows.iter().map(raw_key).collect::<Vec<_>>();
    let page = listing::filled(readers, &found.rows).await?;
    Ok(UrgentPage { page, tries: tries(readers, &keys).await?, next: found.next })
}

/// What is asked for.
struct Look<'a> {
    readers: &'a SqlitePool,
    wanted: &'a Urgency,
    /// Names of all of them, as JSON.
    providers: String,
}

impl Look<'_> {
    /// How many rows are asked for at once.
    fn many(&self) -> u32 {
        if self.wanted.state.is_some() { ROWS } else { self.wanted.limit + 1 }
    }

    /// Some rows of a stretch behind a place in it.
    async fn rows(
        &self,
        stretch: Stretch,
        after: Option<&Place>,
    ) -> Result<Vec<SqliteRow>, StorageError> {
        let (wanted, now) = (self.wanted, millis(self.wanted.now));
        let (of_stretch, of_filter) = (stretch.ends(now), wanted_ends(wanted.ends, now));
        let (first, last) = (of_stretch.0.max(of_filter.0), of_stretch.1.min(of_filter.1));
        if first > last {
            return Ok(Vec::new());
        }
        let (ends, key) = after.map_or((first, ""), |it| (it.ends, it.key.as_str()));
        let provider = wanted.provider.as_deref();
        let query = sqlx::query(stretch.statement())
            .bind(ends)
            .bind(key)
            .bind(last)
            .bind(provider.map(|it| format!("{it}/")).unwrap_or_default())
            .bind(provider.map(|it| format!("{it}0")))
            .bind(wanted.search.as_ref().map(|it| it.to_ascii_lowercase()))
            .bind(&wanted.label)
            .bind(self.many());
        let overdue = millis(wanted.overdue);
        let query = match stretch {
            Stretch::Stuck => query.bind(wanted.state.map(State::as_str)),
            Stretch::Overdue => query.bind(overdue).bind(&self.providers),
            Stretch::Ahead | Stretch::Past => query.bind(overdue),
            Stretch::New | Stretch::Endless => query.bind(overdue).bind(stretch == Stretch::New),
            Stretch::Broken | Stretch::Paused | Stretch::Open => query,
        };
        Ok(query.fetch_all(self.readers).await?)
    }

    /// The index finds those that may be in a state; what the row says decides. One that cannot be read is shown
    /// among those that a person has to correct.
    fn fits(&self, row: &SqliteRow) -> bool {
        let Some(wanted) = self.wanted.state else { return true };
        let Ok(connection) = rows::connection(row) else { return wanted == State::Misconfigured };
        let is_open = row.try_get::<Option<String>, _>("open_id").is_ok_and(|it| it.is_some());
        let state = match state_of(&connection, self.wanted.now) {
            state @ (State::Paused | State::Reconnect | State::Misconfigured) => state,
            _ if is_open => State::Refreshing,
            state => state,
        };
        state == wanted
    }
}

/// What a page has so far.
#[derive(Default)]
struct Found {
    rows: Vec<SqliteRow>,
    /// Of the last of them.
    last: Option<Place>,
    looks: usize,
    next: Option<Place>,
}

impl Found {
    /// Adds what fits of a stretch, from a place in it on.
    async fn read(
        &mut self,
        look: &Look<'_>,
        stretch: Stretch,
        begun: Option<&Place>,
    ) -> Result<(), StorageError> {
        let mut place = begun.cloned();
        loop {
            let rows = look.rows(stretch, place.as_ref()).await?;
            let is_last = rows.len() < look.many() as usize;
            for row in rows {
                place = Some(place_of(stretch, &row)?);
                if !look.fits(&row) {
                    continue;
                }
                if self.rows.len() == look.wanted.limit as usize {
                    self.next = self.last.take();
                    return Ok(());
                }
                self.last.clone_from(&place);
                self.rows.push(row);
            }
            self.looks += 1;
            if is_last {
                return Ok(());
            }
            if self.looks >= LOOKS {
                self.next = place;
                return Ok(());
            }
        }
    }
}

fn place_of(stretch: Stretch, row: &SqliteRow) -> Result<Place, StorageError> {
    Ok(Place { stretch: stretch as u8, ends: row.try_get("ends_at")?, key: raw_key(row) })
}

/// The last tries of those connections, oldest first. What cannot be read of them is left out.
async fn tries(
    readers: &SqlitePool,
    keys: &[String],
) -> Result<HashMap<String, Vec<Try>>, StorageError> {
    let query = sqlx::query_as(TRIED).bind(Value::from(keys).to_string()).bind(TRIES);
    let found: Vec<(String, String)> = query.fetch_all(readers).await?;
    let read = |(key, text): (String, String)| {
        let all = serde_json::from_str::<Vec<Value>>(&text).unwrap_or_default();
        (key, all.iter().rev().filter_map(a_try).collect())
    };
    Ok(found.into_iter().map(read).collect())
}

fn a_try(value: &Value) -> Option<Try> {
    Some(Try {
        outcome: value[0].as_str()?.parse().ok()?,
        started_at: Timestamp::from_millisecond(value[1].as_i64()?).ok()?,
        duration_ms: value[2].as_u64().unwrap_or_default(),
    })
}
