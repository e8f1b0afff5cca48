//! Sinks: what they have to look at, and what came of it. Triggers note which connections change (migration 0017).

use jiff::Timestamp;
use rusqlite::params;
use sqlx::Row as _;
use sqlx::sqlite::SqlitePool;

use crate::storage::error::StorageError;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{json, key, millis};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{
    About, Came, Delivered, Done, Record, Selected, SinkState, Sweep, Swept, ToLookAt, Wanted,
};

/// What is tried again in one go.
const DUE: u32 = 64;

pub(super) async fn state(
    readers: &SqlitePool,
    sink: &str,
    now: Timestamp,
) -> Result<Option<SinkState>, StorageError> {
    let row = sqlx::query(
        "select s.seen, s.ended, s.swept, o.disabled_at is not null as disabled,
                exists (select 1 from pending p where p.sink = s.name and p.of_all) as down,
                (select min(next_at) from pending p where p.sink = s.name) as next_at
         from sinks s left join outlets o on o.name = s.name
         where s.name = ?",
    );
    let Some(row) = row.bind(sink).fetch_optional(readers).await? else { return Ok(None) };
    let due =
        "select subject from pending where sink = ? and next_at <= ? order by next_at limit ?";
    let due = sqlx::query_scalar(due).bind(sink).bind(millis(now)).bind(DUE);
    let next: Option<i64> = row.try_get("next_at")?;
    Ok(Some(SinkState {
        seen: row.try_get("seen")?,
        ended: row.try_get("ended")?,
        swept: row.try_get("swept")?,
        disabled: row.try_get("disabled")?,
        down: row.try_get("down")?,
        due: due.fetch_all(readers).await?,
        next: next.and_then(|it| Timestamp::from_millisecond(it).ok()),
    }))
}

/// Those that wait for a consent are none yet.
const ONE: &str = "
    select id from connections
    where id = ?3 and id > ?2 and not (generation = 0 and enrolled is x'636f6e73656e74')
    union
    select connection from delivered where sink = ?1 and connection > ?2
    order by 1 limit ?4";

const OF_PROVIDER: &str = "
    select id from connections
    where id > max(?2, ?3 || '/') and id < ?3 || '0'
      and not (generation = 0 and enrolled is x'636f6e73656e74')
    union
    select connection from delivered where sink = ?1 and connection > ?2
    order by 1 limit ?4";

const WITH_LABEL: &str = "
    select connection from labels where label = ?3 and connection > ?2
    union
    select connection from delivered where sink = ?1 and connection > ?2
    order by 1 limit ?4";

pub(super) async fn to_sweep(
    readers: &SqlitePool,
    Sweep { sink, of, after }: Sweep<'_>,
    limit: u32,
) -> Result<Vec<String>, StorageError> {
    let (statement, of) = match of {
        Selected::One(id) => (ONE, key(id)),
        Selected::Provider(name) => (OF_PROVIDER, name.clone()),
        Selected::Label(label) => (WITH_LABEL, label.clone()),
    };
    let query = sqlx::query_scalar(statement).bind(sink).bind(after).bind(of).bind(limit);
    Ok(query.fetch_all(readers).await?)
}

pub(super) async fn changed_behind(
    readers: &SqlitePool,
    seen: i64,
    limit: u32,
) -> Result<ToLookAt, StorageError> {
    let query = "select connection, seq from changes where seq > ? order by seq limit ?";
    let query = sqlx::query_as(query).bind(seen).bind(limit);
    let rows: Vec<(String, i64)> = query.fetch_all(readers).await?;
    let seen = rows.last().map(|it| it.1);
    Ok(ToLookAt { connections: rows.into_iter().map(|it| it.0).collect(), seen })
}

pub(super) async fn record(
    readers: &SqlitePool,
    About { sink, subject, place }: About<'_>,
) -> Result<Record, StorageError> {
    let delivered = "select digest, place, at from delivered where sink = ? and connection = ?";
    let delivered = sqlx::query_as(delivered).bind(sink).bind(subject);
    let delivered: Option<(Option<Vec<u8>>, Option<String>, i64)> =
        delivered.fetch_optional(readers).await?;
    let at = delivered.as_ref().and_then(|it| Timestamp::from_millisecond(it.2).ok());
    let tries = "select tries from pending where sink = ? and subject = ?";
    let tries = sqlx::query_scalar(tries).bind(sink).bind(subject);
    let tries: Option<i64> = tries.fetch_optional(readers).await?;
    let taken = sqlx::query_scalar(
        "select connection from delivered
         where place = ? and not (sink = ? and connection = ?) limit 1",
    );
    Ok(Record {
        delivered: delivered.map(|(digest, place, _)| Delivered { digest, place }),
        delivered_at: at,
        tries: tries.and_then(|it| u32::try_from(it).ok()).unwrap_or_default(),
        taken_by: taken.bind(place).bind(sink).bind(subject).fetch_optional(readers).await?,
    })
}

/// Sinks that are to be there.
pub(super) struct Want(pub(super) Vec<Wanted>);

/// One that follows attempts begins with the next one: what has ended is the past, and not current.
const WANT: &str = "
    insert into sinks (name, config, seen, ended, swept)
    values (?1, ?2,
            max(coalesce((select max(seq) from changes), 0), coalesce((select max(seen) from sinks), 0)),
            iif(?3, (select coalesce(max(ended), 0) from attempts
                      where ended < 4611686018427387904), null), iif(?3, null, ''))
    on conflict (name) do update
    set swept = iif(?3, null, iif(?4 or config is not excluded.config, '', swept)),
        ended = iif(?3, coalesce(ended, excluded.ended), null)";

impl Write for Want {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let names = json(&self.0.iter().map(|it| &it.name).collect::<Vec<_>>());
        for forget in [
            "delete from sinks where name not in (select value from json_each(?1))",
            "delete from delivered where sink not in (select value from json_each(?1))",
            "delete from pending where sink not in (select value from json_each(?1))",
        ] {
            change(db, forget, params![names])?;
        }
        for it in &self.0 {
            change(db, WANT, params![it.name, it.config, it.of_attempts, it.sweeps])?;
            let anew = "update delivered set digest = null
                        where sink = ?1 and (select config from sinks where name = ?1) is not ?2";
            change(db, anew, params![it.name, it.config])?;
            let note = "update sinks set config = ?2 where name = ?1 and config is not ?2";
            change(db, note, params![it.name, it.config])?;
        }
        let needless =
            "delete from changes where not exists (select 1 from sinks where ended is null)";
        change(db, needless, []).map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

impl Write for Done {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        for (subject, came) in &self.came {
            self.note(db, subject, came)?;
        }
        if self.releases {
            let release =
                "update pending set next_at = ?2 where sink = ?1 and next_at > ?2 and of_all";
            change(db, release, params![self.sink, millis(self.at)])?;
        }
        self.move_on(db)?;
        self.show(db)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

impl Done {
    fn note(&self, db: &Db, subject: &str, came: &Came) -> Result<(), StorageError> {
        match came {
            Came::Delivered(Delivered { digest, place }) => {
                let note = "insert into delivered (sink, connection, digest, place, at)
                            values (?1, ?2, ?3, ?4, ?5)
                            on conflict (sink, connection) do update
                            set digest = excluded.digest, place = excluded.place, at = excluded.at";
                change(db, note, params![self.sink, subject, digest, place, millis(self.at)])?;
                self.forget_pending(db, subject)
            }
            Came::Same => self.forget_pending(db, subject),
            Came::Gone => {
                let forget = "delete from delivered where sink = ?1 and connection = ?2";
                change(db, forget, params![self.sink, subject])?;
                self.forget_pending(db, subject)
            }
            Came::Failed { next, code, message, of_all, tried } => {
                let note = "insert into pending
                                (sink, subject, tries, made_at, next_at, error_code, error_message, of_all)
                            values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                            on conflict (sink, subject) do update
                            set tries = tries + excluded.tries, next_at = excluded.next_at,
                                error_code = excluded.error_code, error_message = excluded.error_message,
                                of_all = excluded.of_all";
                let (at, next, tries) = (millis(self.at), millis(*next), i64::from(*tried));
                let code = code.text();
                change(
                    db,
                    note,
                    params![self.sink, subject, tries, at, next, code, message, of_all],
                )
                .map(drop)
            }
            Came::Disabled(..) => Ok(()),
        }
    }

    fn forget_pending(&self, db: &Db, subject: &str) -> Result<(), StorageError> {
        let forget = "delete from pending where sink = ?1 and subject = ?2";
        change(db, forget, params![self.sink, subject]).map(drop)
    }

    /// How far it has got. What is gone and was seen by all is not kept.
    fn move_on(&self, db: &Db) -> Result<(), StorageError> {
        if let Some(seen) = self.seen {
            let note = "update sinks set seen = max(seen, ?2) where name = ?1";
            change(db, note, params![self.sink, seen])?;
            let prune = "delete from changes
                         where gone and seq <= (select min(seen) from sinks where ended is null)";
            change(db, prune, [])?;
        }
        if let Some(ended) = self.ended {
            let note = "update sinks set ended = max(ended, ?2) where name = ?1";
            change(db, note, params![self.sink, ended])?;
        }
        if let Some(swept) = &self.swept {
            let swept = match swept {
                Swept::To(connection) => Some(connection),
                Swept::End => None,
            };
            let note = "update sinks set swept = ?2 where name = ?1";
            change(db, note, params![self.sink, swept])?;
        }
        Ok(())
    }

    /// What people see of it: failing as long as something waits.
    fn show(&self, db: &Db) -> Result<(), StorageError> {
        if self.came.is_empty() {
            return Ok(());
        }
        change(db, "insert or ignore into outlets (name) values (?1)", params![self.sink])?;
        let at = millis(self.at);
        if self.came.iter().any(|(_, it)| matches!(it, Came::Delivered(_))) {
            let went_well =
                "update outlets set delivered_at = ?2, disabled_at = null where name = ?1";
            change(db, went_well, params![self.sink, at])?;
        }
        let disabled = self.came.iter().any(|(_, it)| matches!(it, Came::Disabled(..)));
        let error = self.came.iter().rev().find_map(|(_, it)| match it {
            Came::Failed { code, message, .. } | Came::Disabled(code, message) => {
                Some((code, message))
            }
            _ => None,
        });
        if let Some((code, message)) = error {
            let failed = "update outlets
                          set failing_since = coalesce(failing_since, ?2), error_code = ?3,
                              error_message = ?4, disabled_at = iif(?5, ?2, disabled_at)
                          where name = ?1";
            change(db, failed, params![self.sink, at, code.text(), message, disabled])?;
        }
        let over =
            "update outlets set failing_since = null, error_code = null, error_message = null
                    where name = ?1 and disabled_at is null
                      and not exists (select 1 from pending where sink = ?1)";
        change(db, over, params![self.sink]).map(drop)
    }
}
