//! People whom a provider of `OpenID` Connect has logged in. The provider says who each is, by issuer and subject, and
//! what each may do, anew at each login. Names are for people to read: two may want the same, and the second has another.

use crate::model::account::{Account, Login, Role, Ticket};
use crate::model::audit::{Action, Actor};
use crate::model::failure::Failure;
use crate::operator::Operator;
use crate::operator::accounts::sessions::{Visitor, Whence, refused};
use crate::refresher::host_fault;
use crate::storage::StoredAccount;

/// Accounts that may want the same name.
const MOST_ALIKE: u32 = 50;

/// Somebody whom a provider has logged in.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What the provider calls the person, for ever.
    pub subject: String,
    /// What people call the person.
    pub name: String,
    /// What the person may do.
    pub role: Role,
}

impl Operator {
    /// A session for somebody whom `issuer` has logged in. The account is made at the first login, and has the role of
    /// today.
    pub async fn log_in_as(
        &self,
        issuer: &str,
        seen: Seen,
        whence: &Whence,
    ) -> Result<Ticket, Failure> {
        let found = self.0.storage.account_of(issuer, &seen.subject).await;
        let stored = match found.map_err(|it| host_fault(&it))? {
            Some(stored) if !self.is_genuine(&stored) => return Err(refused()),
            Some(stored) => self.as_of_today(stored, seen.role).await?,
            None => self.first_seen(issuer, seen).await?,
        };
        self.begin(&stored, whence, "openid").await
    }

    /// Somebody who is logged in has shown it once more; another person has not.
    pub async fn confirmed_as(
        &self,
        visitor: &Visitor,
        issuer: &str,
        subject: &str,
    ) -> Result<Ticket, Failure> {
        let is_same = match &visitor.account.login {
            Login::OpenId { issuer: its, subject: own } => its == issuer && own == subject,
            Login::Link | Login::Password(_) => false,
        };
        if !is_same {
            return Err(refused());
        }
        self.confirmed(visitor, "openid").await
    }

    /// The account with this role. Where it was another one, sessions from before are over.
    async fn as_of_today(
        &self,
        mut stored: StoredAccount,
        role: Role,
    ) -> Result<StoredAccount, Failure> {
        if stored.account.role == role {
            return Ok(stored);
        }
        stored.account.role = role;
        let stored = self.change(stored, true).await?;
        self.tell_of(Action::AccountChanged, &stored.account).await;
        Ok(stored)
    }

    async fn first_seen(&self, issuer: &str, seen: Seen) -> Result<StoredAccount, Failure> {
        let Seen { subject, name, role } = seen;
        let login = Login::OpenId { issuer: issuer.to_owned(), subject };
        for number in 1..=MOST_ALIKE {
            let name = if number == 1 { name.clone() } else { format!("{name}-{number}") };
            let (login, created_at) = (login.clone(), self.now());
            let account = Account { name, role, login, created_at, last_login_at: None };
            let mut stored = StoredAccount { account, version: 0, mac: Vec::new(), link: None };
            self.sign(&mut stored);
            let added = self.0.storage.add_account(stored.clone()).await;
            if added.map_err(|it| host_fault(&it))? {
                self.tell_of(Action::AccountCreated, &stored.account).await;
                return Ok(stored);
            }
        }
        Err(super::name_taken(&name))
    }

    async fn tell_of(&self, action: Action, account: &Account) {
        let (actor, role) = (Actor::Account(account.name.clone()), account.role.to_string());
        let detail = Some(format!("{role}, by the groups of OpenID Connect"));
        self.note(&actor, action, account.name.clone(), detail).await;
    }
}
