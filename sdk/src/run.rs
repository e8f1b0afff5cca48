//! Runs a flow inside a component: finds the secrets that a request names, sends it, hands the
//! answer to the flow, and takes the tokens from where the flow says they are.

use crate::bindings::keepfresh::provider::http::{self, Response};
use crate::bindings::keepfresh::provider::secrets::{Encoding, Part, Secret};
use crate::bindings::keepfresh::provider::types::{Failure, TokenSet};
use crate::flow::{Flow, Step};
use crate::request::{Body, Place, Request, SignedJwt, Value};
use crate::settings::Settings;
use crate::tokens::{Source, Tokens};

/// The secrets that a flow may name.
pub(crate) struct Keyring {
    pub(crate) connection: Vec<(String, Secret)>,
    pub(crate) current: Option<TokenSet>,
    pub(crate) kept: Vec<(String, Secret)>,
}

/// Runs a flow to its end; also gives the last answer, which the result may point into.
pub(crate) fn run<T>(
    mut flow: Flow<T>,
    settings: &Settings,
    keyring: &mut Keyring,
) -> Result<(T, Option<Response>), Failure> {
    let mut last = None;
    loop {
        match flow? {
            Step::Done(result) => return Ok((result, last)),
            Step::Send(exchange) => {
                let answer = send(&exchange.request, settings, keyring)?;
                for (name, pointer) in exchange.keep {
                    keyring.kept.extend(answer.secret(&pointer).map(|secret| (name, secret)));
                }
                flow = (exchange.read)(&answer);
                last = Some(answer);
            }
        }
    }
}

/// Takes the secrets of a token set from where the flow found them.
pub(crate) fn collect(
    tokens: Tokens,
    last: Option<&Response>,
    keyring: &Keyring,
) -> Result<TokenSet, Failure> {
    let take = |source: Source| take(source, last, keyring);
    let extra = tokens.extra.into_iter().map(|(name, source)| Ok((name, take(source)?)));
    Ok(TokenSet {
        access_token: take(tokens.access_token)?,
        token_type: tokens.token_type,
        expires_at: tokens.expires_at,
        refresh_token: tokens.refresh_token.map(take).transpose()?,
        refresh_expires_at: tokens.refresh_expires_at,
        scopes: tokens.scopes,
        extra: extra.collect::<Result<_, Failure>>()?,
        metadata: tokens.metadata,
    })
}

/// Takes one secret from where a flow found it.
pub(crate) fn take(
    source: Source,
    last: Option<&Response>,
    keyring: &Keyring,
) -> Result<Secret, Failure> {
    let (found, place) = match source {
        Source::Given(value) => return keyring.own(&value),
        Source::At(pointer) => (last.and_then(|answer| answer.secret(&pointer)), pointer),
        Source::Header(name) => (last.and_then(|answer| answer.secret_header(&name)), name),
    };
    found.ok_or_else(|| Failure::unexpected(format!("the answer has no token at `{place}`")))
}

fn send(request: &Request, settings: &Settings, keyring: &Keyring) -> Result<Response, Failure> {
    let url = settings.fill(&request.url)?;
    let query = keyring.resolve(&request.query)?;
    let headers = keyring.resolve(&request.headers)?;
    let body = keyring.resolve(match &request.body {
        Body::Empty => &[],
        Body::Json(fields) | Body::Form(fields) | Body::Multipart(fields) => fields,
    })?;
    let fields = fields(&body);
    let body = match request.body {
        Body::Empty => http::Body::Empty,
        Body::Json(_) => http::Body::Json(fields),
        Body::Form(_) => http::Body::Form(fields),
        Body::Multipart(_) => http::Body::Multipart(fields),
    };
    let (query, headers) = (self::fields(&query), self::fields(&headers));
    http::send(&http::Request { method: request.method, url, query, headers, body })
        .map_err(no_answer)
}

/// Why there is no answer, as the host wants to hear it. An unreadable answer counts as doubt:
/// the provider acted, and what it did cannot be read.
fn no_answer(failure: http::Failure) -> Failure {
    match failure {
        http::Failure::Denied(text) => Failure::Misconfigured(text),
        http::Failure::NotSent(text) => Failure::Unavailable(text),
        http::Failure::InDoubt(text) | http::Failure::Unreadable(text) => Failure::InDoubt(text),
        http::Failure::Other(text) => Failure::Other(text),
    }
}

/// A value whose secrets are found. Composed secrets are new handles, so they are owned here
/// while the request borrows them.
enum Found<'k> {
    Text(&'k str),
    Json(&'k str),
    Held(&'k Secret),
    Made(Secret),
}

type Named<'k> = (&'k str, Found<'k>);

fn fields<'f>(found: &'f [Named<'_>]) -> Vec<http::Field<'f>> {
    let field = |(name, found): &'f Named<'_>| {
        let value = match found {
            Found::Text(text) => http::Value::Text((*text).to_owned()),
            Found::Json(json) => http::Value::Json((*json).to_owned()),
            Found::Held(secret) => http::Value::Secret(secret),
            Found::Made(secret) => http::Value::Secret(secret),
        };
        http::Field { name: (*name).to_owned(), value }
    };
    found.iter().map(field).collect()
}

impl Keyring {
    fn resolve<'k>(&'k self, fields: &'k [(String, Value)]) -> Result<Vec<Named<'k>>, Failure> {
        fields.iter().map(|(name, value)| Ok((name.as_str(), self.value(value)?))).collect()
    }

    fn value<'k>(&'k self, value: &'k Value) -> Result<Found<'k>, Failure> {
        Ok(match value {
            Value::Text(text) => Found::Text(text),
            Value::Json(json) => Found::Json(json),
            Value::Secret(place) => Found::Held(self.find(place)?),
            Value::Compose(..) => Found::Made(self.own(value)?),
            Value::SignedJwt(jwt) => Found::Made(self.sign(jwt)?),
        })
    }

    fn sign(&self, jwt: &SignedJwt) -> Result<Secret, Failure> {
        let key = self.own(&jwt.key)?;
        key.sign_jwt(jwt.algorithm, &jwt.header, &jwt.claims).map_err(Failure::Misconfigured)
    }

    /// A handle of its own for a value; the contract copies one by composing a single part.
    fn own(&self, value: &Value) -> Result<Secret, Failure> {
        let (values, encoding) = match value {
            Value::Compose(values, encoding) => (values.as_slice(), *encoding),
            single => (std::slice::from_ref(single), Encoding::Plain),
        };
        let found = values.iter().map(|value| self.value(value)).collect::<Result<Vec<_>, _>>()?;
        let parts: Vec<_> = found.iter().map(part).collect();
        Ok(Secret::compose(&parts, encoding))
    }

    fn find(&self, place: &Place) -> Result<&Secret, Failure> {
        let current = self.current.as_ref();
        let found = match place {
            Place::Connection(name) => named(&self.connection, name),
            Place::AccessToken => current.map(|tokens| &tokens.access_token),
            Place::RefreshToken => current.and_then(|tokens| tokens.refresh_token.as_ref()),
            Place::Extra(name) => current.and_then(|tokens| named(&tokens.extra, name)),
            Place::Kept(name) => named(&self.kept, name),
        };
        found.ok_or_else(|| missing(place))
    }
}

fn part<'f>(found: &'f Found<'_>) -> Part<'f> {
    match found {
        Found::Text(text) | Found::Json(text) => Part::Text((*text).to_owned()),
        Found::Held(secret) => Part::Secret(secret),
        Found::Made(secret) => Part::Secret(secret),
    }
}

fn named<'k>(secrets: &'k [(String, Secret)], name: &str) -> Option<&'k Secret> {
    secrets.iter().find(|(key, _)| key == name).map(|(_, secret)| secret)
}

/// The failure when a request names a secret that is not there.
pub(crate) fn missing(place: &Place) -> Failure {
    match place {
        Place::Connection(name) => {
            Failure::misconfigured(format!("the connection has no secret `{name}`; add it"))
        }
        Place::AccessToken => Failure::grant_expired("there is no access token yet"),
        Place::RefreshToken => Failure::grant_expired("there is no refresh token"),
        Place::Extra(name) => Failure::grant_expired(format!("the token set has no `{name}`")),
        Place::Kept(name) => Failure::unexpected(format!("an earlier answer had no `{name}`")),
    }
}
