//! A page before each thing that is done with a connection: what will happen, and a button. So nothing is done by a
//! link, and everything can be done without a script; what loses something is said as severely as it is.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::dashboard::frame::{Frame, Section, page_with};
use crate::dashboard::pages::connection::details;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, address};
use crate::model::id::ConnectionId;
use crate::operator::{Command, Reply, Selection};

/// What can be done that is asked about first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dashboard) enum Act {
    /// Refresh, whatever the expiry.
    Force,
    /// Stop refreshing for a while.
    Pause,
    /// Forget the token here.
    Clear,
    /// End the grant at the provider.
    Disconnect,
    /// Forget the connection.
    Remove,
}

impl Act {
    /// As a path has it.
    fn word(self) -> &'static str {
        match self {
            Self::Force => "refresh",
            Self::Pause => "pause",
            Self::Clear => "clear",
            Self::Disconnect => "disconnect",
            Self::Remove => "remove",
        }
    }

    /// Whether something is lost that does not come back by itself.
    fn is_severe(self) -> bool {
        matches!(self, Self::Clear | Self::Disconnect | Self::Remove)
    }
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    frame: Frame,
    /// Where the form goes.
    action: String,
    back: String,
    name: String,
    sentence: String,
    text: String,
    /// What it would come to now, as the host says.
    foreseen: Option<String>,
    button: String,
    is_severe: bool,
    fields: Fields,
    /// What was typed is not what was asked for.
    mistyped: bool,
}

/// What the form asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    None,
    Force,
    Pause,
    Disconnect,
    Remove,
}

impl Fields {
    fn is_force(self) -> bool {
        self == Self::Force
    }

    fn is_pause(self) -> bool {
        self == Self::Pause
    }

    fn is_disconnect(self) -> bool {
        self == Self::Disconnect
    }

    fn is_remove(self) -> bool {
        self == Self::Remove
    }
}

/// Asks before a refresh that a person insists on.
pub(in crate::dashboard) async fn force(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    ask(&dashboard, &person, &text, Act::Force, false).await
}

/// Asks for how long it is paused.
pub(in crate::dashboard) async fn pause(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    ask(&dashboard, &person, &text, Act::Pause, false).await
}

/// Asks before a token is forgotten.
pub(in crate::dashboard) async fn clear(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    ask(&dashboard, &person, &text, Act::Clear, false).await
}

/// Asks before a grant is ended.
pub(in crate::dashboard) async fn disconnect(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    ask(&dashboard, &person, &text, Act::Disconnect, false).await
}

/// Asks before a connection is forgotten.
pub(in crate::dashboard) async fn remove(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    ask(&dashboard, &person, &text, Act::Remove, false).await
}

/// The page; again, if what was typed was something else.
pub(super) async fn ask(
    dashboard: &Dashboard,
    person: &Person,
    text: &str,
    act: Act,
    mistyped: bool,
) -> Result<Response, Refused> {
    person.may_change()?;
    let id = address::read(text)?;
    let details = details(dashboard, person, &id).await?;
    let foreseen = match act {
        Act::Force => foreseen(dashboard, person, &id).await?,
        _ => None,
    };
    let frame = Frame::new(dashboard, person, Section::Overview, String::new());
    let back = frame.connection(&id);
    let (title, text, button, fields) = said(&frame, act);
    let confirm = Confirm {
        action: format!("{back}/{}", act.word()),
        back,
        name: id.to_string(),
        sentence: details.view.sentence.clone(),
        text,
        foreseen,
        button,
        is_severe: act.is_severe(),
        fields,
        mistyped,
        frame: Frame { title, ..frame },
    };
    page_with(if mistyped { StatusCode::CONFLICT } else { StatusCode::OK }, &confirm)
}

/// What a forced refresh comes to now, and what it may cost.
async fn foreseen(
    dashboard: &Dashboard,
    person: &Person,
    id: &ConnectionId,
) -> Result<Option<String>, Refused> {
    let selection = Selection { ids: vec![id.clone()], ..Selection::default() };
    let command = Command::Refresh { selection, force: true, dry_run: true, wait: false };
    match dashboard.ask(person.actor(), command).await? {
        Reply::Plan(planned) => Ok(planned.into_iter().next().map(|it| it.reason)),
        _ => Err(Refused::Fault),
    }
}

fn said(frame: &Frame, act: Act) -> (String, String, String, Fields) {
    let words = &frame.words;
    match act {
        Act::Force => (
            words.say("force-title"),
            words.say("force-text"),
            words.say("force-button"),
            Fields::Force,
        ),
        Act::Pause => (
            words.say("pause-title"),
            words.say("pause-text"),
            words.say("pause-button"),
            Fields::Pause,
        ),
        Act::Clear => (
            words.say("clear-title"),
            words.say("clear-text"),
            words.say("clear-button"),
            Fields::None,
        ),
        Act::Disconnect => (
            words.say("disconnect-title"),
            words.say("disconnect-text"),
            words.say("disconnect-button"),
            Fields::Disconnect,
        ),
        Act::Remove => (
            words.say("remove-title"),
            words.say("remove-text"),
            words.say("remove-button"),
            Fields::Remove,
        ),
    }
}
