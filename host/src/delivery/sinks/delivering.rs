//! One connection: how it is now, what was delivered of it, and what has to be. It is looked at when its turn comes,
//! so however often it has changed meanwhile, what is current is delivered once.

use std::sync::Arc;

use jiff::Timestamp;

use crate::delivery::retrying::wait_of_current;
use crate::delivery::sinks::content::{self, Had, Ready, Stand, To};
use crate::delivery::sinks::end::End;
use crate::delivery::sinks::{Kit, facts};
use crate::delivery::undelivered::{Then, Undelivered};
use crate::manifest::sink::{Columns, How, Of, Sink};
use crate::model::attempt::{Attempt, Outcome};
use crate::model::clock;
use crate::model::code::{self, Code};
use crate::model::connection::Connection;
use crate::model::id::ConnectionId;
use crate::model::template::Values;
use crate::storage::{About, Came, Delivered, Loaded, LogFilter, Record, StorageError};

/// How it ended, where the database did not fail.
type Tried = Result<Result<Came, Undelivered>, StorageError>;

/// Delivers for one sink.
pub(super) struct Deliverer {
    pub(super) kit: Kit,
    pub(super) end: End,
    pub(super) outlet: String,
}

impl Deliverer {
    pub(super) fn new(kit: &Kit, sink: &Arc<Sink>) -> Self {
        Self { kit: kit.clone(), end: End::new(Arc::clone(sink)), outlet: sink.outlet() }
    }

    pub(super) fn sink(&self) -> &Sink {
        &self.end.sink
    }

    /// Delivers what is current of the connection with that key, anew if `forced`; `None` if it is nothing to this
    /// sink.
    pub(super) async fn connection(
        &self,
        key: &str,
        forced: bool,
    ) -> Result<Option<Came>, StorageError> {
        let record = self.record(key, None).await?;
        let Ok(id) = key.parse::<ConnectionId>() else { return Ok(None) };
        let loaded = match self.kit.storage.load(&id).await {
            Ok(loaded) => loaded.filter(|it| selects(&self.sink().of, &it.connection)),
            Err(error @ StorageError::Row { .. }) => {
                let unreadable = Undelivered::again(error.code(), error.to_string());
                return Ok(Some(self.failed(unreadable, record.tries)));
            }
            Err(error) => return Err(error),
        };
        let tried = match loaded {
            Some(loaded) => self.current(key, &loaded, &record, forced).await?,
            None if record.delivered.is_none() && record.tries == 0 => return Ok(None),
            None => self.removed(key, &id, &record).await?,
        };
        Ok(Some(tried.unwrap_or_else(|it| self.failed(it, record.tries))))
    }

    /// Adds the row of the attempt with that id.
    pub(super) async fn attempt(&self, key: &str) -> Result<Option<Came>, StorageError> {
        let Ok(id) = key.parse() else { return Ok(None) };
        let record = self.record(key, None).await?;
        // One that was pruned before it could be delivered is gone.
        let Some(attempt) = self.kit.storage.attempt(id).await? else {
            return Ok(Some(Came::Gone));
        };
        let loaded = match self.kit.storage.load(&attempt.connection).await {
            Err(StorageError::Row { .. }) => None,
            loaded => loaded?,
        };
        if !self.selects_attempt(&attempt, loaded.as_ref()) {
            return Ok(None);
        }
        let tried = self.add(&attempt, loaded.as_ref()).await?;
        Ok(Some(tried.unwrap_or_else(|it| self.failed(it, record.tries))))
    }

    async fn record(&self, subject: &str, place: Option<&str>) -> Result<Record, StorageError> {
        self.kit.storage.sink_record(About { sink: &self.outlet, subject, place }).await
    }

    async fn current(&self, key: &str, loaded: &Loaded, record: &Record, forced: bool) -> Tried {
        let values = match self.values(loaded).await? {
            Ok(values) => values,
            Err(undelivered) => return Ok(Err(undelivered)),
        };
        let (ready, digest) = match self.ready(loaded, &values) {
            Ok(Some(it)) => it,
            // It was removed and is there again, without a token: what is there is another one's.
            Ok(None) if record.delivered.as_ref().is_some_and(|it| it.place.is_some()) => {
                return self.removed(key, &loaded.connection.id, record).await;
            }
            Ok(None) => return Ok(Ok(Came::Same)),
            Err(undelivered) => return Ok(Err(undelivered)),
        };
        let place = match &ready.to {
            To::File(path) => Some(path.display().to_string()),
            _ => None,
        };
        let before = record.delivered.as_ref();
        let is_same =
            before.is_some_and(|it| it.digest.as_deref() == Some(&digest) && it.place == place);
        if is_same && !forced && place.is_none() {
            return Ok(Ok(Came::Same));
        }
        if let Some(place) = place.as_deref()
            && let Some(other) = self.taken_by(key, place).await?
        {
            return Ok(Err(taken(place, &other)));
        }
        let written = match self.end.put(&self.kit, ready, &self.tag(&digest, record)).await {
            Ok(written) => written,
            Err(undelivered) => return Ok(Err(undelivered)),
        };
        if let Some(old) =
            before.and_then(|it| it.place.as_ref()).filter(|it| Some(*it) != place.as_ref())
            && let Err(undelivered) = self.leave(key, old).await?
        {
            return Ok(Err(undelivered));
        }
        if is_same && !written {
            return Ok(Ok(Came::Same));
        }
        Ok(Ok(Came::Delivered(Delivered { digest: Some(digest), place })))
    }

    /// The other connection that has this file: one that is being written now, or was before.
    async fn taken_by(&self, key: &str, place: &str) -> Result<Option<String>, StorageError> {
        if let Some(other) = self.kit.claim(place, &self.outlet, key) {
            return Ok(Some(other));
        }
        Ok(self.record(key, Some(place)).await?.taken_by)
    }

    /// What is to be delivered, and its digest: one that does not change because time passes.
    fn ready(
        &self,
        loaded: &Loaded,
        values: &Values,
    ) -> Result<Option<(Ready, Vec<u8>)>, Undelivered> {
        let stand = stand(&loaded.connection);
        let Some(ready) = content::current(self.sink(), stand, values)? else { return Ok(None) };
        let bytes = if self.sink().mentions("now") {
            let then = values.clone().time("now", Some(Timestamp::UNIX_EPOCH));
            content::current(self.sink(), stand, &then)?.map(|it| it.bytes())
        } else {
            Some(ready.bytes())
        };
        let digest = self.kit.currents.digest(&bytes.unwrap_or_default());
        Ok(Some((ready, digest)))
    }

    /// What the receiver knows this delivery by: the same at each try, and another one when the same comes again later.
    fn tag(&self, digest: &[u8], record: &Record) -> Vec<u8> {
        let last = record.delivered_at.map_or(0, clock::millis);
        self.kit.currents.digest(&[digest, last.to_be_bytes().as_slice()].concat())
    }

    /// The connection is gone, or not this sink's any more.
    async fn removed(&self, key: &str, id: &ConnectionId, record: &Record) -> Tried {
        let Some(before) = &record.delivered else { return Ok(Ok(Came::Gone)) };
        if let Some(place) = &before.place
            && let Err(undelivered) = self.leave(key, place).await?
        {
            return Ok(Err(undelivered));
        }
        let values = facts::of_removed(id, self.kit.clock.now());
        let ready = match content::removed(self.sink(), &values) {
            Ok(Some(ready)) => ready,
            Ok(None) => return Ok(Ok(Came::Gone)),
            Err(undelivered) => return Ok(Err(undelivered)),
        };
        let digest = self.kit.currents.digest(&ready.bytes());
        Ok(match self.end.put(&self.kit, ready, &self.tag(&digest, record)).await {
            Ok(_) => Ok(Came::Gone),
            // The application has removed the row as well.
            Err(it) if it.code == Code::Sink(code::Sink::RowMissing) => Ok(Came::Gone),
            Err(undelivered) => Err(undelivered),
        })
    }

    /// Leaves a file, unless it is another connection's by now.
    async fn leave(&self, key: &str, place: &str) -> Result<Result<(), Undelivered>, StorageError> {
        if self.record(key, Some(place)).await?.taken_by.is_some() {
            return Ok(Ok(()));
        }
        Ok(self.end.leave(place.into()).await)
    }

    async fn add(&self, attempt: &Attempt, loaded: Option<&Loaded>) -> Tried {
        let How::Sql(sql) = &self.sink().how else { return Ok(Ok(Came::Gone)) };
        let Columns::Attempts(columns) = &sql.columns else { return Ok(Ok(Came::Gone)) };
        let values = match loaded {
            Some(loaded) => self.values(loaded).await?,
            None => Ok(facts::of_removed(&attempt.connection, self.kit.clock.now())),
        };
        let values = values.map(|it| facts::with_attempt(it, attempt));
        let ready = values.and_then(|it| content::attempt(sql, columns, &it));
        Ok(match ready {
            Ok(ready) => self.end.put(&self.kit, ready, &[]).await.map(|_| Came::Gone),
            Err(undelivered) => Err(undelivered),
        })
    }

    async fn values(&self, loaded: &Loaded) -> Result<Result<Values, Undelivered>, StorageError> {
        let connection = &loaded.connection;
        let names = |value| self.sink().mentions(value);
        let token = if names("token") { self.kit.currents.token(loaded) } else { Ok(None) };
        let token = match token {
            Ok(token) => token,
            Err(failure) => return Ok(Err(Undelivered::again(failure.code, failure.message))),
        };
        let failed_at =
            if names("failed_at") { self.failed_at(&connection.id).await? } else { None };
        Ok(Ok(facts::of(connection, token.as_ref(), failed_at, self.kit.clock.now())))
    }

    async fn failed_at(&self, id: &ConnectionId) -> Result<Option<Timestamp>, StorageError> {
        let (connection, outcome) = (Some(id.clone()), Some(Outcome::Failed));
        let last = LogFilter { connection, outcome, limit: 1, ..LogFilter::default() };
        let last = self.kit.storage.log(&last).await?;
        Ok(last.first().map(|it| it.started_at))
    }

    fn selects_attempt(&self, attempt: &Attempt, loaded: Option<&Loaded>) -> bool {
        match &self.sink().of {
            Of::Connection(id) => attempt.connection == *id,
            Of::Provider(name) => attempt.connection.provider() == name,
            of @ Of::Label(_) => loaded.is_some_and(|it| selects(of, &it.connection)),
        }
    }

    /// What follows: it is never given up, because it stays current.
    fn failed(&self, undelivered: Undelivered, tries: u32) -> Came {
        let of_all = undelivered.is_of_all();
        let Undelivered { code, message, then } = undelivered;
        let told = match then {
            Then::Again(told) => told,
            Then::Never => None,
            Then::Disabled => return Came::Disabled(code, message),
        };
        let next = clock::after(self.kit.clock.now(), wait_of_current(tries + 1, told));
        Came::Failed { next, code, message, of_all, tried: true }
    }
}

fn selects(of: &Of, connection: &Connection) -> bool {
    match of {
        Of::Connection(id) => connection.id == *id,
        Of::Provider(name) => connection.id.provider() == name,
        Of::Label(label) => connection.labels.contains(label),
    }
}

fn stand(connection: &Connection) -> Stand {
    let token = match &connection.token {
        Some(_) => Had::Here,
        None if connection.generation > 0 => Had::Gone,
        None => Had::Never,
    };
    Stand { token, fails: connection.failures > 0, needs_person: connection.problem.is_some() }
}

fn taken(place: &str, other: &str) -> Undelivered {
    let message = format!("{place} is already the file of {other}");
    Undelivered::again(code::Sink::PlaceTaken, message)
}
