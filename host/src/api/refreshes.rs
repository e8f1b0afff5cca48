//! Refreshing one connection: asked for at once, and waited for if the caller wants. It goes on in the daemon
//! whether the caller stays or not.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::connections::{may_change, unexpected};
use crate::api::problem::Problem;
use crate::api::reading::{Body, Id, Params};
use crate::model::attempt::Attempt;
use crate::model::code;
use crate::model::id::ConnectionId;
use crate::operator::{Command, Reply, Selection};

/// The longest that a caller may wait.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How long an attempt may take to begin before the caller is told that it will.
const BEGINS_WITHIN: Duration = Duration::from_secs(1);

/// How often it is looked whether it has.
const STEP: Duration = Duration::from_millis(20);

/// Whether to wait.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Waiting {
    /// How long to wait for its end: `30s`, at most `60s`.
    #[param(example = "30s")]
    wait: Option<String>,
}

/// How to refresh.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Refreshing {
    /// Even if the token is still valid.
    force: bool,
}

/// An attempt that was asked for.
#[derive(Serialize, ToSchema)]
pub(super) struct Begun {
    /// The attempt; null while it waits for its turn.
    attempt: Option<Attempt>,
}

/// Refreshes a connection
///
/// Answers 202 with the attempt as soon as it has begun; with `wait`, 200 once it has ended. Who asks while
/// one is running gets that one.
#[utoipa::path(post, path = "/api/v1/connections/{id}/refresh", tag = "connections", params(("id" = String, Path), Waiting), request_body = Refreshing,
    responses((status = 200, body = Begun, description = "It has ended"), (status = 202, body = Begun, description = "It has begun, or waits for its turn"), Problem))]
pub(super) async fn refresh(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Id(id): Id,
    Params(waiting): Params<Waiting>,
    Body(said): Body<Refreshing>,
) -> Result<Response, Problem> {
    let wait = waiting.wait.as_deref().map(time).transpose()?.unwrap_or_default();
    may_change(&api, &caller, &headers, &id).await?;
    let ended = begun(&api, &caller, id.clone(), said.force).await?;
    match tokio::time::timeout(wait, ended).await {
        Ok(Ok(ended)) => Ok(Json(Begun { attempt: Some(ended?) }).into_response()),
        Ok(Err(_)) => Err(unexpected()),
        Err(_) => accepted(&api, &id).await,
    }
}

/// What has begun, with where to look for its end.
async fn accepted(api: &Api, id: &ConnectionId) -> Result<Response, Problem> {
    let attempt = opened(api, id).await?;
    let place = attempt.as_ref().map(|it| format!("/api/v1/attempts/{}", it.id));
    let mut answer = (StatusCode::ACCEPTED, Json(Begun { attempt })).into_response();
    if let Some(place) = place.and_then(|it| HeaderValue::from_str(&it).ok()) {
        answer.headers_mut().insert(LOCATION, place);
    }
    Ok(answer)
}

type Ended = tokio::sync::oneshot::Receiver<Result<Attempt, Problem>>;

/// Has the daemon refresh `id`, in a task that outlives the caller.
async fn begun(
    api: &Api,
    caller: &Caller,
    id: ConnectionId,
    force: bool,
) -> Result<Ended, Problem> {
    if api.operator().labels(&id).await?.is_none() {
        return Err(api.operator().unknown(&id).await.into());
    }
    let (tell, ended) = tokio::sync::oneshot::channel();
    let (api, actor) = (api.clone(), caller.actor.clone());
    let lifecycle = api.operator().lifecycle().clone();
    lifecycle.spawn("refresh for a caller", async move {
        let selection = Selection { ids: vec![id], ..Selection::default() };
        let command = Command::Refresh { selection, force, dry_run: false, wait: true };
        let result = match api.ask(&actor, command).await {
            Ok(Reply::Refreshed(mut done)) => done.attempts.pop().ok_or_else(stopping),
            Ok(_) => Err(unexpected()),
            Err(failure) => Err(failure.into()),
        };
        // The caller may have gone.
        let _ = tell.send(result);
    });
    Ok(ended)
}

fn stopping() -> Problem {
    Problem::new(code::Internal::Stopping, "the daemon is stopping; try again in a moment").after(5)
}

/// The attempt that is open by now, or has just ended.
async fn opened(api: &Api, id: &ConnectionId) -> Result<Option<Attempt>, Problem> {
    let begin = tokio::time::Instant::now();
    loop {
        if let Some(attempt) = api.operator().open_attempt(id).await? {
            return Ok(Some(attempt));
        }
        if begin.elapsed() >= BEGINS_WITHIN {
            return Ok(None);
        }
        tokio::time::sleep(STEP).await;
    }
}

/// `30s` and the like.
fn time(text: &str) -> Result<Duration, Problem> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|it| Duration::try_from(it).ok());
    match parsed {
        Some(time) if time <= LONGEST_WAIT => Ok(time),
        Some(_) => Err(Problem::new(code::Http::QueryInvalid, "wait may be at most 60s")),
        None => Err(Problem::new(code::Http::QueryInvalid, "wait is a length of time: 30s")),
    }
}

/// Refreshes `id` for the caller, and waits for the end.
pub(super) async fn refreshed(
    api: &Api,
    caller: &Caller,
    id: ConnectionId,
    force: bool,
) -> Result<Attempt, Problem> {
    begun(api, caller, id, force).await?.await.map_err(|_| unexpected())?
}
