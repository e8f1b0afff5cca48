//! Connections: what is known of one before a refresh, and changes that people and the manifest make.

use std::sync::OnceLock;

use jiff::Timestamp;
use rusqlite::params;
use sqlx::sqlite::SqlitePool;

use crate::model::id::ConnectionId;
use crate::storage::error::StorageError;
use crate::storage::sqlite::captures::{self, Requests};
use crate::storage::sqlite::cells::Cells;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{self, Fields, key, millis};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Loaded, OpenAttempt, Pausing, Reconcile};
use crate::vault::Sealed;

const LOAD: &str = "
    select c.*, g.sealed, g.attempt is not null as given, k.sealed as credentials,
           exists (select 1 from captures where connection = c.id) as captured,
           a.attempt as open_id, a.owner, a.lease_until, a.started_at, a.rotation
    from connections c
    left join generations g on g.connection = c.id and g.generation = c.generation
    left join credentials k on k.connection = c.id
    left join claims a on a.connection = c.id
    where c.id = ?1";

/// All that is known of one, in one look.
pub(super) fn load(
    db: &rusqlite::Connection,
    id: &ConnectionId,
) -> Result<Option<Loaded>, StorageError> {
    let mut statement = db.prepare_cached(LOAD)?;
    let mut rows = statement.query([key(id)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let connection = rows::connection(row)?;
    let captured = Fields::new(row, "captures", "id").count("captured")? > 0;
    let requests =
        if captured { captures::of(db, id, connection.generation)? } else { Requests::default() };
    let generation = Fields::new(row, "generations", "id");
    let (sealed, given) = (generation.blob("sealed")?, generation.count("given")? > 0);
    let credentials = Fields::new(row, "credentials", "id").blob("credentials")?;
    Ok(Some(Loaded {
        connection,
        sealed: sealed.map(Sealed::from_bytes),
        given,
        credentials: credentials.map(Sealed::from_bytes),
        open: open_attempt(row)?,
        captures: requests.answers,
        unanswered: requests.unanswered,
        presented: OnceLock::new(),
    }))
}

pub(super) async fn problem_config(
    readers: &SqlitePool,
    id: &ConnectionId,
) -> Result<Option<Vec<u8>>, StorageError> {
    let query = sqlx::query_scalar("select problem_config from connections where id = ?");
    let found = query.bind(key(id)).fetch_optional(readers).await?;
    Ok(found.flatten())
}

pub(super) fn open_attempt(row: &dyn Cells) -> Result<Option<OpenAttempt>, StorageError> {
    let fields = Fields::new(row, "claims", "open_id");
    if row.is_null("open_id").map_err(|_| fields.damaged("open_id"))? {
        return Ok(None);
    }
    Ok(Some(OpenAttempt {
        id: fields.required("open_id", fields.word("open_id")?)?,
        owner: fields.required("owner", fields.text("owner")?)?,
        lease_until: fields.required("lease_until", fields.time("lease_until")?)?,
        started_at: fields.required("started_at", fields.time("started_at")?)?,
        rotation: fields.required("rotation", fields.json("rotation")?)?,
    }))
}

const RECONCILED: &str = "
    update connections
    set probe_at = iif(?2 is null, null, min(coalesce(probe_at, ?2), ?2)),
        due_at = coalesce(?3, due_at), due_trigger = coalesce(?4, due_trigger),
        problem = iif(?5, null, problem), problem_config = iif(?5, null, problem_config)
    where id = ?1";

impl Write for Reconcile {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let (id, probe_at) = (key(&self.id), self.probe_at.map(millis));
        let due_at = self.due.map(|it| millis(it.at));
        let trigger = self.due.map(|it| it.trigger.as_str());
        change(
            db,
            "insert into connections (id, provider, name, due_at, due_trigger, created_at)
             values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (id) do nothing",
            params![id, self.id.provider(), self.id.name(), due_at, trigger, millis(self.at)],
        )?;
        change(db, RECONCILED, params![id, probe_at, due_at, trigger, self.forgive]).map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}

impl Write for Pausing {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let pause = self.pause.as_ref();
        let done = change(
            db,
            "update connections
             set paused_at = ?2, paused_until = ?3, paused_reason = ?4, due_at = ?5, due_trigger = ?6
             where id = ?1",
            params![
                key(&self.id),
                pause.map(|_| millis(self.at)),
                pause.and_then(|it| it.until).map(millis),
                pause.and_then(|it| it.reason.as_deref()),
                self.due.map(|it| millis(it.at)),
                self.due.map(|it| it.trigger.as_str()),
            ],
        )?;
        Ok(done > 0)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}

/// What `profile` said, and when it is asked again.
pub(super) struct Profile {
    pub(super) id: ConnectionId,
    pub(super) said: Option<String>,
    pub(super) probe_at: Option<Timestamp>,
}

impl Write for Profile {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(
            db,
            "update connections set profile = coalesce(?2, profile), probe_at = ?3 where id = ?1",
            params![key(&self.id), self.said, self.probe_at.map(millis)],
        )
        .map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}

/// A caller has asked for the token.
pub(super) struct Touch {
    pub(super) id: ConnectionId,
    pub(super) at: Timestamp,
}

impl Write for Touch {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        let touch = "update connections set active_at = ?2 where id = ?1";
        change(db, touch, params![key(&self.id), millis(self.at)]).map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}

/// The end of a connection that nobody wants any more.
pub(super) struct Removal {
    pub(super) id: ConnectionId,
    /// Whether the manifest lists it.
    pub(super) listed: bool,
}

impl Write for Removal {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let removed = change(
            db,
            "delete from connections
             where id = ?1 and (origin = 'added' or not ?2)
               and not exists (select 1 from claims where connection = ?1)",
            params![key(&self.id), self.listed],
        )?;
        Ok(removed > 0)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}
