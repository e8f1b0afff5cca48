//! Tokens: handed out, replaced when a provider has refused one, stored and deleted by hand.

use std::sync::LazyLock;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::caller::{Caller, Peer};
use crate::api::idempotency::Secret;
use crate::api::problem::Problem;
use crate::api::reading::{Body, Id, Params, id};
use crate::api::{Api, connections, guard};
use crate::model::api_key::Scope;
use crate::model::id::ConnectionId;
use crate::operator::{Command, Reply};
use crate::refresher::{Served, Short};
use crate::telemetry::metrics::{self, Took};

/// A token for a caller.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(super) struct Shown<'a> {
    /// What to present.
    token: &'a str,
    /// How: `Bearer`, `Basic`.
    #[schema(example = "Bearer")]
    token_type: &'a str,
    /// When it stops working; null when that is unknown or never.
    expires_at: Option<Timestamp>,
    /// Which one it is; to be named when it is reported as rejected.
    generation: u64,
    /// Set when it does not live as long as was asked for.
    short: Option<Short>,
}

/// What an answer has besides the token, in bytes: room for it is made at once, and not by and by.
const BESIDES: usize = 256;

impl Shown<'_> {
    fn answer(&self) -> Option<Response> {
        let mut body = Vec::with_capacity(self.token.len() + BESIDES);
        serde_json::to_writer(&mut body, self).ok()?;
        let json = HeaderValue::from_static("application/json");
        Some(([(CONTENT_TYPE, json)], body).into_response())
    }
}

/// How long it must live.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Seconds that the token must still live; it is refreshed first when it must be.
    #[serde(default)]
    #[param(example = 300)]
    min_ttl: u64,
}

/// The path of [`get`].
const PATH: &str = "/api/v1/connections/{id}/token";

/// How long it took where it was there at once.
static AT_ONCE: LazyLock<Took> = LazyLock::new(|| metrics::took("GET", PATH, 200));

/// What stands in it before the name of a connection, and after it.
const AROUND: (&str, &str) = ("/api/v1/connections/", "/token");

/// The answer to `request` if it asks for a token that is in memory, as most do: no router, no task and no wait is
/// needed for that (decision 0058). `None` says nothing else: the router has the answer then.
pub(super) fn at_once<B>(api: &Api, peer: Peer, request: &Request<B>) -> Option<Response> {
    let id = asked_for(request)?;
    let min_ttl = min_ttl_of(request.uri())?;
    guard::at_once(api, peer, request, &AT_ONCE, || {
        let caller = Caller::known(api, peer, request.headers())?;
        let may = caller.may(Scope::TokenRead).is_ok() && caller.reaches_by_name(&id) == Some(true);
        let min_ttl = Duration::from_secs(min_ttl);
        let served = may.then(|| api.operator().token_at_once(&caller.actor, &id, min_ttl))??;
        let Served { token, token_type, expires_at, generation, short } = served;
        let (token, token_type) = (token.expose_secret(), &*token_type);
        Shown { token, token_type, expires_at, generation, short }.answer()
    })
}

/// Whose token `request` asks for, if it asks for one by a path that need not be decoded.
fn asked_for<B>(request: &Request<B>) -> Option<ConnectionId> {
    let (before, after) = AROUND;
    let name = request.uri().path().strip_prefix(before)?.strip_suffix(after)?;
    let is_plain = request.method() == Method::GET && !name.contains(['/', '%']);
    is_plain.then(|| id(name).ok()).flatten()
}

/// How long it must live, if `uri` says that and nothing else, or nothing.
fn min_ttl_of(uri: &Uri) -> Option<u64> {
    let Some(query) = uri.query() else { return Some(0) };
    let digits = query.strip_prefix("min_ttl=")?;
    digits.bytes().all(|it| it.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// A token that lives for `min_ttl` seconds
///
/// It is refreshed first when it must be; callers of one connection share one refresh.
#[utoipa::path(get, path = "/api/v1/connections/{id}/token", tag = "tokens", params(("id" = String, Path), Wanted),
    responses((status = 200, body = Shown, description = "A token that works"), Problem))]
pub(super) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Id(id): Id,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Problem> {
    caller.may_with(&api, Scope::TokenRead, &id).await?;
    let command = Command::TokenGet { id, min_ttl_s: wanted.min_ttl };
    served(api.ask(&caller.actor, command).await?)
}

/// What was refused.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rejected {
    /// The generation of the token that the provider refused; the current one when not given.
    generation: Option<u64>,
}

/// The provider has refused a token: another one
///
/// One refresh for all who report the same generation; whoever comes later gets what the first one got.
#[utoipa::path(post, path = "/api/v1/connections/{id}/rejected", tag = "tokens", params(("id" = String, Path)), request_body = Rejected,
    responses((status = 200, body = Shown, description = "Another token"), Problem))]
pub(super) async fn rejected(
    State(api): State<Api>,
    caller: Caller,
    Id(id): Id,
    Body(said): Body<Rejected>,
) -> Result<Response, Problem> {
    caller.may_with(&api, Scope::TokenRead, &id).await?;
    let command = Command::TokenRejected { id, generation: said.generation };
    let mut answer = served(api.ask(&caller.actor, command).await?)?;
    answer.extensions_mut().insert(Secret);
    Ok(answer)
}

fn served(reply: Reply) -> Result<Response, Problem> {
    let Reply::Token { token, token_type, expires_at, generation, short } = reply else {
        return Err(connections::unexpected());
    };
    let token = token.0.expose_secret();
    let shown = Shown { token, token_type: &token_type, expires_at, generation, short };
    shown.answer().ok_or_else(connections::unexpected)
}

/// What became of the token.
#[derive(Serialize, ToSchema)]
pub(super) struct Stored {
    /// The number of the new generation.
    generation: u64,
}

/// Stores a token by hand
///
/// The body is the JSON of a token endpoint: `access_token`, and what else came with it.
#[utoipa::path(put, path = "/api/v1/connections/{id}/token", tag = "tokens", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Stored, description = "It is stored"), Problem))]
pub(super) async fn set(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id,
    Body(said): Body<Value>,
) -> Result<Json<Stored>, Problem> {
    connections::may_change(&api, &caller, &headers, &id).await?;
    let command = Command::TokenSet { id, text: said.to_string().into() };
    match api.ask(&caller.actor, command).await? {
        Reply::Stored { generation, .. } => Ok(Json(Stored { generation })),
        _ => Err(connections::unexpected()),
    }
}

/// Deletes the tokens here; the grant at the provider stays
#[utoipa::path(delete, path = "/api/v1/connections/{id}/token", tag = "tokens", params(("id" = String, Path)),
    responses((status = 204, description = "They are deleted"), Problem))]
pub(super) async fn clear(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    cleared(&api, &caller, &headers, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the tokens of `id`.
pub(super) async fn cleared(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    id: ConnectionId,
) -> Result<(), Problem> {
    connections::may_change(api, caller, headers, &id).await?;
    api.ask(&caller.actor, Command::TokenClear { id }).await?;
    Ok(())
}
