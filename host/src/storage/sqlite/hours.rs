//! Attempts counted by the hour, apart from the log: what is pruned there is still known here. Those that end
//! in one transaction are added up first, so that each kind of them costs a statement, and not each of them.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::model::attempt::Outcome;
use crate::model::clock::millis;
use crate::storage::error::StorageError;
use crate::storage::sqlite::recent::Touched;
use crate::storage::sqlite::rows::{Fields, signed};
use crate::storage::sqlite::writer::{Db, Write, change};
use crate::storage::{Figures, Statistics};

const HOUR: i64 = 3_600_000;

/// What durations are rounded up to, in milliseconds: twelve steps to ten times as long, so that a percentile
/// is at most a fifth too high. The last one stands for all that is longer.
const STEPS: &[u64] = &[
    1, 2, 3, 5, 7, 10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82, 100, 120, 150, 180, 220, 270,
    330, 390, 470, 560, 680, 820, 1_000, 1_200, 1_500, 1_800, 2_200, 2_700, 3_300, 3_900, 4_700,
    5_600, 6_800, 8_200, 10_000, 12_000, 15_000, 18_000, 22_000, 27_000, 33_000, 39_000, 47_000,
    56_000, 68_000, 82_000, 100_000, 120_000, 600_000,
];

/// Rows in one write that forgets.
const BITE: u32 = 500;

/// An attempt that has ended, as it is counted.
pub(super) struct Ended<'a> {
    pub(super) provider: &'a str,
    pub(super) outcome: Outcome,
    /// Of a failure.
    pub(super) code: Option<&'a str>,
    /// How long the provider took, if it was asked.
    pub(super) provider_ms: Option<u64>,
    pub(super) at: Timestamp,
}

/// What is counted together.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    hour: i64,
    provider: String,
    outcome: &'static str,
    code: String,
    at_most: i64,
}

/// Attempts by their kind.
#[derive(Default)]
pub(super) struct Counts(BTreeMap<Kind, i64>);

impl Counts {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn add(&mut self, ended: &Ended<'_>) {
        let kind = Kind {
            hour: hour(ended.at),
            provider: ended.provider.to_owned(),
            outcome: ended.outcome.as_str(),
            code: ended.code.unwrap_or_default().to_owned(),
            at_most: ended.provider_ms.map_or(0, |it| signed(rounded_up(it))),
        };
        *self.0.entry(kind).or_default() += 1;
    }

    /// Adds them to what is there, and is empty again.
    pub(super) fn write(&mut self, db: &Connection) -> Result<(), StorageError> {
        while let Some((kind, count)) = self.0.pop_first() {
            let Kind { hour, provider, outcome, code, at_most } = kind;
            db.prepare_cached(
                "insert into hours (hour, provider, outcome, code, at_most, count)
                 values (?1, ?2, ?3, ?4, ?5, ?6)
                 on conflict (hour, provider, outcome, code, at_most)
                 do update set count = count + excluded.count",
            )?
            .execute(params![hour, provider, outcome, code, at_most, count])?;
        }
        Ok(())
    }
}

fn hour(at: Timestamp) -> i64 {
    millis(at).div_euclid(HOUR)
}

fn rounded_up(ms: u64) -> u64 {
    let step = STEPS.partition_point(|it| *it < ms).min(STEPS.len() - 1);
    STEPS[step]
}

pub(super) async fn statistics(
    readers: &SqlitePool,
    provider: Option<&str>,
    since: Timestamp,
) -> Result<Statistics, StorageError> {
    let query = sqlx::query(
        "select provider, outcome, code, at_most, count from hours
         where hour >= ?1 and (?2 is null or provider = ?2)",
    );
    let mut rows = query.bind(hour(since)).bind(provider).fetch(readers);
    let (mut all, mut providers) = (Sum::default(), BTreeMap::<String, Sum>::new());
    while let Some(row) = rows.try_next().await? {
        // What cannot be read is counted by nobody.
        let Ok(counted) = Counted::read(&row) else { continue };
        all.add(&counted);
        providers.entry(counted.provider.clone()).or_default().add(&counted);
    }
    let providers = providers.into_iter().map(|(name, sum)| (name, sum.figures())).collect();
    Ok(Statistics { all: all.figures(), providers })
}

/// A row.
struct Counted {
    provider: String,
    outcome: Outcome,
    code: String,
    at_most: u64,
    count: u64,
}

impl Counted {
    fn read(row: &SqliteRow) -> Result<Self, StorageError> {
        let fields = Fields::new(row, "hours", "provider");
        Ok(Self {
            provider: fields.key().to_owned(),
            outcome: fields.required("outcome", fields.word("outcome")?)?,
            code: fields.text("code")?.unwrap_or_default(),
            at_most: fields.count("at_most")?,
            count: fields.count("count")?,
        })
    }
}

#[derive(Default)]
struct Sum {
    figures: Figures,
    durations: BTreeMap<u64, u64>,
}

impl Sum {
    fn add(&mut self, counted: &Counted) {
        let Counted { code, at_most, count, .. } = counted;
        match counted.outcome {
            Outcome::Success => self.figures.success += count,
            Outcome::Failed => {
                self.figures.failed += count;
                *self.figures.causes.entry(code.clone()).or_default() += count;
            }
            Outcome::Skipped => self.figures.skipped += count,
        }
        if *at_most > 0 {
            *self.durations.entry(*at_most).or_default() += count;
        }
    }

    fn figures(mut self) -> Figures {
        self.figures.p50_ms = percentile(&self.durations, 50);
        self.figures.p95_ms = percentile(&self.durations, 95);
        self.figures
    }
}

/// The nearest-rank percentile of values with their counts.
fn percentile(counted: &BTreeMap<u64, u64>, percent: u64) -> Option<u64> {
    let rank = (counted.values().sum::<u64>() * percent).div_ceil(100);
    let mut passed = 0;
    counted.iter().find_map(|(value, count)| {
        passed += count;
        (passed >= rank).then_some(*value)
    })
}

/// Forgets a few hours before that time; how many rows those were.
pub(super) struct Forget {
    pub(super) before: Timestamp,
}

impl Write for Forget {
    type Answer = u64;

    fn apply(&self, db: &Db) -> Result<u64, StorageError> {
        let removed = change(
            db,
            "delete from hours
             where (hour, provider, outcome, code, at_most) in (
                 select hour, provider, outcome, code, at_most from hours where hour < ?1 limit ?2)",
            params![hour(self.before), BITE],
        )?;
        Ok(removed as u64)
    }

    fn touched(&self) -> Touched {
        Touched::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(values: impl IntoIterator<Item = u64>) -> BTreeMap<u64, u64> {
        let mut counted = BTreeMap::new();
        for value in values {
            *counted.entry(value).or_default() += 1;
        }
        counted
    }

    #[test]
    fn a_percentile_is_a_value_that_occurred() {
        assert_eq!(percentile(&counted([]), 50), None);
        assert_eq!(percentile(&counted([7]), 95), Some(7));
        assert_eq!(percentile(&counted([1, 2, 3, 4]), 50), Some(2));
        assert_eq!(percentile(&counted([5, 5, 5, 9]), 50), Some(5));
        assert_eq!(percentile(&counted(1..=100), 95), Some(95));
    }

    #[test]
    fn a_duration_is_rounded_up_by_a_quarter_at_most() {
        for (ms, rounded) in [(0, 1), (1, 1), (101, 120), (330, 330), (119_999, 120_000)] {
            assert_eq!(rounded_up(ms), rounded, "{ms}");
        }
        assert_eq!(rounded_up(120_001), 600_000);
        assert_eq!(rounded_up(u64::MAX), 600_000);
        for ms in 10..=120_000 {
            let up = rounded_up(ms);
            assert!(up >= ms && up * 4 <= ms * 5 + 4, "{ms}: {up}");
        }
    }

    #[test]
    fn an_hour_before_1970_is_one_too() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!((hour(at(-1)), hour(at(0)), hour(at(3_599)), hour(at(3_600))), (-1, 0, 0, 1));
    }
}
