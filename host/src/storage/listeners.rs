//! Those who are told of events: each has a name, the kinds it wants, and a place of its own in the
//! stream, which outlives the process. Events are written with the change they tell of, and only those
//! that somebody listens to; they stay until everybody was told of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::watch;

use crate::model::event::{Event, EventKind};
use crate::storage::{Storage, StorageError};

/// So many events of kinds that a listener does not want are written before it looks all the same: what it looks
/// through when it is woken at last is never much more.
const MOST_UNSEEN: u64 = 1_000;

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
    name: String,
    kinds: Vec<EventKind>,
    written: watch::Receiver<Heard>,
    /// How much had been written when it was woken last.
    seen: Seen,
    /// Up to here, nothing is for this one. Most events are of kinds that it does not want, and looking through all of
    /// them again with each one that is written would cost more than the refresh that writes it.
    passed: AtomicI64,
}

/// Some events that a listener was not told of.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Those that can be read, oldest first.
    pub events: Vec<OutboxEvent>,
    /// Why others between them cannot.
    pub unreadable: Vec<StorageError>,
    /// The number of the last one, whether it can be read or not; `None` when there are none.
    pub last: Option<i64>,
    /// Up to which number all were looked at, those of other kinds as well.
    pub looked: i64,
}

/// Who listens, and how much was written for them: those who wait for it look anew at each change.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) kinds: BTreeSet<EventKind>,
    pub(super) written: u64,
    by_kind: BTreeMap<EventKind, u64>,
}

/// How much was written: of the kinds that one wants, and of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    wanted: u64,
    all: u64,
}

impl Heard {
    fn seen(&self, kinds: &[EventKind]) -> Seen {
        let wanted = kinds.iter().filter_map(|it| self.by_kind.get(it)).sum();
        Seen { wanted, all: self.written }
    }
}

impl Storage {
    /// The listener of this name, who wants these kinds from now on; one that was there goes on where it
    /// stood. It hears nothing of what happened before it was there.
    pub async fn listen(&self, name: &str, kinds: &[EventKind]) -> Result<Listener, StorageError> {
        self.engine.listen(name.to_owned(), kinds.to_vec()).await?;
        self.note_heard().await?;
        let written = self.heard.subscribe();
        let seen = written.borrow().seen(kinds);
        Ok(Listener {
            storage: self.clone(),
            name: name.to_owned(),
            kinds: kinds.to_vec(),
            written,
            seen,
            passed: AtomicI64::new(i64::MIN),
        })
    }

    /// Forgets all listeners but these: nobody waits for them any more.
    pub async fn keep_listeners(&self, names: &[&str]) -> Result<(), StorageError> {
        let names = names.iter().map(|it| (*it).to_owned()).collect();
        self.engine.keep_listeners(names).await?;
        self.note_heard().await
    }

    pub(super) async fn note_heard(&self) -> Result<(), StorageError> {
        let kinds = self.engine.heard().await?;
        self.heard.send_modify(|it| it.kinds = kinds);
        Ok(())
    }

    /// Leaves only the events that somebody listens to; their kinds.
    pub(super) fn keep_heard(&self, events: &mut Vec<Event>) -> Vec<EventKind> {
        let heard = self.heard.borrow();
        events.retain(|it| heard.kinds.contains(&it.kind));
        events.iter().map(|it| it.kind).collect()
    }

    /// Wakes those who listen to events of these kinds, which were written.
    pub(super) fn wake_listeners(&self, wrote: &[EventKind]) {
        if wrote.is_empty() {
            return;
        }
        self.heard.send_modify(|it| {
            it.written += 1;
            for kind in wrote {
                *it.by_kind.entry(*kind).or_default() += 1;
            }
        });
    }
}

impl Listener {
    /// Up to `limit` events that this one was not told of, oldest first. Those that cannot be read are told
    /// of in the log and passed over.
    pub async fn waiting(&self, limit: u32) -> Result<Vec<OutboxEvent>, StorageError> {
        let mut after = self.passed.load(Ordering::Relaxed);
        loop {
            let waiting = self.storage.engine.waiting(&self.name, after, limit).await?;
            waiting.unreadable.iter().for_each(|it| self.storage.report(it));
            match waiting.last {
                Some(last) if waiting.events.is_empty() => after = last,
                Some(_) => return Ok(waiting.events),
                None => {
                    self.passed.fetch_max(waiting.looked, Ordering::Relaxed);
                    return Ok(Vec::new());
                }
            }
        }
    }

    /// Notes that this one was told of everything up to `id`.
    pub async fn told(&self, id: i64) -> Result<(), StorageError> {
        self.storage.engine.told(&self.name, id).await
    }

    /// Returns once something of the kinds that it wants was written since the last call, or very much of others. What
    /// is written between two calls is not missed.
    pub async fn woken(&mut self) {
        let Self { kinds, written, seen, .. } = self;
        let is_for_it = |it: &Heard| {
            let now = it.seen(kinds);
            now.wanted != seen.wanted || now.all - seen.all > MOST_UNSEEN
        };
        // The sender lives as long as the storage that is in here.
        if let Ok(heard) = written.wait_for(is_for_it).await {
            *seen = heard.seen(kinds);
        }
    }
}
