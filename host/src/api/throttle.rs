//! How often an address, or a key, may be presented wrongly: enough for a mistake, too seldom to fill a log
//! or to guess. A right key is never held up: whoever knows only its id cannot lock its owner out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong keys that are answered as such, within this time.
const KEYS: (u32, Duration) = (10, Duration::from_mins(1));

/// Addresses and keys that are counted at once. Beyond it those that were quiet longest are forgotten.
const KEPT: usize = 10_000;

/// Counts of failures.
pub(crate) struct Throttle {
    most: u32,
    within: Duration,
    counts: Mutex<HashMap<String, Count>>,
}

impl Default for Throttle {
    fn default() -> Self {
        let (most, within) = KEYS;
        Self::new(most, within)
    }
}

#[derive(Clone, Copy)]
struct Count {
    since: Instant,
    failures: u32,
}

impl Throttle {
    /// So many failures are answered as such within that time.
    pub(crate) fn new(most: u32, within: Duration) -> Self {
        Self { most, within, counts: Mutex::default() }
    }

    /// Counts a failure of each of `who`. How many seconds they have to wait, if there were too many.
    pub(crate) fn failed(&self, who: &[String], now: Instant) -> Option<u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEPT {
            counts.retain(|_, it| now.duration_since(it.since) < self.within);
        }
        if counts.len() >= KEPT {
            counts.clear();
        }
        who.iter().filter_map(|it| self.count(&mut counts, it, now)).max()
    }

    /// Takes back a failure that was counted of each of `who` before anybody knew that it was none.
    pub(crate) fn was_none(&self, who: &[String]) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for it in who {
            if let Some(count) = counts.get_mut(it) {
                count.failures = count.failures.saturating_sub(1);
            }
        }
    }

    fn count(&self, counts: &mut HashMap<String, Count>, who: &str, now: Instant) -> Option<u64> {
        let fresh = Count { since: now, failures: 0 };
        let count = counts.entry(who.to_owned()).or_insert(fresh);
        if now.duration_since(count.since) >= self.within {
            *count = fresh;
        }
        count.failures += 1;
        let left = self.within.saturating_sub(now.duration_since(count.since));
        (count.failures > self.most).then(|| left.as_secs().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_failure_within_a_minute_has_to_wait() {
        let (throttle, begin) = (Throttle::default(), Instant::now());
        let after = |seconds| begin + Duration::from_secs(seconds);
        let (here, there) = (["a".to_owned()], ["b".to_owned()]);
        for second in 0..10 {
            assert_eq!(throttle.failed(&here, after(second)), None);
        }
        assert_eq!(throttle.failed(&here, after(10)), Some(50));
        assert_eq!(throttle.failed(&there, after(10)), None, "another has its own count");
        let both = ["b".to_owned(), "a".to_owned()];
        assert_eq!(throttle.failed(&both, after(20)), Some(40));
        assert_eq!(throttle.failed(&here, after(60)), None, "a minute later it begins anew");
    }

    #[test]
    fn what_was_no_failure_is_not_one() {
        let (throttle, now) = (Throttle::new(2, Duration::from_mins(1)), Instant::now());
        let who = ["a".to_owned()];
        for _ in 0..9 {
            assert_eq!(throttle.failed(&who, now), None);
            throttle.was_none(&who);
        }
        assert!([None, None, Some(60)].iter().all(|it| throttle.failed(&who, now) == *it));
    }

    #[test]
    fn many_addresses_take_no_more_room_than_there_is() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for address in 0..3 * KEPT {
            throttle.failed(&[address.to_string()], now);
        }
        assert!(throttle.counts.lock().unwrap().len() <= KEPT);
    }
}
