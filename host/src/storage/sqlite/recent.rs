//! Rows that were read lately, remembered until something changes them: a token that is asked for again and
//! again costs no statement. The writer says after each commit what it has touched, before it confirms it;
//! so whoever has seen a change never sees the row from before it.

use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::{DefaultHashBuilder, HashMap};
use tokio::sync::watch;

use crate::model::id::ConnectionId;
use crate::storage::{Loaded, StorageError};

/// Shards, so that readers on all cores do not wait for one lock.
const SHARDS: usize = 16;

/// Rows of a shard. All shards together hold some megabytes.
const ROWS: usize = 256;

/// What a change may have altered of what `load` says.
pub(super) enum Touched {
    /// Nothing.
    Nothing,
    /// This connection.
    One(ConnectionId),
    /// Any of them.
    All,
}

/// The rows.
pub(super) struct Recent {
    shards: [Mutex<Shard>; SHARDS],
    hasher: DefaultHashBuilder,
    /// Counts what was touched, for those who wait for it.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Shard {
    rows: HashMap<ConnectionId, Arc<Loaded>>,
    /// Counts changes. A row that was read before a change and comes after it is not kept.
    changes: u64,
}

impl Recent {
    pub(super) fn new() -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { shards, hasher: DefaultHashBuilder::default(), changes: watch::Sender::new(0) }
    }

    /// Changes when something was touched.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The row of `id`, if it is remembered.
    pub(super) fn held(&self, id: &ConnectionId) -> Option<Arc<Loaded>> {
        self.shard(id).rows.get(id).map(Arc::clone)
    }

    /// The row of `id`, read by `load` if it is not remembered.
    pub(super) async fn get(
        &self,
        id: &ConnectionId,
        load: impl Future<Output = Result<Option<Loaded>, StorageError>>,
    ) -> Result<Option<Arc<Loaded>>, StorageError> {
        let changes = {
            let shard = self.shard(id);
            if let Some(row) = shard.rows.get(id) {
                return Ok(Some(Arc::clone(row)));
            }
            shard.changes
        };
        let Some(row) = load.await?.map(Arc::new) else { return Ok(None) };
        self.keep(id, &row, changes);
        Ok(Some(row))
    }

    fn keep(&self, id: &ConnectionId, row: &Arc<Loaded>, changes: u64) {
        let mut shard = self.shard(id);
        if shard.changes != changes {
            return;
        }
        if shard.rows.len() >= ROWS
            && let Some(any) = shard.rows.keys().next().cloned()
        {
            shard.rows.remove(&any);
        }
        shard.rows.insert(id.clone(), Arc::clone(row));
    }

    /// Forgets what was touched.
    pub(super) fn forget(&self, touched: Touched) {
        match touched {
            Touched::Nothing => return,
            Touched::One(id) => {
                let mut shard = self.shard(&id);
                shard.rows.remove(&id);
                shard.changes += 1;
            }
            Touched::All => {
                for shard in &self.shards {
                    let mut shard = locked(shard);
                    shard.rows.clear();
                    shard.changes += 1;
                }
            }
        }
        self.changes.send_modify(|it| *it += 1);
    }

    fn shard(&self, id: &ConnectionId) -> MutexGuard<'_, Shard> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash will do")]
        let place = self.hasher.hash_one(id) as usize % SHARDS;
        locked(&self.shards[place])
    }
}

fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::model::fixture;

    fn row() -> Loaded {
        Loaded {
            connection: fixture::connection(),
            sealed: None,
            given: false,
            credentials: None,
            open: None,
            captures: Vec::new(),
            unanswered: None,
            presented: std::sync::OnceLock::new(),
        }
    }

    /// Asks once; whether that read the database.
    async fn reads(recent: &Recent, id: &str) -> bool {
        let read = Cell::new(false);
        let load = async {
            read.set(true);
            Ok(Some(row()))
        };
        recent.get(&id.parse().unwrap(), load).await.unwrap().unwrap();
        read.get()
    }

    #[tokio::test]
    async fn a_row_is_read_once_until_it_is_touched() {
        let recent = Recent::new();
        assert!(reads(&recent, "x/a").await && reads(&recent, "x/b").await);
        assert!(!reads(&recent, "x/a").await && !reads(&recent, "x/b").await);
        recent.forget(Touched::Nothing);
        assert!(!reads(&recent, "x/a").await);
        recent.forget(Touched::One("x/a".parse().unwrap()));
        assert!(reads(&recent, "x/a").await && !reads(&recent, "x/b").await);
        recent.forget(Touched::All);
        assert!(reads(&recent, "x/a").await && reads(&recent, "x/b").await);
    }

    #[tokio::test]
    async fn a_row_that_was_touched_while_it_was_read_is_not_remembered() {
        let recent = Recent::new();
        for touched in [Touched::One("x/a".parse().unwrap()), Touched::All] {
            let load = async {
                recent.forget(touched);
                Ok(Some(row()))
            };
            recent.get(&"x/a".parse().unwrap(), load).await.unwrap();
            assert!(reads(&recent, "x/a").await);
            recent.forget(Touched::All);
        }
    }

    #[tokio::test]
    async fn a_row_that_is_not_there_is_looked_for_again() {
        let recent = Recent::new();
        let id = "x/a".parse().unwrap();
        assert!(recent.get(&id, async { Ok(None) }).await.unwrap().is_none());
        assert!(reads(&recent, "x/a").await);
    }

    #[tokio::test]
    async fn many_rows_take_no_more_room_than_there_is() {
        let recent = Recent::new();
        for number in 0..3 * SHARDS * ROWS {
            reads(&recent, &format!("x/c{number}")).await;
        }
        let held = recent.shards.iter().map(|it| locked(it).rows.len()).sum::<usize>();
        assert!(held <= SHARDS * ROWS, "{held}");
    }
}
