//! How often an address, or a key, may be presented wrongly: enough for a mistake, too seldom to fill a log
//! or to guess. A right key is never held up: whoever knows only its id cannot lock its owner out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures that are answered as such.
const MOST: u32 = 10;

/// Within this time.
const WITHIN: Duration = Duration::from_mins(1);

/// Addresses and keys that are counted at once. Beyond it those that were quiet longest are forgotten.
const KEPT: usize = 10_000;

/// Counts of failures.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<String, Count>>);

#[derive(Clone, Copy)]
struct Count {
    since: Instant,
    failures: u32,
}

impl Throttle {
    /// Counts a failure of each of `who`. How many seconds they have to wait, if there were too many.
    pub(super) fn failed(&self, who: &[String], now: Instant) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEPT {
            counts.retain(|_, it| now.duration_since(it.since) < WITHIN);
        }
        if counts.len() >= KEPT {
            counts.clear();
        }
        who.iter().filter_map(|it| count(&mut counts, it, now)).max()
    }
}

fn count(counts: &mut HashMap<String, Count>, who: &str, now: Instant) -> Option<u64> {
    let fresh = Count { since: now, failures: 0 };
    let count = counts.entry(who.to_owned()).or_insert(fresh);
    if now.duration_since(count.since) >= WITHIN {
        *count = fresh;
    }
    count.failures += 1;
    let left = WITHIN.saturating_sub(now.duration_since(count.since));
    (count.failures > MOST).then(|| left.as_secs().max(1))
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
    fn many_addresses_take_no_more_room_than_there_is() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for address in 0..3 * KEPT {
            throttle.failed(&[address.to_string()], now);
        }
        assert!(throttle.0.lock().unwrap().len() <= KEPT);
    }
}
