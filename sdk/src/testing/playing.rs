//! The flows of a plugin, played by their names.

use crate::answer::Answer;
use crate::bindings::exports::keepfresh::provider::provider::Rotation;
use crate::bindings::keepfresh::provider::types::Failure;
use crate::failure::doubting;
use crate::flow::{
    Authorization, AuthorizationRequest, Context, Device, DeviceGrant, Flow, Profile, Progress,
    Provider, Revocation,
};
use crate::request::Request;
use crate::testing::{Canned, Played, declared, run};
use crate::tokens::{Source, Tokens};

/// Plays a login.
pub fn login<P: Provider>(context: &Context, answers: &[Canned]) -> Played<Tokens> {
    tokens::<P>(context, P::login(context), answers)
}

/// Plays a refresh.
pub fn refresh<P: Provider>(context: &Context, answers: &[Canned]) -> Played<Tokens> {
    tokens::<P>(context, P::refresh(context), answers)
}

/// Plays the trade of a code.
pub fn exchange<P: Authorization>(
    context: &Context,
    redirect_uri: &str,
    answers: &[Canned],
) -> Played<Tokens> {
    tokens::<P>(context, P::exchange(context, redirect_uri), answers)
}

/// Plays the way to the address that a browser is sent to, which has to be declared as well.
///
/// # Panics
/// When it is not.
pub fn authorization_url<P: Authorization>(
    context: &Context,
    request: &AuthorizationRequest,
    answers: &[Canned],
) -> Played<String> {
    let played = play::<P, _>(context, P::authorization_url(context, request), answers);
    if let Ok(url) = &played.result {
        let page = url.split('?').next().unwrap_or(url);
        declared::check::<P>(&context.settings, &[Request::get(page)]);
    }
    played
}

/// Plays a question about the account.
pub fn profile<P: Profile>(context: &Context, answers: &[Canned]) -> Played<String> {
    play::<P, _>(context, P::profile(context), answers)
}

/// Plays the end of a grant.
pub fn revoke<P: Revocation>(context: &Context, answers: &[Canned]) -> Played<()> {
    play::<P, _>(context, P::revoke(context), answers)
}

/// Plays the beginning of a device grant.
pub fn start<P: Device>(
    context: &Context,
    scopes: &[String],
    answers: &[Canned],
) -> Played<DeviceGrant> {
    play::<P, _>(context, P::start(context, scopes), answers)
}

/// Plays a poll of a device grant.
pub fn poll<P: Device>(context: &Context, answers: &[Canned]) -> Played<Progress> {
    play::<P, _>(context, P::poll(context), answers)
}

/// Plays a flow, or a part of one, of the plugin `P`. It sees of the answers what the descriptor
/// declares to read.
///
/// # Panics
/// When it sends what the descriptor does not declare.
pub fn play<P: Provider, T>(context: &Context, flow: Flow<T>, answers: &[Canned]) -> Played<T> {
    let descriptor = P::describe();
    let seen: Vec<_> = answers.iter().map(|it| it.clone().seen_by(&descriptor)).collect();
    let (requests, result) = run(flow, &seen);
    declared::check::<P>(&context.settings, &requests);
    Played { requests, result }
}

/// The same for tokens, which must be where the flow says.
fn tokens<P: Provider>(
    context: &Context,
    flow: Flow<Tokens>,
    answers: &[Canned],
) -> Played<Tokens> {
    let rotation: fn() -> Rotation = || P::describe().rotation;
    let flow = doubting(flow, rotation);
    let mut played = play::<P, _>(context, flow, answers);
    let last = played.requests.len().checked_sub(1).and_then(|index| answers.get(index));
    played.result = played.result.and_then(|tokens| check(tokens, last));
    played
}

fn check(tokens: Tokens, last: Option<&Canned>) -> Result<Tokens, Failure> {
    let extra = tokens.extra.iter().map(|(_, source)| source);
    let sources = [&tokens.access_token].into_iter().chain(&tokens.refresh_token).chain(extra);
    for source in sources {
        let found = match source {
            Source::At(pointer) => last.is_some_and(|answer| answer.has_secret(pointer)),
            Source::Header(name) => last.is_some_and(|answer| answer.has_secret_header(name)),
            Source::Given(_) => true,
        };
        if !found {
            return Err(Failure::unexpected(format!("the answer has no token at {source:?}")));
        }
    }
    Ok(tokens)
}
