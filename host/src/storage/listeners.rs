//! Those who are told of events: each has a name, the kinds it wants, and a place of its own in the
//! stream, which outlives the process.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tokio::sync::watch;

use crate::model::code::Code;
use crate::model::event::{Event, EventKind};
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::outbox::Heard;
use crate::storage::rows::Fields;
use crate::storage::writer::WriteOne;

/// An event and its place in the order.
#[derive(Clone, Debug)]
pub struct OutboxEvent {
    /// Grows with each event.
    pub id: i64,
    /// What happened.
    pub event: Event,
}

/// One who is told of events.
pub struct Listener {
    storage: Storage,
    name: &'static str,
    written: watch::Receiver<Heard>,
}

impl Storage {
    /// The listener of this name, who wants these kinds from now on; one that was there goes on where it
    /// stood. It hears nothing of what happened before it was there.
    pub async fn listen(
        &self,
        name: &'static str,
        kinds: &[EventKind],
    ) -> Result<Listener, StorageError> {
        let kinds = serde_json::to_string(kinds).unwrap_or_default();
        self.writer.write(Listen { name, kinds }).await?;
        let all = heard(self).await?;
        self.heard.send_modify(|it| it.kinds = all);
        Ok(Listener { storage: self.clone(), name, written: self.heard.subscribe() })
    }

    /// Forgets all listeners but these: nobody waits for them any more.
    pub async fn keep_listeners(&self, names: &[&'static str]) -> Result<(), StorageError> {
        self.writer.write(Keep { names: names.to_vec() }).await?;
        let all = heard(self).await?;
        self.heard.send_modify(|it| it.kinds = all);
        Ok(())
    }
}

/// The kinds that somebody listens to.
pub(super) async fn heard(storage: &Storage) -> Result<BTreeSet<EventKind>, StorageError> {
    let kinds: Vec<String> =
        sqlx::query_scalar("select kinds from listeners").fetch_all(&storage.readers).await?;
    // A kind of a newer version is one that this version does not write.
    let known = |text: &String| serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
    Ok(kinds.iter().flat_map(known).filter_map(|it| it.parse().ok()).collect())
}

impl Listener {
    /// Up to `limit` events that this one was not told of, oldest first.
    pub async fn waiting(&self, limit: u32) -> Result<Vec<OutboxEvent>, StorageError> {
        let rows = sqlx::query(
            "select o.*, cast(o.id as text) as key
             from listeners l join outbox o on o.id > l.seen
             where l.name = ? and o.kind in (select value from json_each(l.kinds))
             order by o.id limit ?",
        )
        .bind(self.name)
        .bind(limit)
        .fetch_all(&self.storage.readers)
        .await?;
        rows.iter().map(event).collect()
    }

    /// Notes that this one was told of everything up to `id`.
    pub async fn told(&self, id: i64) -> Result<(), StorageError> {
        self.storage.writer.write(Told { name: self.name, id }).await
    }

    /// Returns once something was written since the last call. What is written between two calls is not
    /// missed.
    pub async fn woken(&mut self) {
        // The sender lives as long as the storage that is in here.
        let _ = self.written.changed().await;
    }
}

fn event(row: &SqliteRow) -> Result<OutboxEvent, StorageError> {
    let fields = Fields::new(row, "outbox", "key")?;
    let kind: EventKind = fields.required("kind", fields.word("kind")?)?;
    Ok(OutboxEvent {
        id: fields.required("id", fields.integer("id")?)?,
        event: Event {
            kind,
            connection: fields.required("connection", fields.word("connection")?)?,
            at: fields.required("at", fields.time("at")?)?,
            generation: fields.count("generation")?,
            code: fields.text("code")?.map(|it| Code::read(&it)),
        },
    })
}

struct Listen {
    name: &'static str,
    kinds: String,
}

impl WriteOne for Listen {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "insert into listeners (name, kinds, seen)
                 values (?, ?, coalesce((select max(id) from outbox), 0))
                 on conflict (name) do update set kinds = excluded.kinds",
            )
            .bind(self.name)
            .bind(&self.kinds)
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

struct Keep {
    names: Vec<&'static str>,
}

impl WriteOne for Keep {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            let names = serde_json::to_string(&self.names).unwrap_or_default();
            sqlx::query("delete from listeners where name not in (select value from json_each(?))")
                .bind(names)
                .execute(db)
                .await?;
            Ok(())
        })
    }
}

struct Told {
    name: &'static str,
    id: i64,
}

impl WriteOne for Told {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query("update listeners set seen = max(seen, ?) where name = ?")
                .bind(self.id)
                .bind(self.name)
                .execute(db)
                .await?;
            Ok(())
        })
    }
}
