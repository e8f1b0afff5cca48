//! When the tokens of a set end, and by when they must be used for nothing to be lost. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::clock;

/// When access token and refresh token end, as far as anybody says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// `None` when it does not expire, or the expiry is not known.
    pub access: Option<Timestamp>,
    /// `None` when it is not known.
    pub refresh: Option<Timestamp>,
}

/// A token that lives for less has ended before a caller can use it: storing it and one request take
/// seconds. The shortest that providers mean live for a minute (decision 0023).
pub const NEARLY_DEAD: Duration = Duration::from_secs(10);

/// The most that is left of a refresh token's life when it is used to keep its grant alive: enough for
/// an outage of a long weekend.
const LONGEST_MARGIN: Duration = Duration::from_hours(3 * 24);

/// A used refresh token is tried this long before it expires: the provider's clock may be ahead.
const LAST_MINUTE: Duration = Duration::from_mins(1);

impl Ends {
    /// Whether an access token that came at `now` has ended, or will before anybody can use it.
    pub fn dead_on_arrival(self, now: Timestamp) -> bool {
        self.access.is_some_and(|it| it < clock::after(now, NEARLY_DEAD))
    }

    /// From when on a refresh is made so that the grant does not end with its refresh token; `None`
    /// when nobody says that it ends, or it was dead when it was stored at `issued_at`.
    pub fn keep_alive_from(self, issued_at: Timestamp) -> Option<Timestamp> {
        let end = self.refresh.filter(|it| *it >= clock::after(issued_at, NEARLY_DEAD))?;
        let life = Duration::try_from(end.duration_since(issued_at)).unwrap_or_default();
        Some(clock::before(end, (life / 3).min(LONGEST_MARGIN)))
    }

    /// The last moment at which the refresh token is worth a try that may cost the grant: when the
    /// access token ends and there is nothing to lose, or the refresh token is about to.
    pub fn last_chance(self, now: Timestamp) -> Option<Timestamp> {
        let refresh = self.refresh.filter(|it| *it > now);
        let refresh = refresh.map(|it| clock::before(it, LAST_MINUTE));
        self.access.into_iter().chain(refresh).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn ends(access: Option<i64>, refresh: Option<i64>) -> Ends {
        Ends { access: access.map(at), refresh: refresh.map(at) }
    }

    #[test]
    fn a_token_is_dead_on_arrival_when_nobody_can_use_it() {
        for (end, dead) in
            [(-7_200, true), (0, true), (1, true), (9, true), (10, false), (60, false)]
        {
            assert_eq!(ends(Some(end), None).dead_on_arrival(at(0)), dead, "{end}");
        }
        assert!(!ends(None, Some(1)).dead_on_arrival(at(0)));
    }

    #[test]
    fn a_grant_is_kept_alive_in_the_last_third_and_the_last_three_days() {
        let from = |refresh| ends(None, Some(refresh)).keep_alive_from(at(0));
        assert_eq!(from(1_800), Some(at(1_200)));
        assert_eq!(from(30 * 86_400), Some(at(27 * 86_400)));
        assert_eq!((from(9), from(-1)), (None, None), "it was dead when it came");
        assert_eq!(ends(Some(60), None).keep_alive_from(at(0)), None);
    }

    #[test]
    fn a_refresh_token_that_ends_first_is_the_last_chance() {
        let chance = |access, refresh| ends(access, refresh).last_chance(at(100));
        assert_eq!(chance(Some(3_600), Some(1_800)), Some(at(1_740)));
        assert_eq!(chance(Some(3_600), Some(7_200)), Some(at(3_600)));
        assert_eq!(chance(None, Some(1_800)), Some(at(1_740)));
        assert_eq!(chance(Some(3_600), Some(100)), Some(at(3_600)), "it has ended already");
    }
}
