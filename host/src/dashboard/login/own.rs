//! One's own account: where one is logged in, with a way to end each login, and another password.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::Filled;
use crate::dashboard::frame::{Frame, Section, page_with, to};
use crate::dashboard::login::{let_in, mendable};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::{Cookie, Person, Stranger};
use crate::model::account::{SHORTEST_PASSWORD, Session};
use crate::model::code;
use crate::operator::accounts::Visitor;

/// What the form of another password brings. The old one was typed before.
#[derive(Deserialize)]
pub(super) struct Given {
    password: SecretString,
    again: SecretString,
}

#[derive(Template)]
#[template(path = "login/own.html")]
struct Page {
    frame: Frame,
    sessions: Vec<Session>,
    /// The one that looks.
    this: i64,
    role: &'static str,
    has_password: bool,
    wrong: Option<String>,
    shortest: usize,
    plain: bool,
}

async fn page(
    dashboard: &Dashboard,
    person: &Person,
    stranger: &Stranger,
) -> Result<Page, Refused> {
    let visitor = person.visitor();
    let sessions = match visitor {
        Some(it) => dashboard.operator().sessions_of(&it.account.name).await?,
        None => Vec::new(),
    };
    let frame = Frame::new(dashboard, person, Section::Apart, String::new());
    Ok(Page {
        frame: frame.called("own-title"),
        sessions,
        this: visitor.map_or(0, |it| it.session.number),
        role: person.role().as_str(),
        has_password: visitor.is_some_and(Visitor::has_password),
        wrong: None,
        shortest: SHORTEST_PASSWORD,
        plain: !stranger.encrypted,
    })
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    person: Person,
    stranger: Stranger,
) -> Result<Response, Refused> {
    page_with(StatusCode::OK, &page(&dashboard, &person, &stranger).await?)
}

/// Another password.
pub(super) async fn choose(
    State(dashboard): State<Dashboard>,
    person: Person,
    stranger: Stranger,
    Filled(given): Filled<Given>,
) -> Result<Response, Refused> {
    let place = dashboard.base() + "/account";
    person.is_surely(&place)?;
    let Some(visitor) = person.visitor() else { return Ok(to(&place)) };
    let mut page = page(&dashboard, &person, &stranger).await?;
    let Given { password, again } = given;
    if password.expose_secret() != again.expose_secret() {
        page.wrong = Some(page.frame.words.say("welcome-differ"));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match dashboard.operator().change_password(visitor, password, &stranger.whence).await {
        Ok(ticket) => Ok(let_in(&ticket, stranger.encrypted, place)),
        Err(failure) => {
            page.wrong = Some(mendable(failure, &[code::Account::PasswordUnfit.into()])?);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// Ends one login; without this one, the person is at the door.
pub(super) async fn end(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(number): Path<i64>,
) -> Result<Response, Refused> {
    if let Some(visitor) = person.visitor() {
        let name = &visitor.account.name;
        dashboard.operator().end_session(person.actor(), name, number).await?;
    }
    Ok(to(&(dashboard.base() + "/account")))
}

/// Logs out. Who was not logged in is not, either.
pub(super) async fn leave(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
) -> Result<Response, Refused> {
    let operator = dashboard.operator();
    if let Some(ticket) = &stranger.whence.ticket
        && let Some(visitor) = operator.visitor(ticket, false).await?
    {
        operator.log_out(&visitor).await?;
    }
    let place = dashboard.base() + "/login";
    let headers = [(SET_COOKIE, Cookie::Session.clear(stranger.encrypted)), (LOCATION, place)];
    Ok((StatusCode::SEE_OTHER, AppendHeaders(headers)).into_response())
}
