//! Sinks and channels: how deliveries are doing, with a test of each.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::Asked;
use crate::dashboard::frame::{Done, Frame, Section, page, to};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::operator::channels::ChannelView;
use crate::operator::sinks::{SinkRun, SinkView};
use crate::operator::{Command, Reply};

/// What was just done.
#[derive(Deserialize)]
pub(in crate::dashboard) struct After {
    done: Option<Done>,
}

#[derive(Template)]
#[template(path = "sinks.html")]
struct Sinks {
    frame: Frame,
    rows: Vec<SinkView>,
}

#[derive(Template)]
#[template(path = "ran.html")]
struct Ran {
    frame: Frame,
    ran: SinkRun,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct Alerts {
    frame: Frame,
    rows: Vec<ChannelView>,
}

/// The sinks.
pub(in crate::dashboard) async fn sinks(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(after): Asked<After>,
) -> Result<Response, Refused> {
    let reply = dashboard.ask(person.actor(), Command::Sinks).await?;
    let Reply::Sinks(rows) = reply else { return Err(Refused::Fault) };
    let frame = Frame::new(&dashboard, &person, Section::Sinks, String::new());
    page(&Sinks { frame: frame.called("sinks-title").after(after.done).live(), rows })
}

/// Delivers what is current now.
pub(in crate::dashboard) async fn run(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let command = Command::SinkRun { name, connection: None };
    let Reply::SinkRan(ran) = dashboard.ask(person.actor(), command).await? else {
        return Err(Refused::Fault);
    };
    let frame = Frame::new(&dashboard, &person, Section::Sinks, ran.sink.clone());
    if ran.failed == 0 {
        return Ok(to(&format!("{}/sinks?done={}", frame.base, Done::Delivered.word())));
    }
    page(&Ran { frame, ran: *ran })
}

/// The channels.
pub(in crate::dashboard) async fn alerts(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(after): Asked<After>,
) -> Result<Response, Refused> {
    let reply = dashboard.ask(person.actor(), Command::Channels).await?;
    let Reply::Channels(rows) = reply else { return Err(Refused::Fault) };
    let frame = Frame::new(&dashboard, &person, Section::Alerts, String::new());
    page(&Alerts { frame: frame.called("alerts-title").after(after.done).live(), rows })
}

/// Sends a message to a channel, to see whether it arrives.
pub(in crate::dashboard) async fn test(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(name): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    dashboard.ask(person.actor(), Command::ChannelTest { name }).await?;
    let frame = Frame::bare(&dashboard, String::new());
    Ok(to(&format!("{}/alerts?done={}", frame.base, Done::Tested.word())))
}
