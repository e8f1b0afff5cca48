//! The login page. Whoever has no account, and whoever has another password, read the same.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use secrecy::SecretString;
use serde::Deserialize;
use tracing::warn;

use crate::dashboard::Dashboard;
use crate::dashboard::form::{Asked, Filled};
use crate::dashboard::frame::{Frame, page_with};
use crate::dashboard::login::{encoded, let_in, mendable};
use crate::dashboard::looks::back;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Stranger;
use crate::model::code;

/// Where somebody wanted to go.
#[derive(Deserialize)]
pub(super) struct Wanted {
    back: Option<String>,
}

/// What the form brings.
#[derive(Deserialize)]
pub(super) struct Given {
    name: String,
    password: SecretString,
    back: Option<String>,
}

#[derive(Template)]
#[template(path = "login/login.html")]
struct Page {
    frame: Frame,
    back: String,
    name: String,
    wrong: Option<String>,
    /// Whether a provider logs people in.
    provider: bool,
    /// Whether nobody has an account yet.
    nobody: bool,
    plain: bool,
}

impl Page {
    /// Where the person goes on, as an address has it.
    fn asked(&self) -> String {
        encoded(&self.back)
    }
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refused> {
    let page = page(&dashboard, &stranger, wanted.back.as_deref()).await?;
    page_with(StatusCode::OK, &page)
}

async fn page(
    dashboard: &Dashboard,
    stranger: &Stranger,
    wanted: Option<&str>,
) -> Result<Page, Refused> {
    let provider = dashboard.operator().manifest().dashboard.oidc.is_some();
    Ok(Page {
        frame: dashboard.at_the_door(stranger).called("login-title"),
        back: back(&dashboard.base(), wanted),
        name: String::new(),
        wrong: None,
        provider,
        nobody: !provider && dashboard.operator().has_no_accounts().await?,
        plain: !stranger.encrypted,
    })
}

/// Somebody wants to get in.
pub(super) async fn enter(
    State(dashboard): State<Dashboard>,
    stranger: Stranger,
    Filled(given): Filled<Given>,
) -> Result<Response, Refused> {
    let Given { name, password, back } = given;
    let name = name.trim().to_owned();
    let mut page = page(&dashboard, &stranger, back.as_deref()).await?;
    let attempt = match dashboard.attempt(&stranger, &name).await {
        Ok(attempt) => attempt,
        Err(seconds) => {
            let minutes = seconds.div_ceil(60);
            page.wrong = Some(page.frame.words.count("login-throttled", minutes));
            let answer = page_with(StatusCode::TOO_MANY_REQUESTS, &Page { name, ..page })?;
            return Ok(([(RETRY_AFTER, seconds.to_string())], answer).into_response());
        }
    };
    match dashboard.operator().log_in(&name, password, &stranger.whence).await {
        Ok(ticket) => {
            dashboard.succeeded(&attempt);
            Ok(let_in(&ticket, stranger.encrypted, page.back))
        }
        Err(failure) => {
            let why = failure.code.clone();
            mendable(failure, &[code::Login::Refused.into()])?;
            let address = stranger.whence.address.map(|it| it.to_string()).unwrap_or_default();
            warn!(
                error.code = why.text(),
                peer.address = address,
                "refused a login to the dashboard"
            );
            page.wrong = Some(page.frame.words.say("login-wrong"));
            page_with(StatusCode::FORBIDDEN, &Page { name, ..page })
        }
    }
}
