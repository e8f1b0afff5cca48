//! What people are told of: the kinds of messages that a channel can ask for, and what they are grouped by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::attempt::text_enum;
use crate::model::connection::Problem;

/// What a message is about. Of one cause, later kinds are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// Refreshing fails, and is tried again.
    Failed,
    /// Refreshing fails, and a token ends soon.
    Critical,
    /// Refreshing fails, and a token has ended: callers fail.
    Expired,
    /// A person has to log in.
    Reconnect,
    /// An operator has to correct something.
    Misconfigured,
    /// A plugin waits to be approved.
    Approval,
    /// What was wrong is over.
    Recovered,
    /// How things are, once a day.
    Summary,
}

text_enum!(AlertKind {
    Failed = "failed",
    Critical = "critical",
    Expired = "expired",
    Reconnect = "reconnect",
    Misconfigured = "misconfigured",
    Approval = "approval",
    Recovered = "recovered",
    Summary = "summary",
});

/// What has to be done about a trouble, which is what troubles are grouped by: an outage is one, however many codes
/// it shows itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Nothing: it is tried again.
    Failing,
    /// A person has to log in.
    Reconnect,
    /// An operator has to correct something.
    Misconfigured,
    /// An operator has to approve a plugin.
    Approval,
}

text_enum!(Cause {
    Failing = "failing",
    Reconnect = "reconnect",
    Misconfigured = "misconfigured",
    Approval = "approval",
});

impl Cause {
    /// Of connections with this problem, or of those that fail without one.
    pub fn of(problem: Option<Problem>) -> Self {
        match problem {
            None => Self::Failing,
            Some(Problem::Reconnect) => Self::Reconnect,
            Some(Problem::Misconfigured) => Self::Misconfigured,
        }
    }

    /// The problem that connections have for this cause.
    pub fn problem(self) -> Option<Problem> {
        match self {
            Self::Failing | Self::Approval => None,
            Self::Reconnect => Some(Problem::Reconnect),
            Self::Misconfigured => Some(Problem::Misconfigured),
        }
    }
}

/// Whose trouble it is, and of which cause: there is one alert for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What has to be done.
    pub cause: Cause,
    /// A provider of the manifest; of an approval, the plugin.
    pub provider: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.cause, self.provider)
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (cause, provider) = text.split_once(':').ok_or_else(|| text.to_owned())?;
        let cause = cause.parse().map_err(|_| text.to_owned())?;
        Ok(Self { cause, provider: provider.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for kind in AlertKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        let subject = Subject { cause: Cause::Failing, provider: "a:b".to_owned() };
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }

    #[test]
    fn later_kinds_of_one_cause_are_worse() {
        assert!(
            AlertKind::Failed < AlertKind::Critical && AlertKind::Critical < AlertKind::Expired
        );
    }
}
