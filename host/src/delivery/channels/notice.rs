//! What a message says, as facts: names, codes and times, and never a secret. Kept as JSON until it is delivered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::alerts::Tell;
use crate::model::alert::{AlertKind, Cause};
use crate::model::id::ConnectionId;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "kebab-case")]
pub enum Notice {
    /// A trouble.
    Alert(AlertFacts),
    /// How things are.
    Summary(SummaryFacts),
    /// To the person of a connection: they have to log in.
    Person(PersonFacts),
    /// That messages arrive.
    Test(TestFacts),
}

/// A trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertFacts {
    /// What is told of it.
    pub tell: Tell,
    /// How bad it is, or was.
    pub kind: AlertKind,
    /// What has to be done.
    pub cause: Cause,
    /// Whose; of an approval, the plugin's file.
    pub provider: String,
    /// Since when.
    pub since: Timestamp,
    /// When this was found.
    pub at: Timestamp,
    /// How many connections are affected.
    pub affected: u64,
    /// How many of them have a token that ends soon.
    pub ending: u64,
    /// How many of them have a token that has ended.
    pub expired: u64,
    /// Names of some.
    pub connections: Vec<String>,
    /// The most frequent error codes.
    pub causes: Vec<CauseCount>,
}

/// How often something is the cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseCount {
    /// `area.cause`.
    pub code: String,
    /// Of how many.
    pub count: u64,
    /// What one of them says.
    pub message: String,
}

/// How things are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryFacts {
    /// When.
    pub at: Timestamp,
    /// By provider.
    pub providers: Vec<ProviderFacts>,
    /// Successful refreshes in the last 24 hours.
    pub refreshed: u64,
    /// Those that failed.
    pub failed: u64,
}

/// How the connections of one provider are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderFacts {
    /// Its name.
    pub provider: String,
    /// All of them.
    pub connections: u64,
    /// Those that fail and are tried again.
    pub failing: u64,
    /// Those that need a person to log in.
    pub reconnect: u64,
    /// Those that an operator has to correct.
    pub misconfigured: u64,
}

/// Somebody has to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonFacts {
    /// Whose account.
    pub connection: ConnectionId,
    /// When.
    pub at: Timestamp,
}

/// A test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestFacts {
    /// The channel.
    pub channel: String,
    /// When.
    pub at: Timestamp,
}

impl ProviderFacts {
    /// How many of them need attention.
    pub fn ill(&self) -> u64 {
        self.failing + self.reconnect + self.misconfigured
    }
}
