//! Empty connections that are made for a consent, because an attempt belongs to a connection. No list has them,
//! and they do not outlive the process that made them.

use jiff::Timestamp;
use rusqlite::params;

use crate::model::id::ConnectionId;
use crate::storage::error::StorageError;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{key, millis};
use crate::storage::sqlite::writer::{Db, Write, change};

/// Makes one.
pub(super) struct MakeRoom {
    pub(super) id: ConnectionId,
    pub(super) at: Timestamp,
}

/// Its `enrolled` is a word, and no digest.
const INSERT: &str = "
    insert into connections (id, provider, name, origin, enrolled, created_at)
    values (?1, ?2, ?3, 'added', x'636f6e73656e74', ?4)
    on conflict (id) do nothing";

const IS_ROOM: &str = "
    select exists (select 1 from connections
                   where id = ?1 and generation = 0 and enrolled is x'636f6e73656e74')";

const FORGET: &str = "
    delete from connections where generation = 0 and enrolled = x'636f6e73656e74'";

impl Write for MakeRoom {
    type Answer = bool;

    fn apply(&self, db: &Db) -> Result<bool, StorageError> {
        let (id, at) = (key(&self.id), millis(self.at));
        change(db, INSERT, params![id, self.id.provider(), self.id.name(), at])?;
        Ok(db.query_row(IS_ROOM, [id], |row| row.get(0))?)
    }

    fn touched(&self) -> Touched {
        Touched::One(self.id.clone())
    }
}

/// Forgets all of them.
pub(super) struct ForgetRooms;

impl Write for ForgetRooms {
    type Answer = ();

    fn apply(&self, db: &Db) -> Result<(), StorageError> {
        change(db, FORGET, params![]).map(drop)
    }

    fn touched(&self) -> Touched {
        Touched::All
    }
}
