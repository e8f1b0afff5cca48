//! Connecting for web applications: an application asks for a link and sends a person there; the person agrees
//! at the provider, comes back here, and is sent on to the application. A link is opened by whoever has it, so
//! opening it starts nothing: programs that look at links in mails press no button.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::idempotency::Secret;
use crate::api::links::Link;
use crate::api::problem::Problem;
use crate::api::reading::{Body, id};
use crate::model::api_key::Scope;
use crate::model::audit::{Action, Actor};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::hex;
use crate::operator::command::Plain;
use crate::operator::reply::ConnectStep;
use crate::operator::{Command, Reply, Wish};

/// How long a link works when nobody says otherwise, and at most, in seconds.
const USUAL: u64 = 900;
const LONGEST: u64 = 86_400;

/// Names the link that a browser came by.
const OUR_COOKIE: &str = "keepfresh-login";

/// A login that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// What is connected: `PROVIDER` or `PROVIDER~NAME`; it is added if it is not there.
    connection: String,
    /// Scopes besides those of the settings.
    #[serde(default)]
    scopes: Vec<String>,
    /// Whether it may be another account than the one that is connected.
    #[serde(default)]
    other_account: bool,
    /// Where the person goes afterwards: one of `server.return_to`.
    return_to: Option<String>,
    /// How many seconds the link works: 900 when not given, at most 86400.
    expires_in: Option<u64>,
}

/// A link for a person.
#[derive(Serialize, ToSchema)]
pub(super) struct ForAPerson {
    /// To be opened in a browser; it works once.
    url: String,
    /// Until when.
    expires_at: Timestamp,
}

/// Makes a link by which a person connects an account
///
/// The person agrees at the provider and is then sent to `return_to`, with `connection` and `outcome` (`connected`, or
/// `failed` with `code`) in the query.
#[utoipa::path(post, path = "/api/v1/connect", tag = "connections", request_body = Wanted,
    responses((status = 201, body = ForAPerson, description = "The link"), Problem))]
pub(super) async fn link(
    State(api): State<Api>,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let id = id(&wanted.connection)?;
    caller.may(Scope::ConnectionWrite)?;
    let labels = api.operator().labels(&id).await?.unwrap_or_default();
    if !caller.reaches_known(&id, &labels) {
        return Err(crate::api::caller::unknown(&id));
    }
    let server = api.operator().manifest().server.clone();
    if server.url.is_none() {
        return Err(no_url().into());
    }
    if let Some(place) = wanted.return_to.as_ref().filter(|it| !server.return_to.contains(it)) {
        let place = Url::parse(place).ok().map_or_else(String::new, |it| format!(": {it}"));
        let detail =
            format!("the manifest does not list this address in `server.return_to`{place}");
        return Err(Problem::new(code::Connect::ReturnTo, detail));
    }
    let seconds = wanted.expires_in.unwrap_or(USUAL);
    if !(1..=LONGEST).contains(&seconds) {
        let detail = format!("expires_in must be 1 to {LONGEST}");
        return Err(Problem::new(code::Http::BodyInvalid, detail));
    }
    let until = api.operator().now()
        + SignedDuration::from_secs(i64::try_from(seconds).unwrap_or_default());
    let wish = Wish { scopes: wanted.scopes, other_account: wanted.other_account };
    let url = api.link(&caller.actor, id, wish, wanted.return_to, until).await?;
    let mut answer =
        (StatusCode::CREATED, Json(ForAPerson { url, expires_at: until })).into_response();
    answer.extensions_mut().insert(Secret);
    Ok(answer)
}

impl Api {
    /// Makes a link by which a person connects an account to `id` until then: for whoever `actor` sends there.
    pub async fn link(
        &self,
        actor: &Actor,
        id: ConnectionId,
        wish: Wish,
        return_to: Option<String>,
        until: Timestamp,
    ) -> Result<String, Failure> {
        let base = self.operator().manifest().server.url.clone().ok_or_else(no_url)?;
        let word = word()?;
        let url = format!("{base}/connect/{word}");
        self.operator().note(actor, Action::LinkCreated, id.full().to_owned(), None).await;
        let link = Link { id, wish, actor: actor.clone(), return_to, until, visit: None };
        self.0.links.add(word, link, self.operator().now());
        Ok(url)
    }
}

fn no_url() -> Failure {
    let message = "nobody could open a link: set `server.url` in the manifest to where browsers reach this server";
    Failure::new(Case::Misconfigured, code::Connect::NoUrl, message)
}

/// A word that nobody guesses.
fn word() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Case::HostFault, code::Internal::Panic, format!("no random bytes: {error}"))
    })?;
    Ok(hex(&bytes))
}

/// What a person sees who opens the link.
pub(super) async fn open(State(api): State<Api>, Path(word): Path<String>) -> Response {
    let Some((id, _, _)) = good(&api, &word).await else { return over() };
    let text = format!(
        "<p>An application asks you to connect <b>{}</b>. You agree at the provider, and come back.</p>\
         <form method=\"post\"><button>Connect</button></form>",
        escaped(&id.to_string())
    );
    page(StatusCode::OK, "Connect an account", &text)
}

/// What a link is for, while it works: a key that is revoked ends the links that it has made.
async fn good(api: &Api, word: &str) -> Option<(ConnectionId, Wish, Actor)> {
    let now = api.operator().now();
    let what = |it: &mut Link| (it.id.clone(), it.wish.clone(), it.actor.clone());
    let (id, wish, actor) = api.0.links.look(word, now, what)?;
    api.operator().may_still_change(&actor, &id).await.then_some((id, wish, actor))
}

/// The person goes to the provider.
pub(super) async fn begin(State(api): State<Api>, Path(word): Path<String>) -> Response {
    let now = api.operator().now();
    let Some((id, wish, actor)) = good(&api, &word).await else { return over() };
    let Some(base) = api.operator().manifest().server.url.clone() else { return over() };
    let redirect_uri = format!("{base}/connect/callback");
    let start = Command::ConnectStart { id, redirect_uri, wish };
    match api.ask(&actor, start).await {
        Ok(Reply::Connect(ConnectStep::Browser { visit, url, .. })) => {
            api.0.links.look(&word, now, |it| it.visit = Some(visit));
            let cookie = cookie(&word, base.starts_with("https://"));
            let place = url.0.expose_secret().to_owned();
            let headers = [(LOCATION, place), (SET_COOKIE, cookie)];
            (StatusCode::SEE_OTHER, headers, [(CACHE_CONTROL, "no-store")]).into_response()
        }
        Ok(_) => ended(api.0.links.take(&word, now), Err(code::Internal::Panic.text())),
        Err(failure) => ended(api.0.links.take(&word, now), Err(failure.code.text())),
    }
}

/// The person comes back.
pub(super) async fn finish(
    State(api): State<Api>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    came_back(&api, &headers, query.unwrap_or_default().into()).await
}

/// The same for providers that send what they say as a form.
pub(super) async fn finish_form(
    State(api): State<Api>,
    headers: HeaderMap,
    form: String,
) -> Response {
    came_back(&api, &headers, form.into()).await
}

async fn came_back(api: &Api, headers: &HeaderMap, query: Plain) -> Response {
    let now = api.operator().now();
    let Some(word) = cookie_of(headers) else { return over() };
    let Some(mut link) = api.0.links.take(&word, now) else { return over() };
    let Some(visit) = link.visit.take() else { return over() };
    let actor = link.actor.clone();
    if !api.operator().may_still_change(&actor, &link.id).await {
        return over();
    }
    match api.ask(&actor, Command::ConnectFinish { visit, query }).await {
        // The first time brought no refresh token: the person is asked once more.
        Ok(Reply::Connect(ConnectStep::Browser { visit, url, .. })) => {
            link.visit = Some(visit);
            api.0.links.put_back(word, link);
            let place = url.0.expose_secret().to_owned();
            (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
        }
        Ok(Reply::Connect(ConnectStep::Connected { .. })) => ended(Some(link), Ok(())),
        Ok(_) => ended(Some(link), Err(code::Internal::Panic.text())),
        Err(failure) => ended(Some(link), Err(failure.code.text())),
    }
}

/// Sends the person on, or says what came of it.
fn ended(link: Option<Link>, result: Result<(), &str>) -> Response {
    let Some(link) = link else { return over() };
    let place = link.return_to.as_deref().and_then(|it| Url::parse(it).ok());
    if let Some(mut place) = place {
        let outcome = if result.is_ok() { "connected" } else { "failed" };
        place
            .query_pairs_mut()
            .append_pair("connection", link.id.full())
            .append_pair("outcome", outcome);
        if let Err(code) = result {
            place.query_pairs_mut().append_pair("code", code);
        }
        let headers = [(LOCATION, place.to_string()), (SET_COOKIE, cookie("", false))];
        return (StatusCode::SEE_OTHER, headers).into_response();
    }
    match result {
        Ok(()) => page(StatusCode::OK, "Connected", "<p>You can close this page.</p>"),
        Err(code) => {
            let text = format!("<p>Nothing was stored. The reason is {}.</p>", escaped(code));
            page(StatusCode::CONFLICT, "Not connected", &text)
        }
    }
}

fn over() -> Response {
    let text = "<p>This link works no more. Ask for another one where you found it.</p>";
    page(StatusCode::GONE, "This link is over", text)
}

/// A page that loads nothing, may not be framed, and tells nobody where it was.
fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><h1>{title}</h1>{text}"
    );
    let policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(html)).into_response()
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// Names the link for the way back, which a provider may make a form of: such a cookie has to be told to
/// come from another site, and then needs TLS.
fn cookie(word: &str, secure: bool) -> String {
    let kind = if secure { "SameSite=None; Secure" } else { "SameSite=Lax" };
    let age = if word.is_empty() { "; Max-Age=0" } else { "" };
    format!("{OUR_COOKIE}={word}; Path=/connect; HttpOnly; {kind}{age}")
}

fn cookie_of(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = all.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(name, _)| *name == OUR_COOKIE).map(|(_, word)| word.to_owned())
}
