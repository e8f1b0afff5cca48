//! Keys of programs.

use jiff::Timestamp;
use rusqlite::params;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::api_key::ApiKey;
use crate::storage::error::StorageError;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, json, millis};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{KeyUse, StoredKey};

/// All keys, those that were revoked as well, oldest first.
pub(super) async fn all(readers: &SqlitePool) -> Result<Vec<StoredKey>, StorageError> {
    let rows =
        sqlx::query("select * from api_keys order by created_at, id").fetch_all(readers).await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<StoredKey, StorageError> {
    let fields = Fields::new(row, "api_keys", "id")?;
    let key = ApiKey {
        id: fields.key().to_owned(),
        name: fields.required("name", fields.text("name")?)?,
        grant: fields.required("grants", fields.json("grants")?)?,
        created_at: fields.required("created_at", fields.time("created_at")?)?,
        revoked_at: fields.time("revoked_at")?,
        last_used_at: fields.time("last_used_at")?,
    };
    Ok(StoredKey { key, digest: fields.required("digest", fields.blob("digest")?)? })
}

/// A new key; nothing is written, and false, if a key that was not revoked has its name.
pub(super) struct Add(pub(super) StoredKey);

impl Write for Add {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let StoredKey { key, digest } = &self.0;
        let added = change(
            db,
            "insert into api_keys (id, name, grants, digest, created_at, revoked_at, last_used_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             on conflict (name) where revoked_at is null do nothing",
            params![
                key.id,
                key.name,
                json(&key.grant),
                digest,
                millis(key.created_at),
                key.revoked_at.map(millis),
                key.last_used_at.map(millis),
            ],
        )?;
        Ok(added > 0)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// The end of a key; false if there is none, or it was revoked before.
pub(super) struct Revoke {
    pub(super) id: String,
    pub(super) at: Timestamp,
}

impl Write for Revoke {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let revoke = "update api_keys set revoked_at = ?2 where id = ?1 and revoked_at is null";
        Ok(change(db, revoke, params![self.id, millis(self.at)])? > 0)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

/// Keys were used.
pub(super) struct Used(pub(super) Vec<KeyUse>);

impl Write for Used {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        for KeyUse { id, at } in &self.0 {
            change(
                db,
                "update api_keys set last_used_at = max(coalesce(last_used_at, ?2), ?2) where id = ?1",
                params![id, millis(*at)],
            )?;
        }
        Ok(())
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}
