//! What runs when: the schedules of the manifest, with their next runs in the reader's zone, and what is planned for the
//! next 24 hours.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;

use crate::dashboard::Dashboard;
use crate::dashboard::frame::{Frame, Section, page};
use crate::dashboard::pages::forecast::Ahead;
use crate::dashboard::refused::Refused;
use crate::dashboard::session::Person;
use crate::operator::plugins::ScheduleView;
use crate::operator::{Command, Reply};

#[derive(Template)]
#[template(path = "schedules.html")]
struct Schedules {
    frame: Frame,
    rows: Vec<Row>,
    ahead: Ahead,
}

struct Row {
    expression: String,
    provider: String,
    kind: String,
    timezone: String,
    next_runs: Vec<Timestamp>,
    connections: usize,
    refresh: Option<Timestamp>,
}

impl Row {
    fn of(view: ScheduleView) -> Self {
        let refresh = view.next_refresh.values().flatten().min().copied();
        let connections = view.next_refresh.len();
        let ScheduleView { expression, provider, kind, timezone, next_runs, .. } = view;
        Self { expression, provider, kind, timezone, next_runs, connections, refresh }
    }

    fn is_backup(&self) -> bool {
        self.kind == "backup_schedule"
    }

    /// When the first of its connections is refreshed: markup.
    fn next(&self, frame: &Frame) -> String {
        let count = frame.words.count("schedules-connections", self.connections);
        self.refresh.map_or_else(|| count.clone(), |at| format!("{} · {count}", frame.when(&at)))
    }
}

/// The page.
pub(in crate::dashboard) async fn list(
    State(dashboard): State<Dashboard>,
    person: Person,
) -> Result<Response, Refused> {
    let reply = dashboard.ask(person.actor(), Command::Schedules).await?;
    let Reply::Schedules(all) = reply else { return Err(Refused::Fault) };
    let reply = dashboard.ask(person.actor(), Command::Forecast).await?;
    let Reply::Forecast(forecast) = reply else { return Err(Refused::Fault) };
    let frame = Frame::new(&dashboard, &person, Section::Schedules, String::new());
    let frame = frame.called("schedules-title").live();
    let ahead = Ahead::of(&frame, &forecast);
    page(&Schedules { frame, rows: all.into_iter().map(Row::of).collect(), ahead })
}
