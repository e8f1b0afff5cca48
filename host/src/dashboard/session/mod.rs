//! Who looks, and what that person may do: somebody with a session, or a user of this machine at the socket beside the
//! database, who is the daemon's own, or root, and may do everything.

/// The cookie of a session.
mod cookie;

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;

use crate::api::Peer;
use crate::api::caller::address_of;
use crate::dashboard::looks::Looks;
use crate::dashboard::refused::Refused;
use crate::dashboard::{Dashboard, PLACE};
use crate::model::account::Role;
use crate::model::audit::Actor;
use crate::operator::accounts::{Visitor, Whence};

pub(super) use cookie::Cookie;

/// What a page asks with by itself, because something has happened.
const BY_ITSELF: &str = "x-part";

/// Somebody who is known.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// What it is called.
    pub(super) name: String,
    /// How it wants to see the pages.
    pub(super) looks: Looks,
    /// The page that is looked at, as an address.
    pub(super) here: String,
    actor: Actor,
    visitor: Option<Box<Visitor>>,
    now: Timestamp,
}

impl Person {
    /// For the audit log.
    pub(super) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What the person may do.
    pub(super) fn role(&self) -> Role {
        self.visitor.as_ref().map_or(Role::Operator, |it| it.account.role)
    }

    /// The login, if there was one: a user of this machine needs none.
    pub(super) fn visitor(&self) -> Option<&Visitor> {
        self.visitor.as_deref()
    }

    /// Fails for those who may only look.
    pub(super) fn may_change(&self) -> Result<(), Refused> {
        match self.role() {
            Role::Operator => Ok(()),
            Role::Viewer => Err(Refused::ReadOnly),
        }
    }

    /// Fails unless the person has typed the password within the last minutes: it is asked for, and `back` is where
    /// that leads to then, a page of this dashboard. For what shows a secret, or says who may come in.
    pub(super) fn is_surely(&self, back: &str) -> Result<(), Refused> {
        let confirmed = self.visitor().is_none_or(|it| it.session.is_confirmed(self.now));
        if confirmed { Ok(()) } else { Err(Refused::Confirm(back.to_owned())) }
    }
}

impl FromRequestParts<Dashboard> for Person {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Refused> {
        let here = here(parts, dashboard);
        let (looks, now) = (Looks::of(&parts.headers), dashboard.operator().now());
        if let Some(Peer::User(uid)) = parts.extensions.get::<Peer>() {
            let (name, actor) = (format!("user {uid}"), Actor::User(*uid));
            return Ok(Self { name, looks, here, actor, visitor: None, now });
        }
        let Some(visitor) = visitor(parts, dashboard).await? else {
            return Err(Refused::Login(here));
        };
        let name = visitor.account.name.clone();
        let actor = Actor::Account(name.clone());
        Ok(Self { name, looks, here, actor, visitor: Some(Box::new(visitor)), now })
    }
}

/// The address of the page that was asked for, as the browser has it.
fn here(parts: &Parts, dashboard: &Dashboard) -> String {
    // A form is not gone back to: it would be asked for as a page.
    let place = if parts.method == Method::GET { parts.uri.to_string() } else { "/".to_owned() };
    format!("{}{PLACE}{place}", dashboard.below())
}

async fn visitor(parts: &Parts, dashboard: &Dashboard) -> Result<Option<Visitor>, Refused> {
    let operator = dashboard.operator();
    let encrypted = operator.manifest().server.is_encrypted();
    let Some(ticket) = Cookie::Session.read(&parts.headers, encrypted) else { return Ok(None) };
    Ok(operator.visitor(&ticket, is_of_a_person(&parts.headers)).await?)
}

/// Whether somebody has clicked. A page that is left open asks by itself whenever something happens, and keeps no
/// session by that.
fn is_of_a_person(headers: &HeaderMap) -> bool {
    let follows = headers.get(ACCEPT).map(HeaderValue::as_bytes) == Some(b"text/event-stream");
    !follows && !headers.contains_key(BY_ITSELF)
}

/// Somebody who comes to the door.
pub(super) struct Stranger {
    /// Where from, and with what.
    pub(super) whence: Whence,
    /// How it wants to see the pages.
    pub(super) looks: Looks,
    /// Whether the way is encrypted.
    pub(super) encrypted: bool,
}

impl FromRequestParts<Dashboard> for Stranger {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Refused> {
        let manifest = dashboard.operator().manifest();
        let encrypted = manifest.server.is_encrypted();
        let agent = parts.headers.get(USER_AGENT).and_then(|it| it.to_str().ok());
        let whence = Whence {
            address: address_of(parts, &manifest.server),
            agent: agent.map(str::to_owned),
            ticket: Cookie::Session.read(&parts.headers, encrypted),
        };
        Ok(Self { whence, looks: Looks::of(&parts.headers), encrypted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_asks_by_itself_is_nobody_who_clicks() {
        let check = |name: &'static str, value: &str| {
            is_of_a_person(&[(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect())
        };
        assert!(check("accept", "text/html,*/*"));
        assert!(!check("accept", "text/event-stream") && !check("x-part", "1"));
    }
}
