//! The wrapped data keys, and who this database is.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{Fields, millis};
use crate::storage::writer::WriteOne;
use crate::vault::keyring::WrappedKey;

impl Storage {
    /// The wrapped data keys, oldest first; empty in a new database.
    pub async fn keyring(&self) -> Result<Vec<WrappedKey>, StorageError> {
        let rows = sqlx::query("select *, cast(id as text) as key from keyring order by id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(wrapped).collect()
    }

    /// Whether anything in the database was sealed with a data key.
    pub async fn holds_sealed(&self) -> Result<bool, StorageError> {
        let query = sqlx::query_scalar(
            "select exists (select 1 from generations) or exists (select 1 from captures)",
        );
        Ok(query.fetch_one(&self.readers).await?)
    }

    /// Adds a wrapped data key.
    pub async fn add_key(&self, key: WrappedKey, at: Timestamp) -> Result<(), StorageError> {
        self.writer.write(AddKey { key, at }).await
    }

    /// Who this database is; made once. Sealed values open only in the database they were sealed in.
    pub async fn instance_id(&self) -> Result<String, StorageError> {
        // Nearly always it is there: whoever only looks does not wait for whoever writes.
        let query = sqlx::query_scalar("select value from meta where key = 'instance_id'");
        if let Some(found) = query.fetch_optional(&self.readers).await? {
            return Ok(found);
        }
        self.writer.write(InstanceId { fresh: Uuid::new_v4().to_string() }).await
    }
}

fn wrapped(row: &SqliteRow) -> Result<WrappedKey, StorageError> {
    let fields = Fields::new(row, "keyring", "key")?;
    Ok(WrappedKey {
        id: u32::try_from(fields.count("id")?).map_err(|_| fields.damaged("id"))?,
        master_id: fields.required("master_id", fields.text("master_id")?)?,
        state: fields.required("state", fields.word("state")?)?,
        blob: fields.required("blob", fields.blob("blob")?)?,
    })
}

struct AddKey {
    key: WrappedKey,
    at: Timestamp,
}

impl WriteOne for AddKey {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "insert into keyring (id, master_id, state, blob, created_at)
                 values (?, ?, ?, ?, ?)",
            )
            .bind(self.key.id)
            .bind(&self.key.master_id)
            .bind(self.key.state.as_str())
            .bind(&self.key.blob)
            .bind(millis(self.at))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

struct InstanceId {
    fresh: String,
}

impl WriteOne for InstanceId {
    type Answer = String;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<String, StorageError>> {
        Box::pin(async move {
            sqlx::query("insert or ignore into meta (key, value) values ('instance_id', ?)")
                .bind(&self.fresh)
                .execute(&mut *db)
                .await?;
            let query = sqlx::query_scalar("select value from meta where key = 'instance_id'");
            Ok(query.fetch_one(db).await?)
        })
    }
}
