//! Logins that go on. A session is found by the SHA-256 of its id, which its browser alone has, and a keyed digest
//! says that its row was written here. It ends by idleness, by age, by its person, and when its account changes.

use std::net::IpAddr;

use secrecy::SecretString;

use crate::model::account::{Account, Login, Role, Session, Ticket};
use crate::model::audit::{Action, Actor};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::plain;
use crate::operator::Operator;
use crate::operator::accounts::digest_of;
use crate::refresher::host_fault;
use crate::storage::{NewSession, Present, SessionStep, StoredAccount};

/// The longest name of a browser that is kept.
const LONGEST_AGENT: usize = 200;

/// Where somebody comes from.
#[derive(Clone, Debug, Default)]
pub struct Whence {
    /// The address, if that is known.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// What it has presented: a session from before, which a new login ends.
    pub ticket: Option<Ticket>,
}

/// Somebody with a session that goes on.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The login.
    pub session: Session,
    /// Who it is.
    pub account: Account,
    digest: Vec<u8>,
}

/// What the keyed digest of a session covers. Its end is in it: nobody makes one younger.
fn covered(digest: &[u8], account: &str, begun: jiff::Timestamp) -> Vec<u8> {
    [digest, account.as_bytes(), &begun.as_millisecond().to_be_bytes()].concat()
}

impl Operator {
    /// Logs somebody in. Who has no account is refused in the same words, and after the same time, as who has another
    /// password.
    pub async fn log_in(
        &self,
        name: &str,
        password: SecretString,
        whence: &Whence,
    ) -> Result<Ticket, Failure> {
        let found = self.0.storage.account(name).await.map_err(|it| host_fault(&it))?;
        let found = found.filter(|it| self.is_genuine(it));
        let is_right = self.is_password(found.as_ref(), password).await?;
        if let Some(stored) = found.as_ref().filter(|_| is_right) {
            return self.begin(stored, whence, "password").await;
        }
        // A name that nobody has may be anything, a password even, and is not written down.
        let subject = found.map_or("unknown".to_owned(), |it| it.account.name);
        self.note(&Actor::Nobody, Action::LoginFailed, subject, None).await;
        Err(refused())
    }

    /// A session for somebody who has just shown who that is. What the browser had before is over: whoever has put it
    /// there knows nothing of this one.
    pub(super) async fn begin(
        &self,
        stored: &StoredAccount,
        whence: &Whence,
        how: &str,
    ) -> Result<Ticket, Failure> {
        let (ticket, now, name) = (Ticket::new()?, self.now(), stored.account.name.clone());
        let digest = digest_of(&ticket.0);
        let mac = self.0.vault.account_digest("session", &covered(&digest, &name, now));
        let session = NewSession {
            digest,
            mac,
            account: name.clone(),
            version: stored.version,
            at: now,
            address: whence.address.map(|it| it.to_canonical().to_string()),
            agent: whence.agent.as_deref().map(named),
        };
        if !self.0.storage.begin_session(session).await.map_err(|it| host_fault(&it))? {
            return Err(refused());
        }
        if let Some(before) = &whence.ticket {
            let ended = SessionStep::Ended;
            let ended = self.0.storage.step_session(&digest_of(&before.0), ended).await;
            ended.map_err(|it| host_fault(&it))?;
        }
        let (actor, how) = (Actor::Account(name.clone()), Some(how.to_owned()));
        self.note(&actor, Action::LoginSucceeded, name, how).await;
        Ok(ticket)
    }

    /// Who has come with `ticket`, if the session goes on. Its use is noted if it `counts`: what a page asks by itself
    /// does not keep a session that its person has left.
    pub async fn visitor(&self, ticket: &Ticket, counts: bool) -> Result<Option<Visitor>, Failure> {
        let found = self.0.storage.session(&digest_of(&ticket.0)).await;
        let Some(found) = found.map_err(|it| host_fault(&it))? else { return Ok(None) };
        let Present { session, digest, mac, account } = found;
        let covered = covered(&digest, &session.account, session.begun_at);
        let genuine = self.0.vault.is_account("session", &covered, &mac);
        let now = self.now();
        if !genuine || !session.goes_on(now) || !self.is_genuine(&account) {
            return Ok(None);
        }
        if counts && session.is_to_be_noted(now) {
            let seen = self.0.storage.step_session(&digest, SessionStep::Seen(now)).await;
            seen.map_err(|it| host_fault(&it))?;
        }
        Ok(Some(Visitor { session, account: account.account, digest }))
    }

    /// The person of a session has typed the password again. The session has another id then.
    pub async fn confirm(
        &self,
        visitor: &Visitor,
        password: SecretString,
    ) -> Result<Ticket, Failure> {
        let name = &visitor.account.name;
        let stored = self.found(name).await?;
        if !self.is_password(Some(&stored), password).await? {
            self.note(&Actor::Nobody, Action::LoginFailed, name.clone(), None).await;
            return Err(refused());
        }
        self.confirmed(visitor, "password").await
    }

    /// The same for somebody who has shown it in another way.
    pub(super) async fn confirmed(&self, visitor: &Visitor, how: &str) -> Result<Ticket, Failure> {
        let (ticket, name) = (Ticket::new()?, &visitor.account.name);
        let digest = digest_of(&ticket.0);
        let mac = covered(&digest, name, visitor.session.begun_at);
        let mac = self.0.vault.account_digest("session", &mac);
        let step = SessionStep::Confirmed { digest, mac, at: self.now() };
        let done = self.0.storage.step_session(&visitor.digest, step).await;
        if !done.map_err(|it| host_fault(&it))? {
            return Err(refused());
        }
        let (actor, how) = (Actor::Account(name.clone()), Some(how.to_owned()));
        self.note(&actor, Action::SessionConfirmed, name.clone(), how).await;
        Ok(ticket)
    }

    /// The person leaves.
    pub async fn log_out(&self, visitor: &Visitor) -> Result<(), Failure> {
        let name = &visitor.account.name;
        let actor = Actor::Account(name.clone());
        self.end_session(&actor, name, visitor.session.number).await
    }

    /// Ends one session of an account.
    pub async fn end_session(
        &self,
        actor: &Actor,
        account: &str,
        number: i64,
    ) -> Result<(), Failure> {
        let ended = self.0.storage.end_session(account, number).await;
        if ended.map_err(|it| host_fault(&it))? {
            self.note(actor, Action::SessionEnded, account.to_owned(), None).await;
        }
        Ok(())
    }

    /// The sessions of an account that go on, the newest first.
    pub async fn sessions_of(&self, account: &str) -> Result<Vec<Session>, Failure> {
        let found = self.0.storage.sessions(account).await.map_err(|it| host_fault(&it))?;
        let now = self.now();
        Ok(found.into_iter().rev().filter(|it| it.goes_on(now)).collect())
    }

    /// Returns once the session of `visitor` is over, as far as a look now and then can tell: for what a page follows.
    pub async fn session_ends(&self, visitor: &Visitor) {
        loop {
            tokio::time::sleep(LOOKED_AT_EVERY).await;
            let found = self.0.storage.session(&visitor.digest).await;
            let goes_on = matches!(found, Ok(Some(it)) if it.session.goes_on(self.now()));
            if !goes_on {
                return;
            }
        }
    }
}

/// How often it is looked whether a session that follows what happens is over.
const LOOKED_AT_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

impl Visitor {
    /// Whether the person may change something.
    pub fn is_operator(&self) -> bool {
        self.account.role == Role::Operator
    }

    /// Whether there is a password that could be typed again.
    pub fn has_password(&self) -> bool {
        matches!(self.account.login, Login::Password(_))
    }
}

/// What a browser calls itself, fit to be shown.
fn named(agent: &str) -> String {
    plain::escaped(agent).chars().take(LONGEST_AGENT).collect()
}

pub(super) fn refused() -> Failure {
    let message = "there is no account with this name and this password";
    Failure::new(Case::InvalidCredentials, code::Login::Refused, message)
}
