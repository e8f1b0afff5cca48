//! Keys of programs, and the log of who did what.

use jiff::Timestamp;

use crate::model::api_key::ApiKey;
use crate::model::audit::{Action, AuditEntry};

/// A key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// All that may be shown.
    pub key: ApiKey,
    /// A keyed digest over its secret and its grant.
    pub digest: Vec<u8>,
}

/// A key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Which.
    pub id: String,
    /// When.
    pub at: Timestamp,
}

/// Which entries of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this actor: `key:ID`, `user:UID`, `account:NAME`.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<Action>,
    /// Of this subject.
    pub subject: Option<String>,
    /// Since then.
    pub since: Option<Timestamp>,
    /// Older than this entry.
    pub before: Option<i64>,
    /// The largest number of entries.
    pub limit: u32,
}

/// Some entries of the audit log, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// What the next page is older than, if there is one.
    pub next: Option<i64>,
}
