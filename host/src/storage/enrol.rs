//! Connections that a person, a caller or a file adds, a hundred thousand of them if need be. What
//! somebody else has changed in between is left alone.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::connection::{Due, Origin};
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::storage::{Storage, StorageError};
use crate::vault::Sealed;

/// What is there under an id already.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its generation.
    pub generation: u64,
    /// Who wants it.
    pub origin: Origin,
    /// Whether it has a token.
    pub has_token: bool,
    /// Keyed digest of what it was last added with.
    pub enrolled: Option<Vec<u8>>,
    /// Settings of its own.
    pub settings: BTreeMap<String, String>,
    /// Words to find it by.
    pub labels: Vec<String>,
}

/// A connection to be there from now on, as it is said here.
#[derive(Debug)]
pub struct Enrolment {
    /// Which.
    pub id: ConnectionId,
    /// The generation that was found there; `None` when there was no such connection.
    pub found: Option<u64>,
    /// What it was last added with, as it was found: it is left alone if that is something else by now. `None` does
    /// not ask.
    pub enrolled: Option<Vec<u8>>,
    /// Settings of its own.
    pub settings: BTreeMap<String, String>,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// Secrets of its own; `None` leaves what is there.
    pub credentials: Option<Sealed>,
    /// A token set, sealed for the generation after the one found; `None` leaves what is there.
    pub token: Option<(TokenSet, Sealed)>,
    /// When it is looked at next. `None` leaves what is there, or, with a token, lets it rest.
    pub due: Option<Due>,
    /// When `profile` is asked first.
    pub probe_at: Option<Timestamp>,
    /// When a caller last wanted its token, if that is known.
    pub active_at: Option<Timestamp>,
    /// Keyed digest of all of this.
    pub digest: Vec<u8>,
    /// Now.
    pub at: Timestamp,
}

impl Storage {
    /// Makes it so; false if the connection is not as it was found, or is being refreshed.
    pub async fn enrol(&self, enrolment: Enrolment) -> Result<bool, StorageError> {
        self.changing_times(self.engine.enrol(enrolment)).await
    }
}
