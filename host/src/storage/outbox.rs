//! Events on their way to whoever must be told: written with the change they tell of, and only those
//! that somebody listens to. A row stays until everybody was told of it.

use std::collections::BTreeSet;

use sqlx::sqlite::SqliteConnection;

use crate::model::event::{Event, EventKind};
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{json_rows, key, millis, signed};

impl Storage {
    /// Leaves only the events that somebody listens to.
    pub(super) fn keep_heard(&self, events: &mut Vec<Event>) {
        let heard = self.heard.borrow();
        events.retain(|it| heard.kinds.contains(&it.kind));
    }

    /// Wakes those who listen, if there is something for them.
    pub(super) fn wake_listeners(&self, wrote: bool) {
        if wrote {
            self.heard.send_modify(|it| it.written += 1);
        }
    }
}

/// Who listens, and how much was written for them: those who wait for it look anew at each change.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) kinds: BTreeSet<EventKind>,
    pub(super) written: u64,
}

/// Adds events inside the transaction of the change that they tell of.
pub(super) async fn append(
    db: &mut SqliteConnection,
    events: impl IntoIterator<Item = &Event>,
) -> Result<(), StorageError> {
    let rows = json_rows(events, row);
    if rows == "[]" {
        return Ok(());
    }
    sqlx::query(
        "insert into outbox (at, kind, connection, generation, code)
         select value ->> 'at', value ->> 'kind', value ->> 'id', value ->> 'generation',
                value ->> 'code'
         from json_each(?)",
    )
    .bind(rows)
    .execute(db)
    .await?;
    Ok(())
}

fn row(event: &Event) -> serde_json::Value {
    serde_json::json!({
        "at": millis(event.at),
        "kind": event.kind.as_str(),
        "id": key(&event.connection),
        "generation": signed(event.generation),
        "code": event.code,
    })
}
