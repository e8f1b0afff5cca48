//! Events on their way to whoever must be told: written with the change they tell of, marked once
//! they are delivered.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::model::code::Code;
use crate::model::event::{Event, EventKind};
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{Fields, json_rows, key, millis, signed};
use crate::storage::writer::WriteOne;

/// An event and its place in the order.
#[derive(Clone, Debug)]
pub struct OutboxEvent {
    /// Grows by one with each event.
    pub id: i64,
    /// What happened.
    pub event: Event,
}

impl Storage {
    /// Up to `limit` events that are not delivered, oldest first. Those that cannot be read are told of and
    /// passed over.
    pub async fn undelivered(&self, limit: u32) -> Result<Vec<OutboxEvent>, StorageError> {
        let mut after = i64::MIN;
        loop {
            let rows = sqlx::query(
                "select *, cast(id as text) as key from outbox
                 where delivered_at is null and id > ? order by id limit ?",
            );
            let rows = rows.bind(after).bind(limit).fetch_all(&self.readers).await?;
            let read = |row| event(row).inspect_err(|error| self.report(error)).ok();
            let events = rows.iter().filter_map(read).collect::<Vec<_>>();
            match rows.last() {
                Some(last) if events.is_empty() => after = last.try_get("id")?,
                _ => return Ok(events),
            }
        }
    }

    /// Marks events as delivered.
    pub async fn delivered(&self, ids: Vec<i64>, at: Timestamp) -> Result<(), StorageError> {
        self.writer.write(Delivered { ids, at }).await
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

/// Adds events inside the transaction of the change that they tell of.
pub(super) async fn append(
    db: &mut SqliteConnection,
    events: impl IntoIterator<Item = &Event>,
) -> Result<(), StorageError> {
    sqlx::query(
        "insert into outbox (at, kind, connection, generation, code)
         select value ->> 'at', value ->> 'kind', value ->> 'id', value ->> 'generation',
                value ->> 'code'
         from json_each(?)",
    )
    .bind(json_rows(events, row))
    .execute(db)
    .await?;
    Ok(())
}

fn row(event: &Event) -> Value {
    json!({
        "at": millis(event.at),
        "kind": event.kind.as_str(),
        "id": key(&event.connection),
        "generation": signed(event.generation),
        "code": event.code,
    })
}

struct Delivered {
    ids: Vec<i64>,
    at: Timestamp,
}

impl WriteOne for Delivered {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            let ids = serde_json::to_string(&self.ids).unwrap_or_default();
            sqlx::query(
                "update outbox set delivered_at = ?
                 where id in (select value from json_each(?))",
            )
            .bind(millis(self.at))
            .bind(ids)
            .execute(db)
            .await?;
            Ok(())
        })
    }
}
