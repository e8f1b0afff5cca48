//! What was tried, newest first, with filters in the address.

/// What the filters select, as a file.
pub(in crate::dashboard) mod download;

/// How a file is written.
mod format;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::dashboard::form::{Asked, given};
use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::dashboard::{Dashboard, address};
use crate::model::attempt::{Attempt, Outcome};
use crate::model::audit::Actor;
use crate::operator::{Command, LogQuery, Page, PageQuery, Reply};

/// Rows of a page.
const ROWS: u32 = 50;

/// Which attempts.
#[derive(Clone, Default, Deserialize)]
pub(in crate::dashboard) struct Wanted {
    provider: Option<String>,
    connection: Option<String>,
    outcome: Option<String>,
    since: Option<String>,
    after: Option<String>,
    /// The newest one of a page that somebody has open: how many are newer?
    behind: Option<String>,
    /// Of a file: at most so many.
    limit: Option<u32>,
}

#[derive(Template)]
#[template(path = "attempts.html")]
struct Attempts {
    frame: Frame,
    wanted: Wanted,
    rows: Vec<Attempt>,
    unreadable: usize,
    next: Option<String>,
    newer: Option<String>,
}

/// The page.
pub(in crate::dashboard) async fn list(
    State(dashboard): State<Dashboard>,
    person: Person,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Refused> {
    let found = ask(&dashboard, person.actor(), query(&wanted, ROWS)?).await?;
    let Page { rows, unreadable, next } = found;
    let frame = Frame::new(&dashboard, &person, Section::Attempts, String::new());
    let frame = frame.called("attempts-title").live();
    let newer = wanted.behind.as_ref().and_then(|behind| {
        let count = rows.iter().take_while(|it| it.id.to_string() > *behind).count();
        (count > 0).then(|| frame.words.count("attempts-newer", count))
    });
    page(&Attempts { frame, rows, unreadable: unreadable.len(), next, newer, wanted })
}

/// What the address asks for, up to so many rows.
fn query(wanted: &Wanted, limit: u32) -> Result<LogQuery, Refused> {
    let connection = given(wanted.connection.clone()).map(|it| address::read(&it)).transpose()?;
    let outcome = given(wanted.outcome.clone());
    let outcome = outcome.map(|it| it.parse::<Outcome>().map_err(|_| Refused::Unreadable));
    let since = given(wanted.since.clone()).map(|it| seconds(&it).ok_or(Refused::Unreadable));
    Ok(LogQuery {
        provider: given(wanted.provider.clone()),
        connection,
        outcome: outcome.transpose()?,
        since_s: since.transpose()?,
        limit,
        page: Some(PageQuery { after: given(wanted.after.clone()), limit: Some(limit) }),
    })
}

async fn ask(
    dashboard: &Dashboard,
    actor: &Actor,
    query: LogQuery,
) -> Result<Page<Attempt>, Refused> {
    match dashboard.ask(actor, Command::Log(query)).await? {
        Reply::AttemptPage(page) => Ok(page),
        _ => Err(Refused::Fault),
    }
}

/// The periods that the form offers.
fn seconds(period: &str) -> Option<u64> {
    match period {
        "24h" => Some(86_400),
        "7d" => Some(7 * 86_400),
        "30d" => Some(30 * 86_400),
        _ => None,
    }
}

#[expect(clippy::ref_option, reason = "templates give references")]
impl Attempts {
    fn is(field: &Option<String>, value: &str) -> bool {
        field.as_deref() == Some(value)
    }

    fn value(field: &Option<String>) -> &str {
        field.as_deref().unwrap_or_default()
    }

    /// The same filters, with something else behind them.
    fn query(&self, name: &str, value: impl AsRef<str>) -> String {
        let value = value.as_ref();
        let Wanted { provider, connection, outcome, since, .. } = &self.wanted;
        let all = [
            ("provider", provider),
            ("connection", connection),
            ("outcome", outcome),
            ("since", since),
        ];
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in all {
            if let Some(value) = value.as_ref().filter(|it| !it.is_empty()) {
                query.append_pair(name, value);
            }
        }
        if !value.is_empty() {
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// How many a file has at most.
    fn most() -> u32 {
        download::MOST
    }

    fn newest(&self) -> String {
        self.rows.first().map(|it| it.id.to_string()).unwrap_or_default()
    }
}
