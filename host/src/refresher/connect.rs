//! A person's consent: where to ask for it, what it brings, and ending it. What a consent brings is an
//! attempt like any other and keeps the connection's id and history; one that fails leaves the
//! connection as it was.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use tracing::info;

use crate::catalogue::{Own, Plugin};
use crate::egress::Method;
use crate::model::attempt::{Outcome, Trigger};
use crate::model::code;
use crate::model::connection::Pause;
use crate::model::failure::{Case, Failure};
use crate::model::id::{AttemptId, ConnectionId};
use crate::model::token::TokenSet;
use crate::refresher::ask::Ask;
use crate::refresher::manual::busy;
use crate::refresher::running::Running;
use crate::refresher::{AttemptResult, Refresher, host_fault};
use crate::sandbox::{
    AuthorizationRequest, CallInput, Code, DeviceGrant, DeviceProgress, NoJournal, claim_of,
};
use crate::storage::{Abandoned, Begun, Captured, Loaded};

/// What a person's consent came as.
#[derive(Debug)]
pub enum Consent {
    /// A browser came back with a code.
    Code(Code, Brings),
    /// A poll found the tokens already.
    Granted(Box<TokenSet>),
}

/// What a code must bring to be taken.
#[derive(Debug)]
pub struct Brings {
    /// What an id token must repeat.
    pub nonce: Option<SecretString>,
    /// Whether a refresh token must come, because the person can be asked anew for one.
    pub refresh_token: bool,
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

impl Refresher {
    /// The address that a person's browser is sent to, as far as the plugin knows it.
    pub async fn authorization_url(
        &self,
        id: &ConnectionId,
        request: &AuthorizationRequest,
    ) -> Result<String, Failure> {
        let (plugin, input) = self.consent_input(id).await?;
        let url = plugin.program().authorization_url(&input, request).await;
        let url = url.unwrap_or_else(|| Err(unsupported(&plugin, "a browser")))?;
        input.policy.admits(Method::Get, &url, &BTreeSet::new()).map_err(|error| {
            let message = format!("the browser is not sent there: {error}");
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
        let (plugin, input) = self.consent_input(id).await?;
        let asked = plugin.program().device_start(&input, scopes).await;
        let grant =
            asked.unwrap_or_else(|| Err(unsupported(&plugin, "a code on another machine")))?;
        let complete = grant.verification_uri_complete.as_deref();
        for page in [Some(grant.verification_uri.as_str()), complete].into_iter().flatten() {
            input.policy.admits_page(page).map_err(|error| {
                let message = format!("nobody is sent to the page of this code: {error}");
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
        let (plugin, input) = self.consent_input(id).await?;
        let asked = plugin.program().device_poll(&input, device_code).await;
        asked.unwrap_or_else(|| Err(unsupported(&plugin, "a code on another machine")))
    }

    /// Turns a consent into the next generation of `id`.
    pub async fn connect(&self, id: &ConnectionId, consent: Consent) -> AttemptResult {
        let mut consent = Some(consent);
        loop {
            let running = {
                let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
                match (flights.get(id), consent.take()) {
                    (Some(running), kept) => {
                        consent = kept;
                        running.clone()
                    }
                    (None, Some(mine)) => {
                        let (this, own) = (self.clone(), id.clone());
                        let work = async move { this.connect_attempt(&own, mine).await };
                        self.start(&mut flights, id, work)
                    }
                    (None, None) => return Err(busy(id)),
                }
            };
            let outcome = running.await;
            if consent.is_none() {
                return outcome;
            }
        }
    }

    async fn connect_attempt(&self, id: &ConnectionId, consent: Consent) -> AttemptResult {
        let started = self.clock.now();
        let loaded = self.load(id).await?;
        if let Some(held) = self.held(&loaded, started) {
            return Err(held);
        }
        let plugin = self.catalogue.plugin(id.provider())?;
        let ask = Ask::new(Trigger::Manual);
        let (connection, attempt) = (id.clone(), AttemptId::generate());
        let (heard, config) = (Arc::default(), OnceLock::new());
        let running =
            Running { id: attempt, connection, ask, plugin, loaded, heard, started, config };
        // A consent that comes to nothing makes nothing worse: what was captured stays until it holds.
        if !self.begin(&running, Captured::Stay).await? {
            return Err(busy(id));
        }
        let finished = match self.tokens_of(&running, consent).await {
            Ok(token) => self.commit(&running, token, Some("connected".to_owned())).await,
            Err(failure) => Err(failure),
        };
        match finished {
            Ok(attempt) => Ok(attempt),
            Err(failure) => self.leave(&running, failure).await,
        }
    }

    async fn tokens_of(&self, running: &Running, consent: Consent) -> Result<TokenSet, Failure> {
        let (code, brings) = match consent {
            Consent::Granted(token) => return Ok(*token),
            Consent::Code(code, brings) => (code, brings),
        };
        let input = self.input_of(&running.plugin, &running.loaded, None).await?;
        self.note_config(running, &input, running.loaded.credentials.is_some());
        let traded = running.plugin.program().exchange(&input, &code).await;
        let token = traded.unwrap_or_else(|| Err(unsupported(&running.plugin, "a browser")))?;
        brings.check(&token)?;
        Ok(token)
    }

    /// Ends an attempt that came to nothing; the connection stays as it was.
    async fn leave(&self, running: &Running, failure: Failure) -> AttemptResult {
        let attempt = running.failed(&failure, self.clock.now());
        let abandoned = Abandoned {
            attempt: running.id,
            connection: running.connection.clone(),
            failure,
            due: running.loaded.connection.due,
            duration_ms: attempt.duration_ms.unwrap_or_default(),
        };
        let left = self.storage.abandon(abandoned).await.map_err(|it| host_fault(&it))?;
        if left == Begun::Lost {
            return Err(busy(&running.connection));
        }
        Ok(attempt)
    }

    /// Ends the grant of `id` at the provider. The tokens are still here afterwards.
    pub async fn revoke(&self, id: &ConnectionId) -> Result<Ending, Failure> {
        let loaded = self.load(id).await?;
        let Some(current) = self.current(&loaded)? else { return Ok(Ending::Nothing) };
        let plugin = self.catalogue.plugin(id.provider())?;
        let input = self.input_of(&plugin, &loaded, Some(current)).await?;
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

    /// Whether `id` will outlive its current token without a person.
    pub async fn can_refresh(&self, id: &ConnectionId) -> Result<bool, Failure> {
        let loaded = self.load(id).await?;
        let Some(token) = self.current(&loaded)? else { return Ok(false) };
        Ok(token.refresh_token.is_some() || token.expires_at.is_none())
    }

    /// Forgets the tokens of `id` and leaves it alone until somebody connects it again.
    pub async fn forget(&self, id: &ConnectionId) -> Result<(), Failure> {
        let reason = format!("disconnected; connect it again: keepfresh connect {id}");
        self.set_pause(id, Some(Pause { until: None, reason: Some(reason) })).await?;
        self.clear_token(id).await
    }

    /// Asks `profile` for what a new token brings, where the manifest wants to know.
    pub async fn learn_after(&self, result: &AttemptResult) {
        let Ok(attempt) = result else { return };
        let id = &attempt.connection;
        if attempt.outcome() == Some(Outcome::Success) && self.wants_profile(id.provider()) {
            self.learn(id).await;
        }
    }

    /// Asks `profile` for what is new, once; what it says is worth knowing and not failing for.
    pub async fn learn(&self, id: &ConnectionId) {
        if let Err(failure) = self.learn_profile(id).await {
            info!(connection.id = %id, error.code = %failure.code, "the profile of {id} could not be read: {failure}");
        }
    }

    /// What a call on behalf of a person works on; there need be no such connection yet.
    async fn consent_input(&self, id: &ConnectionId) -> Result<(Arc<Plugin>, CallInput), Failure> {
        let plugin = self.catalogue.plugin(id.provider())?;
        let loaded = self.storage.load(id).await.map_err(|it| host_fault(&it))?;
        if let Some(loaded) = loaded {
            let input = self.input_of(&plugin, &loaded, None).await?;
            return Ok((plugin, input));
        }
        let journal = Arc::new(NoJournal);
        let input = plugin.input(id, Own::default(), None, journal, self.clock.now()).await?;
        Ok((plugin, input))
    }

    async fn input_of(
        &self,
        plugin: &Plugin,
        loaded: &Loaded,
        current: Option<TokenSet>,
    ) -> Result<CallInput, Failure> {
        let (id, own) = (&loaded.connection.id, self.own(loaded)?);
        plugin.input(id, own, current, Arc::new(NoJournal), self.clock.now()).await
    }
}

impl Consent {
    /// Whether an attempt says that the consent holds.
    pub fn holds(outcome: Option<Outcome>) -> bool {
        outcome == Some(Outcome::Success)
    }
}

impl Brings {
    /// An id token that was made for somebody else's visit is refused, and so is a grant that would end
    /// with its first token where the person can be asked for more.
    fn check(&self, token: &TokenSet) -> Result<(), Failure> {
        let refuse = |code: code::Connect, message: &str| {
            Err(Failure::new(Case::Misconfigured, code, message))
        };
        let id_token = token.extra.iter().find(|(name, _)| name == "id_token");
        if let (Some(nonce), Some((_, id_token))) = (&self.nonce, id_token)
            && claim_of(id_token, "nonce").as_deref() != Some(nonce.expose_secret())
        {
            return refuse(
                code::Connect::NonceMismatch,
                "the provider's id token was not made for this login (its nonce is another); nothing was saved, connect again",
            );
        }
        if self.refresh_token && token.refresh_token.is_none() {
            return refuse(
                code::Connect::NoRefreshToken,
                "the provider gave no refresh token, because the person had agreed before; they are asked anew",
            );
        }
        Ok(())
    }
}

fn unsupported(plugin: &Plugin, what: &str) -> Failure {
    let descriptor = plugin.descriptor();
    let help = if descriptor.unattended {
        "it logs in by itself: keepfresh refresh"
    } else {
        "give it a token: keepfresh token set"
    };
    let message = format!("the plugin {} cannot be connected with {what}; {help}", descriptor.name);
    Failure::new(Case::Misconfigured, code::Connect::Unsupported, message)
}
