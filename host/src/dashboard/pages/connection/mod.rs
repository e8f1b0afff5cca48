//! One connection: how it is and what helps, its life in pictures, what is known of it, and what can be done with it.
//! Never a secret: of those, where each comes from.

/// Its life in pictures.
mod pictures;

/// How long tries took.
mod durations;

/// What is known of it.
mod facts;

/// Showing its token.
pub(in crate::dashboard) mod token;

/// What a form asks before something is done.
pub(in crate::dashboard) mod asking;

/// Doing it.
pub(in crate::dashboard) mod doing;

use askama::Template;
use axum::extract::{self, Path};
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::form::Asked;
use crate::dashboard::frame::{Done, Frame, Section, page};
use crate::dashboard::pages::wording::{lifetime, state_word, trigger_word};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, address};
use crate::model::attempt::Attempt;
use crate::model::id::ConnectionId;
use crate::model::state::State;
use crate::operator::history::History;
use crate::operator::view::Details;
use crate::operator::{Command, Reply};
use facts::{Delivered, Fact};
use pictures::Pictures;

/// What was just done.
#[derive(Deserialize)]
pub(in crate::dashboard) struct After {
    done: Option<Done>,
}

#[derive(Template)]
#[template(path = "connection.html")]
struct Shown {
    frame: Frame,
    /// Its address, before what is done with it.
    place: String,
    /// Where its account is connected, and what the button says that leads there.
    connect: String,
    connect_text: String,
    /// The log of it alone.
    log: String,
    name: String,
    labels: Vec<String>,
    class: &'static str,
    state: String,
    sentence: String,
    /// A command that helps.
    next_step: Option<String>,
    /// What the code of its error means, and what helps.
    meaning: Option<(String, String, String)>,
    gauge: String,
    may: May,
    pictures: Pictures,
    facts: Vec<Fact>,
    groups: Vec<(String, Vec<Fact>)>,
    delivered: Vec<Delivered>,
    generations: Vec<(u64, String, String)>,
    attempts: Vec<Tried>,
}

/// Which buttons there are.
struct May {
    /// Any at all.
    change: bool,
    has_token: bool,
    remove: bool,
    state: State,
}

/// One row of its log.
struct Tried {
    key: String,
    place: String,
    /// Markup.
    at: String,
    trigger: String,
    class: &'static str,
    outcome: String,
    why: String,
    code: Option<String>,
    took: String,
}

/// The page.
pub(in crate::dashboard) async fn show(
    extract::State(dashboard): extract::State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
    Asked(After { done }): Asked<After>,
) -> Result<Response, Refused> {
    let id = address::read(&text)?;
    let details = details(&dashboard, &person, &id).await?;
    let reply = dashboard.ask(person.actor(), Command::History { id: id.clone() }).await?;
    let Reply::History(history) = reply else { return Err(Refused::Fault) };
    let Reply::Sinks(sinks) = dashboard.ask(person.actor(), Command::Sinks).await? else {
        return Err(Refused::Fault);
    };
    let frame = Frame::new(&dashboard, &person, Section::Overview, id.to_string()).after(done);
    let manifest = dashboard.operator().manifest();
    let delivered = facts::delivered(&frame, &manifest, &id, &details, &sinks);
    let listed = manifest.lists(&id);
    page(&shown(frame.live(), &id, &details, &history, (delivered, listed)))
}

/// Everything about a connection.
pub(super) async fn details(
    dashboard: &Dashboard,
    person: &Person,
    id: &ConnectionId,
) -> Result<Box<Details>, Refused> {
    match dashboard.ask(person.actor(), Command::Show { id: id.clone() }).await? {
        Reply::Connection(details) => Ok(details),
        _ => Err(Refused::Fault),
    }
}

fn shown(
    frame: Frame,
    id: &ConnectionId,
    details: &Details,
    history: &History,
    (delivered, listed): (Vec<Delivered>, bool),
) -> Shown {
    let view = &details.view;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("connection", &id.to_string().replacen('/', "~", 1))
        .finish();
    let error = history.attempts.iter().find_map(Attempt::error).filter(|_| details.failures > 0);
    let meaning = error
        .and_then(|it| it.code.entry())
        .map(|it| (it.text.to_owned(), it.meaning.to_owned(), it.remedy.to_owned()));
    let generation = |it: &crate::operator::history::GenerationView| {
        (it.generation, frame.when(&it.at), format!("{}/attempts/{}", frame.base, it.attempt))
    };
    Shown {
        place: frame.connection(id),
        connect_text: match view.state {
            State::Reconnect => frame.words.say("connection-reconnect"),
            _ => frame.words.say("connection-connect"),
        },
        connect: format!("{}/connect/{}", frame.base, frame.address(id)),
        log: format!("{}/attempts?{query}", frame.base),
        name: id.to_string(),
        labels: view.labels.clone(),
        class: view.state.as_str(),
        state: state_word(&frame.words, view.state),
        sentence: view.sentence.clone(),
        next_step: view.next_step.clone(),
        meaning,
        gauge: lifetime(&frame, view.state, details.issued_at, view.expires_at),
        may: May::of(&frame, details, listed),
        pictures: Pictures::of(&frame, details, history),
        facts: facts::facts(&frame, details),
        groups: facts::groups(&frame, details),
        delivered,
        generations: history.generations.iter().map(generation).collect(),
        attempts: history.attempts.iter().map(|it| Tried::of(&frame, it)).collect(),
        frame,
    }
}

impl May {
    fn of(frame: &Frame, details: &Details, listed: bool) -> Self {
        let (state, has_token) = (details.view.state, details.issued_at.is_some());
        Self { change: frame.may_change(), has_token, remove: !listed, state }
    }

    fn connect(&self) -> bool {
        matches!(self.state, State::Reconnect | State::New)
    }

    fn resume(&self) -> bool {
        self.state == State::Paused
    }

    /// Whether the button that refreshes is the one to click.
    fn refresh_first(&self) -> bool {
        !matches!(self.state, State::Reconnect | State::Paused | State::Fresh)
    }
}

impl Tried {
    fn of(frame: &Frame, it: &Attempt) -> Self {
        let why = it.error().map(|it| it.message.clone());
        Self {
            key: format!("a{}", it.id),
            place: format!("{}/attempts/{}", frame.base, it.id),
            at: frame.moment(&it.started_at),
            trigger: trigger_word(&frame.words, it.trigger),
            class: frame.outcome_class(it),
            outcome: frame.outcome(it),
            why: why.or_else(|| it.reason().map(str::to_owned)).unwrap_or_default(),
            code: it.error().map(|it| it.code.text().to_owned()),
            took: it.duration_ms.map(|it| frame.took(&it)).unwrap_or_default(),
        }
    }
}
