//! Showing a token to a person: only to somebody who has just proved again who that is, and with a line in the audit
//! log.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use secrecy::{ExposeSecret as _, SecretString};

use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, address};

#[derive(Template)]
#[template(path = "revealed.html")]
struct Revealed {
    frame: Frame,
    back: String,
    name: String,
    token: SecretString,
}

impl Revealed {
    /// The one place of the dashboard where a token stands.
    fn shown(&self) -> &str {
        self.token.expose_secret()
    }
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
    let frame = frame.called("token-title");
    let back = frame.connection(&id);
    person.is_surely(&back)?;
    let token = dashboard.operator().reveal(person.actor(), &id).await?;
    page(&Revealed { frame, back, name: id.to_string(), token })
}
