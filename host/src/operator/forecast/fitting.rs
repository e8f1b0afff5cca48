//! Whether what is due in each hour can be done in it. A rate lets some through at once after a rest, and the others one
//! by one; of what runs at once, so many as end within the hour. Pure: limits and counts in.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::manifest::timing::Rate;
use crate::refresher::Pace;

/// What limits how many refreshes fit into an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitedBy {
    /// `rate`.
    Rate,
    /// `concurrency`, and how long a refresh takes.
    Concurrency,
}

const HOUR: Duration = Duration::from_hours(1);

/// What is known of a provider's limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) rate: Option<Rate>,
    /// How many run at once of what nobody waits for.
    pub(super) places: u32,
    /// How long one of them takes, in milliseconds, if that is known.
    pub(super) took_ms: Option<u64>,
}

/// The first hour in which more is due than can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuch {
    /// Which, counted from now.
    pub(super) hour: usize,
    /// What is due in it, and before it if that is the first one.
    pub(super) due: u64,
    /// What can be done in it.
    pub(super) fit: u64,
    /// The hour after which nothing is left of it, if it is one of these.
    pub(super) done_in: Option<usize>,
}

impl Limits {
    /// How many fit into an hour after a rest, and what limits them; none if nobody knows.
    pub(super) fn an_hour(&self) -> Option<(u64, LimitedBy)> {
        self.fit(self.rested())
    }

    /// The first hour in which more is due than can be done; none if everything fits, or nobody knows.
    pub(super) fn too_much(&self, overdue: u64, hours: &[u64]) -> Option<TooMuch> {
        let (mut at_once, mut left) = (self.rested(), overdue);
        let mut found: Option<TooMuch> = None;
        for (hour, due) in hours.iter().enumerate() {
            let (fit, _) = self.fit(at_once)?;
            let wanted = left + due;
            left = wanted.saturating_sub(fit);
            at_once = self.regained(at_once, wanted - left);
            let Some(first) = &mut found else {
                let crowded = TooMuch { hour, due: wanted, fit, done_in: None };
                found = (left > 0).then_some(crowded);
                continue;
            };
            if left == 0 {
                first.done_in = first.done_in.or(Some(hour));
            }
        }
        found
    }

    /// How many fit into an hour in which so many may come at once.
    fn fit(&self, at_once: u64) -> Option<(u64, LimitedBy)> {
        let by_rate = self.rate.map(|it| {
            let most = u64::from(it.count.get()).saturating_mul(within_hour(it.per));
            (most.min(at_once + within_hour(Pace::of(it).each)), LimitedBy::Rate)
        });
        let by_places = self.took_ms.map(|it| {
            let each = within_hour(Duration::from_millis(it.max(1)));
            (u64::from(self.places) * each, LimitedBy::Concurrency)
        });
        by_rate.into_iter().chain(by_places).min_by_key(|(count, _)| *count)
    }

    /// How many the rate lets through at once after a rest.
    fn rested(&self) -> u64 {
        self.rate.map_or(0, |it| Pace::of(it).at_once.get().into())
    }

    /// How many it does after an hour in which so many were let through.
    fn regained(&self, at_once: u64, done: u64) -> u64 {
        let each = self.rate.map_or(0, |it| within_hour(Pace::of(it).each));
        (at_once + each).saturating_sub(done).min(self.rested())
    }
}

/// How often a length of time goes into an hour.
fn within_hour(length: Duration) -> u64 {
    let times = HOUR.as_nanos() / length.as_nanos().max(1);
    u64::try_from(times).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn limits(rate: Option<(u32, u64)>, took_ms: Option<u64>) -> Limits {
        let rate = rate.map(|(count, seconds)| Rate {
            count: NonZeroU32::new(count).unwrap(),
            per: Duration::from_secs(seconds),
        });
        Limits { rate, places: 7, took_ms }
    }

    #[test]
    fn an_hour_has_what_the_tighter_limit_lets_through() {
        for (rate, took_ms, fit) in [
            (None, None, None),
            (Some((5_000, 3_600)), None, Some((5_000, LimitedBy::Rate))),
            (Some((1, 3_600)), None, Some((1, LimitedBy::Rate))),
            (None, Some(1_000), Some((25_200, LimitedBy::Concurrency))),
            (Some((5_000, 3_600)), Some(1_000), Some((5_000, LimitedBy::Rate))),
            (Some((500, 1)), Some(1_000), Some((25_200, LimitedBy::Concurrency))),
        ] {
            assert_eq!(limits(rate, took_ms).an_hour(), fit, "{rate:?} {took_ms:?}");
        }
        // A backlog is let through at half of a rate for a minute (decision 0016).
        assert_eq!(limits(Some((600, 60)), None).an_hour(), Some((300 + 18_060, LimitedBy::Rate)));
    }

    #[test]
    fn what_fits_is_not_told() {
        let limits = limits(Some((5_000, 3_600)), None);
        assert_eq!(limits.too_much(0, &[0, 5_000, 0, 4_999]), None);
        assert_eq!(limits.too_much(2_000, &[3_000, 0]), None);
    }

    #[test]
    fn the_first_hour_with_too_much_is_told_and_when_it_is_done() {
        let limits = limits(Some((5_000, 3_600)), None);
        let too_much = |overdue, hours: &[u64]| {
            limits.too_much(overdue, hours).map(|it| (it.hour, it.due, it.fit, it.done_in))
        };
        // After a rest an hour has all of the rate, and while a backlog is there half of it.
        assert_eq!(too_much(0, &[0, 9_000, 0, 0, 0]), Some((1, 9_000, 5_000, Some(3))));
        assert_eq!(too_much(4_000, &[2_000, 0]), Some((0, 6_000, 5_000, Some(1))));
        assert_eq!(too_much(0, &[1, 99_000, 0]), Some((1, 99_000, 5_000, None)), "not in these");
    }

    #[test]
    fn where_no_limit_is_known_nothing_is_too_much() {
        assert_eq!(limits(None, None).too_much(1_000_000, &[1_000_000]), None);
    }

    #[test]
    fn one_in_an_hour_is_one_in_each() {
        let too_much = limits(Some((1, 3_600)), None).too_much(3, &[0; 5]).unwrap();
        assert_eq!((too_much.due, too_much.fit, too_much.done_in), (3, 1, Some(2)));
    }
}
