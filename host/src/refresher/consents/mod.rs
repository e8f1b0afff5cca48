//! A person's consent: where to ask for it, what it brings, and ending it.

/// Whose account it is of.
mod account;

/// What becomes of a refresh token that is here.
mod keeping;

/// What it brings.
mod brought;

/// Storing that.
mod connecting;

use std::collections::BTreeSet;
use std::sync::Arc;

use secrecy::SecretString;

pub(super) use account::Whose;
pub(super) use brought::Brought;
pub use brought::{Brings, Came, Consent};
pub(super) use connecting::Connecting;

use crate::catalogue::{Catalogue, Own, Plugin};
use crate::egress::Method;
use crate::model::clock::Clock;
use crate::model::connection::Pause;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::refresher::enrolling::Enrolling;
use crate::refresher::fault::{host_fault, load};
use crate::refresher::flights::AttemptResult;
use crate::refresher::pauses::Pauses;
use crate::refresher::secrets;
use crate::sandbox::{AuthorizationRequest, CallInput, DeviceGrant, DeviceProgress, NoJournal};
use crate::storage::Storage;
use crate::vault::Vault;
use connecting::unsupported;

/// Gets and ends what people consent to.
pub struct Consents {
    storage: Storage,
    vault: Vault,
    catalogue: Catalogue,
    clock: Clock,
    pauses: Pauses,
    enrolling: Arc<Enrolling>,
    connecting: Arc<Connecting>,
}

/// What became of the grant when a connection was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The provider has ended it, or had before.
    Revoked,
    /// There was nothing to end.
    Nothing,
    /// The plugin cannot end it: it lives until the provider forgets it.
    NotOffered,
}

impl Consents {
    pub(super) fn new(
        storage: &Storage,
        vault: &Vault,
        catalogue: &Catalogue,
        clock: &Clock,
        pauses: &Pauses,
        enrolling: &Arc<Enrolling>,
        connecting: Connecting,
    ) -> Self {
        let (storage, vault, catalogue) = (storage.clone(), vault.clone(), catalogue.clone());
        let (clock, pauses, enrolling) = (clock.clone(), pauses.clone(), Arc::clone(enrolling));
        let connecting = Arc::new(connecting);
        Self { storage, vault, catalogue, clock, pauses, enrolling, connecting }
    }

    /// The address that a person's browser is sent to, as far as the plugin knows it.
    pub async fn authorization_url(
        &self,
        id: &ConnectionId,
        request: &AuthorizationRequest,
    ) -> Result<String, Failure> {
        let (plugin, input) = self.input(id).await?;
        let url = plugin.program().authorization_url(&input, request).await;
        let url = url.unwrap_or_else(|| Err(unsupported(&plugin, "a browser")))?;
        input.policy.admits(Method::Get, &url, &BTreeSet::new()).map_err(|error| {
            let message = format!("the browser is not opened: {error}");
            Failure::new(Case::Misconfigured, error.code(), message)
        })?;
        Ok(url)
    }

    /// Asks the provider for a code that a person types in on another machine.
    pub async fn device_start(
        &self,
        id: &ConnectionId,
        scopes: &[String],
    ) -> Result<DeviceGrant, Failure> {
        let (plugin, input) = self.input(id).await?;
        let asked = plugin.program().device_start(&input, scopes).await;
        let grant =
            asked.unwrap_or_else(|| Err(unsupported(&plugin, "a code on another machine")))?;
        let complete = grant.verification_uri_complete.as_deref();
        for page in [Some(grant.verification_uri.as_str()), complete].into_iter().flatten() {
            input.policy.admits_page(page).map_err(|error| {
                let message = format!("the page for this code is not shown: {error}");
                Failure::new(Case::Misconfigured, error.code(), message)
            })?;
        }
        Ok(grant)
    }

    /// Asks whether the person has agreed. A poll spends nothing of ours: what it brings is stored like
    /// an answer that came in, and a lost one is asked for again by the person.
    pub async fn device_poll(
        &self,
        id: &ConnectionId,
        device_code: &SecretString,
    ) -> Result<DeviceProgress, Failure> {
        let (plugin, input) = self.input(id).await?;
        let asked = plugin.program().device_poll(&input, device_code).await;
        asked.unwrap_or_else(|| Err(unsupported(&plugin, "a code on another machine")))
    }

    /// Turns a consent into the next generation of `id`.
    pub async fn connect(&self, id: &ConnectionId, consent: Consent) -> AttemptResult {
        self.connecting.connect(id, consent).await
    }

    /// Whether `id` will outlive its current token without a person.
    pub async fn can_refresh(&self, id: &ConnectionId) -> Result<bool, Failure> {
        let connection = load(&self.storage, id).await?.connection;
        let ends = connection.token.as_ref().is_some_and(|it| it.expires_at.is_some());
        Ok(connection.token.is_some() && !(ends && connection.is_last()))
    }

    /// Ends the grant of `id` at the provider. The tokens are still here afterwards.
    pub async fn revoke(&self, id: &ConnectionId) -> Result<Ending, Failure> {
        let loaded = load(&self.storage, id).await?;
        let current = secrets::current(&self.vault, &loaded)?;
        if current.is_none() {
            return Ok(Ending::Nothing);
        }
        let plugin = self.catalogue.plugin(id.provider())?;
        let (journal, now) = (Arc::new(NoJournal), self.clock.now());
        let input = secrets::input(&self.vault, &plugin, &loaded, current, journal, now).await?;
        match plugin.program().revoke(&input).await {
            None => Ok(Ending::NotOffered),
            Some(Ok(())) => Ok(Ending::Revoked),
            // What is dead already need not be ended.
            Some(Err(it)) if matches!(it.case, Case::GrantExpired | Case::TokenRejected) => {
                Ok(Ending::Revoked)
            }
            Some(Err(failure)) => Err(failure),
        }
    }

    /// Forgets the tokens of `id` and leaves it alone until somebody connects it again.
    pub async fn forget(&self, id: &ConnectionId) -> Result<(), Failure> {
        let reason = format!("disconnected; connect it again: keepfresh connect {id}");
        self.pauses.set(id, Some(Pause { until: None, reason: Some(reason) })).await?;
        self.enrolling.clear_token(id).await
    }

    /// What a call on behalf of a person works on; there need be no such connection yet.
    async fn input(&self, id: &ConnectionId) -> Result<(Arc<Plugin>, CallInput), Failure> {
        let plugin = self.catalogue.plugin(id.provider())?;
        let loaded = self.storage.load(id).await.map_err(|it| host_fault(&it))?;
        let (journal, now) = (Arc::new(NoJournal), self.clock.now());
        let input = match loaded {
            Some(it) => secrets::input(&self.vault, &plugin, &it, None, journal, now).await?,
            None => plugin.input(id, Own::default(), None, journal, now).await?,
        };
        Ok((plugin, input))
    }
}
