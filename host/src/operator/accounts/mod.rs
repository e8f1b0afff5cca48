//! People who use the dashboard: accounts, made and changed by whoever may work on the database, or by an operator
//! in the dashboard. A row that was changed by hand is no account: a keyed digest covers all that it allows.

/// Their logins.
mod sessions;

/// Passwords, chosen and checked.
mod passwords;

/// Whom a provider has logged in.
mod seen;

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tracing::error;
use zeroize::Zeroizing;

pub use seen::Seen;
pub use sessions::{Visitor, Whence};

use crate::model::account::{Account, AccountView, LINK_FOR, Login, Role, Ticket};
use crate::model::audit::Actor;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::{ConnectionId, check_name};
use crate::model::token::hex;
use crate::operator::command::Plain;
use crate::operator::{Command, Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::{Change, StoredAccount, StoredLink};

/// Passwords that are hashed at once: each takes 64 MiB.
const AT_ONCE: usize = 2;

/// What the first account is called that is made by itself.
const FIRST: &str = "operator";

/// Those that wait for that; whoever comes then is told to come back.
const WAITING: usize = 32;

/// What is known of people in memory.
pub struct People {
    /// Places for hashing passwords.
    hashing: Arc<Semaphore>,
    /// Places for waiting for one of them.
    waiting: Arc<Semaphore>,
}

impl Default for People {
    fn default() -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self { hashing: places(AT_ONCE), waiting: places(AT_ONCE + WAITING) }
    }
}

/// A link by which a person chooses a password.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewLink {
    /// Whose.
    pub account: AccountView,
    /// To be opened in a browser, once.
    pub url: Plain,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// What the keyed digest of an account covers.
fn covered(stored: &StoredAccount) -> String {
    let link = stored.link.as_ref();
    let link = link.map(|it| (hex(&it.digest), it.until.as_millisecond()));
    format!("{}\n{link:?}", stored.account.covered())
}

/// The SHA-256 of a word that nobody guesses.
fn digest_of(word: &SecretString) -> Vec<u8> {
    Sha256::digest(word.expose_secret().as_bytes()).to_vec()
}

/// A new one: 256 bits, in hexadecimal.
pub(crate) fn word() -> Result<SecretString, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| {
        let message = format!("the operating system gives no random bytes: {error}");
        Failure::new(Case::HostFault, code::Internal::Random, message)
    })?;
    Ok(hex(&*bytes).into())
}

impl Operator {
    /// Whether nobody has an account yet.
    pub async fn has_no_accounts(&self) -> Result<bool, Failure> {
        let all = self.0.storage.accounts().await.map_err(|it| host_fault(&it))?;
        Ok(all.is_empty())
    }

    /// A link to the first account, which is made if there is none; nothing once somebody has logged in, or where
    /// there is no dashboard.
    pub async fn first_link(&self, actor: &Actor) -> Result<Option<NewLink>, Failure> {
        let all = self.0.storage.accounts().await.map_err(|it| host_fault(&it))?;
        let manifest = self.manifest();
        let is_there = manifest.dashboard.enabled && manifest.server.listen.is_some();
        if !is_there || all.iter().any(|it| it.account.login != Login::Link) {
            return Ok(None);
        }
        let command = match all.first() {
            Some(first) => Command::AccountLink { name: first.account.name.clone() },
            None => Command::AccountAdd { name: FIRST.to_owned(), role: Role::Operator },
        };
        match self.ask(actor, command).await? {
            Reply::AccountLink(link) => Ok(Some(*link)),
            _ => Ok(None),
        }
    }

    pub(super) async fn accounts(&self) -> Result<Reply, Failure> {
        let all = self.0.storage.accounts().await.map_err(|it| host_fault(&it))?;
        Ok(Reply::Accounts(all.iter().map(|it| AccountView::from(&it.account)).collect()))
    }

    pub(super) async fn add_account(&self, name: String, role: Role) -> Result<Reply, Failure> {
        check_name(&name).map_err(|_| name_invalid(&name))?;
        let now = self.now();
        let account =
            Account { name, role, login: Login::Link, created_at: now, last_login_at: None };
        let (mut stored, url) =
            self.with_link(StoredAccount { account, version: 0, mac: Vec::new(), link: None })?;
        self.sign(&mut stored);
        let added = self.0.storage.add_account(stored.clone()).await;
        if !added.map_err(|it| host_fault(&it))? {
            return Err(name_taken(&stored.account.name));
        }
        Ok(new_link(&stored, url))
    }

    /// A new link for `name`; the one before it is worth nothing any more, and the password goes on until another
    /// one is chosen.
    pub(super) async fn link_account(&self, name: &str) -> Result<Reply, Failure> {
        let stored = self.found(name).await?;
        if let Login::OpenId { .. } = stored.account.login {
            return Err(of_provider(name));
        }
        let (stored, url) = self.with_link(stored)?;
        let stored = self.change(stored, false).await?;
        Ok(new_link(&stored, url))
    }

    pub(super) async fn set_role(&self, name: &str, role: Role) -> Result<Reply, Failure> {
        let mut stored = self.found(name).await?;
        if let Login::OpenId { .. } = stored.account.login {
            return Err(of_provider(name));
        }
        if stored.account.role != role {
            stored.account.role = role;
            stored = self.change(stored, true).await?;
        }
        Ok(Reply::Account(Box::new(AccountView::from(&stored.account))))
    }

    pub(super) async fn remove_account(&self, name: &str) -> Result<Reply, Failure> {
        let found = self.0.storage.account(name).await.map_err(|it| host_fault(&it))?;
        let stored = found.ok_or_else(|| unknown(name))?;
        if !self.0.storage.remove_account(name).await.map_err(|it| host_fault(&it))? {
            return Err(unknown(name));
        }
        Ok(Reply::Account(Box::new(AccountView::from(&stored.account))))
    }

    /// The account of this name, if nobody has changed its row by hand.
    async fn found(&self, name: &str) -> Result<StoredAccount, Failure> {
        let found = self.0.storage.account(name).await.map_err(|it| host_fault(&it))?;
        found.filter(|it| self.is_genuine(it)).ok_or_else(|| unknown(name))
    }

    /// Whether its row is as it was written.
    fn is_genuine(&self, stored: &StoredAccount) -> bool {
        let genuine = self.0.vault.is_account("account", covered(stored).as_bytes(), &stored.mac);
        if !genuine {
            error!(
                account.name = stored.account.name,
                "the row of this account was changed by hand and opens nothing; remove the account and add it again"
            );
        }
        genuine
    }

    fn sign(&self, stored: &mut StoredAccount) {
        stored.mac = self.0.vault.account_digest("account", covered(stored).as_bytes());
    }

    /// Writes down what has become of an account that was read before.
    async fn change(
        &self,
        mut stored: StoredAccount,
        ends_sessions: bool,
    ) -> Result<StoredAccount, Failure> {
        self.sign(&mut stored);
        let change = Change { account: stored.clone(), ends_sessions };
        if !self.0.storage.change_account(change).await.map_err(|it| host_fault(&it))? {
            let message =
                format!("the account {} was changed meanwhile; try again", stored.account.name);
            return Err(Failure::new(Case::Misconfigured, code::Account::Changed, message));
        }
        stored.version += 1;
        Ok(stored)
    }

    /// The account with a new link, and its address.
    fn with_link(&self, mut stored: StoredAccount) -> Result<(StoredAccount, Plain), Failure> {
        let manifest = self.manifest();
        let root = manifest.server.root().filter(|_| manifest.dashboard.enabled);
        let root = root.ok_or_else(|| {
            let message = "nothing listens for browsers; add to the manifest: [server] listen = \"127.0.0.1:7420\"";
            Failure::new(Case::Misconfigured, code::Account::NoDashboard, message)
        })?;
        let word = word()?;
        stored.link = Some(StoredLink { digest: digest_of(&word), until: self.now() + LINK_FOR });
        Ok((stored, format!("{root}/ui/welcome/{}", word.expose_secret()).into()))
    }

    /// Whether `actor` may still change `id`: its key may have been revoked since it asked, its account removed.
    pub async fn may_still_change(&self, actor: &Actor, id: &ConnectionId) -> bool {
        match actor {
            Actor::User(_) => true,
            Actor::Nobody => false,
            Actor::Key(key) => self.key_may_change(key, id).await,
            Actor::Account(name) => {
                self.found(name).await.is_ok_and(|it| it.account.role == Role::Operator)
            }
        }
    }
}

fn new_link(stored: &StoredAccount, url: Plain) -> Reply {
    let expires_at = stored.link.as_ref().map_or(stored.account.created_at, |it| it.until);
    let account = AccountView::from(&stored.account);
    Reply::AccountLink(Box::new(NewLink { account, url, expires_at }))
}

fn unknown(name: &str) -> Failure {
    let message = format!("there is no account `{name}`; see: keepfresh account list");
    Failure::new(Case::Misconfigured, code::Account::Unknown, message)
}

fn name_invalid(name: &str) -> Failure {
    let message =
        format!("`{name}` cannot be the name of an account: use letters, digits and . _ - @ + :");
    Failure::new(Case::Misconfigured, code::Account::NameInvalid, message)
}

fn name_taken(name: &str) -> Failure {
    let message = format!(
        "there is an account `{name}`; for a new link to it: keepfresh account link {name}"
    );
    Failure::new(Case::Misconfigured, code::Account::NameTaken, message)
}

fn of_provider(name: &str) -> Failure {
    let message = format!(
        "the account {name} logs in at a provider of OpenID Connect, which says what it may do; change its groups there"
    );
    Failure::new(Case::Misconfigured, code::Account::OfProvider, message)
}

impl Ticket {
    /// A new one.
    fn new() -> Result<Self, Failure> {
        word().map(Self)
    }
}
