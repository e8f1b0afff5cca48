//! One function for each export of a plugin. What an optional interface offers is `None` from a plugin
//! that does not have it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::model::descriptor::Descriptor;
use crate::model::failure::Failure;
use crate::model::token::TokenSet;
use crate::sandbox::Program;
use crate::sandbox::bindings::exports::{authorization, device, profile, provider, revocation};
use crate::sandbox::calling::call::{CallInput, within};
use crate::sandbox::calling::rules::Rules;
use crate::sandbox::calling::state::CallState;
use crate::sandbox::machine::limits::{DEFAULT_MEMORY, MAX_REQUESTS, MOST_REQUESTS};
use crate::sandbox::returns::convert;
use crate::sandbox::returns::returned::{device_grant, profile_text, short};

/// Where the exports of a component are.
pub(in crate::sandbox) struct Exports {
    pub(in crate::sandbox) provider: provider::GuestIndices,
    pub(in crate::sandbox) authorization: Option<authorization::GuestIndices>,
    pub(in crate::sandbox) device: Option<device::GuestIndices>,
    pub(in crate::sandbox) profile: Option<profile::GuestIndices>,
    pub(in crate::sandbox) revocation: Option<revocation::GuestIndices>,
}

/// What a browser is sent to the provider with.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Where it comes back to.
    pub redirect_uri: String,
    /// Wanted besides those of the settings.
    pub scopes: Vec<String>,
    /// Whether to ask the person although they have agreed before.
    pub consent: bool,
}

/// What the browser came back with.
#[derive(Debug)]
pub struct Code {
    /// Where it came back to.
    pub redirect_uri: String,
    /// The code itself.
    pub code: SecretString,
    /// The verifier of its challenge.
    pub verifier: SecretString,
}

/// A code that a person types in on another machine.
#[derive(Debug)]
pub struct DeviceGrant {
    /// What polls present.
    pub device_code: SecretString,
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<String>,
    /// How long the code works.
    pub expires_in: Duration,
    /// How long to wait between polls.
    pub interval: Duration,
}

/// What a poll found.
#[derive(Debug)]
pub enum DeviceProgress {
    /// The person has not decided.
    Pending,
    /// Poll more slowly.
    SlowDown,
    /// The person has agreed.
    Granted(TokenSet),
}

/// How long a plugin may take to say what it is.
const DESCRIBING: Duration = Duration::from_secs(10);

impl Program {
    /// Gets a first token from the stored credentials.
    pub async fn login(&self, input: &CallInput) -> Result<TokenSet, Failure> {
        let mut call = self.open(input, "login").await?;
        let connection = call.connection(input)?;
        let guest = call.guest(|store, it| self.parts.provider.load(store, it))?;
        let ran = guest.call_login(&mut call.store, &connection);
        let result = within(&call.deadline, ran).await;
        call.token_set(result, input)
    }

    /// Gets the next token from the current one.
    pub async fn refresh(&self, input: &CallInput) -> Result<TokenSet, Failure> {
        let mut call = self.open(input, "refresh").await?;
        let connection = call.connection(input)?;
        let current = call.current(input)?;
        let guest = call.guest(|store, it| self.parts.provider.load(store, it))?;
        let ran = guest.call_refresh(&mut call.store, &connection, &current);
        let result = within(&call.deadline, ran).await;
        call.token_set(result, input)
    }

    /// Where to send a person's browser, without what the host adds.
    pub async fn authorization_url(
        &self,
        input: &CallInput,
        request: &AuthorizationRequest,
    ) -> Option<Result<String, Failure>> {
        let export = self.parts.authorization.as_ref()?;
        let asked = async {
            let mut call = self.open(input, "authorization-url").await?;
            let connection = call.connection(input)?;
            let AuthorizationRequest { redirect_uri, scopes, consent } = request.clone();
            let request = authorization::Request { redirect_uri, scopes, consent };
            let guest = call.guest(|store, it| export.load(store, it))?;
            let ran = guest.call_authorization_url(&mut call.store, &connection, &request);
            let result = within(&call.deadline, ran).await;
            let url = call.settle(result)?;
            short(&mut call, &url)
        };
        Some(asked.await)
    }

    /// Trades a code for a first token.
    pub async fn exchange(
        &self,
        input: &CallInput,
        code: &Code,
    ) -> Option<Result<TokenSet, Failure>> {
        let export = self.parts.authorization.as_ref()?;
        let traded = async {
            let mut call = self.open(input, "exchange").await?;
            let connection = call.connection(input)?;
            let secret = call.lend(&code.code, "code")?;
            let verifier = call.lend(&code.verifier, "code-verifier")?;
            let guest = call.guest(|store, it| export.load(store, it))?;
            let (store, redirect) = (&mut call.store, &code.redirect_uri);
            let ran = guest.call_exchange(store, &connection, redirect, secret, verifier);
            let result = within(&call.deadline, ran).await;
            call.token_set(result, input)
        };
        Some(traded.await)
    }

    /// Asks for a code that a person types in on another machine.
    pub async fn device_start(
        &self,
        input: &CallInput,
        scopes: &[String],
    ) -> Option<Result<DeviceGrant, Failure>> {
        let export = self.parts.device.as_ref()?;
        let asked = async {
            let mut call = self.open(input, "device.start").await?;
            let connection = call.connection(input)?;
            let guest = call.guest(|store, it| export.load(store, it))?;
            let ran = guest.call_start(&mut call.store, &connection, scopes);
            let result = within(&call.deadline, ran).await;
            let grant = call.settle(result)?;
            device_grant(&mut call, grant)
        };
        Some(asked.await)
    }

    /// Asks whether the person has agreed.
    pub async fn device_poll(
        &self,
        input: &CallInput,
        device_code: &SecretString,
    ) -> Option<Result<DeviceProgress, Failure>> {
        let export = self.parts.device.as_ref()?;
        let asked = async {
            let mut call = self.open(input, "device.poll").await?;
            let connection = call.connection(input)?;
            let code = call.lend(device_code, "device-code")?;
            let guest = call.guest(|store, it| export.load(store, it))?;
            let ran = guest.call_poll(&mut call.store, &connection, code);
            let result = within(&call.deadline, ran).await;
            Ok(match call.settle(result)? {
                device::Progress::Pending => DeviceProgress::Pending,
                device::Progress::SlowDown => DeviceProgress::SlowDown,
                device::Progress::Granted(raw) => DeviceProgress::Granted(call.take(raw, input)?),
            })
        };
        Some(asked.await)
    }

    /// Facts about the account, as JSON text.
    pub async fn profile(&self, input: &CallInput) -> Option<Result<String, Failure>> {
        let export = self.parts.profile.as_ref()?;
        let asked = async {
            let mut call = self.open(input, "profile").await?;
            let connection = call.connection(input)?;
            let current = call.current(input)?;
            let guest = call.guest(|store, it| export.load(store, it))?;
            let ran = guest.call_fetch(&mut call.store, &connection, &current);
            let result = within(&call.deadline, ran).await;
            let text = call.settle(result)?;
            profile_text(&mut call, &text)
        };
        Some(asked.await)
    }

    /// Ends the grant at the provider.
    pub async fn revoke(&self, input: &CallInput) -> Option<Result<(), Failure>> {
        let export = self.parts.revocation.as_ref()?;
        let ended = async {
            let mut call = self.open(input, "revoke").await?;
            let connection = call.connection(input)?;
            let current = call.current(input)?;
            let guest = call.guest(|store, it| export.load(store, it))?;
            let ran = guest.call_revoke(&mut call.store, &connection, &current);
            let result = within(&call.deadline, ran).await;
            call.settle(result)
        };
        Some(ended.await)
    }

    /// What the plugin says about itself: no network, no secrets, only the clock.
    pub(in crate::sandbox) async fn describe(&self, now: Timestamp) -> Result<Descriptor, Failure> {
        let rules = Arc::new(Rules::default());
        let state = CallState::new(&self.name, "", now, DEFAULT_MEMORY, rules);
        let mut call = self.enter(state, "describe", DESCRIBING).await?;
        let guest = call.guest(|store, it| self.parts.provider.load(store, it))?;
        let ran = guest.call_describe(&mut call.store);
        match within(&call.deadline, ran).await {
            Ok(raw) => Ok(convert::descriptor(raw)),
            Err(error) => Err(call.broken(&error)),
        }
    }

    /// Requests that one call may make: what the descriptor asks for, within bounds.
    pub(in crate::sandbox) fn most_requests(&self) -> u32 {
        let asked = self.descriptor.extra.iter().find(|(name, _)| name == "requests");
        let asked = asked.and_then(|(_, count)| count.parse().ok());
        asked.map_or(MAX_REQUESTS, |it: u32| it.clamp(1, MOST_REQUESTS))
    }
}
