//! Connecting an account, and connecting it anew: in this browser, with a code on another machine, or by a link for
//! somebody else. The person agrees at the provider and comes back.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::dashboard::devices::Device;
use crate::dashboard::form::{Asked, Filled};
use crate::dashboard::frame::{Done, Frame, Section, page, page_with, to};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, PLACE, address};
use crate::model::code::Code;
use crate::operator::inspected::{By, FormView};
use crate::operator::reply::ConnectStep;
use crate::operator::{Command, Reply, Wish};

/// How long a link for somebody else works, and one for this browser, in minutes.
const FOR_OTHERS: i64 = 24 * 60;
const FOR_ONESELF: i64 = 15;

#[derive(Template)]
#[template(path = "connect.html")]
struct Connect {
    frame: Frame,
    short: String,
    form: FormView,
    redirect_uri: Option<String>,
}

#[derive(Template)]
#[template(path = "link.html")]
struct Link {
    frame: Frame,
    url: String,
    until: Timestamp,
}

#[derive(Template)]
#[template(path = "device.html")]
struct OnDevice {
    frame: Frame,
    word: String,
    device: Device,
    trouble: Option<String>,
}

#[derive(Template)]
#[template(path = "connected.html")]
struct Connected {
    frame: Frame,
    short: String,
    code: String,
    lines: Vec<String>,
}

/// How a person connects it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum How {
    Browser,
    Device,
    Link,
}

/// What the form brings.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Wanted {
    how: How,
    /// Scopes besides those of the settings, with blanks between them.
    #[serde(default)]
    scopes: String,
    /// Whether it may be another account than the one that is connected.
    #[serde(default)]
    other_account: Option<String>,
}

/// The form.
pub(in crate::dashboard) async fn form(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let id = address::read(&id)?;
    let asked = Command::Form { provider: id.provider().to_owned() };
    let Reply::Form(form) = dashboard.ask(person.actor(), asked).await? else {
        return Err(Refused::Fault);
    };
    let frame = Frame::new(&dashboard, &person, Section::Apart, String::new());
    let title = frame.words.with("connect-title", &[("connection", &id.to_string())]);
    let url = dashboard.operator().manifest().server.url.clone();
    let redirect_uri = url.map(|it| format!("{it}/connect/callback"));
    let frame = Frame { title, ..frame };
    page(&Connect { frame, short: id.to_string(), form: *form, redirect_uri })
}

/// Sends the person away, by the way that was chosen.
pub(in crate::dashboard) async fn begin(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(id): Path<String>,
    Filled(wanted): Filled<Wanted>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let id = address::read(&id)?;
    let scopes = wanted.scopes.split_whitespace().map(str::to_owned).collect();
    let wish = Wish { scopes, other_account: wanted.other_account.is_some() };
    let now = dashboard.operator().now();
    let minutes = match wanted.how {
        How::Device => {
            let command = Command::DeviceStart { id: id.clone(), wish };
            let Reply::Connect(step) = dashboard.ask(person.actor(), command).await? else {
                return Err(Refused::Fault);
            };
            let device = device(id, step, now).ok_or(Refused::Fault)?;
            let word = dashboard.0.devices.add(device, now).ok_or(Refused::Fault)?;
            return Ok(to(&format!("{}{PLACE}/device/{word}", dashboard.below())));
        }
        How::Browser => FOR_ONESELF,
        How::Link => FOR_OTHERS,
    };
    let base = dashboard.operator().manifest().server.url.clone();
    let back = base.filter(|_| matches!(wanted.how, How::Browser));
    let back = back.map(|it| format!("{it}{PLACE}/connected"));
    let until = now + SignedDuration::from_mins(minutes);
    let url = dashboard.api().link(person.actor(), id, wish, back, until).await?;
    if matches!(wanted.how, How::Browser) {
        return Ok(to(&url));
    }
    let frame = Frame::new(&dashboard, &person, Section::Apart, String::new());
    page(&Link { frame: frame.called("connect-link-title"), url, until })
}

fn device(id: crate::model::id::ConnectionId, step: ConnectStep, now: Timestamp) -> Option<Device> {
    let ConnectStep::Device {
        visit, user_code, verification_uri, interval_s, expires_in_s, ..
    } = step
    else {
        return None;
    };
    let lasts = SignedDuration::from_secs(i64::try_from(expires_in_s).unwrap_or(i64::MAX));
    let until = now.checked_add(lasts).unwrap_or(Timestamp::MAX);
    Some(Device { id, visit, user_code, address: verification_uri, interval_s, until })
}

/// The code, while the person is elsewhere.
pub(in crate::dashboard) async fn waiting(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(word): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    waits(&dashboard, &person, word, None)
}

fn waits(
    dashboard: &Dashboard,
    person: &Person,
    word: String,
    trouble: Option<String>,
) -> Result<Response, Refused> {
    let now = dashboard.operator().now();
    let device = dashboard.0.devices.look(&word, now).ok_or(Refused::NotFound)?;
    let frame = Frame::new(dashboard, person, Section::Apart, String::new());
    let title = frame.words.with("connect-title", &[("connection", &device.id.to_string())]);
    page(&OnDevice { frame: Frame { title, ..frame }, word, device, trouble })
}

/// Has the person agreed?
pub(in crate::dashboard) async fn poll(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(word): Path<String>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let now = dashboard.operator().now();
    let device = dashboard.0.devices.look(&word, now).ok_or(Refused::NotFound)?;
    let polled = dashboard.ask(person.actor(), Command::DevicePoll { visit: device.visit }).await;
    match polled {
        Ok(Reply::Connect(ConnectStep::Waiting { visit, interval_s, trouble })) => {
            dashboard.0.devices.goes_on(&word, visit, interval_s);
            waits(&dashboard, &person, word, trouble)
        }
        Ok(Reply::Connect(ConnectStep::Connected { .. })) => {
            dashboard.0.devices.forget(&word);
            let place = address::of(&device.id);
            let done = Done::Connected.word();
            Ok(to(&format!("{}{PLACE}/connections/{place}?done={done}", dashboard.below())))
        }
        Ok(_) => Err(Refused::Fault),
        Err(failure) => {
            dashboard.0.devices.forget(&word);
            Err(failure.into())
        }
    }
}

/// What the way back says.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Came {
    connection: String,
    outcome: String,
    code: Option<String>,
}

/// The person has come back.
pub(in crate::dashboard) async fn came_back(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(came): Asked<Came>,
) -> Result<Response, Refused> {
    let id = address::read(&came.connection.replacen('/', "~", 1))?;
    let frame = Frame::new(&dashboard, &person, Section::Apart, String::new());
    if came.outcome == "connected" {
        let done = Done::Connected.word();
        return Ok(to(&format!("{}/connections/{}?done={done}", frame.base, address::of(&id))));
    }
    // A word of ours or none: an address may say anything.
    let code = Code::read(&came.code.unwrap_or_default());
    let lines = code.entry().map(|it| vec![it.meaning.to_owned(), it.remedy.to_owned()]);
    let title = frame.words.with("connect-failed", &[("connection", &id.to_string())]);
    let known = lines.is_some();
    let code = if known { code.to_string() } else { String::new() };
    let (frame, short) = (Frame { title, ..frame }, id.to_string());
    page_with(StatusCode::OK, &Connected { frame, short, code, lines: lines.unwrap_or_default() })
}

impl Connect {
    /// Whether a person can do something.
    fn by_a_person(&self) -> bool {
        self.form.by == By::Person
    }
}

impl Connected {
    fn again(&self) -> String {
        format!("{}/connect/{}", self.frame.base, address::encoded(&self.short))
    }
}
