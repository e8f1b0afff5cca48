//! Keys of programs, and the log of who did what.

use jiff::Timestamp;

use crate::model::api_key::ApiKey;
use crate::model::audit::{Action, AuditEntry, AuditRecord};
use crate::storage::engine::Answer;
use crate::storage::{Storage, StorageError};

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

/// What an engine does for keys of programs and for the audit log: each step is all or nothing, as in
/// [`Engine`](super::engine::Engine).
pub(super) trait Access {
    /// Keys of programs, those that were revoked as well, oldest first.
    fn api_keys(&self) -> Answer<'_, Vec<StoredKey>>;

    /// Adds a key of a program. False, and nothing written, if a key that was not revoked has its name.
    fn add_api_key(&self, key: StoredKey) -> Answer<'_, bool>;

    /// Revokes the key `id`. False if there is none, or it was revoked before.
    fn revoke_api_key(&self, id: &str, at: Timestamp) -> Answer<'_, bool>;

    /// Notes when keys were used last; the later time counts.
    fn note_key_uses(&self, uses: Vec<KeyUse>) -> Answer<'_, ()>;

    /// Adds to the audit log; what is counted is added to the entry of its hour.
    fn audit(&self, done: Vec<AuditRecord>) -> Answer<'_, ()>;

    /// Entries of the audit log, newest first.
    fn audit_page<'a>(&'a self, filter: &'a AuditFilter) -> Answer<'a, AuditPage>;
}

impl Storage {
    /// Keys of programs, those that were revoked as well, oldest first.
    pub async fn api_keys(&self) -> Result<Vec<StoredKey>, StorageError> {
        self.engine.api_keys().await
    }

    /// Adds a key of a program. False, and nothing written, if a key that was not revoked has its name.
    pub async fn add_api_key(&self, key: StoredKey) -> Result<bool, StorageError> {
        self.engine.add_api_key(key).await
    }

    /// Revokes the key `id`. False if there is none, or it was revoked before.
    pub async fn revoke_api_key(&self, id: &str, at: Timestamp) -> Result<bool, StorageError> {
        self.engine.revoke_api_key(id, at).await
    }

    /// Notes when keys were used last; the later time counts.
    pub async fn note_key_uses(&self, uses: Vec<KeyUse>) -> Result<(), StorageError> {
        self.engine.note_key_uses(uses).await
    }

    /// Adds to the audit log; what is counted is added to the entry of its hour.
    pub async fn audit(&self, done: Vec<AuditRecord>) -> Result<(), StorageError> {
        self.engine.audit(done).await
    }

    /// Entries of the audit log, newest first.
    pub async fn audit_page(&self, filter: &AuditFilter) -> Result<AuditPage, StorageError> {
        self.engine.audit_page(filter).await
    }
}
