//! What is broken for callers, what breaks next, and what to click: the verdict first, then what needs somebody, then
//! all connections in the order of urgency.

/// What all of them come to, in words.
mod verdict;

/// One connection in the table.
mod row;

/// Which connections the table shows.
mod filter;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::{Asked, Filled, given};
use crate::dashboard::frame::{Done, Frame, Section, page, to};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::operator::overview::Overview;
use crate::operator::urgent::UrgentView;
use crate::operator::{Command, Page, PageQuery, Reply, Selection};
use filter::{Choice, Filters, Wanted};
use row::Row;
use verdict::{Bucket, Changed, Day, Due, Trouble, Verdict};

/// Rows of the table.
const ROWS: u32 = 50;

/// What an address asks for.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Query {
    #[serde(flatten)]
    wanted: Wanted,
    after: Option<String>,
    done: Option<Done>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Shown {
    frame: Frame,
    verdict: Verdict,
    troubles: Vec<Trouble>,
    more_troubles: Option<String>,
    /// What the button says that refreshes all that failed.
    retry: Option<String>,
    buckets: Vec<Bucket>,
    due: Due,
    day: Day,
    changes: Vec<Changed>,
    filters: Filters,
    states: Vec<Choice>,
    rows: Vec<Row>,
    unreadable: Option<String>,
    next: Option<String>,
}

/// The page.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(query): Asked<Query>,
) -> Result<Response, Refused> {
    let Query { wanted, after, done } = query;
    let reply = dashboard.ask(person.actor(), Command::Overview).await?;
    let Reply::Overview(all) = reply else { return Err(Refused::Fault) };
    let found = found(&dashboard, &person, &wanted, after).await?;
    let frame = Frame::new(&dashboard, &person, Section::Overview, String::new());
    let frame = frame.called("overview-title").after(done).live();
    let frame = Frame { need: all.needing_a_person, ..frame };
    let providers = dashboard.operator().manifest().providers.keys().cloned().collect();
    page(&shown(frame, &all, found, &wanted, providers))
}

async fn found(
    dashboard: &Dashboard,
    person: &Person,
    wanted: &Wanted,
    after: Option<String>,
) -> Result<Page<UrgentView>, Refused> {
    let page = PageQuery { after: given(after), limit: Some(ROWS) };
    let command = Command::Urgent { query: wanted.query()?, page };
    match dashboard.ask(person.actor(), command).await? {
        Reply::Urgent(page) => Ok(page),
        _ => Err(Refused::Fault),
    }
}

fn shown(
    frame: Frame,
    all: &Overview,
    found: Page<UrgentView>,
    wanted: &Wanted,
    providers: Vec<String>,
) -> Shown {
    let Page { rows, unreadable, next } = found;
    let words = &frame.words;
    let unreadable = unreadable.len() as u64;
    let retry = (all.failed > 0 && frame.may_change()).then_some(all.failed);
    let (troubles, more_troubles) = verdict::troubles(&frame, all);
    Shown {
        verdict: Verdict::of(&frame, all),
        troubles,
        more_troubles,
        retry: retry.map(|it| words.count("overview-retry", it)),
        buckets: verdict::buckets(&frame, all),
        due: Due::of(&frame, all),
        day: Day::of(&frame, all),
        changes: all.changes.iter().map(|it| Changed::of(&frame, it)).collect(),
        filters: Filters::of(&frame, wanted, providers),
        states: filter::states(&frame, all, wanted),
        rows: rows.iter().map(|it| Row::of(&frame, it)).collect(),
        unreadable: (unreadable > 0).then(|| words.count("overview-unreadable", unreadable)),
        next: next.map(|it| wanted.address(&frame, &[("after", &it)])),
        frame,
    }
}

/// Whose failed connections are refreshed.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Retry {
    provider: Option<String>,
}

/// Refreshes those that failed, in the background, as `refresh --failed` does.
pub(in crate::dashboard) async fn retry(
    State(dashboard): State<Dashboard>,
    person: Person,
    Filled(retry): Filled<Retry>,
) -> Result<Response, Refused> {
    person.may_change()?;
    let provider = given(retry.provider);
    let selection = Selection { provider, failed: true, ..Selection::default() };
    let command = Command::Refresh { selection, force: false, dry_run: false, wait: false };
    let Reply::Refreshed(refreshed) = dashboard.ask(person.actor(), command).await? else {
        return Err(Refused::Fault);
    };
    let count = refreshed.queued.len() + refreshed.attempts.len();
    Ok(to(&format!("{}/queued?count={count}", Frame::bare(&dashboard, String::new()).base)))
}

/// How many were queued.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Count {
    count: u64,
}

#[derive(Template)]
#[template(path = "queued.html")]
struct Queued {
    frame: Frame,
    said: String,
}

/// Says what was queued.
pub(in crate::dashboard) async fn queued(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(Count { count }): Asked<Count>,
) -> Result<Response, Refused> {
    let frame = Frame::new(&dashboard, &person, Section::Overview, String::new());
    let frame = frame.called("queued-title");
    page(&Queued { said: frame.words.count("queued-said", count), frame })
}
