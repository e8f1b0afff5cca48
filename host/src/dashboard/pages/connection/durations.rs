//! How long tries took, day by day: the provider apart from waiting, and where another file of the plugin ran from then
//! on, since that is what people ask first when something has become slower.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::dashboard::drawing::spread::{Axes, Change, Point, most, spread};
use crate::dashboard::drawing::table;
use crate::dashboard::frame::Frame;
use crate::dashboard::pages::connection::pictures::{DAYS, first};
use crate::dashboard::words::Words;
use crate::operator::history::{DayView, History, PluginChange, PluginFile, Spread};

/// Letters of a digest that are shown: `sha256:` and eight digits.
const SHORT: usize = 15;

/// Markup, all of it but `note`.
pub(super) struct Durations {
    /// How long the provider took, and how long it was waited for a turn; with what each is called.
    pub(super) pictures: Vec<(String, String)>,
    pub(super) table: String,
    /// What the rules in the pictures are, if there are any.
    pub(super) note: Option<String>,
}

impl Durations {
    pub(super) fn of(frame: &Frame, history: &History) -> Self {
        let changes = changes(&frame.words, &history.changes);
        Self {
            pictures: pictures(frame, history, &changes),
            table: days_table(frame, &history.days, &changes),
            note: (!changes.is_empty()).then(|| frame.words.say("duration-rule")),
        }
    }
}

/// What changed on which day.
type Changes = BTreeMap<Date, String>;

fn changes(words: &Words, all: &[PluginChange]) -> Changes {
    let mut days = BTreeMap::<Date, Vec<String>>::new();
    for it in all {
        days.entry(it.day).or_default().push(said(words, it));
    }
    days.into_iter().map(|(day, all)| (day, all.join("; "))).collect()
}

/// By versions, where they tell the two apart.
fn said(words: &Words, change: &PluginChange) -> String {
    let PluginChange { from, to, .. } = change;
    let (from, to) = match (&from.version, &to.version) {
        (Some(from), Some(to)) if from != to => (from.clone(), to.clone()),
        _ => (named(from), named(to)),
    };
    words.with("duration-changed", &[("from", &from), ("to", &to)])
}

/// Its digest, shortened, behind the version where that is known.
fn named(file: &PluginFile) -> String {
    let digest = file.digest.chars().take(SHORT).collect::<String>();
    file.version.as_ref().map_or_else(|| digest.clone(), |it| format!("{it} ({digest})"))
}

/// One picture for each kind of duration that there is.
fn pictures(frame: &Frame, history: &History, changes: &Changes) -> Vec<(String, String)> {
    let words = &frame.words;
    let of = |spread: fn(&DayView) -> Option<Spread>| points(history, spread);
    let all = [
        (words.say("duration-provider"), of(|it| it.provider)),
        (words.say("duration-waited"), of(|it| it.waited)),
    ];
    let first = first(history);
    let change = |(day, said)| Some(Change { day: place(first, day)?, said });
    let changes = changes.iter().map(|(day, said)| (*day, said.as_str()));
    let changes = changes.filter_map(change).collect::<Vec<_>>();
    let drawn = |(name, points): (String, Vec<Point>)| {
        let longest = frame.took(&most(&points));
        let zero = frame.took(&0);
        let (from, to) = (first.to_string(), history.today.to_string());
        let axes = Axes { most: &longest, zero: &zero, from: &from, to: &to };
        let label = words.with("duration-said", &[("what", &name), ("most", &longest)]);
        let picture = spread(&label, &points, &changes, u64::from(DAYS), axes);
        (name, picture)
    };
    all.into_iter().filter(|(_, points)| !points.is_empty()).map(drawn).collect()
}

fn points(history: &History, of: fn(&DayView) -> Option<Spread>) -> Vec<Point> {
    let first = first(history);
    let point = |it: &DayView| {
        let Spread { p50_ms, p95_ms } = of(it)?;
        Some(Point { day: place(first, it.day)?, p50: p50_ms, p95: p95_ms })
    };
    history.days.iter().filter_map(point).collect()
}

/// Which day it is, counted from the first. The days that are looked back at begin in the middle of one, which counts as
/// the first.
fn place(first: Date, day: Date) -> Option<u64> {
    let days = day.since(first).ok()?.get_days();
    Some(u64::try_from(days).unwrap_or_default())
}

fn days_table(frame: &Frame, days: &[DayView], changes: &Changes) -> String {
    let words = &frame.words;
    let mut head = vec![
        words.say("calendar-day"),
        words.say("duration-provider-p50"),
        words.say("duration-provider-p95"),
        words.say("duration-waited-p50"),
        words.say("duration-waited-p95"),
    ];
    if !changes.is_empty() {
        head.push(words.say("fact-plugin"));
    }
    let said = |it: Option<u64>| it.map(|it| frame.took(&it)).unwrap_or_default();
    // Where nothing has changed, the last cell has no name above it, and is left out.
    let row = |it: &DayView| {
        let (provider, waited) = (it.provider, it.waited);
        vec![
            it.day.to_string(),
            said(provider.map(|it| it.p50_ms)),
            said(provider.map(|it| it.p95_ms)),
            said(waited.map(|it| it.p50_ms)),
            said(waited.map(|it| it.p95_ms)),
            changes.get(&it.day).cloned().unwrap_or_default(),
        ]
    };
    let rows = days.iter().rev().map(row).collect::<Vec<_>>();
    table(&words.say("word-as-table"), &head, &rows)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn file(digest: &str, version: &str) -> PluginFile {
        let version = Some(version.to_owned()).filter(|it| !it.is_empty());
        PluginFile { digest: format!("sha256:{digest}"), version }
    }

    fn change(from: PluginFile, to: PluginFile) -> PluginChange {
        PluginChange { day: date(2026, 3, 1), from, to }
    }

    #[test]
    fn a_change_is_told_by_versions_where_they_tell_the_files_apart() {
        let (old, new) = ("0011223344556677", "8899aabbccddeeff");
        let check = |from: &str, to: &str, wanted: &str| {
            let change = change(file(old, from), file(new, to));
            assert_eq!(said(&Words::english(), &change), format!("plugin changed: {wanted}"));
        };
        check("1.2.0", "1.3.0", "1.2.0 → 1.3.0");
        check("", "1.3.0", "sha256:00112233 → 1.3.0 (sha256:8899aabb)");
        check("1.3.0", "1.3.0", "1.3.0 (sha256:00112233) → 1.3.0 (sha256:8899aabb)");
        check("", "", "sha256:00112233 → sha256:8899aabb");
    }

    #[test]
    fn changes_of_one_day_are_told_together() {
        let all = [change(file("a", "1"), file("b", "2")), change(file("b", "2"), file("a", "1"))];
        let found = changes(&Words::english(), &all);
        let said = found.into_values().collect::<Vec<_>>();
        assert_eq!(said, ["plugin changed: 1 → 2; plugin changed: 2 → 1"]);
    }

    #[test]
    fn a_day_before_the_first_counts_as_the_first() {
        let first = date(2026, 3, 1);
        let check = |day| place(first, day);
        assert_eq!(check(date(2026, 2, 28)), Some(0));
        assert_eq!((check(first), check(date(2026, 3, 31))), (Some(0), Some(30)));
    }
}
