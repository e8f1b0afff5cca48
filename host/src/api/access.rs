//! Keys of programs, and who did what: for a key with `admin` alone.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::api::attempts::seconds;
use crate::api::caller::Caller;
use crate::api::connections::{page, unexpected};
use crate::api::idempotency::Secret;
use crate::api::problem::Problem;
use crate::api::reading::{Body, Params};
use crate::model::api_key::{ApiKey, Grant, Scope};
use crate::model::audit::{Action, AuditEntry};
use crate::model::code;
use crate::operator::{AuditQuery, Command, Page, Reply};

/// Fails unless the key is for everything: one that is bound would otherwise make one that is not.
fn administers(caller: &Caller) -> Result<(), Problem> {
    caller.may(Scope::Admin)?;
    if caller.is_bound() {
        return Err(Problem::new(
            code::Auth::Scope,
            "this key is bound; keys are not its business",
        ));
    }
    Ok(())
}

/// Keys.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeys {
    keys: Vec<ApiKey>,
}

/// API keys, without their secrets
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "installation",
    responses((status = 200, body = ApiKeys, description = "All keys, those that were revoked as well"), Problem))]
pub(super) async fn keys(State(api): State<Api>, caller: Caller) -> Result<Json<ApiKeys>, Problem> {
    administers(&caller)?;
    match api.ask(&caller.actor, Command::ApiKeys).await? {
        Reply::ApiKeys(keys) => Ok(Json(ApiKeys { keys })),
        _ => Err(unexpected()),
    }
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// What to call it.
    name: String,
    /// What it allows.
    scopes: BTreeSet<Scope>,
    /// Only connections of these providers.
    #[serde(default)]
    providers: BTreeSet<String>,
    /// Only connections with one of these labels.
    #[serde(default)]
    labels: BTreeSet<String>,
    /// Until when.
    expires_at: Option<Timestamp>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeKey<'a> {
    #[serde(flatten)]
    made: &'a ApiKey,
    /// The key itself; it is shown this once.
    key: &'a str,
}

/// Makes an API key
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "installation", request_body = NewKey,
    responses((status = 201, body = MadeKey, description = "The key, shown once"), Problem))]
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<NewKey>,
) -> Result<Response, Problem> {
    administers(&caller)?;
    let NewKey { name, scopes, providers, labels, expires_at } = new;
    let grant = Grant { scopes, providers, labels, expires_at };
    let Reply::NewKey(new) = api.ask(&caller.actor, Command::ApiKeyCreate { name, grant }).await?
    else {
        return Err(unexpected());
    };
    let body = MadeKey { made: &new.key, key: new.secret.0.expose_secret() };
    let mut answer = (StatusCode::CREATED, Json(body)).into_response();
    answer.extensions_mut().insert(Secret);
    Ok(answer)
}

/// Revokes an API key
#[utoipa::path(delete, path = "/api/v1/api-keys/{key}", tag = "installation", params(("key" = String, Path, description = "Its id or its name")),
    responses((status = 200, body = ApiKey, description = "It is revoked"), Problem))]
pub(super) async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Json<Box<ApiKey>>, Problem> {
    administers(&caller)?;
    let Path(key) =
        path.map_err(|_| Problem::new(code::Http::PathInvalid, "the path is not UTF-8"))?;
    match api.ask(&caller.actor, Command::ApiKeyRevoke { key }).await? {
        Reply::Revoked(key) => Ok(Json(key)),
        _ => Err(unexpected()),
    }
}

/// Which entries, and which part of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those of this actor: `key:ID`, `user:UID` or `account:NAME`.
    actor: Option<String>,
    /// Only this action.
    action: Option<Action>,
    /// Only those of this connection, provider, key, plugin or account.
    subject: Option<String>,
    /// Only those of the last so much time: `24h`.
    since: Option<String>,
    /// What the page before this one named as `next`.
    after: Option<String>,
    /// The largest number of rows.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Some entries of the audit log.
#[derive(Serialize, ToSchema)]
pub(super) struct Entries {
    entries: Vec<AuditEntry>,
    /// What the next page begins after; null on the last one.
    next: Option<String>,
}

/// Who did what, newest first
#[utoipa::path(get, path = "/api/v1/audit", tag = "log", params(Wanted),
    responses((status = 200, body = Entries, description = "A page"), Problem))]
pub(super) async fn audit(
    State(api): State<Api>,
    caller: Caller,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Entries>, Problem> {
    administers(&caller)?;
    let page = page(wanted.after, wanted.limit)?;
    let since_s = wanted.since.as_deref().map(seconds).transpose()?;
    let Wanted { actor, action, subject, .. } = wanted;
    let query = AuditQuery { actor, action, subject, since_s, page };
    match api.ask(&caller.actor, Command::Audit(query)).await? {
        Reply::Audit(Page { rows: entries, next, .. }) => Ok(Json(Entries { entries, next })),
        _ => Err(unexpected()),
    }
}
