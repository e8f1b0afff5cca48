//! How requests are answered: how late, how many of them not at all, and how many in a second. Pure: the time since the
//! start is an argument, and chance is the number of the request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::crowd::token::mixed;

/// How requests are answered. Whoever has started the provider may change it while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Milliseconds until an answer, at least and at most.
    pub delay_ms: (u64, u64),
    /// So many of a thousand requests are answered with 503, and nothing is done.
    pub failures: u64,
    /// Requests that are taken in one second; others are answered with 429 at once. All are when absent.
    pub limit: Option<u64>,
    /// Seconds that access tokens live, whatever the refresh token says.
    pub life: Option<u32>,
}

/// What it has answered so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// New tokens.
    pub renewed: u64,
    /// 503.
    pub failed: u64,
    /// 429.
    pub limited: u64,
    /// Refresh tokens that were used before.
    pub reused: u64,
    /// Refresh tokens of grants that had ended, and texts that are none.
    pub refused: u64,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is one too many.
    Limited,
    /// After so long, the provider says that it cannot.
    Fails(Duration),
    /// After so long, its refresh token is looked at.
    Is(Duration),
}

/// What is known of the requests before.
#[derive(Default)]
pub(super) struct Door {
    seen: u64,
    second: u64,
    in_second: u64,
}

impl Door {
    /// The fate of a request that comes so long after the start.
    pub(super) fn admit(&mut self, behaviour: &Behaviour, at: Duration) -> Fate {
        self.seen += 1;
        if behaviour.limit.is_some_and(|it| self.count(at.as_secs()) > it) {
            return Fate::Limited;
        }
        let (least, most) = behaviour.delay_ms;
        let chance = mixed(self.seen);
        let delay = Duration::from_millis(least + chance % (most.saturating_sub(least) + 1));
        let fails = mixed(chance) % 1_000 < behaviour.failures;
        if fails { Fate::Fails(delay) } else { Fate::Is(delay) }
    }

    /// How many came in this second, this one included.
    fn count(&mut self, second: u64) -> u64 {
        if second != self.second {
            (self.second, self.in_second) = (second, 0);
        }
        self.in_second += 1;
        self.in_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(behaviour: Behaviour, count: u64, every: Duration) -> Vec<Fate> {
        let mut door = Door::default();
        let mut at = Duration::ZERO;
        let mut one = |_| {
            at += every;
            door.admit(&behaviour, at)
        };
        (0..count).map(&mut one).collect()
    }

    #[test]
    fn usually_everything_is_answered_at_once() {
        let all = fates(Behaviour::default(), 100, Duration::ZERO);
        assert!(all.iter().all(|it| *it == Fate::Is(Duration::ZERO)), "{all:?}");
    }

    #[test]
    fn as_many_fail_as_it_says_and_delays_stay_between_the_two() {
        let behaviour = Behaviour { delay_ms: (50, 300), failures: 20, ..Behaviour::default() };
        let all = fates(behaviour, 10_000, Duration::ZERO);
        let failed = all.iter().filter(|it| matches!(it, Fate::Fails(_))).count();
        assert!((150..250).contains(&failed), "{failed}");
        for fate in all {
            let (Fate::Fails(delay) | Fate::Is(delay)) = fate else { panic!("{fate:?}") };
            assert!((50..=300).contains(&delay.as_millis()), "{delay:?}");
        }
    }

    #[test]
    fn no_second_takes_more_than_the_limit() {
        let behaviour = Behaviour { limit: Some(4), ..Behaviour::default() };
        // Ten in a second, four of which are taken.
        let all = fates(behaviour, 30, Duration::from_millis(100));
        let taken = all.iter().filter(|it| **it != Fate::Limited).count();
        assert!((12..=16).contains(&taken), "{all:?}");
        assert!(all[..9].iter().filter(|it| **it != Fate::Limited).count() == 4, "{all:?}");
    }

    #[test]
    fn it_is_told_as_json_and_what_is_not_said_is_usual() {
        let told: Behaviour = serde_json::from_str(r#"{"delay_ms":[1,2],"life":60}"#).unwrap();
        let meant = Behaviour { delay_ms: (1, 2), life: Some(60), ..Behaviour::default() };
        assert_eq!(told, meant);
        assert!(serde_json::from_str::<Behaviour>(r#"{"delay":1}"#).is_err());
    }
}
