//! Who asks for a refresh, how much they want it, and what a caller's wish for a long life comes to.
//! Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::attempt::{Attempt, Outcome, Trigger};
use crate::model::clock;
use crate::model::connection::TokenFacts;
use crate::model::failure::{Case, Failure};

/// A new token of the same lifetime is not worth a request so soon after it was stored.
const JUST_ISSUED: Duration = Duration::from_secs(10);

/// Who asks for a refresh, and how much they want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Why.
    pub trigger: Trigger,
    /// For callers: how long the token must still live.
    pub min_ttl: Duration,
    /// A person wants captured answers read once more, however often that failed.
    pub replay: bool,
    /// Only this generation is to be replaced: the token of it was refused.
    pub replaces: Option<u64>,
    /// One of many that nobody has named.
    pub in_bulk: bool,
}

impl Ask {
    /// An ask without a caller's wish.
    pub fn new(trigger: Trigger) -> Self {
        Self { trigger, min_ttl: Duration::ZERO, replay: false, replaces: None, in_bulk: false }
    }

    /// An ask of a caller, whose token must live for `min_ttl`.
    pub fn on_demand(min_ttl: Duration) -> Self {
        Self { min_ttl, ..Self::new(Trigger::OnDemand) }
    }

    /// An ask to read captured answers once more.
    pub fn replay() -> Self {
        Self { replay: true, ..Self::new(Trigger::Recovery) }
    }

    /// A complaint: the provider refused the token of that generation. Once there is another one,
    /// nothing is asked for.
    pub fn replacing(generation: u64) -> Self {
        Self { replaces: Some(generation), ..Self::new(Trigger::Forced) }
    }

    /// A person's wish about many connections at once.
    #[must_use]
    pub fn in_bulk(self) -> Self {
        Self { in_bulk: true, ..self }
    }

    /// Whether a person has named the connection and wants it sent at any price. A complaint and a
    /// wish about many are no such thing.
    pub fn insists(&self) -> bool {
        self.trigger == Trigger::Forced && self.replaces.is_none() && !self.in_bulk
    }

    /// Whether somebody waits for just this one.
    pub(super) fn is_awaited(&self) -> bool {
        self.trigger.is_on_request() && !self.in_bulk
    }

    /// Whether what came of somebody else's attempt is an answer to this one.
    pub(super) fn is_content_with(&self, result: &Result<Attempt, Failure>) -> bool {
        match result {
            // A forced refresh is not content with a "not needed".
            Ok(it) => it.outcome() != Some(Outcome::Skipped) || self.trigger != Trigger::Forced,
            // A caller that was turned away; whoever is no caller is told in other words, or insists.
            Err(it) => it.case != Case::Unavailable || self.trigger == Trigger::OnDemand,
        }
    }

    /// Whether it waits for the next try like everybody else, where the last one failed.
    pub fn is_patient(&self) -> bool {
        let forced = self.trigger == Trigger::Forced && self.replaces.is_none();
        !forced && !self.replay
    }
}

/// What a caller's wish for a token that lives long comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// The token that is there lives long enough.
    Met,
    /// It does not, and no new one would, or hardly longer: the provider gives them so long.
    Beyond(Duration),
    /// A new one would live longer.
    Refresh,
}

/// What the wish for a token that lives for `min_ttl` comes to beside `token`. How long a new one would
/// live is known only if the provider gave this one: `given` says so.
pub(super) fn wish(token: &TokenFacts, min_ttl: Duration, given: bool, now: Timestamp) -> Wish {
    if token.is_valid(clock::after(now, min_ttl)) {
        return Wish::Met;
    }
    let (Some(end), Some(lifetime)) = (token.expires_at, lifetime(token, given)) else {
        return Wish::Refresh;
    };
    let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
    let age = Duration::try_from(now.duration_since(token.issued_at)).ok();
    if left.is_zero() {
        return Wish::Refresh;
    }
    // What no token can do is no reason to have another one at every call. In its second half one is
    // worth it: that is twice in a lifetime at most.
    let useless = min_ttl >= lifetime && left >= lifetime / 2;
    if useless || age.is_some_and(|it| it < JUST_ISSUED) {
        return Wish::Beyond(lifetime);
    }
    Wish::Refresh
}

/// How long the provider lets a token live, by the last one that it gave.
pub(super) fn lifetime(token: &TokenFacts, given: bool) -> Option<Duration> {
    let whole = token.expires_at?.duration_since(token.issued_at);
    Duration::try_from(whole).ok().filter(|it| given && !it.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::{at, token as hour};

    fn check(min_ttl: u64, now: i64) -> Wish {
        wish(&hour(), Duration::from_secs(min_ttl), true, at(now))
    }

    const HOUR: Wish = Wish::Beyond(Duration::from_hours(1));

    #[test]
    fn what_can_be_had_is_had() {
        assert_eq!((check(600, 2_999), check(600, 3_000)), (Wish::Met, Wish::Refresh));
        assert_eq!(check(3_000, 601), Wish::Refresh);
        assert_eq!((check(0, 3_599), check(0, 3_600)), (Wish::Met, Wish::Refresh));
    }

    #[test]
    fn what_no_token_can_do_is_tried_once_in_its_second_half() {
        for min_ttl in [3_600, 7_200, u64::MAX] {
            assert_eq!((check(min_ttl, 0), check(min_ttl, 1_800)), (HOUR, HOUR), "{min_ttl}");
            assert_eq!(check(min_ttl, 1_801), Wish::Refresh, "{min_ttl}");
        }
    }

    #[test]
    fn a_wish_that_a_new_token_would_hardly_meet_does_not_follow_it_by_seconds() {
        assert_eq!(
            (check(3_599, 2), check(3_599, 9), check(3_599, 10)),
            (HOUR, HOUR, Wish::Refresh)
        );
    }

    #[test]
    fn how_long_the_provider_gives_is_not_known_of_a_token_that_a_person_gave() {
        let wish = |given| wish(&hour(), Duration::from_hours(2), given, at(1));
        assert_eq!((wish(true), wish(false)), (HOUR, Wish::Refresh));
    }

    #[test]
    fn a_token_that_does_not_expire_meets_every_wish() {
        let endless = TokenFacts { expires_at: None, ..hour() };
        assert_eq!(wish(&endless, Duration::MAX, true, at(9)), Wish::Met);
    }

    #[test]
    fn a_token_that_is_dead_on_arrival_or_from_the_future_is_not_kept_for_its_youth() {
        let dead = TokenFacts { expires_at: Some(at(-60)), ..hour() };
        assert_eq!(wish(&dead, Duration::ZERO, true, at(0)), Wish::Refresh);
        let ahead = TokenFacts { issued_at: at(9_000), expires_at: Some(at(9_060)), ..hour() };
        assert_eq!(
            wish(&ahead, Duration::from_secs(20_000), true, at(0)),
            Wish::Beyond(Duration::from_mins(1))
        );
    }
}
