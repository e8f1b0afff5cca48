//! A connection that somebody wants to be there, and what becomes of it beside what is there already. A token
//! that is here is newer than one in a file, whatever the file says, unless a person insists. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::catalogue::Plugin;
use crate::model::connection::Origin;
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::storage::Standing;
use crate::vault::Vault;

/// A connection to be there from now on.
#[derive(Debug)]
pub struct Enrolment {
    /// Which.
    pub id: ConnectionId,
    /// Settings of its own.
    pub settings: BTreeMap<String, String>,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// Secrets of its own.
    pub secrets: Vec<(String, SecretString)>,
    /// A token that it has already.
    pub token: Option<TokenSet>,
    /// When a caller last wanted its token.
    pub active_at: Option<Timestamp>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Added,
    /// It was there and was updated.
    Updated,
    /// The same, but the token that was there is kept.
    Kept,
    /// It is unchanged since the last import.
    Unchanged,
    /// It cannot be.
    Refused(String),
}

impl Enrolment {
    /// What becomes of it beside what is `found` there; `replace` puts its token over that.
    pub(super) fn outcome(
        &self,
        plugin: &Plugin,
        digest: &[u8],
        found: Option<&Standing>,
        replace: bool,
    ) -> Outcome {
        let settings = self.settings.keys().map(String::as_str);
        let secrets = self.secrets.iter().map(|(name, _)| name.as_str());
        if let Err(why) = plugin.admit(settings, secrets) {
            return Outcome::Refused(why);
        }
        let Some(found) = found else { return Outcome::Added };
        if found.origin == Origin::Manifest && self.brings_more() {
            let why = "it is in the manifest; change its settings there";
            return Outcome::Refused(why.to_owned());
        }
        let replaces = replace && self.token.is_some();
        if found.enrolled.as_deref() == Some(digest) && !replaces {
            return Outcome::Unchanged;
        }
        let keeps = self.token.is_some() && found.has_token && !replace;
        if keeps { Outcome::Kept } else { Outcome::Updated }
    }

    /// Whether it says more than a token.
    fn brings_more(&self) -> bool {
        !self.settings.is_empty() || !self.secrets.is_empty() || !self.labels.is_empty()
    }

    /// Keyed, because what goes in is partly secret.
    pub(super) fn digest(&self, vault: &Vault) -> Vec<u8> {
        let Self { settings, labels, secrets, token, active_at, .. } = self;
        let mut text = Zeroizing::new(format!("{settings:?}\n{labels:?}\n{active_at:?}"));
        for (name, secret) in secrets {
            let _ = write!(text, "\n{name}={}", secret.expose_secret());
        }
        if let Some(token) = token {
            let refresh = token.refresh_token.as_ref().map_or("", |it| it.expose_secret());
            let _ = write!(
                text,
                "\n{}\n{refresh}\n{:?}\n{:?}",
                token.access_token.expose_secret(),
                token.expires_at,
                token.scopes
            );
        }
        vault.mac(text.as_bytes()).to_vec()
    }
}
