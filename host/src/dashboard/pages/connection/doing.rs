//! What is done with a connection: each a form, and each a command that the command line has as well.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::form::{Filled, given};
use crate::dashboard::frame::{Done, Frame, to};
use crate::dashboard::pages::connection::asking::{Act, ask};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, address};
use crate::model::id::ConnectionId;
use crate::operator::{Command, Reply, Selection};

/// The longest reason of a pause.
const LONGEST_REASON: usize = 200;

/// How a refresh is meant.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Refresh {
    force: Option<String>,
}

/// Refreshes, in the background.
pub(in crate::dashboard) async fn refresh(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
    Filled(form): Filled<Refresh>,
) -> Result<Response, Refused> {
    let id = changed(&person, &text)?;
    let selection = Selection { ids: vec![id.clone()], ..Selection::default() };
    let force = given(form.force).is_some();
    let command = Command::Refresh { selection, force, dry_run: false, wait: false };
    dashboard.ask(person.actor(), command).await?;
    Ok(back(&dashboard, &id, Done::Refreshing))
}

/// For how long, and why.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Pause {
    hours: Option<String>,
    reason: Option<String>,
}

/// Stops refreshing for a while.
pub(in crate::dashboard) async fn pause(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
    Filled(form): Filled<Pause>,
) -> Result<Response, Refused> {
    let id = changed(&person, &text)?;
    let hours =
        given(form.hours).map(|it| it.parse::<u64>().ok().filter(|it| (1..=24 * 365).contains(it)));
    let hours = hours.map(|it| it.ok_or(Refused::Unreadable)).transpose()?;
    let reason = given(form.reason).map(|it| it.chars().take(LONGEST_REASON).collect());
    let command = Command::Pause { id: id.clone(), for_s: hours.map(|it| it * 3_600), reason };
    dashboard.ask(person.actor(), command).await?;
    Ok(back(&dashboard, &id, Done::Paused))
}

/// Goes on.
pub(in crate::dashboard) async fn resume(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    let id = changed(&person, &text)?;
    dashboard.ask(person.actor(), Command::Resume { id: id.clone() }).await?;
    Ok(back(&dashboard, &id, Done::Resumed))
}

/// Forgets the token here.
pub(in crate::dashboard) async fn clear(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    let id = changed(&person, &text)?;
    dashboard.ask(person.actor(), Command::TokenClear { id: id.clone() }).await?;
    Ok(back(&dashboard, &id, Done::Cleared))
}

/// Whether it is forgotten here even if the provider does not answer.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Disconnect {
    force: Option<String>,
}

/// Ends the grant.
pub(in crate::dashboard) async fn disconnect(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
    Filled(form): Filled<Disconnect>,
) -> Result<Response, Refused> {
    let id = changed(&person, &text)?;
    let force = given(form.force).is_some();
    let reply =
        dashboard.ask(person.actor(), Command::Disconnect { id: id.clone(), force }).await?;
    match reply {
        Reply::Disconnected { removed: true, .. } => Ok(home(&dashboard, Done::Disconnected)),
        _ => Ok(back(&dashboard, &id, Done::Disconnected)),
    }
}

/// The name, typed by whoever means it.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Remove {
    typed: Option<String>,
}

/// Forgets the connection, if its name was typed.
pub(in crate::dashboard) async fn remove(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
    Filled(form): Filled<Remove>,
) -> Result<Response, Refused> {
    let id = changed(&person, &text)?;
    if given(form.typed).is_none_or(|it| it != id.to_string() && it != id.full()) {
        return ask(&dashboard, &person, &text, Act::Remove, true).await;
    }
    dashboard.ask(person.actor(), Command::Remove { id }).await?;
    Ok(home(&dashboard, Done::Removed))
}

/// The connection, for somebody who may change it.
fn changed(person: &Person, text: &str) -> Result<ConnectionId, Refused> {
    person.may_change()?;
    address::read(text)
}

/// To the page of the connection.
fn back(dashboard: &Dashboard, id: &ConnectionId, done: Done) -> Response {
    let frame = Frame::bare(dashboard, String::new());
    to(&format!("{}?done={}", frame.connection(id), done.word()))
}

/// To the overview.
fn home(dashboard: &Dashboard, done: Done) -> Response {
    let frame = Frame::bare(dashboard, String::new());
    to(&format!("{}/?done={}", frame.base, done.word()))
}
