//! When connections are looked at: which are due, when the next one is, and changing that. A claim that
//! is open hides the time of its connection; what is looked at instead is the end of its lease.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::attempt::Trigger;
use crate::model::clock;
use crate::model::connection::Due;
use crate::model::id::ConnectionId;
use crate::storage::error::StorageError;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{self, Fields, key, millis};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{DuePage, Mark, Tally};

/// Rows in one look at what is due.
const AT_ONCE: u32 = 32;

/// The end of a pause is looked at also when something is open: nothing else would lead back to it.
const DUE: &str = "
    select id, due_at, due_trigger from connections
    where provider = ? and due_at <= ? and (due_at, id) > (?, ?)
      and (not exists (select 1 from claims where connection = connections.id)
           or paused_at is not null)
    order by due_at, id limit ?";

/// Those whose lease is over; a pause holds for them too.
const INTERRUPTED: &str = "
    select claims.connection as id, lease_until as due_at, 'recovery' as due_trigger
    from claims cross join connections on connections.id = claims.connection
    where claims.provider = ? and lease_until <= ? and paused_at is null
    order by lease_until, claims.connection";

const PROBES: &str = "
    select * from connections
    where provider = ? and probe_at <= ? and (probe_at, id) > (?, ?)
    order by probe_at, id limit ?";

/// What is due behind `after`; before all of it, what was interrupted.
pub(super) async fn due(
    readers: &SqlitePool,
    provider: &str,
    now: Timestamp,
    after: Option<Mark>,
) -> Result<DuePage, StorageError> {
    let mut found = Vec::new();
    if after.is_none() {
        let rows = sqlx::query(INTERRUPTED).bind(provider).bind(millis(now));
        found.extend(rows.fetch_all(readers).await?.iter().map(due_row));
    }
    let (rows, next) = look(readers, (DUE, "due_at"), provider, now, after).await?;
    found.extend(rows.iter().map(due_row));
    Ok(DuePage { found, next })
}

/// The same of profiles. All of a row is read: what cannot be is not asked about, because the answer
/// would be stored there.
pub(super) async fn probes_due(
    readers: &SqlitePool,
    provider: &str,
    now: Timestamp,
    after: Option<Mark>,
) -> Result<DuePage, StorageError> {
    let (rows, next) = look(readers, (PROBES, "probe_at"), provider, now, after).await?;
    let probe = |row: &SqliteRow| rows::connection(row).map(|it| (it.id, Trigger::Scheduled));
    Ok(DuePage { found: rows.iter().map(probe).collect(), next })
}

/// A few rows of a provider whose time in `column` has come, and where to go on.
async fn look(
    readers: &SqlitePool,
    (statement, column): (&'static str, &'static str),
    provider: &str,
    now: Timestamp,
    after: Option<Mark>,
) -> Result<(Vec<SqliteRow>, Option<Mark>), StorageError> {
    let after = after.unwrap_or(Mark { time: i64::MIN, key: String::new() });
    let rows = sqlx::query(statement)
        .bind(provider)
        .bind(millis(now))
        .bind(after.time)
        .bind(&after.key)
        .bind(AT_ONCE)
        .fetch_all(readers)
        .await?;
    let Some(last) = rows.last() else { return Ok((rows, None)) };
    let key = Fields::new(last, "connections", "id").key().to_owned();
    let next = behind(&after, Mark { time: last.try_get(column)?, key });
    Ok((rows, Some(next)))
}

/// The place behind that row. A key that is no text is shown as another one, and must not lead back: then
/// it goes on with the time after it.
fn behind(after: &Mark, last: Mark) -> Mark {
    if last > *after {
        return last;
    }
    Mark { time: last.time.saturating_add(1), key: String::new() }
}

fn due_row(row: &SqliteRow) -> Result<(ConnectionId, Trigger), StorageError> {
    let fields = Fields::new(row, "connections", "id");
    let id = fields.required("id", fields.word("id")?)?;
    fields.time("due_at")?;
    Ok((id, fields.required("due_trigger", fields.word("due_trigger")?)?))
}

/// From provider to provider, so that the cost is their number. A time that no calendar holds is nobody's
/// next.
const NEXT: &str = "
    with recursive found (provider) as (
        select min(provider) from connections
        union all
        select (select min(provider) from connections c where c.provider > found.provider)
        from found where found.provider is not null)
    select 'next' as id, min(time) as due_at from (
        select (select min(due_at) from connections c
                where c.provider = found.provider and due_at > ?1 and due_at <= ?2
                  and (not exists (select 1 from claims where connection = c.id)
                       or paused_at is not null)) as time
        from found where found.provider is not null
        union all
        select min(lease_until)
        from claims cross join connections c on c.id = claims.connection
        where lease_until > ?1 and lease_until <= ?2 and paused_at is null)";

pub(super) async fn next_due(
    readers: &SqlitePool,
    now: Timestamp,
) -> Result<Option<Timestamp>, StorageError> {
    let query = sqlx::query(NEXT).bind(millis(now)).bind(millis(clock::LAST));
    let row = query.fetch_one(readers).await?;
    Fields::new(&row, "connections", "id").time("due_at")
}

/// By the indexes alone.
pub(super) async fn tally(readers: &SqlitePool) -> Result<Tally, StorageError> {
    let query = sqlx::query(
        "select (select count(*) from connections) as connections,
                (select count(*) from connections indexed by connections_problem
                 where problem is not null) as problems",
    );
    let row = query.fetch_one(readers).await?;
    let count = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
    Ok(Tally { connections: count("connections")?, problems: count("problems")? })
}

pub(super) async fn providers(readers: &SqlitePool) -> Result<Vec<String>, StorageError> {
    // From one to the next in the index: the cost is the number of providers, not of connections.
    let query = sqlx::query_scalar(
        "with recursive found (provider) as (
             select min(provider) from connections
             union all
             select (select min(provider) from connections c where c.provider > found.provider)
             from found where found.provider is not null)
         select cast(provider as blob) from found where provider is not null",
    );
    let found: Vec<Vec<u8>> = query.fetch_all(readers).await?;
    // A name that is no text is no provider's: what stands under it cannot be read.
    Ok(found.into_iter().filter_map(|it| String::from_utf8(it).ok()).collect())
}

pub(super) async fn next_probe(
    readers: &SqlitePool,
    provider: &str,
) -> Result<Option<Timestamp>, StorageError> {
    let row = sqlx::query(
        "select 'next' as id, min(probe_at) as probe_at from connections
         where provider = ? and probe_at between ? and ?",
    )
    .bind(provider)
    .bind(millis(Timestamp::MIN))
    .bind(millis(clock::LAST))
    .fetch_one(readers)
    .await?;
    Fields::new(&row, "connections", "id").time("probe_at")
}

/// Another time for a connection.
pub(super) struct SetDue {
    pub(super) id: ConnectionId,
    pub(super) due: Option<Due>,
}

impl Write for SetDue {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let (id, at) = (key(&self.id), self.due.map(|it| millis(it.at)));
        let put_off = "update claims set lease_until = max(lease_until, coalesce(?2, lease_until))
                       where connection = ?1";
        if change(db, put_off, params![id, at])? > 0 {
            return Ok(());
        }
        let trigger = self.due.map(|it| it.trigger.as_str());
        let set = "update connections set due_at = ?2, due_trigger = ?3 where id = ?1";
        change(db, set, params![id, at, trigger]).map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}

/// A provider that is waited for.
pub(super) struct PutOff {
    pub(super) provider: String,
    pub(super) until: Timestamp,
    pub(super) spread: Duration,
}

impl Write for PutOff {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let spread = i64::try_from(self.spread.as_millis()).unwrap_or(i64::MAX).max(1);
        change(
            db,
            "update connections set due_at = ?2 + abs(random() % ?3)
             where provider = ?1 and due_at <= ?2 and paused_at is null",
            params![self.provider, millis(self.until), spread],
        )
        .map(drop)
    }
}

/// A connection that is looked at now, if something of it is open.
pub(super) struct Wake {
    pub(super) id: ConnectionId,
    pub(super) now: Timestamp,
}

impl Write for Wake {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let arguments = params![key(&self.id), millis(self.now)];
        let open = "update claims set lease_until = ?2 where connection = ?1";
        change(db, open, arguments)?;
        change(
            db,
            "update connections set due_at = ?2, due_trigger = 'recovery'
             where id = ?1 and paused_at is null
               and exists (select 1 from captures where connection = ?1 and sealed is not null)",
            arguments,
        )
        .map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}

/// Claims of processes that are dead.
pub(super) struct WakeInterrupted {
    pub(super) owner: String,
    pub(super) now: Timestamp,
}

impl Write for WakeInterrupted {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let wake = "update claims set lease_until = ?2 where owner <> ?1";
        change(db, wake, params![self.owner, millis(self.now)]).map(drop)
    }
}
