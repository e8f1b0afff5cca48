//! What is planned ahead, counted in the index that the scheduler looks into: 80 ms of a core for a million connections
//! that are due within these hours. What begins between its two looks is counted twice or not at all: it is a forecast. A row
//! that the scheduler cannot read counts as overdue.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::id::ConnectionId;
use crate::storage::Forecast;
use crate::storage::error::StorageError;
use crate::storage::looks::forecast::{HOURS_AHEAD, edges};
use crate::storage::sqlite::rows::{Fields, millis};
use crate::storage::sqlite::times::providers;

/// How many connections of each provider are due in each stretch of time.
const PLANNED: &str = "
    select p.value as provider, h.key as stretch,
           (select count(*) from connections c
            where c.provider = p.value
              and c.due_at >= h.value ->> 0 and c.due_at < h.value ->> 1) as due
    from json_each(?1) p cross join json_each(?2) h";

/// Those among them that are at work: a claim hides the time of its connection, and a pause hides the claim.
const UNDER_WAY: &str = "
    select c.id, c.due_at
    from claims a cross join connections c on c.id = a.connection
    where c.paused_at is null and c.due_at is not null";

pub(super) async fn forecast(
    readers: &SqlitePool,
    now: Timestamp,
) -> Result<Vec<Forecast>, StorageError> {
    let (names, edges) = (providers(readers).await?, edges(now));
    let mut found = planned(readers, &names, &edges).await?;
    for row in sqlx::query(UNDER_WAY).fetch_all(readers).await? {
        // What cannot be read is told of by whoever looks at what is due.
        let Ok((id, due)) = under_way(&row) else { continue };
        let behind = edges.partition_point(|it| *it <= due);
        let of_provider = found.get_mut(id.provider());
        if let Some(count) = of_provider.and_then(|it| it.get_mut(behind.checked_sub(1)?)) {
            *count = count.saturating_sub(1);
        }
    }
    Ok(found.into_iter().map(|(provider, counts)| of(provider, &counts)).collect())
}

/// Counts of each provider: what is overdue, then each hour.
async fn planned(
    readers: &SqlitePool,
    names: &[String],
    edges: &[Timestamp],
) -> Result<BTreeMap<String, Vec<u64>>, StorageError> {
    let ends = edges.iter().skip(1);
    let stretches = edges.iter().zip(ends).map(|(from, to)| json!([millis(*from), millis(*to)]));
    let stretches = stretches.collect::<Value>().to_string();
    let query = sqlx::query_as(PLANNED).bind(Value::from(names).to_string()).bind(stretches);
    let rows: Vec<(String, i64, i64)> = query.fetch_all(readers).await?;
    let empty = |it: &String| (it.clone(), vec![0; HOURS_AHEAD + 1]);
    let mut found = names.iter().map(empty).collect::<BTreeMap<_, _>>();
    for (provider, stretch, due) in rows {
        let counts = found.get_mut(&provider);
        let place = usize::try_from(stretch).unwrap_or(usize::MAX);
        if let Some(count) = counts.and_then(|it| it.get_mut(place)) {
            *count = due.unsigned_abs();
        }
    }
    Ok(found)
}

fn under_way(row: &SqliteRow) -> Result<(ConnectionId, Timestamp), StorageError> {
    let fields = Fields::new(row, "connections", "id");
    let id = fields.required("id", fields.word("id")?)?;
    Ok((id, fields.required("due_at", fields.time("due_at")?)?))
}

fn of(provider: String, counts: &[u64]) -> Forecast {
    let (overdue, hours) = counts.split_first().unwrap_or((&0, &[]));
    Forecast { provider, overdue: *overdue, hours: hours.to_vec() }
}
