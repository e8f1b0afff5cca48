//! Connections that a person, a caller or a file adds, a hundred thousand of them if need be: many rows
//! share a statement. What somebody else has changed in between is left alone.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::model::connection::{Due, Origin};
use crate::model::id::ConnectionId;
use crate::model::token::{TokenSet, fingerprint, hex};
use crate::storage::Storage;
use crate::storage::error::StorageError;
use crate::storage::rows::{Fields, json_rows, key, millis, signed};
use crate::storage::writer::{Write, WriteOne};
use crate::vault::Sealed;

/// What is there under an id already.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its generation.
    pub generation: u64,
    /// Who wants it.
    pub origin: Origin,
    /// Whether it has a token.
    pub has_token: bool,
    /// Keyed digest of what it was last added with.
    pub enrolled: Option<Vec<u8>>,
}

/// A connection to be there from now on, as it is said here.
#[derive(Debug)]
pub struct Enrolment {
    /// Which.
    pub id: ConnectionId,
    /// The generation that was found there; `None` when there was no such connection.
    pub found: Option<u64>,
    /// Settings of its own.
    pub settings: BTreeMap<String, String>,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// Secrets of its own; `None` leaves what is there.
    pub credentials: Option<Sealed>,
    /// A token set, sealed for the generation after the one found; `None` leaves what is there.
    pub token: Option<(TokenSet, Sealed)>,
    /// When it is looked at next; `None` leaves what is there.
    pub due: Option<Due>,
    /// When `profile` is asked first.
    pub probe_at: Option<Timestamp>,
    /// When a caller last wanted its token, if that is known.
    pub active_at: Option<Timestamp>,
    /// Keyed digest of all of this.
    pub digest: Vec<u8>,
    /// Now.
    pub at: Timestamp,
}

impl Storage {
    /// What is there under those ids, or why it cannot be read.
    pub async fn standing(
        &self,
        ids: &[ConnectionId],
    ) -> Result<HashMap<ConnectionId, Result<Standing, StorageError>>, StorageError> {
        let rows = sqlx::query(
            "select id, generation, origin, enrolled, issued_at is not null as has_token
             from connections where id in (select value from json_each(?))",
        )
        .bind(Value::from(ids.iter().map(key).collect::<Vec<_>>()).to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(standing).collect()
    }

    /// Makes it so; false if the connection is not as it was found.
    pub async fn enrol(&self, enrolment: Enrolment) -> Result<bool, StorageError> {
        self.write_times(enrolment).await
    }

    /// Forgets a connection and its secrets; its attempts stay in the log. False if there is none that
    /// was added, or a try is running.
    pub async fn remove(&self, id: &ConnectionId) -> Result<bool, StorageError> {
        self.write_times(Removal { id: id.clone() }).await
    }

    /// Notes that a caller has asked for the token of `id`.
    pub async fn touch(&self, id: &ConnectionId, at: Timestamp) -> Result<(), StorageError> {
        self.writer.write(Touch { id: id.clone(), at }).await
    }
}

fn standing(
    row: &SqliteRow,
) -> Result<(ConnectionId, Result<Standing, StorageError>), StorageError> {
    let fields = Fields::new(row, "connections", "id")?;
    let id = fields.required("id", fields.word("id")?)?;
    Ok((id, read_standing(&fields)))
}

fn read_standing(fields: &Fields<'_>) -> Result<Standing, StorageError> {
    Ok(Standing {
        generation: fields.count("generation")?,
        origin: fields.required("origin", fields.word("origin")?)?,
        has_token: fields.count("has_token")? > 0,
        enrolled: fields.blob("enrolled")?,
    })
}

impl Write for Enrolment {
    type Answer = bool;

    fn apply_all<'a>(
        writes: &'a [Self],
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<Vec<bool>, StorageError>> {
        Box::pin(async move {
            let rows = json_rows(writes, Self::row);
            let mut stands = HashSet::new();
            for statement in [INSERT, UPDATE] {
                let ids = sqlx::query_scalar::<_, String>(statement).bind(&rows);
                stands.extend(ids.fetch_all(&mut *db).await?);
            }
            let stands = |it: &&Self| stands.contains(&key(&it.id));
            let mine = writes.iter().filter(stands);
            let secrets = json_rows(mine.clone().filter(|it| it.credentials.is_some()), Self::row);
            let tokens = json_rows(mine.filter(|it| it.token.is_some()), Self::row);
            sqlx::query(CREDENTIALS).bind(secrets).execute(&mut *db).await?;
            for statement in TOKENS {
                sqlx::query(*statement).bind(&tokens).execute(&mut *db).await?;
            }
            Ok(writes.iter().map(|it| stands(&it)).collect())
        })
    }
}

/// Connections that are new.
const INSERT: &str = "
    insert into connections (id, provider, name, origin, settings, labels, enrolled, active_at,
                             probe_at, due_at, due_trigger, created_at)
    select value ->> 'id', value ->> 'provider', value ->> 'name', 'added', value ->> 'settings',
           value ->> 'labels', unhex(value ->> 'digest'), value ->> 'active_at',
           value ->> 'probe_at', value ->> 'due_at', value ->> 'due_trigger', value ->> 'at'
    from json_each(?)
    where value ->> 'found' is null
    on conflict (id) do nothing returning id";

/// Connections that are as they were found. What a person had to correct is looked at again.
const UPDATE: &str = "
    update connections
    set settings = j.settings, labels = j.labels, enrolled = j.digest,
        active_at = max(coalesce(active_at, j.active), coalesce(j.active, active_at)),
        problem = iif(problem = 'misconfigured', null, problem),
        problem_config = iif(problem = 'misconfigured', null, problem_config),
        due_at = case when j.due is not null then j.due
                      when problem = 'misconfigured' then j.at
                      else due_at end,
        due_trigger = case when j.due is not null then j.trigger
                           when problem = 'misconfigured' then 'expiry'
                           else due_trigger end
    from (select value ->> 'id' as key, value ->> 'found' as found, value ->> 'due_at' as due,
                 value ->> 'due_trigger' as trigger, value ->> 'settings' as settings,
                 value ->> 'labels' as labels, unhex(value ->> 'digest') as digest,
                 value ->> 'active_at' as active, value ->> 'at' as at
          from json_each(?)) j
    where id = j.key and generation = j.found
      and not exists (select 1 from attempts
                      where connection = connections.id and outcome is null)
    returning id";

const CREDENTIALS: &str = "
    insert into credentials (connection, sealed, created_at)
    select value ->> 'id', unhex(value ->> 'credentials'), value ->> 'at'
    from json_each(?) where true
    on conflict (connection) do update set sealed = excluded.sealed,
                                           created_at = excluded.created_at";

/// The next generation of those that come with a token.
const TOKENS: &[&str] = &[
    "update connections
     set generation = generation + 1, token_type = j.value ->> 'token_type',
         issued_at = j.value ->> 'at', expires_at = j.value ->> 'expires_at',
         refresh_expires_at = j.value ->> 'refresh_expires_at',
         fingerprint = j.value ->> 'fingerprint', scopes = j.value ->> 'scopes', metadata = '[]',
         config = null, failures = 0, problem = null, problem_config = null, error_case = null,
         error_code = null, error_message = null, doubt_since = null
     from json_each(?) j where connections.id = j.value ->> 'id'",
    "delete from captures where connection in (select value ->> 'id' from json_each(?))",
    "delete from generations where connection in (select value ->> 'id' from json_each(?))",
    "insert into generations (connection, generation, sealed, attempt, created_at)
     select value ->> 'id', coalesce(value ->> 'found', 0) + 1, unhex(value ->> 'sealed'), null,
            value ->> 'at'
     from json_each(?)",
];

impl Enrolment {
    fn row(&self) -> Value {
        let token = self.token.as_ref().map(|(token, _)| token);
        let text = |value: Value| value.to_string();
        json!({
            "id": key(&self.id),
            "provider": self.id.provider(),
            "name": self.id.name(),
            "found": self.found.map(signed),
            "settings": text(json!(self.settings)),
            "labels": text(json!(self.labels)),
            "digest": hex(&self.digest),
            "active_at": self.active_at.map(millis),
            "probe_at": self.probe_at.map(millis),
            "due_at": self.due.map(|it| millis(it.at)),
            "due_trigger": self.due.map(|it| it.trigger.as_str()),
            "at": millis(self.at),
            "credentials": self.credentials.as_ref().map(|it| hex(it.as_bytes())),
            "sealed": self.token.as_ref().map(|(_, it)| hex(it.as_bytes())),
            "token_type": token.map(|it| &it.token_type),
            "expires_at": token.and_then(|it| it.expires_at).map(millis),
            "refresh_expires_at": token.and_then(|it| it.refresh_expires_at).map(millis),
            "fingerprint": token.map(|it| fingerprint(&it.access_token)),
            "scopes": token.map(|it| text(json!(it.scopes))),
        })
    }
}

struct Removal {
    id: ConnectionId,
}

impl WriteOne for Removal {
    type Answer = bool;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<bool, StorageError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "delete from connections
                 where id = ?1 and origin = 'added'
                   and not exists (select 1 from attempts
                                   where connection = ?1 and outcome is null)",
            )
            .bind(key(&self.id))
            .execute(db)
            .await?;
            Ok(done.rows_affected() > 0)
        })
    }
}

struct Touch {
    id: ConnectionId,
    at: Timestamp,
}

impl WriteOne for Touch {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query("update connections set active_at = ? where id = ?")
                .bind(millis(self.at))
                .bind(key(&self.id))
                .execute(db)
                .await?;
            Ok(())
        })
    }
}
