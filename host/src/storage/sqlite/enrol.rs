//! Connections that are added, and what is there under their ids already.

use std::collections::HashMap;

use rusqlite::params;
use serde_json::Value;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::id::ConnectionId;
use crate::storage::error::StorageError;
use crate::storage::sqlite::generations::{Advance, advance};
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, json, key, millis, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Enrolment, Standing};
use crate::vault::Sealed;

type Found = HashMap<ConnectionId, Result<Standing, StorageError>>;

pub(super) async fn standing(
    readers: &SqlitePool,
    ids: &[ConnectionId],
) -> Result<Found, StorageError> {
    let rows = sqlx::query(
        "select id, generation, origin, enrolled, settings, labels,
                issued_at is not null as has_token
         from connections where id in (select value from json_each(?))",
    )
    .bind(Value::from(ids.iter().map(key).collect::<Vec<_>>()).to_string())
    .fetch_all(readers)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<(ConnectionId, Result<Standing, StorageError>), StorageError> {
    let fields = Fields::new(row, "connections", "id");
    let id = fields.required("id", fields.word("id")?)?;
    Ok((id, facts(&fields)))
}

fn facts(fields: &Fields<'_>) -> Result<Standing, StorageError> {
    Ok(Standing {
        generation: fields.count("generation")?,
        origin: fields.required("origin", fields.word("origin")?)?,
        has_token: fields.count("has_token")? > 0,
        enrolled: fields.blob("enrolled")?,
        settings: fields.json("settings")?.unwrap_or_default(),
        labels: fields.json("labels")?.unwrap_or_default(),
    })
}

/// A connection that is new.
const INSERT: &str = "
    insert into connections (id, provider, name, origin, settings, labels, enrolled, active_at,
                             probe_at, due_at, due_trigger, created_at)
    values (?1, ?2, ?3, 'added', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    on conflict (id) do nothing";

/// One that is as it was found. What a person had to correct is looked at again.
const UPDATE: &str = "
    update connections
    set settings = ?3, labels = ?4, enrolled = ?5,
        active_at = max(coalesce(active_at, ?6), coalesce(?6, active_at)),
        problem = iif(problem = 'misconfigured', null, problem),
        problem_config = iif(problem = 'misconfigured', null, problem_config),
        due_at = case when ?7 is not null then ?7
                      when problem = 'misconfigured' then ?9
                      else due_at end,
        due_trigger = case when ?7 is not null then ?8
                           when problem = 'misconfigured' then 'expiry'
                           else due_trigger end
    where id = ?1 and generation = ?2 and (?10 is null or enrolled is ?10)
      and not exists (select 1 from claims where connection = ?1)";

impl Write for Enrolment {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let stands = match self.found {
            None => self.insert(db)?,
            Some(generation) => self.update(db, generation)?,
        };
        if !stands {
            return Ok(false);
        }
        if let Some(secrets) = &self.credentials {
            self.keep_secrets(db, secrets)?;
        }
        let Some((token, sealed)) = &self.token else { return Ok(true) };
        let next = Advance {
            connection: &self.id,
            from: self.found.unwrap_or_default(),
            attempt: None,
            token: Some((token, sealed)),
            config: None,
            dead: None,
            agreed: None,
            may_be_another: false,
            due: self.due,
            at: self.at,
        };
        advance(db, &next)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}

impl Enrolment {
    fn insert(&self, db: &Db) -> Result<bool, StorageError> {
        let inserted = change(
            db,
            INSERT,
            params![
                key(&self.id),
                self.id.provider(),
                self.id.name(),
                json(&self.settings),
                json(&self.labels),
                self.digest,
                self.active_at.map(millis),
                self.probe_at.map(millis),
                self.due.map(|it| millis(it.at)),
                self.due.map(|it| it.trigger.as_str()),
                millis(self.at),
            ],
        )?;
        Ok(inserted == 1)
    }

    fn update(&self, db: &Db, generation: u64) -> Result<bool, StorageError> {
        let updated = change(
            db,
            UPDATE,
            params![
                key(&self.id),
                signed(generation),
                json(&self.settings),
                json(&self.labels),
                self.digest,
                self.active_at.map(millis),
                self.due.map(|it| millis(it.at)),
                self.due.map(|it| it.trigger.as_str()),
                millis(self.at),
                self.enrolled,
            ],
        )?;
        Ok(updated == 1)
    }

    fn keep_secrets(&self, db: &Db, secrets: &Sealed) -> Result<(), StorageError> {
        change(
            db,
            "insert into credentials (connection, sealed, created_at) values (?1, ?2, ?3)
             on conflict (connection) do update
             set sealed = excluded.sealed, created_at = excluded.created_at",
            params![key(&self.id), secrets.as_bytes(), millis(self.at)],
        )
        .map(drop)
    }
}
