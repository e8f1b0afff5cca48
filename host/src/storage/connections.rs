//! Connections: which there are, how they are doing, and which is due.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::model::connection::{Connection, Due, Pause};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::storage::captures::{Capture, Requests};
use crate::storage::error::StorageError;
use crate::storage::rows::{self, Fields, key, millis};
use crate::storage::writer::WriteOne;
use crate::storage::{Storage, captures};
use crate::vault::Sealed;

/// All that a refresh needs to know before it begins.
#[derive(Debug)]
pub struct Loaded {
    /// The facts.
    pub connection: Connection,
    /// The current token set.
    pub sealed: Option<Sealed>,
    /// Secrets of its own.
    pub credentials: Option<Sealed>,
    /// A try that was not finished: running now, or interrupted.
    pub open: Option<OpenAttempt>,
    /// Answers that came and were not spent, in order; all of the current generation.
    pub captures: Vec<Capture>,
    /// When a request left, besides the first of an attempt, that has no answer yet.
    pub unanswered: Option<Timestamp>,
}

impl Loaded {
    /// When the first request began whose outcome at the provider is unknown, if there is one.
    pub fn doubt_since(&self) -> Option<Timestamp> {
        let first = self.open.as_ref().filter(|_| self.captures.is_empty());
        let first = first.map(|it| it.started_at);
        [first, self.unanswered, self.connection.doubt_since].into_iter().flatten().min()
    }
}

/// An intent without an outcome.
#[derive(Clone, Debug)]
pub struct OpenAttempt {
    /// Which.
    pub id: AttemptId,
    /// The process that holds the claim.
    pub owner: String,
    /// When another may adopt it.
    pub lease_until: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// What the provider was believed to do with used refresh tokens.
    pub rotation: Rotation,
}

/// Which connections to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these.
    pub ids: Vec<ConnectionId>,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only those whose last try failed.
    pub failed: bool,
    /// Only those with this label.
    pub label: Option<String>,
    /// Only those whose token a caller asked for since then.
    pub active_since: Option<Timestamp>,
}

/// A connection of the manifest, to be there with this due time if it is new.
#[derive(Clone, Debug)]
pub struct Reconcile {
    /// Which.
    pub id: ConnectionId,
    /// When it is looked at next; `None` leaves what is there.
    pub due: Option<Due>,
    /// Clear what only a person could help with: the person has changed something.
    pub forgive: bool,
    /// When `profile` is asked next; `None` is never.
    pub probe_at: Option<Timestamp>,
    /// Now.
    pub at: Timestamp,
}

/// Pausing or resuming.
#[derive(Clone, Debug)]
pub struct Pausing {
    /// Which.
    pub id: ConnectionId,
    /// `None` resumes.
    pub pause: Option<Pause>,
    /// When it is looked at next: the end of the pause, or its due time once resumed.
    pub due: Option<Due>,
    /// Now.
    pub at: Timestamp,
}

impl Storage {
    /// All that a refresh needs of one connection, in one look; `None` if there is no such one. Its last
    /// attempt is not filled in: that is for those who list.
    pub async fn load(&self, id: &ConnectionId) -> Result<Option<Loaded>, StorageError> {
        let row = sqlx::query(
            "select c.*, g.sealed, k.sealed as credentials, exists (select 1 from captures where connection = c.id) as captured,
                    a.id as open_id, a.owner, a.lease_until, a.started_at, a.rotation
             from connections c
             left join generations g on g.connection = c.id and g.generation = c.generation
             left join credentials k on k.connection = c.id
             left join attempts a on a.connection = c.id and a.outcome is null
             where c.id = ?",
        )
        .bind(key(id))
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let connection = rows::connection(&row)?;
        let captured = Fields::new(&row, "captures", "id")?.count("captured")? > 0;
        let requests = if captured {
            captures::of(&self.readers, id, connection.generation).await?
        } else {
            Requests::default()
        };
        let sealed = Fields::new(&row, "generations", "id")?.blob("sealed")?;
        let credentials = Fields::new(&row, "credentials", "id")?.blob("credentials")?;
        Ok(Some(Loaded {
            connection,
            sealed: sealed.map(Sealed::from_bytes),
            credentials: credentials.map(Sealed::from_bytes),
            open: open_attempt(&row)?,
            captures: requests.answers,
            unanswered: requests.unanswered,
        }))
    }

    /// Connections with their last attempts, by id. A row that cannot be read is an error on its own.
    pub async fn list(
        &self,
        filter: &Filter,
    ) -> Result<Vec<Result<Connection, StorageError>>, StorageError> {
        let ids = filter.ids.iter().map(key).collect::<Vec<_>>();
        let ids = serde_json::to_string(&ids).map_err(|it| StorageError::Other(it.to_string()))?;
        let rows = sqlx::query(
            "select * from connections
             where (?1 = '[]' or id in (select value from json_each(?1)))
               and (?2 is null or provider = ?2)
               and (not ?3 or failures > 0 or problem is not null)
               and (?4 is null or exists (select 1 from json_each(labels) where value = ?4))
               and (?5 is null or active_at >= ?5)
             order by id",
        )
        .bind(ids)
        .bind(&filter.provider)
        .bind(filter.failed)
        .bind(&filter.label)
        .bind(filter.active_since.map(millis))
        .fetch_all(&self.readers)
        .await?;
        let mut attempts = self.last_attempts(filter).await?;
        let with_attempt = |row: &SqliteRow| {
            let mut connection = rows::connection(row)?;
            connection.last_attempt = attempts.remove(&connection.id);
            Ok(connection)
        };
        Ok(rows.iter().map(with_attempt).collect())
    }

    /// What the connection was configured with when it became a person's problem.
    pub async fn problem_config(&self, id: &ConnectionId) -> Result<Option<Vec<u8>>, StorageError> {
        let query = sqlx::query_scalar("select problem_config from connections where id = ?");
        let found = query.bind(key(id)).fetch_optional(&self.readers).await?;
        Ok(found.flatten())
    }

    /// Makes sure that a connection of the manifest is there.
    pub async fn reconcile(&self, reconcile: Reconcile) -> Result<(), StorageError> {
        self.write_times(reconcile).await
    }

    /// Pauses or resumes; false if there is no such connection.
    pub async fn set_pause(&self, pausing: Pausing) -> Result<bool, StorageError> {
        self.write_times(pausing).await
    }

    /// Stores what `profile` said, if anything, and when to ask again.
    pub async fn set_profile(
        &self,
        id: &ConnectionId,
        profile: Option<String>,
        probe_at: Option<Timestamp>,
    ) -> Result<(), StorageError> {
        self.writer.write(SetProfile { id: id.clone(), profile, probe_at }).await
    }
}

fn open_attempt(row: &SqliteRow) -> Result<Option<OpenAttempt>, StorageError> {
    let fields = Fields::new(row, "attempts", "id")?;
    let Some(id) = fields.word("open_id")? else { return Ok(None) };
    Ok(Some(OpenAttempt {
        id,
        owner: fields.required("owner", fields.text("owner")?)?,
        lease_until: fields.required("lease_until", fields.time("lease_until")?)?,
        started_at: fields.required("started_at", fields.time("started_at")?)?,
        rotation: fields.required("rotation", fields.json("rotation")?)?,
    }))
}

impl WriteOne for Reconcile {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "insert into connections (id, provider, name, due_at, due_trigger, created_at)
                 values (?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
            )
            .bind(key(&self.id))
            .bind(self.id.provider())
            .bind(self.id.name())
            .bind(self.due.map(|it| millis(it.at)))
            .bind(self.due.map(|it| it.trigger.as_str()))
            .bind(millis(self.at))
            .execute(&mut *db)
            .await?;
            sqlx::query(
                "update connections
                 set probe_at = iif(?2 is null, null, min(coalesce(probe_at, ?2), ?2)),
                     due_at = coalesce(?3, due_at), due_trigger = coalesce(?4, due_trigger),
                     problem = iif(?5, null, problem),
                     problem_config = iif(?5, null, problem_config)
                 where id = ?1",
            )
            .bind(key(&self.id))
            .bind(self.probe_at.map(millis))
            .bind(self.due.map(|it| millis(it.at)))
            .bind(self.due.map(|it| it.trigger.as_str()))
            .bind(self.forgive)
            .execute(db)
            .await?;
            Ok(())
        })
    }
}

impl WriteOne for Pausing {
    type Answer = bool;

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<bool, StorageError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "update connections
                 set paused_at = ?, paused_until = ?, paused_reason = ?, due_at = ?, due_trigger = ?
                 where id = ?",
            )
            .bind(self.pause.as_ref().map(|_| millis(self.at)))
            .bind(self.pause.as_ref().and_then(|it| it.until).map(millis))
            .bind(self.pause.as_ref().and_then(|it| it.reason.clone()))
            .bind(self.due.map(|it| millis(it.at)))
            .bind(self.due.map(|it| it.trigger.as_str()))
            .bind(key(&self.id))
            .execute(db)
            .await?;
            Ok(done.rows_affected() > 0)
        })
    }
}

struct SetProfile {
    id: ConnectionId,
    profile: Option<String>,
    probe_at: Option<Timestamp>,
}

impl WriteOne for SetProfile {
    type Answer = ();

    fn apply<'a>(
        &'a self,
        db: &'a mut SqliteConnection,
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            sqlx::query(
                "update connections set profile = coalesce(?, profile), probe_at = ? where id = ?",
            )
            .bind(&self.profile)
            .bind(self.probe_at.map(millis))
            .bind(key(&self.id))
            .execute(db)
            .await?;
            Ok(())
        })
    }
}
