//! Connections that are added: what each becomes beside what is there already. A token that is here is
//! newer than one in a file, whatever the file says, unless a person insists.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::catalogue::Plugin;
use crate::model::attempt::Trigger;
use crate::model::connection::{Due, Origin};
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::refresher::plan::{Timing, share};
use crate::refresher::running::{declared_schedule, token_place, token_row};
use crate::refresher::{Refresher, host_fault, vault_fault};
use crate::sandbox::expiry;
use crate::storage::{Enrolment, Standing};
use crate::vault::credentials::seal_credentials;
use crate::vault::tokens::seal_tokens;

/// A connection to be there from now on.
#[derive(Debug)]
pub struct Newcomer {
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
pub enum Welcome {
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

impl Refresher {
    /// Adds `all` of them to `provider`; `replace` puts their tokens over those that are there.
    pub async fn enrol(
        &self,
        provider: &str,
        all: Vec<Newcomer>,
        replace: bool,
    ) -> Result<Vec<(ConnectionId, Welcome)>, Failure> {
        let plugin = self.catalogue.plugin(provider)?;
        let ids = all.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        let standing = self.storage.standing(&ids).await.map_err(|it| host_fault(&it))?;
        let each = all.into_iter().map(|newcomer| async {
            match standing.get(&newcomer.id).map(Result::as_ref).transpose() {
                Ok(found) => self.enrol_one(&plugin, newcomer, found, replace).await,
                Err(error) => Ok((newcomer.id, Welcome::Refused(error.to_string()))),
            }
        });
        // Together: their writes share a commit.
        try_join_all(each).await
    }

    async fn enrol_one(
        &self,
        plugin: &Plugin,
        newcomer: Newcomer,
        found: Option<&Standing>,
        replace: bool,
    ) -> Result<(ConnectionId, Welcome), Failure> {
        let id = newcomer.id.clone();
        let digest = self.digest_of(&newcomer);
        let welcome = welcome(plugin, &newcomer, &digest, found, replace);
        if matches!(welcome, Welcome::Unchanged | Welcome::Refused(_)) {
            return Ok((id, welcome));
        }
        let brings_token = welcome != Welcome::Kept;
        let enrolment = self.enrolment(plugin, newcomer, found, digest, brings_token)?;
        let stored = self.storage.enrol(enrolment).await.map_err(|it| host_fault(&it))?;
        let busy = || Welcome::Refused("it is being refreshed right now; try again".to_owned());
        Ok((id, if stored { welcome } else { busy() }))
    }

    fn enrolment(
        &self,
        plugin: &Plugin,
        newcomer: Newcomer,
        found: Option<&Standing>,
        digest: Vec<u8>,
        brings_token: bool,
    ) -> Result<Enrolment, Failure> {
        let (at, row) = (self.clock.now(), token_row(&newcomer.id));
        let generation = found.map_or(0, |it| it.generation);
        let credentials = (!newcomer.secrets.is_empty())
            .then(|| seal_credentials(&self.vault, &row, &newcomer.secrets));
        let token = newcomer.token.filter(|_| brings_token).map(|token| {
            let lifetime = plugin.descriptor().lifetime;
            let expires_at = expiry(token.expires_at, Some(&token.access_token), at, lifetime);
            TokenSet { expires_at, ..token }
        });
        let due = first_look(plugin, &newcomer.id, token.as_ref(), found, at);
        let seal = |token: TokenSet| {
            let sealed = seal_tokens(&self.vault, &token_place(&row, generation + 1), &token)?;
            Ok((token, sealed))
        };
        Ok(Enrolment {
            found: found.map(|it| it.generation),
            settings: newcomer.settings,
            labels: newcomer.labels,
            credentials: credentials.transpose().map_err(|it| vault_fault(&it))?,
            token: token.map(seal).transpose().map_err(|it| vault_fault(&it))?,
            due,
            probe_at: first_probe(plugin, &newcomer.id, at),
            active_at: newcomer.active_at,
            digest,
            at,
            id: newcomer.id,
        })
    }

    /// Keyed, because what goes in is partly secret.
    fn digest_of(&self, newcomer: &Newcomer) -> Vec<u8> {
        let Newcomer { settings, labels, secrets, token, active_at, .. } = newcomer;
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
        self.vault.mac(text.as_bytes()).to_vec()
    }
}

/// What becomes of a newcomer beside what is there.
fn welcome(
    plugin: &Plugin,
    newcomer: &Newcomer,
    digest: &[u8],
    found: Option<&Standing>,
    replace: bool,
) -> Welcome {
    let settings = newcomer.settings.keys().map(String::as_str);
    let secrets = newcomer.secrets.iter().map(|(name, _)| name.as_str());
    if let Err(why) = plugin.admit(settings, secrets) {
        return Welcome::Refused(why);
    }
    let Some(found) = found else { return Welcome::Added };
    let brings_more = !newcomer.settings.is_empty()
        || !newcomer.secrets.is_empty()
        || !newcomer.labels.is_empty();
    if found.origin == Origin::Manifest && brings_more {
        return Welcome::Refused("the manifest lists it; change its settings there".to_owned());
    }
    let replaces = replace && newcomer.token.is_some();
    if found.enrolled.as_deref() == Some(digest) && !replaces {
        return Welcome::Unchanged;
    }
    let keeps = newcomer.token.is_some() && found.has_token && !replace;
    if keeps { Welcome::Kept } else { Welcome::Updated }
}

/// When it is looked at first; `None` leaves what is there.
fn first_look(
    plugin: &Plugin,
    id: &ConnectionId,
    token: Option<&TokenSet>,
    found: Option<&Standing>,
    at: Timestamp,
) -> Option<Due> {
    if let Some(token) = token {
        let schedule = declared_schedule(plugin);
        let timing = Timing::new(plugin.provider(), schedule.as_ref(), id);
        return timing.after_success(token.ends(), at);
    }
    let lacks_token = found.is_none_or(|it| !it.has_token);
    let soon = Due { at, trigger: Trigger::Expiry };
    (lacks_token && plugin.descriptor().unattended).then_some(soon)
}

/// Spread over the first period: a hundred thousand that came together are not asked together.
fn first_probe(plugin: &Plugin, id: &ConnectionId, at: Timestamp) -> Option<Timestamp> {
    plugin.provider().probe.map(|period| at + share(Timing::seed_of(id), period))
}
