//! Keys of programs, and what an engine does for them and for the audit log.

use jiff::Timestamp;
use rusqlite::params;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::api_key::ApiKey;
use crate::model::audit::AuditRecord;
use crate::storage::access::Access;
use crate::storage::engine::Answer;
use crate::storage::error::StorageError;
use crate::storage::sqlite::Sqlite;
use crate::storage::sqlite::audit::{self, Audit};
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, json, millis};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{AuditFilter, AuditPage, KeyUse, StoredKey};

impl Access for Sqlite {
    fn api_keys(&self) -> Answer<'_, Vec<StoredKey>> {
        Box::pin(all(&self.readers))
    }

    fn add_api_key(&self, key: StoredKey) -> Answer<'_, bool> {
        self.writer.write(Add(key))
    }

    fn revoke_api_key(&self, id: &str, at: Timestamp) -> Answer<'_, bool> {
        self.writer.write(Revoke { id: id.to_owned(), at })
    }

    fn note_key_uses(&self, uses: Vec<KeyUse>) -> Answer<'_, ()> {
        self.writer.write(Used(uses))
    }

    fn audit(&self, done: Vec<AuditRecord>) -> Answer<'_, ()> {
        self.writer.write(Audit(done))
    }

    fn audit_page<'a>(&'a self, filter: &'a AuditFilter) -> Answer<'a, AuditPage> {
        Box::pin(audit::page(&self.readers, filter))
    }
}

/// All keys, those that were revoked as well, oldest first.
async fn all(readers: &SqlitePool) -> Result<Vec<StoredKey>, StorageError> {
    let rows =
        sqlx::query("select * from api_keys order by created_at, id").fetch_all(readers).await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<StoredKey, StorageError> {
    let fields = Fields::new(row, "api_keys", "id");
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
struct Add(StoredKey);

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
struct Revoke {
    id: String,
    at: Timestamp,
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
struct Used(Vec<KeyUse>);

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
