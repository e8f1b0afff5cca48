//! When the scheduler looks next, set to an earlier time by whatever makes a connection due before that. A refresh usually
//! makes one due much later: who were woken for it would look a thousand times a second and find nothing.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use tokio::sync::Notify;

/// Nothing is due before this.
const NEVER: i64 = i64::MAX;

/// While somebody looks, nobody need be woken: what changes meanwhile is found in `earliest`.
const LOOKING: i64 = i64::MIN;

/// Times are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Alarm {
    /// When the next look is.
    next: AtomicI64,
    /// What has become due first since the last look began.
    earliest: AtomicI64,
    wake: Notify,
}

impl Default for Alarm {
    fn default() -> Self {
        let (next, earliest) = (AtomicI64::new(LOOKING), AtomicI64::new(NEVER));
        Self { next, earliest, wake: Notify::new() }
    }
}

impl Alarm {
    /// A look begins: what changes from now on may be missed by it.
    pub(super) fn looking(&self) {
        self.next.store(LOOKING, Ordering::SeqCst);
        self.earliest.store(NEVER, Ordering::SeqCst);
    }

    /// Some connection is due at that time from now on; `None` where that is not known.
    pub(super) fn set(&self, due: Option<Timestamp>) {
        let due = due.map_or(i64::MIN + 1, Timestamp::as_millisecond);
        // Both sides write first and read then, so that one of them sees the other.
        self.earliest.fetch_min(due, Ordering::SeqCst);
        if due < self.next.load(Ordering::SeqCst) {
            self.wake.notify_one();
        }
    }

    /// The look is over and the next one is at `next`: returns when something has become due before that.
    pub(super) async fn rings_before(&self, next: Option<Timestamp>) {
        let next = next.map_or(NEVER, Timestamp::as_millisecond);
        self.next.store(next, Ordering::SeqCst);
        while self.earliest.load(Ordering::SeqCst) >= next {
            self.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[tokio::test]
    async fn only_what_is_due_before_the_next_look_wakes_whoever_looks() {
        let alarm = Alarm::default();
        alarm.looking();
        let mut rings = Box::pin(alarm.rings_before(at(10)));
        assert!(rings.as_mut().now_or_never().is_none());
        for later in [at(10), at(11)] {
            alarm.set(later);
            assert!(rings.as_mut().now_or_never().is_none(), "{later:?}");
        }
        alarm.set(at(9));
        rings.await;
    }

    #[tokio::test]
    async fn what_becomes_due_during_a_look_or_at_an_unknown_time_is_not_missed() {
        let alarm = Alarm::default();
        for due in [at(9), None] {
            alarm.looking();
            alarm.set(due);
            assert!(alarm.rings_before(at(10)).now_or_never().is_some(), "{due:?}");
            alarm.looking();
            assert!(alarm.rings_before(at(10)).now_or_never().is_none(), "it was looked at");
        }
        alarm.looking();
        alarm.set(at(1_000));
        assert!(alarm.rings_before(None).now_or_never().is_some(), "nothing was due before");
    }
}
