//! Passwords, chosen by a one-time link or by whoever knows the old one, and checked. Hashing takes memory and time on
//! purpose, so it runs on threads for that, and few at once: others wait, and nobody can make this process fill the memory.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::model::account::{AccountView, Login, PasswordHash, Ticket, fits};
use crate::model::audit::{Action, Actor};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::operator::Operator;
use crate::operator::accounts::sessions::Whence;
use crate::operator::accounts::{Visitor, digest_of};
use crate::refresher::host_fault;
use crate::storage::StoredAccount;
use crate::vault::password;

impl Operator {
    /// Whose one-time link that is, if it works: looking at it uses nothing up.
    pub async fn linked(&self, word: &SecretString) -> Result<Option<AccountView>, Failure> {
        Ok(self.of_link(word).await?.map(|it| AccountView::from(&it.account)))
    }

    async fn of_link(&self, word: &SecretString) -> Result<Option<StoredAccount>, Failure> {
        let found = self.0.storage.account_of_link(&digest_of(word)).await;
        let found = found.map_err(|it| host_fault(&it))?.filter(|it| self.is_genuine(it));
        let works = |it: &StoredAccount| it.link.as_ref().is_some_and(|it| self.now() < it.until);
        Ok(found.filter(works))
    }

    /// The password that the person of a one-time link chooses, and the first login with it. All sessions from before
    /// are over.
    pub async fn welcome(
        &self,
        word: &SecretString,
        chosen: SecretString,
        whence: &Whence,
    ) -> Result<Ticket, Failure> {
        let stored = self.of_link(word).await?.ok_or_else(link_over)?;
        let stored = self.choose(stored, chosen).await?;
        self.begin(&stored, whence, "link").await
    }

    /// Another password for somebody who knows the old one. All sessions are over but a new one.
    pub async fn change_password(
        &self,
        visitor: &Visitor,
        chosen: SecretString,
        whence: &Whence,
    ) -> Result<Ticket, Failure> {
        let stored = self.found(&visitor.account.name).await?;
        if !matches!(stored.account.login, Login::Password(_)) {
            return Err(super::of_provider(&stored.account.name));
        }
        let stored = self.choose(stored, chosen).await?;
        self.begin(&stored, whence, "new password").await
    }

    async fn choose(
        &self,
        mut stored: StoredAccount,
        chosen: SecretString,
    ) -> Result<StoredAccount, Failure> {
        let name = stored.account.name.clone();
        fits(&name, chosen.expose_secret()).map_err(|why| {
            Failure::new(Case::Misconfigured, code::Account::PasswordUnfit, why.to_string())
        })?;
        stored.account.login = Login::Password(self.hashed(chosen).await?);
        stored.link = None;
        let stored = self.change(stored, true).await?;
        let (actor, detail) = (Actor::Account(name.clone()), Some("password".to_owned()));
        self.note(&actor, Action::AccountChanged, name, detail).await;
        Ok(stored)
    }

    async fn hashed(&self, chosen: SecretString) -> Result<PasswordHash, Failure> {
        let hashed = self.on_a_thread(move || password::hash(&chosen)).await?;
        hashed.map_err(|it| Failure::new(Case::HostFault, it.code(), it.to_string()))
    }

    /// Whether that is the password of the account; for none, that takes as long.
    pub(super) async fn is_password(
        &self,
        account: Option<&StoredAccount>,
        given: SecretString,
    ) -> Result<bool, Failure> {
        let hash = match account.map(|it| &it.account.login) {
            Some(Login::Password(hash)) => Some(hash.clone()),
            _ => None,
        };
        self.on_a_thread(move || password::is_right(&given, hash.as_ref())).await
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let people = &self.0.people;
        let _seat = people.waiting.try_acquire().map_err(|_| crowded())?;
        let place = Arc::clone(&people.hashing).acquire_owned().await.map_err(|_| fault())?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the thread: who hangs up while it works makes no room for another one.
            let _place = place;
            work()
        });
        done.await.map_err(|_| fault())
    }
}

fn fault() -> Failure {
    let message = "a password could not be looked at; see the log";
    Failure::new(Case::HostFault, code::Internal::Panic, message)
}

fn crowded() -> Failure {
    let message = "too many people log in at once; try again in a moment";
    Failure::new(Case::RateLimited(None), code::Login::Throttled, message)
}

fn link_over() -> Failure {
    let message = "this link works no more; ask for a new one: keepfresh account link NAME";
    Failure::new(Case::Misconfigured, code::Account::LinkOver, message)
}
