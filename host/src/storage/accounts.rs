//! People who use the dashboard, and their sessions.

use jiff::Timestamp;

use crate::model::account::{Account, Session};
use crate::storage::engine::Answer;
use crate::storage::{Storage, StorageError};

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// The account.
    pub account: Account,
    /// Counts its changes.
    pub version: u64,
    /// A keyed digest over its name, its role, how it logs in, and its link.
    pub mac: Vec<u8>,
    /// The link by which its person chooses a password, if there is one.
    pub link: Option<StoredLink>,
}

/// A one-time link as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLink {
    /// The SHA-256 of its word.
    pub digest: Vec<u8>,
    /// Until when it works.
    pub until: Timestamp,
}

/// A change of an account.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it is from now on. Its version is the one that was read: where that is not there any more, nothing
    /// changes.
    pub account: StoredAccount,
    /// Whether its sessions end.
    pub ends_sessions: bool,
}

/// A login that has succeeded.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The SHA-256 of its id.
    pub digest: Vec<u8>,
    /// A keyed digest over that, its account and its beginning.
    pub mac: Vec<u8>,
    /// Whose it is.
    pub account: String,
    /// The version of the account that has logged in: where it is another one by now, there is no session.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// Where from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

/// What is done with one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionStep {
    /// It was used.
    Seen(Timestamp),
    /// Its person was asked again, and it has another id.
    Confirmed {
        /// The SHA-256 of the new id.
        digest: Vec<u8>,
        /// A keyed digest over that, its account and its beginning.
        mac: Vec<u8>,
        /// When.
        at: Timestamp,
    },
    /// It is over.
    Ended,
}

/// A session with its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// The login that goes on.
    pub session: Session,
    /// The SHA-256 of its id.
    pub digest: Vec<u8>,
    /// A keyed digest over that, its account and its beginning.
    pub mac: Vec<u8>,
    /// Whose it is.
    pub account: StoredAccount,
}

/// What an engine does for the accounts of people: each step is all or nothing, as in [`Engine`](super::engine::Engine).
pub(super) trait Accounts {
    /// People who use the dashboard, by name.
    fn accounts(&self) -> Answer<'_, Vec<StoredAccount>>;

    /// One of them.
    fn account<'a>(&'a self, name: &'a str) -> Answer<'a, Option<StoredAccount>>;

    /// The one whom an issuer of `OpenID` Connect calls so.
    fn account_of<'a>(
        &'a self,
        issuer: &'a str,
        subject: &'a str,
    ) -> Answer<'a, Option<StoredAccount>>;

    /// The one whose one-time link has this digest, whether it still works or not.
    fn account_of_link<'a>(&'a self, digest: &'a [u8]) -> Answer<'a, Option<StoredAccount>>;

    /// Adds an account. False, and nothing written, if there is one of its name or its subject.
    fn add_account(&self, account: StoredAccount) -> Answer<'_, bool>;

    /// Changes an account. False, and nothing written, if it is not the one that was read any more.
    fn change_account(&self, change: Change) -> Answer<'_, bool>;

    /// Removes an account with its sessions. False if there is none.
    fn remove_account<'a>(&'a self, name: &'a str) -> Answer<'a, bool>;

    /// Begins a session; the oldest ends where there are too many. False, and nothing written, if the account is
    /// not the one that has logged in any more.
    fn begin_session(&self, session: NewSession) -> Answer<'_, bool>;

    /// The session with this digest and its account, whether it is over or not.
    fn session<'a>(&'a self, digest: &'a [u8]) -> Answer<'a, Option<Present>>;

    /// The sessions of an account, the oldest first, those that are over as well.
    fn sessions<'a>(&'a self, account: &'a str) -> Answer<'a, Vec<Session>>;

    /// What becomes of the session with this digest. False if there is none.
    fn step_session<'a>(&'a self, digest: &'a [u8], step: SessionStep) -> Answer<'a, bool>;

    /// Ends a session of an account. False if it has none of that number.
    fn end_session<'a>(&'a self, account: &'a str, number: i64) -> Answer<'a, bool>;
}

impl Storage {
    /// People who use the dashboard, by name.
    pub async fn accounts(&self) -> Result<Vec<StoredAccount>, StorageError> {
        self.engine.accounts().await
    }

    /// One of them.
    pub async fn account(&self, name: &str) -> Result<Option<StoredAccount>, StorageError> {
        self.engine.account(name).await
    }

    /// The one whom an issuer of `OpenID` Connect calls so.
    pub async fn account_of(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<StoredAccount>, StorageError> {
        self.engine.account_of(issuer, subject).await
    }

    /// The one whose one-time link has this digest, whether it still works or not.
    pub async fn account_of_link(
        &self,
        digest: &[u8],
    ) -> Result<Option<StoredAccount>, StorageError> {
        self.engine.account_of_link(digest).await
    }

    /// Adds an account. False, and nothing written, if there is one of its name or its subject.
    pub async fn add_account(&self, account: StoredAccount) -> Result<bool, StorageError> {
        self.engine.add_account(account).await
    }

    /// Changes an account. False, and nothing written, if it is not the one that was read any more.
    pub async fn change_account(&self, change: Change) -> Result<bool, StorageError> {
        self.engine.change_account(change).await
    }

    /// Removes an account with its sessions. False if there is none.
    pub async fn remove_account(&self, name: &str) -> Result<bool, StorageError> {
        self.engine.remove_account(name).await
    }

    /// Begins a session; the oldest ends where there are too many. False, and nothing written, if the account is
    /// not the one that has logged in any more.
    pub async fn begin_session(&self, session: NewSession) -> Result<bool, StorageError> {
        self.engine.begin_session(session).await
    }

    /// The session with this digest and its account, whether it is over or not.
    pub async fn session(&self, digest: &[u8]) -> Result<Option<Present>, StorageError> {
        self.engine.session(digest).await
    }

    /// The sessions of an account, the oldest first, those that are over as well.
    pub async fn sessions(&self, account: &str) -> Result<Vec<Session>, StorageError> {
        self.engine.sessions(account).await
    }

    /// What becomes of the session with this digest. False if there is none.
    pub async fn step_session(
        &self,
        digest: &[u8],
        step: SessionStep,
    ) -> Result<bool, StorageError> {
        self.engine.step_session(digest, step).await
    }

    /// Ends a session of an account. False if it has none of that number.
    pub async fn end_session(&self, account: &str, number: i64) -> Result<bool, StorageError> {
        self.engine.end_session(account, number).await
    }
}
