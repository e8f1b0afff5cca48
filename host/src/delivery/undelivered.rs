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
                let over = || {
                    let why = format!("given up after three days: {why}");
                    Ending::GivenUp(code::Channel::TooOld.into(), why)
                };
                next.map_or_else(over, |next| Ending::Again(next, code, why.clone()))
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
