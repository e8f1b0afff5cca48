//! Forgetting what nobody looks at any more: finished attempts, and events that were told. It is done in
//! small bites, each a write of its own, with a pause between two of them: a refresh never waits for more
//! than one.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::attempt::Outcome;
use crate::storage::{Storage, StorageError};

/// The database is left to others for so long after each bite.
const BREATH: Duration = Duration::from_millis(10);

/// What is removed of what is old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruning {
    /// Attempts that ended so, and nothing else.
    Outcome(Outcome),
    /// Attempts and events.
    Log,
    /// These, and who did what.
    LogAndAudit,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Finished attempts.
    pub attempts: u64,
    /// Delivered events.
    pub events: u64,
    /// Entries of the audit log.
    pub audit: u64,
}

/// What was removed in one bite.
#[derive(Debug)]
pub struct Bite<T> {
    /// Rows.
    pub removed: u64,
    /// Behind which row the next bite begins; `None` when nothing old is left.
    pub next: Option<T>,
}

impl Storage {
    /// Removes finished attempts, and events that everybody was told of, that are older; the last attempt of a connection
    /// stays. What is not removed when keepfresh stops is removed the next time.
    pub async fn prune(&self, before: Timestamp, what: Pruning) -> Result<Pruned, StorageError> {
        let outcome = match what {
            Pruning::Outcome(outcome) => Some(outcome),
            Pruning::Log | Pruning::LogAndAudit => None,
        };
        let bite = |after| self.engine.prune_attempts(before, outcome, after);
        let mut pruned =
            Pruned { attempts: in_bites(String::new(), bite).await?, ..Pruned::default() };
        if outcome.is_none() {
            pruned.events = in_bites(0, |after| self.engine.prune_events(before, after)).await?;
        }
        if what == Pruning::LogAndAudit {
            pruned.audit = in_bites(0, |after| self.engine.prune_audit(before, after)).await?;
        }
        Ok(pruned)
    }

    /// Forgets what statistics know of the time before that.
    pub async fn forget_hours(&self, before: Timestamp) -> Result<(), StorageError> {
        while self.engine.prune_hours(before).await? > 0 {
            tokio::time::sleep(BREATH).await;
        }
        Ok(())
    }
}

async fn in_bites<T, F>(first: T, bite: impl Fn(T) -> F) -> Result<u64, StorageError>
where
    F: Future<Output = Result<Bite<T>, StorageError>>,
{
    let (mut removed, mut after) = (0, first);
    loop {
        let bitten = bite(after).await?;
        removed += bitten.removed;
        let Some(next) = bitten.next else { return Ok(removed) };
        after = next;
        if bitten.removed > 0 {
            tokio::time::sleep(BREATH).await;
        }
    }
}
