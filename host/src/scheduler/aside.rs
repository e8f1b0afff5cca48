//! Connections that could not be tried at all, because something about them cannot be read. Each is
//! skipped for a while that grows, so that it does not hold up others. Kept only in memory: a new
//! process starts again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::clock;
use crate::model::id::ConnectionId;

/// The longest that a connection is set aside: somebody may have mended it.
const LONGEST: Duration = Duration::from_hours(1);

/// Who is set aside.
#[derive(Default)]
pub(super) struct Aside(Mutex<HashMap<ConnectionId, Held>>);

struct Held {
    until: Timestamp,
    /// For how long that is, when something is wrong with it.
    pause: Option<Duration>,
}

impl Aside {
    /// Sets `id` aside, for `first` or for twice as long as the last time; true if it is the first time.
    pub(super) fn put(&self, id: &ConnectionId, first: Duration, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(id).and_then(|it| it.pause);
        let pause = before.map_or(first, |it| (it * 2).min(LONGEST));
        all.insert(id.clone(), Held { until: clock::after(now, pause), pause: Some(pause) });
        before.is_none()
    }

    /// Leaves `id` alone for `pause`, though nothing is wrong with it.
    pub(super) fn rest(&self, id: &ConnectionId, pause: Duration, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.clone(), Held { until: clock::after(now, pause), pause: None });
    }

    /// It could be tried again.
    pub(super) fn take_back(&self, id: &ConnectionId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Whether it is left alone at `now`.
    pub(super) fn holds(&self, id: &ConnectionId, now: Timestamp) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(id).is_some_and(|it| it.until > now)
    }

    /// When the next one after `now` is looked at again.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().map(|it| it.until).filter(|it| *it > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_set_aside_again_waits_for_longer_and_at_most_an_hour() {
        let (aside, id) = (Aside::default(), "x".parse().unwrap());
        let mut now = Timestamp::UNIX_EPOCH;
        let mut pauses = Vec::new();
        for round in 0..12 {
            assert_eq!(aside.put(&id, Duration::from_secs(10), now), round == 0);
            assert!(aside.holds(&id, now));
            let until = aside.next(now).unwrap();
            pauses.push(until.duration_since(now).as_secs());
            now = until;
            assert!(!aside.holds(&id, now) && aside.next(now).is_none());
        }
        assert_eq!(pauses[..3], [10, 20, 40]);
        assert_eq!(pauses[11], 3_600);
        aside.take_back(&id);
        aside.rest(&id, Duration::from_secs(10), now);
        assert!(aside.holds(&id, now));
        assert!(aside.put(&id, Duration::from_secs(10), now));
    }
}
