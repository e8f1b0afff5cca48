//! Connections in the order in which people have to look at them, or in another one that somebody has chosen, a page at
//! a time, each with the strip of its last tries.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::storage::Order;

use crate::model::attempt::{Outcome, text_enum};
use crate::model::clock;
use crate::model::connection::Connection;
use crate::model::failure::Failure;
use crate::model::state::{State, overdue};
use crate::operator::command::{PageQuery, bad_cursor};
use crate::operator::view::{self, ConnectionView};
use crate::operator::{Operator, Page, Reply};
use crate::refresher::host_fault;
use crate::storage::{EndsIn, Try, Urgency};

/// Rows of a page at most: each has a strip of its tries.
const MOST: u32 = 100;

/// Which connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrgentQuery {
    /// Of this provider.
    pub provider: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// With this label.
    pub label: Option<String>,
    /// With this in their names, in whatever case.
    pub search: Option<String>,
    /// Whose token ends so.
    pub ends: Option<Bucket>,
    /// What comes first.
    #[serde(default)]
    pub order: Order,
}

/// When a token ends, as the overview counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bucket {
    /// It has ended.
    Past,
    /// Within an hour.
    Hour,
    /// Within a day, and not within an hour.
    Day,
    /// Within a week, and not within a day.
    Week,
    /// Within thirty days, and not within a week.
    Month,
    /// Later.
    Later,
    /// Nobody says when.
    Unknown,
}

text_enum!(Bucket {
    Past = "past",
    Hour = "hour",
    Day = "day",
    Week = "week",
    Month = "month",
    Later = "later",
    Unknown = "unknown",
});

impl Bucket {
    /// The ends that are in it at `now`.
    fn ends(self, now: Timestamp) -> EndsIn {
        let hours = |it| clock::after(now, Duration::from_hours(it));
        let (day, week, month) = (24, 7 * 24, 30 * 24);
        match self {
            Self::Past => EndsIn::Past,
            Self::Hour => EndsIn::Within(now, hours(1)),
            Self::Day => EndsIn::Within(hours(1), hours(day)),
            Self::Week => EndsIn::Within(hours(day), hours(week)),
            Self::Month => EndsIn::Within(hours(week), hours(month)),
            Self::Later => EndsIn::Within(hours(month), Timestamp::MAX),
            Self::Unknown => EndsIn::Unknown,
        }
    }
}

/// One connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UrgentView {
    /// The line of `status`.
    #[serde(flatten)]
    pub view: ConnectionView,
    /// When its token was stored.
    pub issued_at: Option<Timestamp>,
    /// Its last tries, oldest first.
    pub tries: Vec<TryView>,
}

/// One try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryView {
    /// How it ended.
    pub outcome: Outcome,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
}

impl From<Try> for TryView {
    fn from(Try { outcome, started_at, duration_ms }: Try) -> Self {
        Self { outcome, started_at, duration_ms }
    }
}

impl Operator {
    /// One page of them.
    pub(super) async fn urgent(
        &self,
        query: UrgentQuery,
        page: &PageQuery,
    ) -> Result<Reply, Failure> {
        let now = self.now();
        let after = page.after.as_deref().map(str::parse).transpose().map_err(|()| bad_cursor())?;
        let wanted = Urgency {
            now,
            overdue: overdue(now),
            order: query.order,
            provider: query.provider,
            state: query.state,
            label: query.label,
            search: query.search,
            ends: query.ends.map(|it| it.ends(now)),
            after,
            limit: page.limit().min(MOST),
        };
        let found = self.0.storage.urgent(&wanted).await.map_err(|it| host_fault(&it))?;
        let issued = |row: &Result<Connection, _>| {
            let token = row.as_ref().ok().and_then(|it| it.token.as_ref());
            token.map(|it| it.issued_at)
        };
        let issued = found.page.rows.iter().map(issued).collect::<Vec<_>>();
        let unreadable = found.page.attempts.iter().map(view::error_of).collect();
        let mut tries = found.tries;
        let views = self.views(found.page.rows).await;
        let rows = views.into_iter().zip(issued).map(|(view, issued_at)| {
            let tries = tries.remove(&view.id).unwrap_or_default();
            UrgentView { issued_at, tries: tries.into_iter().map(TryView::from).collect(), view }
        });
        let next = found.next.map(|it| it.to_string());
        Ok(Reply::Urgent(Page { rows: rows.collect(), unreadable, next }))
    }
}
