//! Tokens: handed out, replaced when a provider has refused one, stored and deleted by hand.

use axum::Json;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::caller::Caller;
use crate::api::idempotency::Secret;
use crate::api::problem::Problem;
use crate::api::reading::{Body, Id, Params, id};
use crate::api::{Api, connections, guard};
use crate::model::api_key::Scope;
use crate::model::id::ConnectionId;
use crate::operator::{Command, Reply};
use crate::refresher::Short;

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

/// What stands in it before the name of a connection, and after it.
const AROUND: (&str, &str) = ("/api/v1/connections/", "/token");

/// Whose token `request` asks for, if it asks for one, by a path that need not be decoded.
pub(super) fn asked_for(request: &Request) -> Option<Result<ConnectionId, Problem>> {
    let (before, after) = AROUND;
    let name = request.uri().path().strip_prefix(before)?.strip_suffix(after)?;
    let is_plain = !name.is_empty() && !name.contains(['/', '%']);
    (is_plain && request.method() == Method::GET).then(|| id(name))
}

/// The same answer as [`get`] has without a router, which would take longer than the answer itself.
pub(super) async fn straight(
    api: Api,
    id: Result<ConnectionId, Problem>,
    request: Request,
) -> Response {
    let answer = |request: Request| async {
        let mut parts = request.into_parts().0;
        let got = async {
            // In the order of the handler, so that a request with two faults is told of the same one.
            let caller = Caller::from_request_parts(&mut parts, &api).await?;
            let id = Id(id?);
            let wanted = Params::from_request_parts(&mut parts, &api).await?;
            get(State(api.clone()), caller, id, wanted).await
        };
        got.await.into_response()
    };
    guard::around(&api, PATH, request, answer).await
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
    let body = Json(Shown { token, token_type: &token_type, expires_at, generation, short });
    Ok(body.into_response())
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
