//! From the contract's types to the model's and back, checking what a plugin returns: its output is
//! the input of everything after it.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use wasmtime::component::Resource;

use crate::model::descriptor::{Descriptor, Field};
use crate::model::failure::{Case, Failure};
use crate::model::rotation::Rotation;
use crate::model::token::TokenSet;
use crate::sandbox::bindings::exports::provider as wit;
use crate::sandbox::bindings::imports::types;
use crate::sandbox::limits::MAX_STRING;
use crate::sandbox::secrets::{Handle, jwt_claims};
use crate::sandbox::state::CallState;

/// 9999-12-31: later is a mistake in units.
const LAST_SECOND: u64 = 253_402_300_799;

/// Why a plugin's output is refused, without the plugin's name.
pub(super) type Refusal = String;

/// What a plugin said about itself.
pub(super) fn descriptor(raw: wit::Descriptor) -> Descriptor {
    let fields = |fields: Vec<wit::Field>| fields.into_iter().map(field).collect();
    Descriptor {
        name: raw.name,
        version: raw.version,
        title: raw.title,
        about: raw.about,
        documentation: raw.documentation,
        settings: fields(raw.settings),
        secrets: fields(raw.secrets),
        unattended: raw.logins.contains(wit::Logins::UNATTENDED),
        interactive: raw.logins.contains(wit::Logins::INTERACTIVE),
        rotation: rotation(raw.rotation),
        access: raw.access,
        sealed: raw.sealed,
        lifetime: raw.lifetime,
        schedule: raw.schedule,
        extra: raw.extra,
    }
}

fn field(raw: wit::Field) -> Field {
    let wit::Field { name, title, help, required, default } = raw;
    Field { name, title, help, required, default }
}

fn rotation(raw: wit::Rotation) -> Rotation {
    match raw {
        wit::Rotation::None => Rotation::None,
        wit::Rotation::Grace(seconds) => Rotation::Grace(seconds),
        wit::Rotation::UntilUsed => Rotation::UntilUsed,
        wit::Rotation::Strict => Rotation::Strict,
        wit::Rotation::Unknown => Rotation::Unknown,
    }
}

/// Handles for the current token set.
pub(super) fn lend(state: &mut CallState, current: &TokenSet) -> wasmtime::Result<types::TokenSet> {
    let mut extra = Vec::with_capacity(current.extra.len());
    for (name, secret) in &current.extra {
        extra.push((name.clone(), state.hand_out(secret.clone())?));
    }
    let refresh_token = current.refresh_token.clone();
    Ok(types::TokenSet {
        access_token: state.hand_out(current.access_token.clone())?,
        token_type: current.token_type.clone(),
        expires_at: current.expires_at.map(unix_seconds),
        refresh_token: refresh_token.map(|it| state.hand_out(it)).transpose()?,
        refresh_expires_at: current.refresh_expires_at.map(unix_seconds),
        scopes: current.scopes.clone(),
        extra,
        metadata: current.metadata.clone(),
    })
}

fn unix_seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_second()).unwrap_or_default()
}

/// The token set that a plugin returned, or why it cannot be one. `now` is when the answer came;
/// `lifetime` is the descriptor's.
pub(super) fn take(
    state: &mut CallState,
    raw: types::TokenSet,
    now: Timestamp,
    lifetime: Option<u32>,
) -> wasmtime::Result<Result<TokenSet, Refusal>> {
    let access_token = token(state, &raw.access_token)?;
    let refresh_token = raw.refresh_token.as_ref().map(|it| token(state, it)).transpose()?;
    let mut extra = Vec::with_capacity(raw.extra.len());
    for (name, handle) in &raw.extra {
        extra.push((name.clone(), token(state, handle)?));
    }
    let known = state.known.clone();
    let clean = |text: String| known.strike(&text).into_owned();
    let clean_pair = |(name, value)| (clean(name), clean(value));
    let set = TokenSet {
        expires_at: None,
        token_type: clean(raw.token_type),
        refresh_expires_at: None,
        scopes: raw.scopes.into_iter().map(clean).collect(),
        metadata: raw.metadata.into_iter().map(clean_pair).collect(),
        access_token,
        refresh_token,
        extra,
    };
    Ok(check(&set).and_then(|()| {
        let given = raw.expires_at.map(|it| time("expires_at", it)).transpose()?;
        let refresh_expires_at =
            raw.refresh_expires_at.map(|it| time("refresh_expires_at", it)).transpose()?;
        let expires_at = expiry(given, &set.access_token, now, lifetime);
        Ok(TokenSet { expires_at, refresh_expires_at, ..set })
    }))
}

fn token(state: &CallState, handle: &Resource<Handle>) -> wasmtime::Result<SecretString> {
    Ok(state.expose(handle)?.into())
}

/// When a token stops working: as the plugin says, else as the JWT says, else after the lifetime that
/// the plugin declares; `None` when nobody says.
pub fn expiry(
    given: Option<Timestamp>,
    token: &SecretString,
    now: Timestamp,
    lifetime: Option<u32>,
) -> Option<Timestamp> {
    let in_jwt = || {
        let seconds = jwt_claims(token.expose_secret())?.get("exp")?.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "a float out of range saturates")]
        Timestamp::from_second(seconds as i64).ok()
    };
    let declared = || Some(now + std::time::Duration::from_secs(u64::from(lifetime?)));
    given.or_else(in_jwt).or_else(declared)
}

fn time(what: &str, seconds: u64) -> Result<Timestamp, Refusal> {
    let signed = i64::try_from(seconds).ok().filter(|_| seconds <= LAST_SECOND);
    signed
        .and_then(|it| Timestamp::from_second(it).ok())
        .ok_or_else(|| format!("{what} {seconds}, which is after the year 9999"))
}

fn check(set: &TokenSet) -> Result<(), Refusal> {
    check_token("access_token", &set.access_token)?;
    if let Some(refresh) = &set.refresh_token {
        check_token("refresh_token", refresh)?;
        if refresh.expose_secret() == set.access_token.expose_secret() {
            return Err("an access_token that is also the refresh_token".to_owned());
        }
    }
    for (name, secret) in &set.extra {
        check_token(name, secret)?;
    }
    let pairs = set.metadata.iter().flat_map(|(name, value)| [name, value]);
    let mut texts = pairs.chain(&set.scopes).chain([&set.token_type]);
    match texts.find(|it| it.len() > MAX_STRING) {
        Some(long) => Err(format!("a string of {} bytes (limit {MAX_STRING})", long.len())),
        None => Ok(()),
    }
}

fn check_token(name: &str, token: &SecretString) -> Result<(), Refusal> {
    let text = token.expose_secret();
    if text.is_empty() {
        return Err(format!("{name} empty"));
    }
    if text.len() > MAX_STRING {
        return Err(format!("{name} with {} bytes (limit {MAX_STRING})", text.len()));
    }
    match text.bytes().position(|it| it.is_ascii_control() || !it.is_ascii()) {
        Some(at) => Err(format!("{name} with a control or non-ASCII character at byte {at}")),
        None => Ok(()),
    }
}

/// What a plugin says went wrong, cleaned.
pub(super) fn failure(state: &CallState, raw: types::Failure) -> Failure {
    use types::Failure as Wit;
    let text = |text: String| state.known.clean(&text, 500);
    let (case, code, message) = match raw {
        Wit::InvalidCredentials(it) => {
            (Case::InvalidCredentials, "provider.invalid_credentials", text(it))
        }
        Wit::GrantExpired(it) => (Case::GrantExpired, "provider.grant_expired", text(it)),
        Wit::TokenRejected(it) => (Case::TokenRejected, "provider.token_rejected", text(it)),
        Wit::RateLimited(seconds) => {
            let wait = seconds.map(|it| std::time::Duration::from_secs(u64::from(it)));
            let message = format!("{} asks to slow down", state.plugin);
            (Case::RateLimited(wait), "provider.rate_limited", message)
        }
        Wit::Unavailable(it) => (Case::Unavailable, "provider.unavailable", text(it)),
        Wit::InDoubt(it) => (Case::InDoubt, "refresh.outcome_unknown", text(it)),
        Wit::Misconfigured(it) => (Case::Misconfigured, "provider.misconfigured", text(it)),
        Wit::Unexpected(it) => (Case::Unexpected, "provider.unexpected", text(it)),
        Wit::Other(it) => (Case::Unexpected, "provider.failed", text(it)),
    };
    Failure::new(case, code, message)
}
