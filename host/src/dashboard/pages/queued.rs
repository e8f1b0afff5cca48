//! What a form has queued: how many, and which. The form leads here, and loading this again queues nothing.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::dashboard::Dashboard;
use crate::dashboard::frame::{Frame, Section, page, to};
use crate::dashboard::queues::{Queued, What};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::operator::{Command, Reply, Selection};

#[derive(Template)]
#[template(path = "queued.html")]
struct Shown {
    frame: Frame,
    said: String,
    what: String,
    /// Those that are named: where each is, and its name.
    names: Vec<(String, String)>,
    /// How many there are besides.
    more: Option<String>,
    /// The log of what becomes of them.
    attempts: String,
    /// The same of those that were left out, each with the reason.
    skipped: String,
}

/// Refreshes in the background what `selection` says, as `refresh` does, and leads to the page that says what was
/// queued. The reply does not tell who is left out: that is decided when the turn of each has come, and is in the log.
pub(super) async fn queue(
    dashboard: &Dashboard,
    person: &Person,
    selection: Selection,
    force: bool,
) -> Result<Response, Refused> {
    let asked = selection.clone();
    let command = Command::Refresh { selection, force, dry_run: false, wait: false };
    let Reply::Refreshed(refreshed) = dashboard.ask(person.actor(), command).await? else {
        return Err(Refused::Fault);
    };
    let base = Frame::bare(dashboard, String::new()).base;
    let word = dashboard.0.queues.add(Queued::of(&asked, force, refreshed.queued));
    // It is queued, also where there is no word for a page that says so.
    let place = word.map_or_else(|| "attempts".to_owned(), |it| format!("queued/{it}"));
    Ok(to(&format!("{base}/{place}")))
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    person: Person,
    Path(word): Path<String>,
) -> Result<Response, Refused> {
    let queued = dashboard.0.queues.look(&word).ok_or(Refused::NotFound)?;
    let frame = Frame::new(&dashboard, &person, Section::Overview, String::new());
    page(&Shown::of(frame.called("queued-title"), &queued))
}

impl Shown {
    fn of(frame: Frame, queued: &Queued) -> Self {
        let more = queued.count - queued.first.len();
        let provider = queued.provider.as_deref();
        let of_log = |more: &[(&str, &str)]| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(provider.map(|it| ("provider", it))).extend_pairs(more);
            let query = query.finish();
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{}/attempts{mark}{query}", frame.base)
        };
        Self {
            said: frame.words.count("queued-said", queued.count),
            what: what(&frame, queued),
            names: queued.first.iter().map(|it| (frame.connection(it), it.to_string())).collect(),
            more: (more > 0).then(|| frame.words.count("queued-more", more)),
            attempts: of_log(&[]),
            skipped: of_log(&[("outcome", "skipped"), ("since", "24h")]),
            frame,
        }
    }
}

/// What was asked for, in words.
fn what(frame: &Frame, queued: &Queued) -> String {
    let words = &frame.words;
    let of = queued.provider.clone().unwrap_or_else(|| words.say("queued-any-provider"));
    let of = [("provider", of.as_str())];
    match queued.what {
        What::Failed => words.with("queued-failed", &of),
        What::Due => words.with("queued-due", &of),
        What::Forced => words.with("queued-forced", &of),
    }
}
