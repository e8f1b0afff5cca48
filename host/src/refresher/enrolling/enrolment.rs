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
use crate::sandbox::expiry;
use crate::storage::Standing;
use crate::vault::Vault;

/// A connection to be there from now on.
#[derive(Debug)]
pub struct Enrolment {
    /// Which.
    pub id: ConnectionId,
    /// Settings of its own.
    pub settings: BTreeMap<String, String>,
    /// All the words to find it by; those that are there stay when it does not say.
    pub labels: Option<Vec<String>>,
    /// Words to find it by besides those.
    pub more_labels: Vec<String>,
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

/// What a person should know of a token that comes from elsewhere.
fn of_token(token: &TokenSet, plugin: &Plugin, now: Timestamp) -> Option<String> {
    let ends = expiry(token.expires_at, &token.access_token, now, None);
    if token.refresh_token.is_none() && ends.is_some_and(|it| it <= now) {
        let alone = plugin.descriptor().unattended;
        return (!alone).then(|| {
            "its token has expired and there is no refresh token, so it has to be connected again".to_owned()
        });
    }
    (token.expires_at.is_some() && ends < token.expires_at).then(|| {
        "its token says itself that it expires earlier than expires_at; the earlier time is used".to_owned()
    })
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
        let labels = self.labels.is_some() || !self.more_labels.is_empty();
        !self.settings.is_empty() || !self.secrets.is_empty() || labels
    }

    /// Its settings and labels beside what is `found` there: what is not said stays.
    pub(super) fn beside(
        &self,
        found: Option<&Standing>,
    ) -> (BTreeMap<String, String>, Vec<String>) {
        let mut settings = found.map(|it| it.settings.clone()).unwrap_or_default();
        settings.extend(self.settings.clone());
        let there = || found.map(|it| it.labels.clone()).unwrap_or_default();
        let mut labels = self.labels.clone().unwrap_or_else(there);
        for more in &self.more_labels {
            if !labels.contains(more) {
                labels.push(more.clone());
            }
        }
        (settings, labels)
    }

    /// What a person should know of it, though it is taken.
    pub(super) fn remarks(
        &self,
        plugin: &Plugin,
        found: Option<&Standing>,
        now: Timestamp,
    ) -> Vec<String> {
        let own = self.secrets.iter().map(|(name, _)| name.as_str());
        // Secrets that are there already are not opened for a remark.
        let lacks = if found.is_none() { plugin.lacks(own) } else { Vec::new() };
        let lacks = lacks.into_iter().map(|name| {
            format!("neither the manifest nor the row has the secret `{name}`, so it cannot be refreshed")
        });
        lacks.chain(self.token.as_ref().and_then(|it| of_token(it, plugin, now))).collect()
    }

    /// Keyed, because what goes in is partly secret.
    pub(super) fn digest(&self, vault: &Vault) -> Vec<u8> {
        let Self { settings, labels, more_labels, secrets, token, active_at, .. } = self;
        let mut text =
            Zeroizing::new(format!("{settings:?}\n{labels:?}\n{more_labels:?}\n{active_at:?}"));
        for (name, secret) in secrets {
            let _ = write!(text, "\n{name}={}", secret.expose_secret());
        }
        if let Some(token) = token {
            let refresh = token.refresh_token.as_ref().map_or("", |it| it.expose_secret());
            let _ = write!(
                text,
                "\n{}\n{refresh}\n{:?}\n{:?}\n{:?}\n{}\n{:?}",
                token.access_token.expose_secret(),
                token.expires_at,
                token.scopes,
                token.refresh_expires_at,
                token.token_type,
                token.metadata,
            );
            for (name, it) in &token.extra {
                let _ = write!(text, "\n{name}={}", it.expose_secret());
            }
        }
        vault.mac(text.as_bytes()).to_vec()
    }
}
