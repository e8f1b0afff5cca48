//! Connections: listed, looked at, added, paused, resumed, disconnected and removed.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::problem::Problem;
use crate::api::reading::{Body, Id, Params};
use crate::api::version;
use crate::model::api_key::Scope;
use crate::model::clock;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::import_file::{self, Format, Row, Rules};
use crate::operator::view::{ConnectionView, Details};
use crate::operator::{Command, Page, PageQuery, Reply, Selection};

/// Rows of a page when nobody says how many.
const USUAL: u32 = 100;

/// Rows of a page at most.
const MOST: u32 = 500;

/// Which connections, and which part of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those of this provider.
    provider: Option<String>,
    /// Only those with this label.
    label: Option<String>,
    /// Only those whose last attempt failed.
    #[serde(default)]
    failed: bool,
    /// What the page before this one named as `next`.
    after: Option<String>,
    /// The largest number of rows.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Some connections.
#[derive(Serialize, ToSchema)]
pub(super) struct Connections {
    connections: Vec<ConnectionView>,
    /// What the next page begins after; null on the last one.
    next: Option<String>,
}

/// Connections, in the order of their ids
///
/// A key that is bound sees those it reaches.
#[utoipa::path(get, path = "/api/v1/connections", tag = "connections", params(Wanted),
    responses((status = 200, body = Connections, description = "A page"), (status = 304, description = "The same as `If-None-Match`"), Problem))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Problem> {
    caller.may(Scope::ConnectionRead)?;
    let page = page(wanted.after, wanted.limit)?;
    let (provider, label, failed) = (wanted.provider, wanted.label, wanted.failed);
    let selection = Selection { provider, failed, label, ..Selection::default() };
    let (is_first, provider) = (page.after.is_none(), selection.provider.clone());
    let (connections, next) = reached(&api, &caller, selection, page).await?;
    if is_first {
        caller.has_seen(provider.as_deref(), connections.len())?;
    }
    Ok(version::versioned(&headers, &Connections { connections, next }))
}

/// A page of those that the caller reaches, and what the next one begins after: never the name of another.
async fn reached(
    api: &Api,
    caller: &Caller,
    selection: Selection,
    PageQuery { mut after, limit }: PageQuery,
) -> Result<(Vec<ConnectionView>, Option<String>), Problem> {
    let wanted = usize::try_from(limit.unwrap_or(USUAL)).unwrap_or(usize::MAX);
    let mut all: Vec<ConnectionView> = Vec::new();
    loop {
        let (selection, page) = (selection.clone(), Some(PageQuery { after, limit }));
        let reply = api.ask(&caller.actor, Command::Connections { selection, page }).await;
        let Reply::ConnectionPage(Page { rows, next, .. }) = reply.map_err(|it| caller.told(it))?
        else {
            return Err(unexpected());
        };
        if !caller.is_bound() {
            return Ok((rows, next));
        }
        all.extend(rows.into_iter().filter(|it| {
            let id = ConnectionId::new(&it.provider, &it.name);
            id.is_ok_and(|id| caller.reaches_known(&id, &it.labels))
        }));
        if all.len() > wanted || next.is_none() {
            let more = all.len() > wanted;
            all.truncate(wanted);
            let last = all.last().filter(|_| more).map(|it| format!("{}/{}", it.provider, it.name));
            return Ok((all, last));
        }
        after = next;
    }
}

/// A page as a query asks for it.
pub(super) fn page(after: Option<String>, limit: Option<u32>) -> Result<PageQuery, Problem> {
    match limit {
        Some(limit) if !(1..=MOST).contains(&limit) => {
            let detail = format!("limit must be 1 to {MOST}");
            Err(Problem::new(code::Http::QueryInvalid, detail))
        }
        _ => Ok(PageQuery { after, limit: Some(limit.unwrap_or(USUAL)) }),
    }
}

/// A connection with all but its secrets
#[utoipa::path(get, path = "/api/v1/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = Details, description = "The connection"), (status = 304, description = "The same as `If-None-Match`"), Problem))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    caller.may_with(&api, Scope::ConnectionRead, &id).await?;
    Ok(version::versioned(&headers, &details(&api, &caller, id).await?))
}

pub(super) async fn details(
    api: &Api,
    caller: &Caller,
    id: ConnectionId,
) -> Result<Box<Details>, Problem> {
    match api.ask(&caller.actor, Command::Show { id }).await? {
        Reply::Connection(details) => Ok(details),
        _ => Err(unexpected()),
    }
}

/// Fails unless the caller may change `id` and has seen it as it is.
pub(super) async fn may_change(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    id: &ConnectionId,
) -> Result<(), Problem> {
    caller.may_with(api, Scope::ConnectionWrite, id).await?;
    if version::is_conditional(headers) {
        version::unchanged(headers, &details(api, caller, id.clone()).await?)?;
    }
    Ok(())
}

/// A connection to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    /// The provider's name in the manifest.
    provider: String,
    /// The connection's name.
    name: String,
    /// Settings of its own; only those that the plugin lets anybody set.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// Secrets of its own, sealed and never shown again.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    /// Words to find it by.
    #[serde(default)]
    labels: Vec<String>,
    /// Tokens that it has already: the JSON of a token endpoint.
    #[schema(value_type = Option<Object>)]
    token: Option<Map<String, Value>>,
}

/// Adds a connection
#[utoipa::path(post, path = "/api/v1/connections", tag = "connections", request_body = New,
    responses((status = 201, body = Details, description = "It is there"), Problem))]
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<New>,
) -> Result<Response, Problem> {
    caller.may(Scope::ConnectionWrite)?;
    let invalid = |it: String| Problem::new(code::Http::BodyInvalid, it);
    let id = ConnectionId::new(&new.provider, &new.name).map_err(|it| invalid(it.to_string()))?;
    if !caller.reaches_known(&id, &new.labels) {
        return Err(Problem::new(code::Auth::Scope, "this key is bound to other connections"));
    }
    if api.operator().labels(&id).await?.is_some() {
        let message = format!("there is already a connection {id}");
        return Err(Failure::new(Case::Misconfigured, code::Connection::Exists, message).into());
    }
    let provider = new.provider.clone();
    let rows = vec![row(new, api.operator().now()).map_err(invalid)?];
    let enrol = Command::Enrol { provider, rows, replace: false, dry_run: false };
    if let Reply::Enrolled(enrolled) = api.ask(&caller.actor, enrol).await?
        && let Some(refused) = enrolled.refused.first()
    {
        return Err(invalid(refused.message.clone()));
    }
    let location = format!("/api/v1/connections/{}~{}", id.provider(), id.name());
    let details = details(&api, &caller, id).await?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(details)).into_response())
}

/// As an import reads it: one reader for what people bring.
fn row(new: New, now: Timestamp) -> Result<Row, String> {
    let mut members = with_ends(new.token.unwrap_or_default(), now)?;
    members.insert("name".to_owned(), new.name.into());
    members.insert("labels".to_owned(), new.labels.into());
    members.insert("settings".to_owned(), serde_json::json!(new.settings));
    members.insert("secrets".to_owned(), serde_json::json!(new.secrets));
    let file = serde_json::to_vec(&[members]).map_err(|it| it.to_string())?;
    let mut rows = Vec::new();
    let rules = Rules { format: Some(Format::Json), ..Rules::default() };
    let reading = import_file::read(&file, "", &rules, |row| rows.push(row));
    let wrong = reading.trouble.into_iter().map(|it| it.message);
    let wrong = reading.faults.into_iter().chain(wrong).collect::<Vec<_>>();
    rows.pop().filter(|_| wrong.is_empty()).ok_or_else(|| wrong.join("; "))
}

/// A token endpoint says how long its tokens live from now, and an import when they end.
fn with_ends(mut token: Map<String, Value>, now: Timestamp) -> Result<Map<String, Value>, String> {
    const ENDS: [(&str, &str); 3] = [
        ("expires_in", "expires_at"),
        ("refresh_expires_in", "refresh_expires_at"),
        ("refresh_token_expires_in", "refresh_expires_at"),
    ];
    for (within, at) in ENDS {
        let Some(length) = token.remove(within) else { continue };
        let text = length.as_str().map_or_else(|| length.to_string(), str::to_owned);
        let end = times::after(&text, clock::seconds(now)).value().and_then(clock::at);
        let end = end.ok_or_else(|| format!("{within} is not a length of time; write 3600"))?;
        token.entry(at).or_insert_with(|| end.to_string().into());
    }
    Ok(token)
}

/// For how long.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Pausing {
    /// Seconds; until it is resumed when not given.
    seconds: Option<u64>,
    /// Why, for the others.
    reason: Option<String>,
}

/// Stops refreshing a connection for a while
#[utoipa::path(post, path = "/api/v1/connections/{id}/pause", tag = "connections", params(("id" = String, Path)), request_body = Pausing,
    responses((status = 200, body = Details, description = "It is paused"), Problem))]
pub(super) async fn pause(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id,
    Body(pausing): Body<Pausing>,
) -> Result<Json<Box<Details>>, Problem> {
    let Pausing { seconds: for_s, reason } = pausing;
    let command = Command::Pause { id: id.clone(), for_s, reason };
    changed(&api, &caller, &headers, id, command).await
}

/// Resumes refreshing
#[utoipa::path(post, path = "/api/v1/connections/{id}/resume", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = Details, description = "It is refreshed again"), Problem))]
pub(super) async fn resume(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Json<Box<Details>>, Problem> {
    let command = Command::Resume { id: id.clone() };
    changed(&api, &caller, &headers, id, command).await
}

/// Does it, and shows the connection as it is then.
async fn changed(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    id: ConnectionId,
    command: Command,
) -> Result<Json<Box<Details>>, Problem> {
    may_change(api, caller, headers, &id).await?;
    api.ask(&caller.actor, command).await?;
    details(api, caller, id).await.map(Json)
}

/// How to end it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Disconnecting {
    /// Deletes the tokens even if the provider does not answer.
    force: bool,
}

/// What became of a grant.
#[derive(Serialize, ToSchema)]
pub(super) struct Disconnected {
    /// Whether the provider has ended it.
    revoked: bool,
    /// Whether the connection is gone; one of the manifest stays, without a token.
    removed: bool,
}

/// Ends the grant at the provider, then deletes the tokens here
#[utoipa::path(post, path = "/api/v1/connections/{id}/disconnect", tag = "connections", params(("id" = String, Path)), request_body = Disconnecting,
    responses((status = 200, body = Disconnected, description = "It is ended"), Problem))]
pub(super) async fn disconnect(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id,
    Body(said): Body<Disconnecting>,
) -> Result<Json<Disconnected>, Problem> {
    may_change(&api, &caller, &headers, &id).await?;
    match api.ask(&caller.actor, Command::Disconnect { id, force: said.force }).await? {
        Reply::Disconnected { revoked, removed, .. } => Ok(Json(Disconnected { revoked, removed })),
        _ => Err(unexpected()),
    }
}

/// Deletes an added connection here; its grant at the provider stays
#[utoipa::path(delete, path = "/api/v1/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 204, description = "It is gone"), Problem))]
pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    may_change(&api, &caller, &headers, &id).await?;
    api.ask(&caller.actor, Command::Remove { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A reply of another kind than the command has: a mistake here.
pub(super) fn unexpected() -> Problem {
    let message = "the daemon gave another reply than was asked for; report this";
    Failure::new(Case::HostFault, code::Internal::Panic, message).into()
}
