//! `OpenID` Connect: the person is sent to the provider of the manifest and comes back with a code, which is changed
//! for an ID token. Who that is, issuer and subject say; what the person may do, the groups. Nothing is stored of
//! somebody who is in none of them.

/// Logins that are under way.
mod begun;

/// What is asked of the provider.
mod provider;

/// Whether an ID token is one, and for us.
mod token;

/// From what a token says to an account.
mod person;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tracing::warn;

pub(super) use begun::Begun;

use crate::dashboard::Dashboard;
use crate::dashboard::form::Asked;
use crate::dashboard::frame::{Frame, page_with};
use crate::dashboard::login::let_in;
use crate::dashboard::looks::back;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::{Cookie, Person, Stranger};
use crate::manifest::dashboard::Oidc;
use crate::model::account::Ticket;
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::plain::escaped;
use begun::Journey;
use provider::Provider;

/// Where the person comes back, below the root of this server.
const CALLBACK: &str = "/ui/login/openid/callback";

/// Where the person goes on, and whether the provider is to ask for the password again.
#[derive(Deserialize)]
pub(super) struct Wanted {
    back: Option<String>,
    again: Option<String>,
}

/// What the provider sends the person back with.
#[derive(Deserialize)]
pub(super) struct Brought {
    code: Option<SecretString>,
    state: Option<SecretString>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

#[derive(Template)]
#[template(path = "login/openid.html")]
struct Page {
    frame: Frame,
    text: String,
    code: String,
}

/// The person goes to the provider.
pub(super) async fn leave(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    person: Result<Person, Refused>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refused> {
    let Some(oidc) = oidc(&dashboard) else { return Err(Refused::NotFound) };
    let again = wanted.again.is_some();
    // Only who is logged in already can show it again.
    let again = match (again, person) {
        (true, Ok(person)) => person.visitor().cloned(),
        _ => None,
    };
    let place = back(&dashboard.base(), wanted.back.as_deref());
    let redirect_uri = dashboard.operator().manifest().server.root().unwrap_or_default() + CALLBACK;
    let now = dashboard.operator().now();
    let left = async {
        let provider = Provider::discover(dashboard.operator().gate(), &oidc).await?;
        let (cookie, journey) = Journey::begin(redirect_uri, place, again, now)?;
        let url = provider.address(&oidc, &journey)?;
        dashboard.0.door.begun.add(&cookie, journey, now);
        Ok((cookie, url))
    };
    match left.await {
        Ok((cookie, url)) => {
            let cookie = Cookie::Login.set(&cookie, stranger.encrypted);
            let headers = [(SET_COOKIE, cookie), (LOCATION, url)];
            Ok((StatusCode::SEE_OTHER, AppendHeaders(headers)).into_response())
        }
        Err(failure) => refused(&dashboard, &stranger, failure),
    }
}

/// The person comes back.
pub(super) async fn come_back(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    headers: axum::http::HeaderMap,
    Asked(brought): Asked<Brought>,
) -> Result<Response, Refused> {
    let Some(oidc) = oidc(&dashboard) else { return Err(Refused::NotFound) };
    let cookie = Cookie::Login.read(&headers, stranger.encrypted);
    let answer = match entered(&dashboard, &stranger, &oidc, cookie, brought).await {
        Ok((ticket, place)) => let_in(&ticket, stranger.encrypted, place),
        Err(failure) => refused(&dashboard, &stranger, failure)?,
    };
    let clear = [(SET_COOKIE, Cookie::Login.clear(stranger.encrypted))];
    Ok((AppendHeaders(clear), answer).into_response())
}

fn oidc(dashboard: &Dashboard) -> Option<Oidc> {
    dashboard.operator().manifest().dashboard.oidc.clone()
}

/// A session for whoever the provider says that is, and where the person goes on.
async fn entered(
    dashboard: &Dashboard,
    stranger: &Stranger,
    oidc: &Oidc,
    cookie: Option<Ticket>,
    brought: Brought,
) -> Result<(Ticket, String), Failure> {
    let operator = dashboard.operator();
    let now = operator.now();
    // Taken, whatever comes of it: nobody comes back twice.
    let journey = cookie.and_then(|it| dashboard.0.door.begun.take(&it, now)).ok_or_else(over)?;
    let code = believed(&journey, oidc, brought)?;
    let provider = Provider::discover(operator.gate(), oidc).await?;
    let (id_token, keys) = provider.exchange(operator.gate(), oidc, &journey, code).await?;
    let wants = token::Wants {
        issuer: &oidc.issuer,
        client_id: &oidc.client_id,
        nonce: &journey.nonce,
        // Who is to show it again has shown it since the person left.
        since: journey.again.as_ref().map(|_| journey.begun_at),
        now,
    };
    let claims = token::check(&id_token, &keys, &wants)?;
    let seen = person::of(oidc, &claims)?;
    let ticket = match &journey.again {
        Some(visitor) => operator.confirmed_as(visitor, &oidc.issuer, &seen.subject).await?,
        None => operator.log_in_as(&oidc.issuer, seen, &stranger.whence).await?,
    };
    Ok((ticket, journey.back))
}

/// The code, if what came back belongs to this journey and comes from this issuer (RFC 9207).
fn believed(journey: &Journey, oidc: &Oidc, brought: Brought) -> Result<SecretString, Failure> {
    let Brought { code, state, iss, error, error_description } = brought;
    let is_ours = state.is_some_and(|it| it.expose_secret() == journey.state.expose_secret());
    if !is_ours || iss.is_some_and(|it| it != oidc.issuer) {
        return Err(over());
    }
    if let Some(error) = error {
        let said = error_description.unwrap_or(error);
        let said = escaped(&said).chars().take(200).collect::<String>();
        let message = format!("the provider says: {said}");
        return Err(Failure::new(Case::InvalidCredentials, code::Login::ProviderSaysNo, message));
    }
    code.ok_or_else(over)
}

fn over() -> Failure {
    let message = "this login took too long, was begun in another browser, or was used before";
    Failure::new(Case::InvalidCredentials, code::Login::OverAlready, message)
}

/// Why nobody gets in, as a page with a way to try again.
fn refused(
    dashboard: &Dashboard,
    stranger: &Stranger,
    failure: Failure,
) -> Result<Response, Refused> {
    let address = stranger.whence.address.map(|it| it.to_string()).unwrap_or_default();
    warn!(
        error.code = failure.code.text(),
        peer.address = address,
        "refused a login to the dashboard by OpenID Connect: {failure}"
    );
    let status = match failure.case {
        Case::Unavailable | Case::HostFault | Case::InDoubt => StatusCode::BAD_GATEWAY,
        _ => StatusCode::FORBIDDEN,
    };
    let frame = dashboard.at_the_door(stranger).called("openid-title");
    let page = Page { frame, text: failure.message, code: failure.code.to_string() };
    page_with(status, &page)
}
