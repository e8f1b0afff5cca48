//! Token sets on their way to a plugin and back: handles for what is there, and checks of what comes
//! back, because a plugin's output is the input of everything after it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use times::Read;
use wasmtime::component::Resource;

use crate::model::clock;
use crate::model::plain::is_hidden;
use crate::model::token::{TokenSet, USUAL_TYPE, token_type};
use crate::sandbox::bindings::imports::types;
use crate::sandbox::calling::state::CallState;
use crate::sandbox::machine::limits::{MAX_FACTS, MAX_METADATA, MAX_NAME, MAX_SCOPES, MAX_STRING};
use crate::sandbox::secrets::handle::{Handle, Origin};
use crate::sandbox::secrets::jwt;

/// Why a plugin's output is refused, without the plugin's name.
pub(in crate::sandbox) type Refusal = String;

/// Handles for the current token set.
pub(in crate::sandbox) fn lend(
    state: &mut CallState,
    current: &TokenSet,
) -> wasmtime::Result<types::TokenSet> {
    let mut extra = Vec::with_capacity(current.extra.len());
    for (name, secret) in &current.extra {
        extra.push((name.clone(), lend_one(state, current, secret, name, "extra-tokens")?));
    }
    let access = &current.access_token;
    let refresh = current.refresh_token.as_ref();
    Ok(types::TokenSet {
        access_token: lend_one(state, current, access, "access_token", "access-token")?,
        token_type: current.token_type.clone(),
        expires_at: current.expires_at.map(clock::seconds),
        refresh_token: refresh
            .map(|it| lend_one(state, current, it, "refresh_token", "refresh-token"))
            .transpose()?,
        refresh_expires_at: current.refresh_expires_at.map(clock::seconds),
        scopes: current.scopes.clone(),
        extra,
        metadata: current.metadata.clone(),
    })
}

/// A token that the plugin made itself is still made of what it was made of.
fn lend_one(
    state: &mut CallState,
    current: &TokenSet,
    secret: &SecretString,
    name: &str,
    label: &str,
) -> wasmtime::Result<Resource<Handle>> {
    let label = state.rules.names.label(label);
    let made_of = current.made_of.get(name);
    let labels = made_of.map_or(label, |it| state.rules.names.labels(it).and(label));
    let origin = if made_of.is_some() { Origin::Made } else { Origin::Provider };
    state.learn(secret.expose_secret(), labels, made_of.is_some())?;
    state.push(Handle::new(secret.clone(), labels, origin))
}

/// The token set that a plugin returned, or why it cannot be one. `now` is when the answer came;
/// `lifetime` is the descriptor's.
pub(in crate::sandbox) fn take(
    state: &mut CallState,
    raw: types::TokenSet,
    now: Timestamp,
    lifetime: Option<u32>,
) -> wasmtime::Result<Result<TokenSet, Refusal>> {
    let mut made_of = BTreeMap::new();
    let access_token = token(state, &raw.access_token, "access_token", &mut made_of)?;
    let refresh_token = raw.refresh_token.as_ref();
    let refresh_token =
        refresh_token.map(|it| token(state, it, "refresh_token", &mut made_of)).transpose()?;
    let mut extra = Vec::with_capacity(raw.extra.len());
    for (name, handle) in &raw.extra {
        extra.push((name.clone(), token(state, handle, name, &mut made_of)?));
    }
    let set = TokenSet {
        expires_at: None,
        token_type: raw.token_type,
        refresh_expires_at: None,
        scopes: raw.scopes,
        metadata: raw.metadata,
        access_token,
        refresh_token,
        extra,
        made_of,
    };
    let set = relieved(state, set);
    // Names first: what is said of a token has its name in it.
    let checked = check_names(state, &set)
        .and_then(|()| check_secrets(&set))
        .and_then(|()| check_texts(state, &set));
    let given = (raw.expires_at, raw.refresh_expires_at);
    Ok(checked.map(|()| ends(state, set, given, now, lifetime)))
}

/// The set with the times at which its tokens end.
fn ends(
    state: &CallState,
    set: TokenSet,
    (access, refresh): (Option<u64>, Option<u64>),
    now: Timestamp,
    lifetime: Option<u32>,
) -> TokenSet {
    let given = access.and_then(|it| time(state, "expires_at", it));
    let refresh_expires_at = refresh.and_then(|it| time(state, "refresh_expires_at", it));
    // What a plugin put together would tell it what it was put together of.
    let whole = Some(&set.access_token).filter(|_| !set.made_of.contains_key("access_token"));
    let in_jwt = whole.and_then(|it| jwt::end(it.expose_secret()));
    // Nobody issues a token that is dead already: one that ends before it came has been signed by a clock
    // that is behind ours.
    let in_jwt = in_jwt.filter(|end| given.is_none() || *end > now);
    TokenSet { expires_at: earliest(given, in_jwt, now, lifetime), refresh_expires_at, ..set }
}

fn token(
    state: &CallState,
    handle: &Resource<Handle>,
    name: &str,
    made_of: &mut BTreeMap<String, Vec<String>>,
) -> wasmtime::Result<SecretString> {
    let handle = state.table.get(handle)?;
    if !handle.is_whole() {
        let names = state.rules.names.of(handle.labels());
        made_of.insert(name.to_owned(), names.into_iter().collect());
    }
    Ok(handle.text().into())
}

/// When a token that was brought along stops working: as somebody says or as the JWT says, whichever is
/// earlier, else after the lifetime that the plugin declares; `None` when it is not known.
pub fn expiry(
    given: Option<Timestamp>,
    token: &SecretString,
    now: Timestamp,
    lifetime: Option<u32>,
) -> Option<Timestamp> {
    earliest(given, jwt::end(token.expose_secret()), now, lifetime)
}

fn earliest(
    given: Option<Timestamp>,
    in_jwt: Option<Timestamp>,
    now: Timestamp,
    lifetime: Option<u32>,
) -> Option<Timestamp> {
    let declared = || Some(clock::after(now, Duration::from_secs(u64::from(lifetime?))));
    given.into_iter().chain(in_jwt).min().or_else(declared)
}

/// Unix seconds that a plugin gave. After every plausible year they are milliseconds, or a way to say
/// "never": no reason to lose a token.
fn time(state: &CallState, what: &str, seconds: u64) -> Option<Timestamp> {
    if seconds < times::LAST {
        return clock::at(seconds).filter(|_| seconds > 0);
    }
    let read = times::time(&seconds.to_string());
    match read {
        Read::Is(_, notes) => state.tell(&format!("{what} is {notes}")),
        Read::Open(open) => state.tell(&format!("{what} gives no end: {open}")),
        Read::Unreadable => {}
    }
    read.value().and_then(clock::at)
}

/// The set without what stands beside its tokens and cannot be kept: a token set is taken for its tokens.
/// What a plugin made is left as it is, because what became of it would tell the plugin what it is made of;
/// the checks that follow refuse it.
fn relieved(state: &CallState, mut set: TokenSet) -> TokenSet {
    let mut left_out = Vec::new();
    let made_of = &set.made_of;
    let made = |name: &str| made_of.contains_key(name);
    let same = |it: &SecretString| it.expose_secret() == set.access_token.expose_secret();
    if let Some(refresh) = &set.refresh_token
        && !made("refresh_token")
        && (check_token("refresh_token", refresh).is_err()
            || same(refresh) && !made("access_token"))
    {
        left_out.push("a refresh token that is none; an earlier one is kept".to_owned());
        set.refresh_token = None;
    }
    set.extra.retain(|(name, secret)| {
        let keeps = made(name) || check_token(name, secret).is_ok();
        if !keeps {
            left_out.push("a further token that cannot be sent".to_owned());
        }
        keeps
    });
    if token_type(&set.token_type).is_none() {
        left_out.push(format!("a token type that is not one word; it is sent as {USUAL_TYPE}"));
        USUAL_TYPE.clone_into(&mut set.token_type);
    }
    let (scopes, facts) = (set.scopes.len(), set.metadata.len());
    let mut room = MAX_METADATA;
    set.scopes.retain(|it| is_kept(&[it], &mut room));
    set.scopes.truncate(MAX_SCOPES);
    let mut room = MAX_METADATA;
    set.metadata.retain(|(name, value)| is_kept(&[name, value], &mut room));
    set.metadata.truncate(MAX_FACTS);
    for (what, lost) in
        [("scopes", scopes - set.scopes.len()), ("facts", facts - set.metadata.len())]
    {
        if lost > 0 {
            left_out.push(format!("{lost} {what} that are too long, too many or not plain text"));
        }
    }
    for what in left_out {
        state.tell(&format!("left out of a token set: {what}"));
    }
    set
}

/// Whether texts that are shown in clear are plain, and there is room for them.
fn is_kept(texts: &[&str], room: &mut usize) -> bool {
    let size = texts.iter().map(|it| it.len()).sum::<usize>();
    let is_plain = !texts.iter().any(|it| it.contains(is_hidden));
    let keeps = is_plain && size <= *room;
    if keeps {
        *room -= size;
    }
    keeps
}

/// Each further token has a name of its own: what a token is made of is remembered by its name.
fn check_names(state: &mut CallState, set: &TokenSet) -> Result<(), Refusal> {
    let mut seen = BTreeSet::from(["access_token", "refresh_token"]);
    for (name, _) in &set.extra {
        if name.len() > MAX_NAME {
            return Err(format!(
                "a name of an extra token with {} bytes (limit {MAX_NAME})",
                name.len()
            ));
        }
        check_fact(state, "a name of an extra token", name)?;
        if !seen.insert(name) {
            return Err(format!("two tokens called `{name}`"));
        }
    }
    Ok(())
}

fn check_secrets(set: &TokenSet) -> Result<(), Refusal> {
    check_token("access_token", &set.access_token)?;
    if let Some(refresh) = &set.refresh_token {
        check_token("refresh_token", refresh)?;
        // Of what a plugin made, being refused would tell it that it made the same as what is there.
        let same = refresh.expose_secret() == set.access_token.expose_secret();
        if same && set.made_of.is_empty() {
            return Err("an access_token that is also the refresh_token".to_owned());
        }
    }
    for (name, secret) in &set.extra {
        check_token(name, secret)?;
    }
    Ok(())
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

/// What is stored in clear, shown to people and given back to the plugin: bounded, plain, and without a
/// secret. One that was struck out would tell the plugin, the next time, that it had guessed right.
fn check_texts(state: &mut CallState, set: &TokenSet) -> Result<(), Refusal> {
    if token_type(&set.token_type).is_none() {
        return Err("a token_type that is not one word of letters, digits and dashes".to_owned());
    }
    check_fact(state, "a token_type", &set.token_type)?;
    let scopes = set.scopes.iter().map(|it| ("a scope", it));
    let facts = set.metadata.iter().flat_map(|(name, value)| [name, value]);
    let facts = facts.map(|it| ("metadata", it));
    let bytes = |texts: &mut dyn Iterator<Item = (&str, &String)>| {
        texts.map(|it| it.1.len()).sum::<usize>()
    };
    if set.scopes.len() > MAX_SCOPES || bytes(&mut scopes.clone()) > MAX_METADATA {
        return Err(format!("more than {MAX_SCOPES} scopes or {MAX_METADATA} bytes of them"));
    }
    if set.metadata.len() > MAX_FACTS || bytes(&mut facts.clone()) > MAX_METADATA {
        return Err(format!("more than {MAX_FACTS} metadata or {MAX_METADATA} bytes of them"));
    }
    for (what, text) in scopes.chain(facts) {
        check_fact(state, what, text)?;
    }
    Ok(())
}

fn check_fact(state: &mut CallState, what: &str, text: &str) -> Result<(), Refusal> {
    if let Some(odd) = text.chars().find(|it| is_hidden(*it)) {
        return Err(format!("{what} with the character {}", odd.escape_default()));
    }
    if state.known.is_in(text) {
        return Err(format!("{what} with a secret in it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// {"exp":1700000300}
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAzMDB9.c2ln";

    #[test]
    fn the_earlier_end_counts_and_a_declared_lifetime_only_where_there_is_none() {
        let end = |given: Option<i64>, token: &str, lifetime| {
            let given = given.map(|it| Timestamp::from_second(it).unwrap());
            let now = Timestamp::from_second(1_700_000_000).unwrap();
            expiry(given, &token.into(), now, lifetime).map(Timestamp::as_second)
        };
        let (hour, minute) = (1_700_003_600, 1_700_000_060);
        assert_eq!(end(Some(hour), JWT, None), Some(1_700_000_300));
        assert_eq!(end(Some(minute), JWT, None), Some(minute));
        assert_eq!(end(None, JWT, Some(60)), Some(1_700_000_300));
        assert_eq!(end(Some(hour), "opaque", Some(60)), Some(hour));
        assert_eq!(end(None, "opaque", Some(60)), Some(minute));
        assert_eq!(end(None, "opaque", None), None);
    }
}
