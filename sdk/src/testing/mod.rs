//! Plays a flow against canned answers, natively. A canned answer seals what the host would
//! seal, so that a flow which reads a token fails its test and not its first day in production.

mod canned;

/// What a flow sees of it.
mod sealing;

pub use self::canned::Canned;

use crate::answer::Answer;
use crate::bindings::exports::keepfresh::provider::provider::{Access, Descriptor};
use crate::bindings::keepfresh::provider::types::Failure;
use crate::flow::{Context, Current, Flow, Provider, Settings, Step};
use crate::request::Request;
use crate::tokens::{Source, Tokens};

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

/// Plays a flow of tokens: besides [`play`], the tokens must be where the flow says.
pub fn play_tokens<P: Provider>(flow: Flow<Tokens>, answers: &[Canned]) -> Played<Tokens> {
    let mut played = play::<P, _>(flow, answers);
    let last = played.requests.len().checked_sub(1).and_then(|index| answers.get(index));
    played.result = played.result.and_then(|tokens| check(tokens, last));
    played
}

/// Plays a flow of the plugin `P`, which sees of the answers what its descriptor declares to read. A
/// flow that asks for more answers than there are ends `in-doubt`, as it does when the provider stays
/// silent.
pub fn play<P: Provider, T>(mut flow: Flow<T>, answers: &[Canned]) -> Played<T> {
    let (descriptor, mut requests) = (P::describe(), Vec::new());
    let result = loop {
        match flow {
            Err(failure) => break Err(failure),
            Ok(Step::Done(result)) => break Ok(result),
            Ok(Step::Send(exchange)) => {
                let answer = answers.get(requests.len()).cloned();
                requests.push(exchange.request);
                let silent = || Failure::InDoubt("no answer".to_owned());
                let seen = answer.map(|it| it.seen_by(&descriptor)).ok_or_else(silent);
                flow = seen.and_then(|answer| (exchange.read)(&answer));
            }
        }
    };
    Played { requests, result }
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
            return Err(Failure::Unexpected(format!("the answer has no token at {source:?}")));
        }
    }
    Ok(tokens)
}

/// The first request that the descriptor does not declare, or that carries a secret which it does not
/// declare there. URL templates and access patterns are written alike, so they are compared as text.
pub fn undeclared<'r>(descriptor: &Descriptor, requests: &'r [Request]) -> Option<&'r Request> {
    let declared = |request: &&Request| {
        let method = format!("{:?}", request.method).rsplit("::").next().map(str::to_uppercase);
        let line = format!("{} {}", method.unwrap_or_default(), request.url);
        let carried = request.carried();
        descriptor.access.iter().any(|access| {
            let fits = match access.request.strip_suffix('*') {
                Some(start) => line.starts_with(start),
                None => line == access.request,
            };
            fits && carried.iter().all(|name| access.carries.contains(name))
        })
    };
    requests.iter().find(|request| !declared(request))
}

/// The same for a flow whose addresses come from settings or from an answer: both sides are filled
/// with the settings first, and a pattern of a setting that is not there allows nothing.
pub fn undeclared_with<'r>(
    descriptor: &Descriptor,
    settings: &Settings,
    requests: &'r [Request],
) -> Option<&'r Request> {
    let access = descriptor.access.iter().filter_map(|access| {
        Some(Access { request: settings.fill(&access.request).ok()?, ..access.clone() })
    });
    let filled = Descriptor { access: access.collect(), ..descriptor.clone() };
    requests.iter().find(|request| {
        let url = settings.fill(&request.url).unwrap_or_else(|_| request.url.clone());
        undeclared(&filled, &[Request { url, ..(*request).clone() }]).is_some()
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::keepfresh::provider::provider::Field;
    use crate::bindings::keepfresh::provider::secrets::Encoding;
    use crate::request::{basic, bearer, compose, secret, text};

    #[test]
    fn an_undeclared_request_is_found() {
        let descriptor = Descriptor::new("x", "1.0.0", "X").access("GET {base_url}/a/*", &["key"]);
        let sent = [Request::get("{base_url}/a/b"), Request::post("{base_url}/a/b")];
        assert_eq!(undeclared(&descriptor, &sent[..1]), None);
        assert_eq!(undeclared(&descriptor, &sent), Some(&sent[1]));
    }

    #[test]
    fn a_secret_that_goes_where_nobody_declared_it_is_found() {
        let descriptor = Descriptor::new("x", "1.0.0", "X").access("GET {base_url}/a", &["key"]);
        let with = |value| [Request::get("{base_url}/a").header("A", value)];
        assert_eq!(undeclared(&descriptor, &with(basic(text("u"), secret("key")))), None);
        for value in [bearer(), compose([secret("key"), secret("pin")], Encoding::Plain)] {
            assert!(undeclared(&descriptor, &with(value)).is_some());
        }
    }

    #[test]
    fn an_address_from_an_answer_is_compared_with_the_filled_pattern() {
        let descriptor = Descriptor::new("x", "1.0.0", "X")
            .access("GET {issuer.origin}/*", &[])
            .access("GET {other}/*", &[])
            .setting(Field::optional("issuer", "Issuer", "").or("https://a.example/realm"));
        let settings = Settings::new(&descriptor, Vec::new());
        let sent = [Request::get("https://a.example/token"), Request::get("https://b.example/x")];
        assert_eq!(undeclared_with(&descriptor, &settings, &sent), Some(&sent[1]));
    }
}
