//! What happened, as the outbox delivers it to listeners. Written in the same transaction as the
//! change, so that no event is lost and none is made up.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::attempt::text_enum;
use crate::model::code::Code;
use crate::model::id::ConnectionId;

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A new generation is stored.
    Refreshed,
    /// The first success after failures.
    Recovered,
    /// A try failed.
    Failed,
    /// Only a person can help: the grant is dead.
    Reconnect,
    /// Only a person can help: something is configured wrongly.
    Misconfigured,
    /// The outcome of a request is unknown and the provider may revoke on reuse.
    Critical,
    /// A token ends soon, and refreshing it fails.
    Ending,
    /// A token has ended, and refreshing it fails.
    Expired,
}

text_enum!(EventKind {
    Refreshed = "refreshed",
    Recovered = "recovered",
    Failed = "failed",
    Reconnect = "reconnect",
    Misconfigured = "misconfigured",
    Critical = "critical",
    Ending = "ending",
    Expired = "expired",
});

/// One event, not yet stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// To which connection.
    pub connection: ConnectionId,
    /// When.
    pub at: Timestamp,
    /// The generation that was current afterwards.
    pub generation: u64,
    /// The code of the failure, for the kinds that have one.
    pub code: Option<Code>,
}
