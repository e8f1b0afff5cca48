//! When connections are looked at: which are due, when the next one is, and changing that.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::model::attempt::Trigger;
use crate::model::connection::Due;
use crate::model::id::ConnectionId;
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{Fields, key, millis};
use crate::storage::writer::WriteOne;

impl Storage {
    /// Up to `limit` connections of `provider` that are due at `now`, the longest waiting first.
    pub async fn due(
        &self,
        provider: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(ConnectionId, Trigger)>, StorageError> {
        let rows = sqlx::query(
            "select id, due_trigger from connections
             where provider = ? and due_at <= ? order by due_at limit ?",
        )
        .bind(provider)
        .bind(millis(now))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(due_row).collect()
    }

    /// When the next connection after `now` is due.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StorageError> {
        let row = sqlx::query(
            "select 'next' as id, min(due_at) as due_at from connections where due_at > ?",
        )
        .bind(millis(now))
        .fetch_one(&self.readers)
        .await?;
        Fields::new(&row, "connections", "id")?.time("due_at")
    }

    /// Every provider that has connections, whether the manifest knows it or not.
    pub async fn providers(&self) -> Result<Vec<String>, StorageError> {
        // From one to the next in the index: the cost is the number of providers, not of connections.
        let query = sqlx::query_scalar(
            "with recursive found (provider) as (
                 select min(provider) from connections
                 union all
                 select (select min(provider) from connections c where c.provider > found.provider)
                 from found where found.provider is not null)
             select provider from found where provider is not null",
        );
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// Up to `limit` connections whose `profile` is to be asked at `now`.
    pub async fn probes_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ConnectionId>, StorageError> {
        let rows =
            sqlx::query("select id from connections where probe_at <= ? order by probe_at limit ?")
                .bind(millis(now))
                .bind(limit)
                .fetch_all(&self.readers)
                .await?;
        let id = |row: &SqliteRow| {
            let fields = Fields::new(row, "connections", "id")?;
            fields.required("id", fields.word("id")?)
        };
        rows.iter().map(id).collect()
    }

    /// When the next profile is to be asked.
    pub async fn next_probe(&self) -> Result<Option<Timestamp>, StorageError> {
        let row = sqlx::query(
            "select 'next' as id, min(probe_at) as probe_at
             from connections where probe_at is not null",
        )
        .fetch_one(&self.readers)
        .await?;
        Fields::new(&row, "connections", "id")?.time("probe_at")
    }

    /// Sets when a connection is looked at next. An open try is not looked at before its claim ends.
    pub async fn set_due(&self, id: &ConnectionId, due: Option<Due>) -> Result<(), StorageError> {
        self.write_times(SetDue { id: id.clone(), due }).await
    }

    /// Makes `id` due at `now` if an attempt of it is open or an answer for it waits to be read.
    pub async fn wake(&self, id: &ConnectionId, now: Timestamp) -> Result<(), StorageError> {
        self.write_times(Wake { id: id.clone(), now }).await
    }

    /// Makes every connection with an open attempt due at `now`: its process is dead.
    pub async fn wake_interrupted(&self, now: Timestamp) -> Result<(), StorageError> {
        self.write_times(WakeInterrupted { now }).await
    }
}

fn due_row(row: &SqliteRow) -> Result<(ConnectionId, Trigger), StorageError> {
    let fields = Fields::new(row, "connections", "id")?;
    let id = fields.required("id", fields.word("id")?)?;
    Ok((id, fields.required("due_trigger", fields.word("due_trigger")?)?))
}

struct SetDue {
    id: ConnectionId,
    due: Option<Due>,
}

impl WriteOne for SetDue {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections
                 set due_at = ?2, due_trigger = iif(open.id is null, ?3, 'recovery')
                 from (select 1) left join attempts open
                      on open.connection = ?1 and open.outcome is null
                 where connections.id = ?1
                   and (open.id is null or ?2 > coalesce(connections.due_at, 0))",
            )
            .bind(key(&self.id))
            .bind(self.due.map(|it| millis(it.at)))
            .bind(self.due.map(|it| it.trigger.as_str()))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

struct Wake {
    id: ConnectionId,
    now: Timestamp,
}

impl WriteOne for Wake {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections set due_at = ?2, due_trigger = 'recovery'
                 where id = ?1 and paused_at is null
                   and (exists (select 1 from attempts where connection = ?1 and outcome is null)
                        or exists (select 1 from captures where connection = ?1))",
            )
            .bind(key(&self.id))
            .bind(millis(self.now))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

struct WakeInterrupted {
    now: Timestamp,
}

impl WriteOne for WakeInterrupted {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections set due_at = ?, due_trigger = 'recovery'
                 where id in (select connection from attempts where outcome is null)",
            )
            .bind(millis(self.now))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}
