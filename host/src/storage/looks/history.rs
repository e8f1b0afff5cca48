//! What has become of one connection: its tries by day, as far back as they are kept. A page of it reads so many of
//! them at most, whatever its schedule.

use jiff::Timestamp;

use crate::model::attempt::Outcome;
use crate::model::id::AttemptId;

/// Tries that are read for it at most: ninety days of one every ten minutes.
pub(in crate::storage) const MOST: u32 = 13_000;

/// One try, as far as it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Its id.
    pub id: AttemptId,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Of these, waiting for its turn.
    pub waited_ms: Option<u64>,
    /// Of these, requests to the provider.
    pub provider_ms: Option<u64>,
    /// The generation that was current when it ended.
    pub generation: u64,
    /// Digest of the plugin that ran, if one did.
    pub digest: Option<String>,
}
