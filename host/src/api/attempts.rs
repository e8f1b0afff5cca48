//! Attempts, and how they went.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::caller::{Caller, unknown};
use crate::api::connections::{page, unexpected};
use crate::api::problem::Problem;
use crate::api::reading::{Params, id};
use crate::api::{Api, version};
use crate::model::api_key::Scope;
use crate::model::attempt::{Attempt, Outcome};
use crate::model::code;
use crate::operator::attempt::AttemptDetails;
use crate::operator::reply::StatsView;
use crate::operator::{Command, LogQuery, Page, Reply};

/// The period that statistics count when nobody says which.
const USUAL_PERIOD: u64 = 86_400;

/// Which attempts, and which part of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those of this provider.
    provider: Option<String>,
    /// Only those of this connection: `PROVIDER` or `PROVIDER~NAME`.
    connection: Option<String>,
    /// Only those that ended so.
    outcome: Option<Outcome>,
    /// Only those of the last so much time: `24h`.
    since: Option<String>,
    /// What the page before this one named as `next`.
    after: Option<String>,
    /// The largest number of rows.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Some attempts.
#[derive(Serialize, ToSchema)]
pub(super) struct Attempts {
    attempts: Vec<Attempt>,
    /// What the next page begins after; null on the last one.
    next: Option<String>,
}

/// Attempts, newest first
#[utoipa::path(get, path = "/api/v1/attempts", tag = "log", params(Wanted),
    responses((status = 200, body = Attempts, description = "A page"), (status = 304, description = "The same as `If-None-Match`"), Problem))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Problem> {
    caller.may(Scope::ConnectionRead)?;
    let page = page(wanted.after, wanted.limit)?;
    let connection = wanted.connection.as_deref().map(id).transpose()?;
    if let Some(id) = &connection
        && !caller.reaches(&api, id).await?
    {
        return Err(unknown(id));
    }
    let (is_first, provider) = (page.after.is_none(), wanted.provider.clone());
    let query = LogQuery {
        provider: wanted.provider,
        connection,
        outcome: wanted.outcome,
        since_s: wanted.since.as_deref().map(seconds).transpose()?,
        limit: page.limit.unwrap_or_default(),
        page: Some(page),
    };
    let reply = api.ask(&caller.actor, Command::Log(query)).await;
    let Reply::AttemptPage(Page { rows, next, .. }) = reply.map_err(|it| caller.told(it))? else {
        return Err(unexpected());
    };
    let mut attempts = Vec::with_capacity(rows.len());
    for attempt in rows {
        if caller.reaches(&api, &attempt.connection).await? {
            attempts.push(attempt);
        }
    }
    if is_first && next.is_none() {
        caller.has_seen(provider.as_deref(), attempts.len())?;
    }
    Ok(version::versioned(&headers, &Attempts { attempts, next }))
}

/// One attempt
#[utoipa::path(get, path = "/api/v1/attempts/{attempt}", tag = "log", params(("attempt" = String, Path)),
    responses((status = 200, body = AttemptDetails, description = "The attempt"), (status = 304, description = "The same as `If-None-Match`"), Problem))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    caller.may(Scope::ConnectionRead)?;
    let unknown = || Problem::new(code::Http::NotFound, "there is no such attempt");
    let Path(attempt) =
        path.map_err(|_| Problem::new(code::Http::PathInvalid, "the path is not UTF-8"))?;
    let attempt = attempt.parse().map_err(|_| unknown())?;
    let found = api.operator().recorded(attempt).await?.ok_or_else(unknown)?;
    if caller.reaches(&api, &found.attempt.connection).await? {
        Ok(version::versioned(&headers, &found))
    } else {
        Err(unknown())
    }
}

/// Whose, and which period.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Period {
    /// Of this provider alone.
    provider: Option<String>,
    /// The period that ends now: `24h`, `168h`.
    since: Option<String>,
}

/// How refreshes went
#[utoipa::path(get, path = "/api/v1/stats", tag = "log", params(Period),
    responses((status = 200, body = StatsView, description = "Counts, durations and causes"), Problem))]
pub(super) async fn stats(
    State(api): State<Api>,
    caller: Caller,
    Params(period): Params<Period>,
) -> Result<Json<StatsView>, Problem> {
    caller.may(Scope::ConnectionRead)?;
    let is_seen = match &period.provider {
        Some(provider) => caller.reaches_all_of(provider),
        None => !caller.is_bound(),
    };
    if !is_seen {
        let detail =
            "this key is bound; it may see the statistics of a provider that it reaches all of";
        return Err(Problem::new(code::Auth::Scope, detail));
    }
    let since_s = period.since.as_deref().map_or(Ok(USUAL_PERIOD), seconds)?;
    match api.ask(&caller.actor, Command::Stats { provider: period.provider, since_s }).await? {
        Reply::Stats(stats) => Ok(Json(stats)),
        _ => Err(unexpected()),
    }
}

/// `24h` and the like, up to a hundred years.
pub(super) fn seconds(text: &str) -> Result<u64, Problem> {
    let days = text.strip_suffix('d').and_then(|it| it.parse::<u64>().ok());
    let parsed = || u64::try_from(text.parse::<SignedDuration>().ok()?.as_secs()).ok();
    let seconds = days.map(|it| it.saturating_mul(86_400)).or_else(parsed);
    let fits = |it: &u64| *it <= 36_500 * 86_400;
    seconds.filter(fits).ok_or_else(|| {
        Problem::new(code::Http::QueryInvalid, "since is a length of time: 24h, 30d")
    })
}
