//! All connections on one page: how many need somebody and why, what ends and is refreshed when, what has changed
//! last. With a million connections that is not counted for each who asks: see `counts`.

/// One count for all who ask.
mod counts;

/// What is wrong, in a line for each provider and cause.
mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use counts::Counts;
pub use trouble::{CauseView, TroubleView};

use crate::model::clock;
use crate::model::code::Code;
use crate::model::event::EventKind;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::model::state::{State, overdue};
use crate::operator::reload::Reloaded;
use crate::operator::reply::FiguresView;
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::{Counting, EndCounts, OutboxEvent, Overall};

/// The time ahead and behind that it looks at.
const DAY: Duration = Duration::from_hours(24);

/// Changes that it names.
const CHANGES: u32 = 5;

/// How all connections are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Overview {
    /// When it was counted.
    pub counted_at: Timestamp,
    /// How long ago that was when it was asked for, in milliseconds.
    pub age_ms: u64,
    /// All connections.
    pub connections: u64,
    /// Those that only a person can help, or whose callers fail.
    pub needing_a_person: u64,
    /// Those that failed last, as `refresh --failed` takes them.
    pub failed: u64,
    /// How many are in each state; no entry where none is.
    pub states: BTreeMap<State, u64>,
    /// What is wrong, the worst first: a line for each provider and cause.
    pub troubles: Vec<TroubleView>,
    /// When tokens end.
    pub ends: EndCounts,
    /// When they are refreshed.
    pub due: DueView,
    /// How refreshes went in the last 24 hours.
    pub day: FiguresView,
    /// What has changed last for people, newest first.
    pub changes: Vec<ChangeView>,
    /// The last reload of the manifest, if there was one in this process.
    pub reloaded: Option<Reloaded>,
}

/// Refreshes in the next 24 hours.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DueView {
    /// The beginning of the first hour, which is the one that is now.
    pub from: Timestamp,
    /// How many in each hour.
    pub hours: Vec<u64>,
    /// When the next one is.
    pub next_at: Option<Timestamp>,
}

impl DueView {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.hours.iter().sum()
    }

    /// The hour with most of them, and how many; none when there are none.
    pub fn peak(&self) -> Option<(Timestamp, u64)> {
        let most = *self.hours.iter().max().filter(|it| **it > 0)?;
        let hour = self.hours.iter().position(|it| *it == most)?;
        Some((clock::after(self.from, hours(hour)), most))
    }
}

/// So many hours.
fn hours(count: usize) -> Duration {
    Duration::from_hours(count as u64)
}

/// What has changed for people.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangeView {
    /// When.
    pub at: Timestamp,
    /// With which connection.
    pub connection: ConnectionId,
    /// What.
    pub kind: EventKind,
    /// Why, where it is a failure.
    pub code: Option<Code>,
}

impl From<OutboxEvent> for ChangeView {
    fn from(OutboxEvent { event, .. }: OutboxEvent) -> Self {
        Self { at: event.at, connection: event.connection, kind: event.kind, code: event.code }
    }
}

impl Operator {
    /// How all connections are, as they were counted lately.
    pub(super) async fn overview(&self) -> Result<Reply, Failure> {
        let (mut overview, age) = Counts::ask(self).await?;
        overview.age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        overview.reloaded = self.0.reloads.last();
        Ok(Reply::Overview(Box::new(overview)))
    }

    /// Counts.
    async fn count_all(&self) -> Result<Overview, Failure> {
        let now = self.now();
        let from = clock::hour(now);
        let counting = Counting {
            now,
            overdue: overdue(now),
            hours: (0..24).map(|it| clock::after(from, hours(it))).collect(),
            changes: CHANGES,
        };
        let storage = &self.0.storage;
        let overall = storage.overall(&counting).await.map_err(|it| host_fault(&it))?;
        let next_at = storage.next_due(now).await.map_err(|it| host_fault(&it))?;
        let day = storage.statistics(None, clock::before(now, DAY)).await;
        let day = day.map_err(|it| host_fault(&it))?;
        let troubles = self.troubles(now).await?;
        let Overall { states, failed, ends, due, changes } = overall;
        let needs =
            |(state, count): (&State, &u64)| if state.needs_a_person() { *count } else { 0 };
        Ok(Overview {
            counted_at: now,
            age_ms: 0,
            connections: states.values().sum(),
            needing_a_person: states.iter().map(needs).sum(),
            failed,
            states,
            troubles,
            ends,
            due: DueView { from, hours: due, next_at },
            day: day.all.into(),
            changes: changes.into_iter().map(ChangeView::from).collect(),
            reloaded: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    #[test]
    fn the_peak_is_the_first_hour_with_most() {
        let due = |hours: &[u64]| DueView { from: at(0), hours: hours.to_vec(), next_at: None };
        assert_eq!(due(&[]).peak(), None);
        assert_eq!(due(&[0, 0]).peak(), None);
        assert_eq!(due(&[1, 9, 3, 9]).peak(), Some((at(3_600), 9)));
        assert_eq!(due(&[1, 9, 3, 9]).total(), 22);
    }
}
