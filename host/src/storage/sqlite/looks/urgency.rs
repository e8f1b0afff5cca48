//! Connections by urgency or in another order, page by page. Each stretch of an order is read from an index that goes the
//! same way, so that a page costs what is on it; a search, or a filter that few fit, costs one pass over the index at
//! most.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::state::{State, state_of};
use crate::storage::error::StorageError;
use crate::storage::looks::urgency::TRIES;
use crate::storage::sqlite::listing::{self, raw_key};
use crate::storage::sqlite::looks::stretches::{ENDLESS, NONE, Stretch};
use crate::storage::sqlite::rows::{self, millis};
use crate::storage::sqlite::times::providers;
use crate::storage::{EndsIn, Place, Try, Urgency, UrgentPage};

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
    let providers = providers(readers).await?;
    let names = Value::from(providers.as_slice()).to_string();
    let look = Look { readers, wanted, providers, names };
    let (mut found, after) = (Found::default(), wanted.after.as_ref());
    for stretch in Stretch::of(wanted.order, wanted.state) {
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
    /// Names of all of them.
    providers: Vec<String>,
    /// The same as JSON.
    names: String,
}

impl Look<'_> {
    /// How many rows are asked for at once.
    fn many(&self, stretch: Stretch) -> u32 {
        // What is found in a state by a statement fits; the others have to be looked through.
        let fits = self.wanted.state.is_none() || stretch == Stretch::Few;
        if fits { self.wanted.limit + 1 } else { ROWS }
    }

    /// Some rows of a stretch behind a place in it.
    async fn rows(
        &self,
        stretch: Stretch,
        after: Option<&Place>,
    ) -> Result<Vec<SqliteRow>, StorageError> {
        if stretch != Stretch::Planned {
            return self.some(stretch, after, None).await;
        }
        // The first of all are among the first of each provider, of which there are few.
        let mut found = Vec::new();
        for provider in &self.providers {
            if self.wanted.provider.as_ref().is_none_or(|it| it == provider) {
                found.extend(self.some(stretch, after, Some(provider)).await?);
            }
        }
        let due_at = |row: &SqliteRow| row.try_get::<i64, _>("due_at").unwrap_or(i64::MAX);
        found.sort_by_cached_key(|row| (due_at(row), raw_key(row)));
        found.truncate(self.many(stretch) as usize);
        Ok(found)
    }

    /// The same, of one provider where its statement asks for one.
    async fn some(
        &self,
        stretch: Stretch,
        after: Option<&Place>,
        of: Option<&str>,
    ) -> Result<Vec<SqliteRow>, StorageError> {
        let (wanted, now) = (self.wanted, millis(self.wanted.now));
        let (of_stretch, of_filter) = (stretch.ends(now), wanted_ends(wanted.ends, now));
        let (first, last) = (of_stretch.0.max(of_filter.0), of_stretch.1.min(of_filter.1));
        if first > last {
            return Ok(Vec::new());
        }
        let beginning = (stretch.beginning(first), "");
        let (at, key) = after.map_or(beginning, |it| (it.at, it.key.as_str()));
        let (state, overdue) = (wanted.state.map(State::as_str), millis(wanted.overdue));
        let provider = wanted.provider.as_deref();
        let query = sqlx::query(stretch.statement())
            .bind(at)
            .bind(key)
            .bind(last)
            .bind(provider.map(|it| format!("{it}/")).unwrap_or_default())
            .bind(provider.map(|it| format!("{it}0")))
            .bind(wanted.search.as_ref().map(|it| it.to_ascii_lowercase()))
            .bind(&wanted.label)
            .bind(self.many(stretch));
        let query = match stretch {
            Stretch::Stuck => query.bind(state),
            Stretch::Overdue => query.bind(overdue).bind(&self.names),
            Stretch::Ahead | Stretch::Past => query.bind(overdue),
            Stretch::New | Stretch::Endless => query.bind(overdue).bind(stretch == Stretch::New),
            Stretch::Broken | Stretch::Paused | Stretch::Open | Stretch::Dated => query,
            Stretch::Named | Stretch::Dateless | Stretch::Unplanned => query.bind(first),
            Stretch::Planned => query.bind(first).bind(of),
            Stretch::Few => {
                let query = query.bind(first).bind(now).bind(overdue).bind(&self.names);
                query.bind(state).bind(wanted.order.as_str())
            }
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
            let is_last = rows.len() < look.many(stretch) as usize;
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
    let at = row.try_get(stretch.column())?;
    Ok(Place { stretch: stretch as u8, at, key: raw_key(row) })
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
