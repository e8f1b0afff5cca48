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
use crate::model::said;
use crate::operator::{Operator, Reply};
use crate::refresher::host_fault;
use crate::storage::{LogFilter, Tried};

/// How far back it looks.
const DAYS: u64 = 90;

/// Tries that are listed.
const LISTED: u32 = 50;

/// Generations that are listed.
const GENERATIONS: usize = 30;

/// Changes of the plugin that are listed: one that is being written changes all day.
const CHANGES: usize = 30;

/// What has become of one connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// The last tries, newest first, an open one too.
    pub attempts: Vec<Attempt>,
    /// Its last token sets that came of a try, newest first.
    pub generations: Vec<GenerationView>,
    /// Days on which something was tried, oldest first, in UTC.
    pub days: Vec<DayView>,
    /// The last times that another file of the plugin ran than before, oldest first.
    pub changes: Vec<PluginChange>,
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

/// Another file of the plugin ran than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginChange {
    /// On which day, in UTC.
    pub day: Date,
    /// What ran before.
    pub from: PluginFile,
    /// What ran from then on.
    pub to: PluginFile,
}

/// A file of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginFile {
    /// Its SHA-256, as `sha256:` and hex digits.
    pub digest: String,
    /// Its version, while that is known.
    pub version: Option<String>,
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
        let shelf = self.0.catalogue.shelf();
        let changes = changes(&tries, |digest| shelf.version(digest).map(str::to_owned));
        let (generations, days) = (generations(&tries), days(&tries));
        let history = History { attempts, generations, days, changes, today: date(now) };
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

/// When the plugin's file changed between two of them. Those that ran none say nothing about it.
fn changes(tries: &[Tried], version: impl Fn(&str) -> Option<String>) -> Vec<PluginChange> {
    let file = |hex: &str| PluginFile { digest: said::digest(hex), version: version(hex) };
    let ran = tries.iter().filter_map(|it| Some((it.started_at, it.digest.as_deref()?)));
    let ran = ran.collect::<Vec<_>>();
    let change = |pair: &[(Timestamp, &str)]| match pair {
        [(at, to), (_, from)] if from != to => {
            Some(PluginChange { day: date(*at), from: file(from), to: file(to) })
        }
        _ => None,
    };
    let mut changes = ran.windows(2).filter_map(change).take(CHANGES).collect::<Vec<_>>();
    changes.reverse();
    changes
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
            digest: None,
        }
    }

    /// With that file of the plugin, or none.
    fn ran(day: i64, digest: &str) -> Tried {
        let digest = Some(digest.to_owned()).filter(|it| !it.is_empty());
        Tried { digest, ..tried(day * 86_400, Outcome::Success, 1) }
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
    fn a_change_of_the_plugin_is_on_the_day_of_the_first_try_with_the_new_file() {
        let tries = [ran(5, "b"), ran(4, ""), ran(3, "b"), ran(2, ""), ran(1, "a"), ran(0, "a")];
        let found = changes(&tries, |it| (it == "b").then(|| "1.3.0".to_owned()));
        let [change] = found.as_slice() else { panic!("one change: {found:?}") };
        assert_eq!(change.day.to_string(), "1970-01-04");
        let old = PluginFile { digest: "sha256:a".to_owned(), version: None };
        assert_eq!((&change.from, change.to.version.as_deref()), (&old, Some("1.3.0")));
        assert_eq!(changes(&tries[2..], |_| None).len(), 1);
        assert_eq!(changes(&tries[3..], |_| None), []);
        assert_eq!(changes(&[], |_| None), []);
    }

    #[test]
    fn of_many_changes_the_last_ones_are_told_oldest_first() {
        let tries = (0..100).rev().map(|day| ran(day, if day % 2 == 0 { "a" } else { "b" }));
        let tries = tries.collect::<Vec<_>>();
        let days = changes(&tries, |_| None).iter().map(|it| it.day).collect::<Vec<_>>();
        assert_eq!(days.len(), CHANGES);
        assert!(days.is_sorted());
        assert_eq!(days.last(), Some(&date(at(99 * 86_400))));
    }

    #[test]
    fn a_spread_is_of_values_that_occurred() {
        assert_eq!(Spread::of(Vec::new()), None);
        assert_eq!(Spread::of(vec![7]), Some(Spread { p50_ms: 7, p95_ms: 7 }));
        assert_eq!(Spread::of((1..=100).rev().collect()), Some(Spread { p50_ms: 50, p95_ms: 95 }));
    }
}
