//! Showing a token to a person: only to somebody who has just proved again who that is, and never without a line in the
//! audit log.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, address};
use crate::model::audit::Action;
use crate::operator::{Command, Reply};

#[derive(Template)]
#[template(path = "token.html")]
struct Token {
    frame: Frame,
    /// The page of its connection.
    place: String,
    token: Zeroizing<String>,
    kind: String,
}

/// Shows the token.
pub(in crate::dashboard) async fn reveal(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let id = address::read(&text)?;
    let frame = Frame::new(&dashboard, &person, Section::Overview, String::new());
    let place = frame.connection(&id.to_string());
    person.is_surely(&place)?;
    let wanted = Command::TokenGet { id: id.clone(), min_ttl_s: 0 };
    let Reply::Token { token, token_type, .. } = dashboard.ask(person.actor(), wanted).await?
    else {
        return Err(Refused::Fault);
    };
    dashboard.operator().note(person.actor(), Action::TokenRevealed, id.full(), None).await;
    let title = frame.words.with("token-title", &[("connection", &id.to_string())]);
    let token = Zeroizing::new(token.0.expose_secret().to_owned());
    page(&Token { frame: Frame { title, ..frame }, place, token, kind: token_type })
}
