//! One attempt: why it failed and what that means, what helps, where its time went, and what it asked the provider.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::dashboard::Dashboard;
use crate::dashboard::drawing::gauge::split;
use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::pages::wording::trigger_word;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::model::attempt::{Attempt, Outcome};
use crate::model::exchange::Exchange;
use crate::operator::attempt::AttemptDetails;
use crate::operator::{Command, Reply};

#[derive(Template)]
#[template(path = "attempt.html")]
struct Shown {
    frame: Frame,
    class: &'static str,
    outcome: String,
    /// The cause, or how it came about.
    cause: Option<String>,
    code: Option<String>,
    /// What its code means, and what helps.
    meaning: Option<(String, String)>,
    connection: String,
    place: String,
    /// Whether a button tries again.
    can_retry: bool,
    /// Markup.
    started: String,
    took: Option<String>,
    trigger: String,
    generation: u64,
    digest: Option<String>,
    /// Markup.
    split: Option<String>,
    parts: Vec<(String, String)>,
    exchanges: Vec<Row>,
    /// For whoever helps.
    support: String,
    download: String,
}

/// One request.
struct Row {
    method: String,
    address: String,
    status: String,
    class: &'static str,
    took: String,
    sent: String,
    received: String,
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    let details = details(&dashboard, &person, &text).await?;
    let frame = Frame::new(&dashboard, &person, Section::Attempts, String::new());
    let title = frame
        .words
        .with("attempt-title", &[("connection", &details.attempt.connection.to_string())]);
    page(&shown(Frame { title, ..frame }, &details))
}

/// The same for whoever helps, as a file.
pub(in crate::dashboard) async fn support(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(text): Path<String>,
) -> Result<Response, Refused> {
    let details = details(&dashboard, &person, &text).await?;
    let name = format!("attachment; filename=\"attempt-{}.json\"", details.attempt.id);
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, for_support(&details)).into_response())
}

async fn details(
    dashboard: &Dashboard,
    person: &Person,
    text: &str,
) -> Result<AttemptDetails, Refused> {
    let id = text.parse().map_err(|_| Refused::NotFound)?;
    match dashboard.ask(person.actor(), Command::Attempt { id }).await? {
        Reply::Attempt(details) => Ok(*details),
        _ => Err(Refused::Fault),
    }
}

fn shown(frame: Frame, details: &AttemptDetails) -> Shown {
    let attempt = &details.attempt;
    let error = attempt.error();
    let entry = error.and_then(|it| it.code.entry());
    let cause = error.map(|it| it.message.clone());
    let parts = parts(&frame, attempt);
    let failed = attempt.outcome() == Some(Outcome::Failed);
    Shown {
        class: frame.outcome_class(attempt),
        outcome: frame.outcome(attempt),
        cause: cause.or_else(|| attempt.reason().map(str::to_owned)),
        code: error.map(|it| it.code.text().to_owned()),
        meaning: entry.map(|it| (it.meaning.to_owned(), it.remedy.to_owned())),
        connection: attempt.connection.to_string(),
        place: frame.connection(&attempt.connection),
        can_retry: failed && frame.may_change(),
        started: frame.moment(&attempt.started_at),
        took: attempt.duration_ms.map(|it| frame.took(&it)),
        trigger: trigger_word(&frame.words, attempt.trigger),
        generation: attempt.generation,
        digest: details.plugin_digest.clone(),
        split: drawn(&frame, &parts),
        parts: parts.iter().map(|it| (it.name.clone(), frame.took(&it.ms))).collect(),
        exchanges: details.exchanges.iter().map(|it| Row::of(&frame, it)).collect(),
        support: for_support(details),
        download: format!("{}/attempts/{}/support", frame.base, attempt.id),
        frame,
    }
}

/// Something that it spent time on.
struct Part {
    name: String,
    class: &'static str,
    ms: u64,
}

/// Where its time went, as far as that is known.
fn parts(frame: &Frame, attempt: &Attempt) -> Vec<Part> {
    let words = &frame.words;
    let Some(whole) = attempt.duration_ms else { return Vec::new() };
    let (waited, provider) = (attempt.spent.waited_ms, attempt.spent.provider_ms);
    if waited.is_none() && provider.is_none() {
        return Vec::new();
    }
    let known = waited.unwrap_or_default().saturating_add(provider.unwrap_or_default());
    let rest = whole.saturating_sub(known);
    let part = |name, class, ms: Option<u64>| ms.map(|ms| Part { name, class, ms });
    let parts = [
        part(words.say("split-waited"), "soft", waited),
        part(words.say("split-provider"), "fill", provider),
        part(words.say("split-rest"), "track", Some(rest)),
    ];
    parts.into_iter().flatten().collect()
}

fn drawn(frame: &Frame, parts: &[Part]) -> Option<String> {
    let said = parts.iter().map(|it| format!("{}: {}", it.name, frame.took(&it.ms)));
    let said = said.collect::<Vec<_>>().join(", ");
    let all = parts.iter().map(|it| (it.class, it.ms)).collect::<Vec<_>>();
    (!all.is_empty()).then(|| split(&said, &all))
}

impl Row {
    fn of(frame: &Frame, it: &Exchange) -> Self {
        let bytes = |count: u64| frame.words.count("attempt-bytes", count);
        let status =
            it.status.map_or_else(|| frame.words.say("attempt-no-answer"), |it| it.to_string());
        let went_well = it.status.is_some_and(|it| (200..400).contains(&it));
        Self {
            method: it.method.clone(),
            address: it.address.clone(),
            status,
            class: if went_well { "success" } else { "failed" },
            took: frame.took(&it.took_ms),
            sent: bytes(it.sent_bytes),
            received: bytes(it.received_bytes),
        }
    }
}

/// What is told to whoever helps: no secret is in it, as none is in an attempt.
fn for_support(details: &AttemptDetails) -> String {
    let entry = details.attempt.error().and_then(|it| it.code.entry());
    let told = json!({
        "keepfresh": env!("CARGO_PKG_VERSION"),
        "attempt": details.attempt,
        "meaning": entry.map_or(Value::Null, |it| it.meaning.into()),
        "plugin_digest": details.plugin_digest,
        "exchanges": details.exchanges,
    });
    serde_json::to_string_pretty(&told).unwrap_or_default()
}
