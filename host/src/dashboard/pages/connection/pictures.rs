//! The life of a connection in pictures: its token now, its last tries, its last ninety days, how long things took.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::dashboard::drawing::calendar::{Day, calendar};
use crate::dashboard::drawing::strip::strip;
use crate::dashboard::drawing::table;
use crate::dashboard::drawing::timeline::{Life, timeline};
use crate::dashboard::frame::Frame;
use crate::dashboard::pages::connection::durations::Durations;
use crate::dashboard::pages::wording::{clock_of, tried};
use crate::model::attempt::Attempt;
use crate::operator::history::{DayView, History};
use crate::operator::view::Details;

/// Days of the calendar.
pub(super) const DAYS: u16 = 90;

/// Tries of the strip.
const TRIES: usize = 50;

/// Markup, all of it.
pub(super) struct Pictures {
    pub(super) timeline: String,
    pub(super) timeline_table: String,
    pub(super) strip: String,
    pub(super) calendar: String,
    pub(super) calendar_table: String,
    pub(super) durations: Durations,
}

impl Pictures {
    pub(super) fn of(frame: &Frame, details: &Details, history: &History) -> Self {
        let outcomes = history.attempts.iter().rev().filter_map(Attempt::outcome);
        let outcomes = outcomes.collect::<Vec<_>>();
        let (life, life_table) = life(frame, details, history);
        Self {
            timeline: life,
            timeline_table: life_table,
            strip: strip(&tried(frame, &outcomes), &outcomes, TRIES),
            calendar: days(frame, history),
            calendar_table: days_table(frame, &history.days),
            durations: Durations::of(frame, history),
        }
    }
}

/// The token now, with what was tried meanwhile.
fn life(frame: &Frame, details: &Details, history: &History) -> (String, String) {
    let words = &frame.words;
    let (issued, refresh) = (words.say("life-issued"), words.say("life-refresh"));
    let (expires, now) = (words.say("life-expires"), words.say("life-now"));
    let named = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    let ended = history.attempts.iter().filter_map(|it| Some((it.started_at, it.outcome()?)));
    let view = &details.view;
    let life = Life {
        issued: named(details.issued_at).map(|it| (it, issued.as_str())),
        refresh: named(view.next_refresh_at).map(|it| (it, refresh.as_str())),
        expires: named(view.expires_at).map(|it| (it, expires.as_str())),
        now: (frame.now.as_millisecond(), now.as_str()),
        tries: ended.map(|(at, outcome)| (at.as_millisecond(), outcome)).collect(),
    };
    let moments = [
        (&issued, details.issued_at),
        (&now, Some(frame.now)),
        (&refresh, view.next_refresh_at),
        (&expires, view.expires_at),
    ];
    let row =
        |(name, at): (&String, Option<Timestamp>)| Some(vec![name.clone(), exact(frame, at?)]);
    let rows = moments.into_iter().filter_map(row).collect::<Vec<_>>();
    let head = [words.say("life-what"), words.say("life-when")];
    let picture = timeline(&view.sentence, &life);
    (picture, table(&words.say("word-as-table"), &head, &rows))
}

fn exact(frame: &Frame, at: Timestamp) -> String {
    let day = at.to_zoned(frame.looks.zone.clone()).date();
    format!("{day} {} {}", clock_of(frame, at), frame.looks.zone_name())
}

fn days(frame: &Frame, history: &History) -> String {
    let first = first(history);
    let day = |place: u16| {
        let date = first.checked_add(i64::from(place).days()).ok();
        let found = history.days.iter().find(|it| Some(it.day) == date);
        found.map_or_else(Day::default, |it| Day {
            success: it.success,
            failed: it.failed,
            skipped: it.skipped,
        })
    };
    let all = (0..DAYS).map(day).collect::<Vec<_>>();
    let failed = all.iter().filter(|it| it.failed > 0).count() as u64;
    let weekday = first.weekday().to_monday_zero_offset();
    let label = frame.words.count("calendar-said", failed);
    calendar(&label, usize::try_from(weekday).unwrap_or_default(), &all)
}

/// The first day of the calendar.
pub(super) fn first(history: &History) -> Date {
    history.today.checked_sub(i64::from(DAYS - 1).days()).unwrap_or(history.today)
}

fn days_table(frame: &Frame, days: &[DayView]) -> String {
    let words = &frame.words;
    let head = [
        words.say("calendar-day"),
        words.say("outcome-success"),
        words.say("outcome-failed"),
        words.say("outcome-skipped"),
    ];
    let row = |it: &DayView| {
        vec![
            it.day.to_string(),
            it.success.to_string(),
            it.failed.to_string(),
            it.skipped.to_string(),
        ]
    };
    let rows = days.iter().rev().map(row).collect::<Vec<_>>();
    table(&words.say("word-as-table"), &head, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_ends_today() {
        let today = jiff::civil::date(2026, 3, 1);
        let (attempts, generations) = (Vec::new(), Vec::new());
        let (days, changes) = (Vec::new(), Vec::new());
        let history = History { attempts, generations, days, changes, today };
        assert_eq!(first(&history).to_string(), "2025-12-02");
    }
}
