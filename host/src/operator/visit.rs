//! A login under way, packed for whoever waits for the person: so it can be finished by whoever works on the
//! database when they come back, and has no second life in a daemon that might end (decision 0031). Pure.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::command::{Plain, Wish};
use crate::operator::consent::Secrets;

/// How much longer to wait between polls once the provider has asked for it: RFC 8628 3.5.
const SLOWER: u64 = 5;

/// The longest wait after polls that were not answered, unless the provider's own is longer.
const LONGEST_BACKOFF: u64 = 30;

/// All that must be known when the person has decided.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Visit {
    /// What is connected.
    pub(super) id: ConnectionId,
    /// All scopes that the person is asked for.
    pub(super) asked: Vec<String>,
    /// What was wanted.
    pub(super) wish: Wish,
    pub(super) way: Way,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    Browser { secrets: Secrets, next: Next },
    Device(Polls),
}

/// What follows when a browser brings no refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Next {
    /// The person is asked anew: the provider gives one to those who are.
    AskAnew,
    /// What came is all there is.
    TakeIt,
}

/// Polls for the tokens behind a code on another machine.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Polls {
    pub(super) device_code: Plain,
    /// Seconds between polls, as the provider wants them.
    pub(super) interval_s: u64,
    /// Polls in a row that were not answered.
    pub(super) faults: u32,
}

impl Visit {
    /// As it is carried.
    pub(super) fn packed(&self) -> Result<Plain, Failure> {
        let text = serde_json::to_string(self).map_err(|it| unusable(&it.to_string()))?;
        Ok(Plain(SecretString::from(text)))
    }

    /// As it was packed.
    pub(super) fn unpacked(packed: &Plain) -> Result<Self, Failure> {
        // What the reader complains of may quote a secret.
        let read = serde_json::from_str(packed.0.expose_secret());
        read.map_err(|_| unusable("it was begun by another version of keepfresh"))
    }
}

impl Polls {
    /// Seconds until the next poll, once the last one was answered as RFC 8628 has it.
    pub(super) fn answered(&mut self, slow_down: bool) -> u64 {
        self.faults = 0;
        if slow_down {
            self.interval_s = self.interval_s.saturating_add(SLOWER);
        }
        self.interval_s
    }

    /// The same once it was not: longer each time, and at least as long as the provider `told`.
    pub(super) fn unanswered(&mut self, told: Option<Duration>) -> u64 {
        self.faults = self.faults.saturating_add(1);
        let longer = self.interval_s.saturating_mul(1 << self.faults.min(10));
        let backoff = longer.min(LONGEST_BACKOFF.max(self.interval_s));
        backoff.max(told.map_or(0, |it| it.as_secs()))
    }
}

fn unusable(why: &str) -> Failure {
    let message = format!("this login cannot be finished: {why}; connect again");
    Failure::new(Case::Misconfigured, code::Connect::Expired, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polls() -> Polls {
        Polls { device_code: "CANARY".to_owned().into(), interval_s: 2, faults: 0 }
    }

    #[test]
    fn after_a_fault_the_provider_s_interval_holds_again() {
        let mut polls = polls();
        assert_eq!(polls.unanswered(None), 4);
        assert_eq!(polls.unanswered(None), 8);
        assert_eq!(polls.answered(false), 2);
        assert_eq!(polls.unanswered(None), 4);
        let longest = (0..100).map(|_| polls.unanswered(None)).max();
        assert_eq!(longest, Some(LONGEST_BACKOFF));
        assert_eq!(polls.unanswered(Some(Duration::from_secs(90))), 90);
    }

    #[test]
    fn a_wish_to_slow_down_holds_to_the_end() {
        let mut polls = Polls { interval_s: 40, ..polls() };
        assert_eq!((polls.answered(true), polls.answered(true)), (45, 50));
        assert_eq!((polls.unanswered(None), polls.answered(false)), (50, 50));
    }

    #[test]
    fn a_visit_is_carried_and_does_not_print_its_secrets() {
        let visit = Visit {
            id: "x/y".parse().unwrap(),
            asked: vec!["a".to_owned(), "b".to_owned()],
            wish: Wish { scopes: vec!["b".to_owned()], other_account: true },
            way: Way::Device(polls()),
        };
        assert!(!format!("{visit:?}").contains("CANARY"));
        let packed = visit.packed().unwrap();
        assert!(!format!("{packed:?}").contains("CANARY"));
        let read = Visit::unpacked(&packed).unwrap();
        assert_eq!((read.id, read.asked, read.wish), (visit.id, visit.asked, visit.wish));
        let Way::Device(polls) = read.way else { panic!("another way") };
        assert_eq!(polls.device_code.0.expose_secret(), "CANARY");
        let failure = Visit::unpacked(&Plain::from("{\"id\":\"CANARY\"".to_owned())).unwrap_err();
        assert!(!failure.message.contains("CANARY"), "{failure}");
    }
}
