//! Plays flows against canned answers, natively, and as strictly as the host. A canned answer seals
//! what the host would seal, and a request that is not declared with what it carries ends the test:
//! what a plugin forgot fails here and not on its first day in production.

mod canned;

/// What a flow sees of it.
mod sealing;

/// What of the requests is declared.
pub mod declared;

/// The flows of a plugin, by their names.
mod playing;

pub use self::canned::Canned;
pub use self::declared::undeclared;
pub use self::playing::{
    authorization_url, exchange, login, play, poll, profile, refresh, revoke, start,
};

use crate::bindings::keepfresh::provider::types::Failure;
use crate::flow::{Context, Current, Flow, Provider, Step};
use crate::request::Request;
use crate::settings::Settings;

/// A context as the host would give it: every secret of the descriptor is there.
pub fn context<P: Provider>(settings: &[(&str, &str)]) -> Context {
    let descriptor = P::describe();
    let given = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Context {
        id: format!("{}/default", descriptor.name),
        settings: Settings::new(&descriptor, given.collect()),
        secrets: descriptor.secrets.iter().map(|field| field.name.clone()).collect(),
        current: None,
        remembered: Vec::new(),
        unique: "0123456789abcdef0123456789abcdef".to_owned(),
        now: 1_700_000_000,
    }
}

/// The same, with a current token set.
pub fn context_with_tokens<P: Provider>(settings: &[(&str, &str)]) -> Context {
    let token_type = "Bearer".to_owned();
    let current = Current { token_type, has_refresh_token: true, ..Current::default() };
    Context { current: Some(current), ..context::<P>(settings) }
}

/// What a flow did.
#[derive(Debug)]
pub struct Played<T> {
    /// What it sent.
    pub requests: Vec<Request>,
    /// How it ended.
    pub result: Result<T, Failure>,
}

impl<T> Played<T> {
    /// The contract's name of how it ended: `ok`, or the case of the failure.
    pub fn case(&self) -> &'static str {
        ending(&self.result).0
    }

    /// The text of the failure, if there is one.
    pub fn text(&self) -> &str {
        ending(&self.result).1
    }
}

/// Runs a flow against answers as they are. One that asks for more than there are ends `in-doubt`, as
/// it does when the provider stays silent.
pub(crate) fn run<T>(mut flow: Flow<T>, answers: &[Canned]) -> (Vec<Request>, Result<T, Failure>) {
    let mut requests = Vec::new();
    let result = loop {
        match flow {
            Err(failure) => break Err(failure),
            Ok(Step::Done(result)) => break Ok(result),
            Ok(Step::Send(exchange)) => {
                let answer = answers.get(requests.len());
                requests.push(exchange.request);
                let silent = || Failure::InDoubt("no answer".to_owned());
                flow = answer.ok_or_else(silent).and_then(|it| (exchange.read)(it));
            }
        }
    };
    (requests, result)
}

/// The contract's name of how a flow ended, and the text if there is one: what tests compare.
pub fn ending<T>(result: &Result<T, Failure>) -> (&'static str, &str) {
    match result {
        Ok(_) => ("ok", ""),
        Err(Failure::InvalidCredentials(text)) => ("invalid-credentials", text),
        Err(Failure::GrantExpired(text)) => ("grant-expired", text),
        Err(Failure::TokenRejected(text)) => ("token-rejected", text),
        Err(Failure::RateLimited(_)) => ("rate-limited", ""),
        Err(Failure::Unavailable(text)) => ("unavailable", text),
        Err(Failure::InDoubt(text)) => ("in-doubt", text),
        Err(Failure::Misconfigured(text)) => ("misconfigured", text),
        Err(Failure::Unexpected(text)) => ("unexpected", text),
        Err(Failure::Other(text)) => ("other", text),
    }
}
