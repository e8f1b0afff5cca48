//! One count for all who ask. It is made anew when something has changed and it has grown old: twenty times as old
//! as counting takes, so that whoever reloads a page all day costs a twentieth of a core. Where counting takes long,
//! the last count is shown meanwhile, with its age.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::failure::Failure;
use crate::operator::Operator;
use crate::operator::overview::Overview;

/// A count is good for so many times as long as it takes.
const GOOD_FOR: u32 = 20;

/// Tokens end also when nothing is written.
const LONGEST: Duration = Duration::from_secs(30);

/// Whoever asks waits for a count that takes less, and sees what is there before one that takes longer.
const WAITED_FOR: Duration = Duration::from_millis(100);

/// What is older than this is not shown any more.
const OLDEST: Duration = Duration::from_mins(5);

/// The last count, and who counts.
#[derive(Default)]
pub struct Counts {
    last: Mutex<Option<Arc<Count>>>,
    counting: tokio::sync::Mutex<()>,
}

/// A count.
struct Count {
    overview: Overview,
    begun: Instant,
    took: Duration,
    /// What had changed before it.
    changes: u64,
}

/// What is done with a count that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It is as good as a new one.
    Good,
    /// It is shown, and another one is made meanwhile.
    ForNow,
    /// Another one is waited for.
    Past,
}

/// Pure.
fn usable(age: Duration, took: Duration, changed: bool) -> Use {
    let is_young = age < (took * GOOD_FOR).min(OLDEST);
    if is_young || (!changed && age < LONGEST) {
        Use::Good
    } else if took >= WAITED_FOR && age < OLDEST {
        Use::ForNow
    } else {
        Use::Past
    }
}

impl Counts {
    /// The last count if it is good, and another one otherwise; with its age.
    pub(super) async fn ask(operator: &Operator) -> Result<(Overview, Duration), Failure> {
        let counts = &operator.0.counts;
        if let Some((count, how)) = counts.last(operator)
            && how != Use::Past
        {
            if how == Use::ForNow {
                let this = operator.clone();
                let lifecycle = &operator.0.lifecycle;
                lifecycle.spawn("overview", async move { Self::renew(&this).await });
            }
            return Ok((count.overview.clone(), count.begun.elapsed()));
        }
        let _alone = counts.counting.lock().await;
        // Whoever counted meanwhile did so for all who waited.
        if let Some((count, Use::Good)) = counts.last(operator) {
            return Ok((count.overview.clone(), count.begun.elapsed()));
        }
        let count = counts.make(operator).await?;
        Ok((count.overview.clone(), count.begun.elapsed()))
    }

    /// Counts, unless somebody does already.
    async fn renew(operator: &Operator) {
        let counts = &operator.0.counts;
        let Ok(_alone) = counts.counting.try_lock() else { return };
        if counts.last(operator).is_some_and(|(_, how)| how == Use::Good) {
            return;
        }
        if let Err(failure) = counts.make(operator).await {
            tracing::warn!(error.code = %failure.code, "connections could not be counted: {failure}");
        }
    }

    /// The last count, and what it is good for now.
    fn last(&self, operator: &Operator) -> Option<(Arc<Count>, Use)> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let changed = *operator.0.storage.changes().borrow() != last.changes;
        let how = usable(last.begun.elapsed(), last.took, changed);
        Some((last, how))
    }

    async fn make(&self, operator: &Operator) -> Result<Arc<Count>, Failure> {
        // Before anything is read: what changes meanwhile is for the next one.
        let (begun, changes) = (Instant::now(), *operator.0.storage.changes().borrow());
        let overview = operator.count_all().await?;
        let count = Arc::new(Count { overview, begun, took: begun.elapsed(), changes });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_count_is_good_for_twenty_times_as_long_as_it_takes() {
        assert_eq!(usable(19 * MS, MS, true), Use::Good);
        assert_eq!(usable(20 * MS, MS, true), Use::Past);
        assert_eq!(usable(19 * S, S, true), Use::Good);
    }

    #[test]
    fn while_nothing_changes_it_is_good_for_half_a_minute() {
        assert_eq!(usable(29 * S, MS, false), Use::Good);
        assert_eq!(usable(30 * S, MS, false), Use::Past);
    }

    #[test]
    fn one_that_takes_long_is_shown_until_the_next_one_is_there() {
        assert_eq!(usable(20 * S, S, true), Use::ForNow);
        assert_eq!(usable(299 * S, S, true), Use::ForNow);
        assert_eq!(usable(300 * S, S, true), Use::Past);
        assert_eq!(usable(299 * S, 60 * S, true), Use::Good);
        assert_eq!(usable(300 * S, 60 * S, true), Use::Past, "however long that takes");
    }
}
