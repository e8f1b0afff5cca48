//! The three routes of a service that has a single token: its health, a refresh, and deleting it. Where there
//! are several connections, `?connection=` names one.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::caller::Caller;
use crate::api::connections::{details, unexpected};
use crate::api::problem::Problem;
use crate::api::reading::{Params, id};
use crate::api::{Api, refreshes, tokens};
use crate::model::api_key::Scope;
use crate::model::attempt::Attempt;
use crate::model::clock::Clock;
use crate::model::code;
use crate::model::id::ConnectionId;
use crate::model::state::State as ConnectionState;
use crate::operator::view::Details;
use crate::operator::{Command, Page, PageQuery, Reply, Selection};

/// Which connection.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `PROVIDER` or `PROVIDER~NAME`; not needed where there is only one.
    connection: Option<String>,
}

/// How a token is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Whose.
    connection: String,
    /// Whether callers can use it.
    valid: bool,
    /// Its state.
    state: ConnectionState,
    /// What that means here and now.
    sentence: String,
    /// When it stops working.
    expires_at: Option<Timestamp>,
    /// Seconds until then; 0 once it is over.
    expires_in: Option<u64>,
    /// When it is refreshed next.
    next_refresh_at: Option<Timestamp>,
    /// The last try.
    last_attempt: Option<Attempt>,
}

/// How the token is
#[utoipa::path(get, path = "/api/token/status", tag = "one token", params(Which),
    responses((status = 200, body = Health, description = "Its health"), Problem))]
pub(super) async fn status(
    State(api): State<Api>,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Json<Health>, Problem> {
    let id = meant(&api, &caller, which, Scope::ConnectionRead).await?;
    details(&api, &caller, id).await.map(|it| Json(health(*it)))
}

/// Refreshes the token now, and says how it is then
#[utoipa::path(post, path = "/api/token/refresh", tag = "one token", params(Which),
    responses((status = 200, body = Health, description = "Its health; `last_attempt` says how the refresh went"), Problem))]
pub(super) async fn refresh(
    State(api): State<Api>,
    caller: Caller,
    Params(which): Params<Which>,
) -> Result<Json<Health>, Problem> {
    let id = meant(&api, &caller, which, Scope::ConnectionWrite).await?;
    refreshes::refreshed(&api, &caller, id.clone(), true).await?;
    details(&api, &caller, id).await.map(|it| Json(health(*it)))
}

/// What was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Cleared {
    /// Always true.
    success: bool,
    /// Whose token was deleted.
    connection: String,
}

/// Deletes the token here
#[utoipa::path(delete, path = "/api/token", tag = "one token", params(Which),
    responses((status = 200, body = Cleared, description = "It is deleted"), Problem))]
pub(super) async fn clear(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Params(which): Params<Which>,
) -> Result<Json<Cleared>, Problem> {
    let id = meant(&api, &caller, which, Scope::ConnectionWrite).await?;
    tokens::cleared(&api, &caller, &headers, id.clone()).await?;
    Ok(Json(Cleared { success: true, connection: id.full().to_owned() }))
}

/// The connection that is meant: the one that is named, or the only one that the caller reaches.
async fn meant(
    api: &Api,
    caller: &Caller,
    which: Which,
    scope: Scope,
) -> Result<ConnectionId, Problem> {
    if let Some(name) = which.connection {
        let id = id(&name)?;
        caller.may_with(api, scope, &id).await?;
        return Ok(id);
    }
    caller.may(scope)?;
    let mut after = None;
    let mut found = None;
    loop {
        let page = Some(PageQuery { after, limit: None });
        let all = Command::Connections { selection: Selection::default(), page };
        let Reply::ConnectionPage(Page { rows, next, .. }) = api.ask(&caller.actor, all).await?
        else {
            return Err(unexpected());
        };
        for row in rows {
            let Ok(id) = ConnectionId::new(&row.provider, &row.name) else { continue };
            if caller.reaches_known(&id, &row.labels) && found.replace(id).is_some() {
                return Err(several());
            }
        }
        after = next;
        if after.is_none() {
            return found.ok_or_else(none);
        }
    }
}

fn several() -> Problem {
    let detail = "there are several connections; name one: ?connection=PROVIDER~NAME";
    Problem::new(code::Http::QueryInvalid, detail)
}

fn none() -> Problem {
    Problem::new(code::Connection::Unknown, "there is no connection yet; see: keepfresh check")
}

fn health(details: Details) -> Health {
    let view = details.view;
    let now = Clock::system().now();
    let left = |it: Timestamp| u64::try_from(it.duration_since(now).as_secs()).unwrap_or(0);
    let works = view.expires_at.is_none_or(|it| it > now) && details.issued_at.is_some();
    Health {
        connection: view.id,
        valid: works && is_usable(view.state),
        state: view.state,
        sentence: view.sentence,
        expires_at: view.expires_at,
        expires_in: view.expires_at.map(left),
        next_refresh_at: view.next_refresh_at,
        last_attempt: view.last_attempt,
    }
}

/// Whether callers may use a token that has not expired.
fn is_usable(state: ConnectionState) -> bool {
    use ConnectionState::{Fresh, Late, Paused, Refreshing};
    matches!(state, Fresh | Late | Refreshing | Paused)
}
