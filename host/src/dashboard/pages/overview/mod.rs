//! What is broken for callers, what breaks next, and what to click: the verdict first, then what needs somebody, then
//! all connections in the order of urgency, or in another that somebody has chosen.

/// What all of them come to, in words.
mod verdict;

/// One connection in the table.
mod row;

/// Which connections the table shows.
mod filter;

/// In which order.
mod sorting;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::form::{Asked, Filled, given};
use crate::dashboard::frame::{Done, Frame, Section, page};
use crate::dashboard::pages::queued::queue;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::operator::overview::Overview;
use crate::operator::urgent::{Order, UrgentQuery, UrgentView};
use crate::operator::{Command, Page, PageQuery, Reply, Selection};
use filter::{Choice, Filters, Wanted};
use row::Row;
use sorting::Sorting;
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
    sorting: Sorting,
    /// Where all of the provider are refreshed whose connections these are, and what the button says.
    refresh: Option<(String, String)>,
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
    let query = wanted.query()?;
    let order = query.order;
    let found = found(&dashboard, &person, query, after).await?;
    let frame = Frame::new(&dashboard, &person, Section::Overview, String::new());
    let frame = frame.called("overview-title").after(done).live();
    let frame = Frame { need: all.needing_a_person, ..frame };
    let providers = dashboard.operator().manifest().providers.keys().cloned().collect();
    page(&shown(frame, &all, found, (&wanted, order), providers))
}

async fn found(
    dashboard: &Dashboard,
    person: &Person,
    query: UrgentQuery,
    after: Option<String>,
) -> Result<Page<UrgentView>, Refused> {
    let page = PageQuery { after: given(after), limit: Some(ROWS) };
    let command = Command::Urgent { query, page };
    match dashboard.ask(person.actor(), command).await? {
        Reply::Urgent(page) => Ok(page),
        _ => Err(Refused::Fault),
    }
}

fn shown(
    frame: Frame,
    all: &Overview,
    found: Page<UrgentView>,
    (wanted, order): (&Wanted, Order),
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
        refresh: refresh(&frame, wanted, &providers),
        filters: Filters::of(&frame, wanted, providers),
        states: filter::states(&frame, all, wanted),
        sorting: Sorting::of(&frame, wanted, order),
        rows: rows.iter().map(|it| Row::of(&frame, it)).collect(),
        unreadable: (unreadable > 0).then(|| words.count("overview-unreadable", unreadable)),
        next: next.map(|it| wanted.address(&frame, &[("after", &it)])),
        frame,
    }
}

/// The button for all of a provider, where the table shows those of one.
fn refresh(frame: &Frame, wanted: &Wanted, providers: &[String]) -> Option<(String, String)> {
    let provider = given(wanted.provider.clone()).filter(|it| providers.contains(it))?;
    let place = format!("{}/providers/{}/refresh", frame.base, frame.part(&provider));
    let text = frame.words.with("provider-refresh", &[("provider", &provider)]);
    frame.may_change().then_some((place, text))
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
    queue(&dashboard, &person, selection, false).await
}
