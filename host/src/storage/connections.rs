//! Connections: what is known of one before a refresh, and what people and the manifest change.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::model::connection::{Connection, Due, Pause};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::rotation::Rotation;
use crate::model::token::TokenSet;
use crate::storage::{Capture, Storage, StorageError};
use crate::vault::Sealed;

/// All that a refresh needs to know before it begins.
#[derive(Debug)]
pub struct Loaded {
    /// The facts.
    pub connection: Connection,
    /// The current token set.
    pub sealed: Option<Sealed>,
    /// Whether the provider gave it, and not a person or a file.
    pub given: bool,
    /// Secrets of its own.
    pub credentials: Option<Sealed>,
    /// A try that was not finished: running now, or interrupted.
    pub open: Option<OpenAttempt>,
    /// Answers that came and were not spent, in order; all of the current generation.
    pub captures: Vec<Capture>,
    /// When a request left, besides the first of an attempt, that has no answer yet.
    pub unanswered: Option<Timestamp>,
    /// What callers present, once it was opened; forgotten with the row.
    pub presented: OnceLock<Presented>,
}

/// An access token in clear, of a row that is remembered because callers ask for it again and again. No other part
/// of a token set stays open.
#[derive(Debug)]
pub struct Presented {
    /// What callers present.
    pub token: SecretString,
    /// How: `Bearer`, `Basic`.
    pub token_type: String,
}

impl Loaded {
    /// When the first request began whose outcome at the provider is unknown, if there is one.
    pub fn doubt_since(&self) -> Option<Timestamp> {
        // Where nothing was spent, nothing is in doubt.
        let spends = |it: &&OpenAttempt| it.rotation != Rotation::None;
        let first = self.open.as_ref().filter(spends).filter(|_| self.captures.is_empty());
        let first = first.map(|it| it.started_at);
        [first, self.unanswered, self.connection.doubt_since].into_iter().flatten().min()
    }
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub connections: u64,
    /// Those that wait for a person.
    pub problems: u64,
}

/// An intent without an outcome.
#[derive(Clone, Debug)]
pub struct OpenAttempt {
    /// Which.
    pub id: AttemptId,
    /// The process that holds the claim.
    pub owner: String,
    /// When another may adopt it.
    pub lease_until: Timestamp,
    /// When it began.
    pub started_at: Timestamp,
    /// What the provider was believed to do with used refresh tokens.
    pub rotation: Rotation,
}

/// A connection of the manifest, to be there with this due time if it is new.
#[derive(Clone, Debug)]
pub struct Reconcile {
    /// Which.
    pub id: ConnectionId,
    /// When it is looked at next; `None` leaves what is there.
    pub due: Option<Due>,
    /// Clear what only a person could help with: the person has changed something.
    pub forgive: bool,
    /// When `profile` is asked next; `None` is never.
    pub probe_at: Option<Timestamp>,
    /// Now.
    pub at: Timestamp,
}

/// Pausing or resuming.
#[derive(Clone, Debug)]
pub struct Pausing {
    /// Which.
    pub id: ConnectionId,
    /// `None` resumes.
    pub pause: Option<Pause>,
    /// When it is looked at next: the end of the pause, or its due time once resumed.
    pub due: Option<Due>,
    /// Now.
    pub at: Timestamp,
}

/// A token set given, or taken away, by a person.
#[derive(Debug)]
pub struct ManualSet {
    /// Whose.
    pub connection: ConnectionId,
    /// The generation it replaces.
    pub generation: u64,
    /// The set and its sealed form; `None` forgets the token.
    pub token: Option<(TokenSet, Sealed)>,
    /// When it is looked at next.
    pub due: Option<Due>,
    /// The interrupted attempt of a dead process, closed in the same step.
    pub adopts: Option<AttemptId>,
    /// Now.
    pub at: Timestamp,
}

impl Storage {
    /// What [`Storage::recent`] would say, if it is in memory.
    pub fn remembered(&self, id: &ConnectionId) -> Option<Arc<Loaded>> {
        self.engine.remembered(id)
    }

    /// To be held by an attempt while it is under way: where there are many, their changes wait for one another a
    /// little, and share what it takes to make them durable.
    pub fn under_way(&self) -> Arc<()> {
        self.engine.under_way()
    }

    /// Makes sure that a connection of the manifest is there.
    pub async fn reconcile(&self, reconcile: Reconcile) -> Result<(), StorageError> {
        self.changing_times(self.engine.reconcile(reconcile)).await
    }

    /// Pauses or resumes; false if there is no such connection.
    pub async fn set_pause(&self, pausing: Pausing) -> Result<bool, StorageError> {
        self.changing_times(self.engine.set_pause(pausing)).await
    }

    /// Stores or forgets a token by hand; false if a refresh was faster or is running.
    pub async fn set_manually(&self, set: ManualSet) -> Result<bool, StorageError> {
        self.changing_times(self.engine.set_manually(set)).await
    }

    /// Forgets a connection and its secrets; its attempts stay in the log. False if there is none, or a try
    /// is running, or it is the manifest's and `listed` there.
    pub async fn remove(&self, id: &ConnectionId, listed: bool) -> Result<bool, StorageError> {
        let removed = self.changing_times(self.engine.remove(id, listed)).await?;
        if removed {
            self.drop_answers(id);
        }
        Ok(removed)
    }
}
