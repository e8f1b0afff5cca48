//! Outlets: channels, and whatever else is told of what happens. Each has a state that people see, and messages that
//! wait until they are delivered or given up. What is in a message, and what an alert is, is not known here.

use jiff::Timestamp;

use crate::model::code::Code;

/// How an outlet is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlet {
    /// `channel:NAME`.
    pub name: String,
    /// When something was delivered last.
    pub delivered_at: Option<Timestamp>,
    /// When it began to fail; `None` when the last delivery went well.
    pub failing_since: Option<Timestamp>,
    /// Why it fails.
    pub error: Option<(Code, String)>,
    /// When the other side said that it wants nothing any more.
    pub disabled_at: Option<Timestamp>,
    /// Messages that wait.
    pub waiting: u64,
    /// When the first of them is tried.
    pub next_at: Option<Timestamp>,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number; none is given twice.
    pub id: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// JSON.
    pub content: String,
    /// How often it was tried.
    pub tries: u32,
}

/// What an outlet has heard and what came of it, in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// Whose.
    pub outlet: String,
    /// Up to this event it has heard everything.
    pub seen: Option<i64>,
    /// Alerts as they are now, by subject; `None` forgets one.
    pub alerts: Vec<(String, Option<String>)>,
    /// Contents of new messages.
    pub messages: Vec<String>,
    /// Now.
    pub at: Timestamp,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whose.
    pub outlet: String,
    /// Of which message; `None` where the outlet has none, as one that delivers what is current.
    pub message: Option<i64>,
    /// How.
    pub ending: Ending,
    /// Now.
    pub at: Timestamp,
}

/// How one try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was delivered.
    Delivered,
    /// It is tried again then.
    Again(Timestamp, Code, String),
    /// Nobody needs it any more.
    Dropped,
    /// It is not tried again.
    GivenUp(Code, String),
    /// It is not tried again, and nothing else is sent there.
    Disabled(Code, String),
}
