//! What the manifest's limits for a provider come to: how many attempts of it run at once, and how fast they begin.
//! Pure: `throttle` keeps to it, and a forecast counts with it.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::manifest::timing::Rate;
use crate::sandbox::MAX_CALLS;

/// Places that one provider leaves to the others where plugins run: however many of its requests hang, they have
/// room (decision 0056).
const LEFT_TO_OTHERS: u32 = 32;

/// How many attempts of a provider run at once, where the manifest says `concurrency`.
pub fn places(concurrency: u32) -> u32 {
    concurrency.min(MAX_CALLS - LEFT_TO_OTHERS)
}

/// How many of these are for what nobody waits for: one of several is kept for callers whose token has ended.
pub fn usual_places(concurrency: u32) -> u32 {
    let all = places(concurrency);
    if all > 1 { all - 1 } else { all }
}

/// How fast a rate lets through what waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// So many at once after a rest.
    pub at_once: NonZeroU32,
    /// And then one after each such time.
    pub each: Duration,
}

impl Pace {
    /// That of a rate. No stretch of its length has more, wherever it begins: what may come at once is taken
    /// off what follows (decision 0016). In a second nobody notices being spread, so little comes at once; in
    /// a minute or an hour somebody would wait for it, so half does.
    pub fn of(rate: Rate) -> Self {
        let count = rate.count.get();
        let share = if rate.per > Duration::from_secs(1) { 2 } else { 10 };
        let at_once = NonZeroU32::new(count / share).unwrap_or(NonZeroU32::MIN);
        Self { at_once, each: rate.per / (count - at_once.get() + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_provider_gets_all_the_places_where_plugins_run() {
        assert_eq!((places(1), places(8)), (1, 8));
        assert_eq!((places(480), places(1_024)), (480, 480));
    }

    #[test]
    fn the_last_of_several_places_is_kept() {
        assert_eq!([1, 2, 8, 1_024].map(usual_places), [1, 1, 7, 479]);
    }

    #[test]
    fn half_of_an_hour_comes_at_once_and_a_tenth_of_a_second() {
        let pace = |count, seconds| {
            let per = Duration::from_secs(seconds);
            let pace = Pace::of(Rate { count: NonZeroU32::new(count).unwrap(), per });
            (pace.at_once.get(), pace.each)
        };
        assert_eq!(pace(10, 3_600), (5, Duration::from_mins(10)));
        assert_eq!(pace(20, 1), (2, Duration::from_secs(1) / 19));
        assert_eq!(pace(1, 60), (1, Duration::from_mins(1)));
    }
}
