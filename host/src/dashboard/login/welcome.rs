//! The page of a one-time link: its person chooses a password, and is logged in. Looking at it uses nothing up, because
//! programs that look at links in mails look at this one, too.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::Filled;
use crate::dashboard::frame::{Frame, page_with};
use crate::dashboard::login::{let_in, mendable};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Stranger;
use crate::model::account::SHORTEST_PASSWORD;
use crate::model::code;

/// What the form brings.
#[derive(Deserialize)]
pub(super) struct Given {
    password: SecretString,
    again: SecretString,
}

#[derive(Template)]
#[template(path = "login/welcome.html")]
struct Page {
    frame: Frame,
    /// Whose link it is; nobody's when it is over.
    name: Option<String>,
    wrong: Option<String>,
    shortest: usize,
    plain: bool,
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    Path(word): Path<SecretString>,
) -> Result<Response, Refused> {
    let page = page(&dashboard, &stranger, &word).await?;
    let status = if page.name.is_some() { StatusCode::OK } else { StatusCode::GONE };
    page_with(status, &page)
}

async fn page(
    dashboard: &Dashboard,
    stranger: &Stranger,
    word: &SecretString,
) -> Result<Page, Refused> {
    let account = dashboard.operator().linked(word).await?;
    let frame = dashboard.at_the_door(stranger);
    Ok(Page {
        frame: match account {
            Some(_) => frame.called("welcome-title"),
            None => frame.called("welcome-over"),
        },
        name: account.map(|it| it.name),
        wrong: None,
        shortest: SHORTEST_PASSWORD,
        plain: !stranger.encrypted,
    })
}

/// Somebody has chosen.
pub(super) async fn choose(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    Path(word): Path<SecretString>,
    Filled(given): Filled<Given>,
) -> Result<Response, Refused> {
    let Given { password, again } = given;
    let mut page = page(&dashboard, &stranger, &word).await?;
    if page.name.is_none() {
        return page_with(StatusCode::GONE, &page);
    }
    if password.expose_secret() != again.expose_secret() {
        page.wrong = Some(page.frame.words.say("welcome-differ"));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match dashboard.operator().welcome(&word, password, &stranger.whence).await {
        Ok(ticket) => Ok(let_in(&ticket, stranger.encrypted, dashboard.base() + "/")),
        Err(failure) => {
            page.wrong = Some(mendable(failure, &[code::Account::PasswordUnfit.into()])?);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}
