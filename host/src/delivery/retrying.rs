//! When a delivery that failed is tried again: soon at first, later seldom, and for three days. Pure. Channels and
//! whatever else delivers share it.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::clock;

/// The waits after the first try, the second, and so on; the last one again and again. Those of Standard Webhooks,
/// with a shorter beginning: a receiver that is restarted is back within a minute.
const WAITS: [Duration; 10] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
];

/// What was made so long ago is no news any more.
pub const GIVEN_UP_AFTER: Duration = Duration::from_hours(72);

/// The longest that a receiver may ask for: one that asks for more is asked before. Nothing waits for longer.
pub(super) const LONGEST_TOLD: Duration = Duration::from_hours(24);

/// When to try again what was made at `made` and has failed for the `tries`th time at `now`; `told` is what the
/// receiver asks for. `None` gives it up.
pub fn next_try(
    made: Timestamp,
    tries: u32,
    told: Option<Duration>,
    now: Timestamp,
) -> Option<Timestamp> {
    let last = WAITS.len() - 1;
    let place = usize::try_from(tries.saturating_sub(1)).unwrap_or(last).min(last);
    let wait = told.unwrap_or_default().min(LONGEST_TOLD).max(WAITS[place]);
    let next = clock::after(now, wait);
    let over = clock::after(made, GIVEN_UP_AFTER);
    // The last try is made when its time ends, and not long before.
    if now >= over { None } else { Some(next.min(over)) }
}

/// The longest wait of what is current: it is needed as soon as its receiver is back, and never given up.
const LONGEST_OF_CURRENT: Duration = Duration::from_hours(1);

/// The wait after the `tries`th try in a row of something that stays current has failed; `told` is what the receiver
/// asks for.
pub fn wait_of_current(tries: u32, told: Option<Duration>) -> Duration {
    let last = WAITS.len() - 1;
    let place = usize::try_from(tries.saturating_sub(1)).unwrap_or(last).min(last);
    let wait = WAITS[place].min(LONGEST_OF_CURRENT);
    told.unwrap_or_default().min(LONGEST_TOLD).max(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    #[test]
    fn it_is_tried_again_ever_more_seldom_and_for_three_days() {
        let (made, mut now, mut tries, mut waits) = (at(0), at(0), 0, Vec::new());
        while let Some(next) = next_try(made, tries + 1, None, now) {
            waits.push(next.duration_since(now).as_secs());
            (now, tries) = (next, tries + 1);
        }
        assert_eq!(now, at(72 * 3_600), "the last try is at the end of the third day");
        assert!((11..20).contains(&tries), "{tries}");
        let growing = waits[..waits.len() - 1].is_sorted();
        assert!(growing && waits[0] == 5, "{waits:?}");
    }

    #[test]
    fn a_receiver_says_how_long_to_wait_within_a_day() {
        let next = |told| next_try(at(0), 1, Some(Duration::from_secs(told)), at(0)).unwrap();
        assert_eq!(next(1), at(5), "not sooner than usual");
        assert_eq!(next(600), at(600));
        assert_eq!(next(1_000_000), at(24 * 3_600));
    }

    #[test]
    fn what_is_current_is_tried_for_ever_and_at_least_every_hour() {
        let waits = (1..100).map(|it| wait_of_current(it, None)).collect::<Vec<_>>();
        assert!(waits.is_sorted() && waits[0] == Duration::from_secs(5), "{waits:?}");
        assert_eq!(waits[98], Duration::from_hours(1));
        assert_eq!(wait_of_current(1, Some(Duration::from_mins(9))), Duration::from_mins(9));
    }
}
