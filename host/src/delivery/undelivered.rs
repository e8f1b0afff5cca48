//! Why something was not delivered, and what follows.

use std::time::Duration;

use jiff::Timestamp;

use crate::delivery::retrying::next_try;
use crate::egress::EgressError;
use crate::model::code::{self, Code};
use crate::storage::{Ending, Message};
use crate::vault::source::error::SourceError;

/// One try that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// `area.cause`.
    pub code: Code,
    /// What happened, in one sentence. Never a secret, and nothing that the receiver said.
    pub message: String,
    /// What follows.
    pub then: Then,
}

/// What follows from a try that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is tried again, not before this time if the receiver names one.
    Again(Option<Duration>),
    /// It would never be taken.
    Never,
    /// The receiver wants nothing any more.
    Disabled,
}

impl Undelivered {
    /// A try that is made again.
    pub fn again(code: impl Into<Code>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), then: Then::Again(None) }
    }

    /// Whether the next one would most likely fail as well, whatever it is about.
    pub fn is_of_all(&self) -> bool {
        match &self.code {
            Code::Sink(code) => !code.is_of_one(),
            Code::Storage(_) | Code::Vault(_) => false,
            _ => true,
        }
    }

    /// How the try of `message` ended with it.
    pub fn ending(self, message: &Message, now: Timestamp) -> Ending {
        let Self { code, message: why, then } = self;
        match then {
            Then::Disabled => Ending::Disabled(code, why),
            Then::Never => Ending::GivenUp(code, why),
            Then::Again(told) => {
                let next = next_try(message.made_at, message.tries + 1, told, now);
                match (next, told) {
                    (None, _) => {
                        let why = format!("given up after three days: {why}");
                        Ending::GivenUp(code::Channel::TooOld.into(), why)
                    }
                    (Some(next), None) => Ending::Again(next, code, why),
                    (Some(next), Some(_)) => Ending::Told(next, code, why),
                }
            }
        }
    }
}

impl From<EgressError> for Undelivered {
    fn from(error: EgressError) -> Self {
        Self::again(error.code(), error.to_string())
    }
}

impl From<SourceError> for Undelivered {
    fn from(error: SourceError) -> Self {
        Self::again(error.code(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::retrying::GIVEN_UP_AFTER;
    use crate::model::clock;
    use crate::model::fixture::at;

    fn ending(then: Then, now: Timestamp) -> Ending {
        let (made_at, next_at, tries) = (at(0), at(0), 0);
        let message =
            Message { id: 1, made_at, content: String::new(), tries, next_at, rest: None };
        let code = code::Channel::Status.into();
        Undelivered { code, message: "why".to_owned(), then }.ending(&message, now)
    }

    #[test]
    fn what_follows_is_what_the_receiver_has_said() {
        let told = Then::Again(Some(Duration::from_mins(10)));
        assert!(
            matches!(ending(Then::Again(None), at(1)), Ending::Again(next, ..) if next == at(6))
        );
        assert!(matches!(ending(told, at(1)), Ending::Told(next, ..) if next == at(601)));
        assert!(matches!(ending(Then::Never, at(1)), Ending::GivenUp(..)));
        assert!(matches!(ending(Then::Disabled, at(1)), Ending::Disabled(..)));
    }

    #[test]
    fn what_is_three_days_old_is_given_up_and_says_so() {
        let over = clock::after(at(0), GIVEN_UP_AFTER);
        let Ending::GivenUp(code, why) = ending(Then::Again(None), over) else { panic!() };
        assert_eq!(
            (code.text(), why.as_str()),
            ("channel.too_old", "given up after three days: why")
        );
    }
}
