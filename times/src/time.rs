//! Points in time: the unit of a number is told by the window of plausible years, everything else is
//! left to `written.rs`.

use crate::calendar::{DAY, days};
use crate::digits::Number;
use crate::note::{Note, Notes};
use crate::read::{FIRST, LAST, Open, Read};
use crate::text::{bare, open};
use crate::written;

/// A point in time, in Unix seconds. A number that is too small to be one is unreadable.
pub fn time(text: &str) -> Read {
    let text = bare(text);
    if let Some(open) = open(text) {
        return Read::Open(open);
    }
    match Number::parse(text) {
        Some(number) => counted(number),
        None => written::stamp(text).unwrap_or(Read::Unreadable),
    }
}

/// Units smaller than a second, and how many of them are one.
pub(crate) const UNITS: [(u64, Note); 3] = [
    (1_000, Note::Milliseconds),
    (1_000_000, Note::Microseconds),
    (1_000_000_000, Note::Nanoseconds),
];

fn counted(number: Number) -> Read {
    let Number { negative, whole, has_fraction, .. } = number;
    if negative || whole == 0 {
        return Read::Open(Open::Zero);
    }
    let is_plausible = |seconds: u64| (FIRST..LAST).contains(&seconds);
    if is_plausible(whole) {
        let notes = Notes::default();
        return Read::Is(whole, if has_fraction { notes.and(Note::Fraction) } else { notes });
    }
    if let Some(read) = compact(whole) {
        return read.and(Note::Digits);
    }
    let smaller = UNITS.iter().find(|(unit, _)| is_plausible(whole / unit));
    match smaller {
        Some((unit, note)) => Read::Is(whole / unit, Notes::default().and(*note)),
        None if whole < FIRST => Read::Unreadable,
        None => Read::Open(Open::Far),
    }
}

/// Years that digits alone may name; 9999 is a way to say "never".
const YEARS: [u64; 3] = [2000, 2199, 9999];

/// A date in digits: up to the day, the minute, the second or the millisecond.
fn compact(whole: u64) -> Option<Read> {
    let places = whole.checked_ilog10()? + 1;
    let (date, clock) = match places {
        8 => (whole, 0),
        12 => (whole / 10_000, whole % 10_000 * 100),
        14 => (whole / 1_000_000, whole % 1_000_000),
        17 => (whole / 1_000_000_000, whole / 1_000 % 1_000_000),
        _ => return None,
    };
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    let (hour, minute, second) = (clock / 10_000, clock / 100 % 100, clock % 100);
    let [first, last, never] = YEARS;
    let is_year = (first..=last).contains(&year) || year == never;
    if !is_year || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let local = days(year, month, day)? * DAY + hour * 3600 + minute * 60 + second;
    let notes = Notes::default().and(Note::NoZone);
    let notes = if places == 8 { notes.and(Note::DateAlone) } else { notes };
    Some(Read::at(i64::try_from(local).ok()?, notes))
}
