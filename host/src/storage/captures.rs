//! Answers made durable before anybody reads them, and requests that have left without one. They stay
//! until the attempt that got them is spent: then its tokens are a generation, or its failure is known.

use jiff::Timestamp;

use crate::model::id::{AttemptId, ConnectionId};
use crate::vault::Sealed;

/// One answer of a provider.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The request that it answers.
    pub of: Departed,
    /// The answer.
    pub sealed: Sealed,
    /// How often a plugin was given it, the first time included.
    pub readings: u32,
}

/// A request that has left, or is about to.
#[derive(Clone, Debug)]
pub struct Departed {
    /// Whose.
    pub connection: ConnectionId,
    /// The generation that it is sent from.
    pub generation: u64,
    /// The attempt that sends it.
    pub attempt: AttemptId,
    /// Its place among the requests of the attempt.
    pub seq: u32,
    /// Method and URL without its query.
    pub request: String,
    /// When it left; of an answer, when that came.
    pub at: Timestamp,
}
