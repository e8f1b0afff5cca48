//! What has become of one connection: its last tries, its generations, and each of the last ninety days in numbers,
//! as far back as tries are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::attempt::{Attempt, Outcome};
use crate::model::clock;
use crate::model::failure::Failure;
use crate::model::id::{AttemptId, ConnectionId};
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::{LogFilter, Tried};

/// How far back it looks.
const DAYS: u64 = 90;

/// Tries that are listed.
const LISTED: u32 = 50;

/// Generations that are listed.
const GENERATIONS: usize = 30;

/// What has become of one connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// The last tries, newest first, an open one too.
    pub attempts: Vec<Attempt>,
    /// Its last token sets that came of a try, newest first.
    pub generations: Vec<GenerationView>,
    /// Days on which something was tried, oldest first, in UTC.
    pub days: Vec<DayView>,
    /// Today, in UTC.
    pub today: Date,
}

/// One token set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationView {
    /// Its number.
    pub generation: u64,
    /// When it came.
    pub at: Timestamp,
    /// Of which try.
    pub attempt: AttemptId,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayView {
    /// Which.
    pub day: Date,
    /// Tries that stored a new generation.
    pub success: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Those that sent nothing.
    pub skipped: u64,
    /// How long they waited for their turn.
    pub waited: Option<Spread>,
    /// How long the provider took.
    pub provider: Option<Spread>,
}

/// Of several durations, the one in the middle and a long one, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of them took so long at most.
    pub p50_ms: u64,
    /// 95 of a hundred took so long at most.
    pub p95_ms: u64,
}

impl Spread {
    /// Of those; none when there are none.
    fn of(mut all: Vec<u64>) -> Option<Self> {
        all.sort_unstable();
        let rank = |percent: usize| all.get((all.len() * percent).div_ceil(100).checked_sub(1)?);
        Some(Self { p50_ms: *rank(50)?, p95_ms: *rank(95)? })
    }
}

impl Operator {
    /// What has become of `id`.
    pub(super) async fn history(&self, id: &ConnectionId) -> Result<Reply, Failure> {
        let now = self.now();
        let since = clock::before(now, Duration::from_hours(24 * DAYS));
        let log = LogFilter { connection: Some(id.clone()), limit: LISTED, ..LogFilter::default() };
        let attempts = self.0.storage.log(&log).await.map_err(|it| host_fault(&it))?;
        let tries = self.0.storage.tries(id, since).await.map_err(|it| host_fault(&it))?;
        if attempts.is_empty() && self.labels(id).await?.is_none() {
            return Err(self.unknown(id).await);
        }
        let (generations, days) = (generations(&tries), days(&tries));
        let history = History { attempts, generations, days, today: date(now) };
        Ok(Reply::History(Box::new(history)))
    }
}

/// Those that a try has brought.
fn generations(tries: &[Tried]) -> Vec<GenerationView> {
    let brought = tries.iter().filter(|it| it.outcome == Outcome::Success);
    let view = |it: &Tried| GenerationView {
        generation: it.generation,
        at: clock::after(it.started_at, Duration::from_millis(it.duration_ms.unwrap_or_default())),
        attempt: it.id,
    };
    brought.take(GENERATIONS).map(view).collect()
}

fn days(tries: &[Tried]) -> Vec<DayView> {
    let mut days = BTreeMap::<Date, Vec<&Tried>>::new();
    for it in tries {
        days.entry(date(it.started_at)).or_default().push(it);
    }
    days.into_iter().map(|(day, tries)| of_day(day, &tries)).collect()
}

fn of_day(day: Date, tries: &[&Tried]) -> DayView {
    let count = |outcome| tries.iter().filter(|it| it.outcome == outcome).count() as u64;
    DayView {
        day,
        success: count(Outcome::Success),
        failed: count(Outcome::Failed),
        skipped: count(Outcome::Skipped),
        waited: Spread::of(tries.iter().filter_map(|it| it.waited_ms).collect()),
        provider: Spread::of(tries.iter().filter_map(|it| it.provider_ms).collect()),
    }
}

fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture::at;

    fn tried(second: i64, outcome: Outcome, provider_ms: u64) -> Tried {
        Tried {
            id: AttemptId::generate(),
            outcome,
            started_at: at(second),
            duration_ms: Some(2_000),
            waited_ms: None,
            provider_ms: Some(provider_ms),
            generation: 3,
        }
    }

    #[test]
    fn tries_are_counted_by_the_day_on_which_they_began() {
        let tries = [
            tried(86_400, Outcome::Success, 9),
            tried(86_399, Outcome::Failed, 400),
            tried(0, Outcome::Success, 100),
        ];
        let days = days(&tries);
        let counts = days.iter().map(|it| (it.day.to_string(), it.success, it.failed));
        let counts = counts.collect::<Vec<_>>();
        let (first, second) = ("1970-01-01".to_owned(), "1970-01-02".to_owned());
        assert_eq!(counts, [(first, 1, 1), (second, 1, 0)]);
        assert_eq!(days[0].provider, Some(Spread { p50_ms: 100, p95_ms: 400 }));
        assert_eq!(days[0].waited, None);
        let came = generations(&tries).into_iter().map(|it| it.at).collect::<Vec<_>>();
        assert_eq!(came, [at(86_402), at(2)]);
    }

    #[test]
    fn a_spread_is_of_values_that_occurred() {
        assert_eq!(Spread::of(Vec::new()), None);
        assert_eq!(Spread::of(vec![7]), Some(Spread { p50_ms: 7, p95_ms: 7 }));
        assert_eq!(Spread::of((1..=100).rev().collect()), Some(Spread { p50_ms: 50, p95_ms: 95 }));
    }
}
