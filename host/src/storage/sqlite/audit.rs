//! Who did what.

use rusqlite::params;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::audit::{Action, AuditEntry, AuditRecord};
use crate::storage::error::StorageError;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{AuditFilter, AuditPage};

/// One row more than is wanted tells whether there is a next page.
pub(super) const PAGE: &str = "
    select audit.*, k.name as key_name
    from audit left join api_keys k on audit.actor = 'key:' || k.id
    where (?1 is null or audit.id < ?1) and (?2 is null or actor = ?2)
      and (?3 is null or action = ?3) and (?4 is null or subject = ?4) and (?5 is null or at >= ?5)
    order by audit.id desc limit ?6";

pub(super) async fn page(
    readers: &SqlitePool,
    filter: &AuditFilter,
) -> Result<AuditPage, StorageError> {
    let query = sqlx::query(PAGE)
        .bind(filter.before)
        .bind(filter.actor.as_deref())
        .bind(filter.action.map(Action::as_str))
        .bind(filter.subject.as_deref())
        .bind(filter.since.map(millis))
        .bind(i64::from(filter.limit) + 1);
    let rows = query.fetch_all(readers).await?;
    let mut entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() > filter.limit as usize;
    entries.truncate(filter.limit as usize);
    let next = entries.last().map(|it| it.id).filter(|_| more);
    Ok(AuditPage { entries, next })
}

fn read(row: &SqliteRow) -> Result<AuditEntry, StorageError> {
    let id: i64 = sqlx::Row::try_get(row, "id")?;
    let fields = Fields::new(row, "audit", "actor");
    Ok(AuditEntry {
        id,
        at: fields.required("at", fields.time("at")?)?,
        actor: fields.key().to_owned(),
        key_name: fields.text("key_name")?,
        action: fields.required("action", fields.word("action")?)?,
        subject: fields.required("subject", fields.text("subject")?)?,
        detail: fields.text("detail")?,
        count: fields.count("count")?,
    })
}

/// Things that were done.
pub(super) struct Audit(pub(super) Vec<AuditRecord>);

impl Write for Audit {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        self.0.iter().try_for_each(|it| add(db, it))
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// What is counted goes to the row of its hour.
fn add(db: &Db, done: &AuditRecord) -> Result<(), StorageError> {
    change(
        db,
        "insert into audit (at, actor, action, subject, detail, hour, count)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict (hour, actor, action, subject) where hour is not null
         do update set at = max(at, excluded.at), count = count + excluded.count",
        params![
            millis(done.at),
            done.actor.to_string(),
            done.action.as_str(),
            done.subject,
            done.detail,
            done.hour(),
            signed(done.count),
        ],
    )
    .map(drop)
}
