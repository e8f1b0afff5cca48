//! When connections are looked at: which are due, and what puts many right at once: times that no fact
//! allows, and what waits for a person who has acted.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::attempt::Trigger;
use crate::model::connection::{Connection, Due};
use crate::model::id::ConnectionId;
use crate::storage::{Storage, StorageError};

/// Some of what is due, in order.
#[derive(Debug, Default)]
pub struct DuePage {
    /// Those that are due, or why one of them cannot be read.
    pub found: Vec<Result<(ConnectionId, Trigger), StorageError>>,
    /// Behind which place to go on, if there may be more.
    pub next: Option<Mark>,
}

/// A place among what is due: the time of a row, in milliseconds, and its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The time.
    pub time: i64,
    /// The key, as it stands there.
    pub key: String,
}

/// A connection whose next look may not follow from its facts.
#[derive(Debug)]
pub struct Doubtful {
    /// Its facts.
    pub connection: Connection,
    /// Whether its last try began later than now: it was told to wait by a clock that was ahead.
    pub ahead: bool,
}

/// Another time for a connection, if it still is as it was found.
#[derive(Debug)]
pub struct Moved {
    /// Which.
    pub id: ConnectionId,
    /// The generation that was found.
    pub generation: u64,
    /// When it was to be looked at.
    pub found: Option<Due>,
    /// When it is.
    pub due: Option<Due>,
}

/// Connections of one provider that are tried again, because what a person had to correct has changed.
#[derive(Clone, Debug)]
pub struct Forgiven {
    /// Whose.
    pub provider: String,
    /// Keyed digest of the configuration that they have now: those that failed with it are left alone.
    pub config: Vec<u8>,
    /// Those that the manifest lists: each of them has a configuration of its own.
    pub listed: Vec<ConnectionId>,
    /// The time between one and the next: together they would be a storm.
    pub step: Duration,
    /// Now.
    pub at: Timestamp,
}

/// Connections whose tokens came of the same configuration.
#[derive(Clone, Debug)]
pub struct CameOf {
    /// One of them.
    pub id: ConnectionId,
    /// How many there are.
    pub count: u64,
    /// Settings of their own.
    pub settings: BTreeMap<String, String>,
    /// Keyed digests of the configuration.
    pub config: Vec<u8>,
}

impl Storage {
    /// Up to `limit` connections of `provider` that are due at `now` and `wanted`: what was interrupted, then
    /// the others, of each the longest waiting first. Those that cannot be read are told of and passed over, as are those that nobody wants: they
    /// do not stand in the way of the others.
    pub async fn due(
        &self,
        provider: &str,
        now: Timestamp,
        limit: u32,
        wanted: impl Fn(&ConnectionId) -> bool,
    ) -> Result<Vec<(ConnectionId, Trigger)>, StorageError> {
        let (mut ready, mut after) = (Vec::new(), None);
        loop {
            let page = self.engine.due(provider, now, after).await?;
            let found = page.found.into_iter().filter_map(|it| self.readable(it));
            ready.extend(found.filter(|(id, _)| wanted(id)));
            ready.truncate(limit as usize);
            after = page.next;
            if after.is_none() || ready.len() == limit as usize {
                return Ok(ready);
            }
        }
    }

    /// Up to `limit` connections of `provider` whose `profile` is to be asked at `now`. Those that cannot be
    /// read are passed over.
    pub async fn probes_due(
        &self,
        provider: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ConnectionId>, StorageError> {
        let (mut ready, mut after) = (Vec::new(), None);
        loop {
            let page = self.engine.probes_due(provider, now, after).await?;
            let found = page.found.into_iter().filter_map(|it| self.readable(it));
            ready.extend(found.map(|(id, _)| id));
            ready.truncate(limit as usize);
            after = page.next;
            if after.is_none() || ready.len() == limit as usize {
                return Ok(ready);
            }
        }
    }

    /// What was read; where that failed, it is told of.
    fn readable<T>(&self, read: Result<T, StorageError>) -> Option<T> {
        read.inspect_err(|error| self.report(error)).ok()
    }

    /// Sets when a connection is looked at next. An open try is not looked at before its lease ends, but
    /// may be put off for longer.
    pub async fn set_due(&self, id: &ConnectionId, due: Option<Due>) -> Result<(), StorageError> {
        self.making_due(due, self.engine.set_due(id, due)).await
    }

    /// Makes `id` due at `now` if an attempt of it is open or an answer for it waits to be read.
    pub async fn wake(&self, id: &ConnectionId, now: Timestamp) -> Result<(), StorageError> {
        self.changing_times(self.engine.wake(id, now)).await
    }

    /// Makes every connection due at `now` whose open attempt another than `owner` has begun, where no
    /// other process can be at work: that one is dead.
    pub async fn wake_interrupted(&self, owner: &str, now: Timestamp) -> Result<(), StorageError> {
        if self.is_shared() {
            return Ok(());
        }
        self.changing_times(self.engine.wake_interrupted(owner, now)).await
    }

    /// Moves them, unless they have been moved by somebody else.
    pub async fn move_due(&self, all: Vec<Moved>) -> Result<u64, StorageError> {
        if all.is_empty() {
            return Ok(0);
        }
        self.changing_times(self.engine.move_due(all)).await
    }

    /// Takes back what a clock that was ahead has noted: pauses last as long as they were meant to, and
    /// nothing has been in doubt, or was asked for, since a time that is to come.
    pub async fn forget_the_future(
        &self,
        now: Timestamp,
        ahead: Duration,
    ) -> Result<(), StorageError> {
        self.changing_times(self.engine.forget_the_future(now, ahead)).await
    }

    /// Makes what waits for a person at one provider due again, one after the other; returns how many.
    pub async fn forgive(&self, forgiven: Forgiven) -> Result<u64, StorageError> {
        self.changing_times(self.engine.forgive(forgiven)).await
    }

    /// Makes all of a provider that the manifest does not know due, one after the other: each finds out
    /// and says so.
    pub async fn look_at_all(
        &self,
        provider: &str,
        step: Duration,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        self.changing_times(self.engine.look_at_all(provider, step, at)).await
    }
}
