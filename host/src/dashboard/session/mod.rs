//! Who looks, and what that person may do. A user of this machine at the socket beside the database is the daemon's
//! own, or root, and may do everything.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::api::Peer;
use crate::dashboard::looks::Looks;
use crate::dashboard::refused::Refused;
use crate::dashboard::{Dashboard, PLACE};
use crate::model::audit::Actor;

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
}

impl Person {
    /// For the audit log.
    pub(super) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Fails for those who may only look.
    pub(super) fn may_change(&self) -> Result<(), Refused> {
        Ok(())
    }
}

impl FromRequestParts<Dashboard> for Person {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, dashboard: &Dashboard) -> Result<Self, Refused> {
        let here = format!("{}{PLACE}{}", dashboard.below(), parts.uri);
        match parts.extensions.get::<Peer>() {
            Some(Peer::User(uid)) => Ok(Self {
                name: format!("user {uid}"),
                looks: Looks::of(&parts.headers),
                here,
                actor: Actor::User(*uid),
            }),
            _ => Err(Refused::Login(here)),
        }
    }
}
