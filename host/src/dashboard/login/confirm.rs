//! The password once more, before what shows a secret or says who may come in. Then it holds for a few minutes, and
//! the session has another id.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::SecretString;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::{Asked, Filled};
use crate::dashboard::frame::{Frame, Section, page_with, to};
use crate::dashboard::login::{encoded, let_in, mendable};
use crate::dashboard::looks::back;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::{Person, Stranger};
use crate::model::code;
use crate::operator::accounts::Visitor;

/// Where the person goes on.
#[derive(Deserialize)]
pub(super) struct Wanted {
    back: Option<String>,
}

/// What the form brings.
#[derive(Deserialize)]
pub(super) struct Given {
    password: SecretString,
    back: Option<String>,
}

#[derive(Template)]
#[template(path = "login/confirm.html")]
struct Page {
    frame: Frame,
    back: String,
    wrong: Option<String>,
    /// Whether there is a password; else a provider is asked.
    has_password: bool,
    plain: bool,
}

impl Page {
    /// Where the person goes on, as an address has it.
    fn asked(&self) -> String {
        encoded(&self.back)
    }
}

fn page(dashboard: &Dashboard, person: &Person, stranger: &Stranger, wanted: Option<&str>) -> Page {
    let frame = Frame::new(dashboard, person, Section::Apart, String::new());
    Page {
        frame: frame.called("confirm-title"),
        back: back(&dashboard.base(), wanted),
        wrong: None,
        has_password: person.visitor().is_some_and(Visitor::has_password),
        plain: !stranger.encrypted,
    }
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    person: Person,
    stranger: Stranger,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refused> {
    let page = page(&dashboard, &person, &stranger, wanted.back.as_deref());
    // Who came by the socket has no password to type.
    if person.visitor().is_none() {
        return Ok(to(&page.back));
    }
    page_with(StatusCode::OK, &page)
}

/// The person has typed it.
pub(super) async fn confirm(
    State(dashboard): State<Dashboard>,
    person: Person,
    stranger: Stranger,
    Filled(given): Filled<Given>,
) -> Result<Response, Refused> {
    let Given { password, back } = given;
    let mut page = page(&dashboard, &person, &stranger, back.as_deref());
    let Some(visitor) = person.visitor() else { return Ok(to(&page.back)) };
    let attempt = dashboard.attempt(&stranger, &person.name).await;
    let attempt = attempt.map_err(|_| Refused::TooMany)?;
    match dashboard.operator().confirm(visitor, password).await {
        Ok(ticket) => {
            dashboard.succeeded(&attempt);
            Ok(let_in(&ticket, stranger.encrypted, page.back))
        }
        Err(failure) => {
            mendable(failure, &[code::Login::Refused.into()])?;
            page.wrong = Some(page.frame.words.say("confirm-wrong"));
            page_with(StatusCode::FORBIDDEN, &page)
        }
    }
}
