//! The wrapped data keys, and who this database is.

use jiff::Timestamp;
use rusqlite::params;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use uuid::Uuid;

use crate::storage::error::StorageError;
use crate::storage::sqlite::Sqlite;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, millis};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::vault::keyring::WrappedKey;

pub(super) async fn all(readers: &SqlitePool) -> Result<Vec<WrappedKey>, StorageError> {
    let query = sqlx::query("select *, cast(id as text) as key from keyring order by id");
    query.fetch_all(readers).await?.iter().map(wrapped).collect()
}

pub(super) async fn holds_sealed(readers: &SqlitePool) -> Result<bool, StorageError> {
    let query = sqlx::query_scalar(
        "select exists (select 1 from generations) or exists (select 1 from captures)
                or exists (select 1 from credentials)",
    );
    Ok(query.fetch_one(readers).await?)
}

pub(super) async fn instance_id(sqlite: &Sqlite) -> Result<String, StorageError> {
    // Nearly always it is there: whoever only looks does not wait for whoever writes.
    let query = sqlx::query_scalar("select value from meta where key = 'instance_id'");
    if let Some(found) = query.fetch_optional(&sqlite.readers).await? {
        return Ok(found);
    }
    sqlite.writer.write(InstanceId { fresh: Uuid::new_v4().to_string() }).await
}

fn wrapped(row: &SqliteRow) -> Result<WrappedKey, StorageError> {
    let fields = Fields::new(row, "keyring", "key");
    Ok(WrappedKey {
        id: u32::try_from(fields.count("id")?).map_err(|_| fields.damaged("id"))?,
        master_id: fields.required("master_id", fields.text("master_id")?)?,
        state: fields.required("state", fields.word("state")?)?,
        blob: fields.required("blob", fields.blob("blob")?)?,
    })
}

/// One more data key.
pub(super) struct AddKey {
    pub(super) key: WrappedKey,
    pub(super) at: Timestamp,
}

impl Write for AddKey {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(
            db,
            "insert into keyring (id, master_id, state, blob, created_at)
             values (?1, ?2, ?3, ?4, ?5)",
            params![
                self.key.id,
                self.key.master_id,
                self.key.state.as_str(),
                self.key.blob,
                millis(self.at),
            ],
        )
        .map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

struct InstanceId {
    fresh: String,
}

impl Write for InstanceId {
    type Answer = String;

    fn apply(&self, db: &Db) -> Result<String, StorageError> {
        let make = "insert or ignore into meta (key, value) values ('instance_id', ?1)";
        change(db, make, params![self.fresh])?;
        let read = "select value from meta where key = 'instance_id'";
        Ok(db.query_row(read, [], |row| row.get(0))?)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}
