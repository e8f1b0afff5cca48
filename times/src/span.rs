//! Lengths of time: a number in the unit that makes a lifetime of it, or a text with units.

use crate::calendar::DAY;
use crate::digits::Number;
use crate::note::{Note, Notes};
use crate::read::{Open, Read};
use crate::text::{bare, open, small};
use crate::time::UNITS;

/// The longest lifetime that is told by whole days.
pub const LONGEST_DAYS: u64 = 400;

/// The longest length that is one: ten years, with their leap days and some to spare.
pub const TEN_YEARS: u64 = 3_660 * DAY;

/// A length of time in seconds.
pub fn span(text: &str) -> Read {
    let text = bare(text);
    if let Some(open) = open(text) {
        return Read::Open(open);
    }
    match Number::parse(text) {
        Some(number) => counted(number),
        None => written(text),
    }
}

fn counted(number: Number) -> Read {
    let Number { negative, whole, has_fraction, .. } = number;
    if negative || whole == 0 {
        return Read::Open(Open::Zero);
    }
    if let Some((unit, note)) = usual(whole) {
        return Read::Is(whole / unit, Notes::default().and(note));
    }
    let notes = Notes::default();
    if whole <= TEN_YEARS {
        return Read::Is(whole, if has_fraction { notes.and(Note::Fraction) } else { notes });
    }
    let in_minutes = whole.is_multiple_of(60_000) && whole <= LONGEST_DAYS * DAY * 1000;
    // A century of whole days is a way to say "never".
    if in_minutes && !is_short_of(whole, DAY, 1) {
        return Read::Is(whole / 1000, notes.and(Note::Milliseconds));
    }
    Read::Open(Open::Far)
}

/// The unit, smaller than a second, in which a number is a usual lifetime.
pub(crate) fn usual(whole: u64) -> Option<(u64, Note)> {
    UNITS.into_iter().find(|(unit, _)| is_usual(whole, *unit))
}

/// Steps of usual lifetimes, and how far they reach, in seconds.
const USUAL: [(u64, u64); 3] = [(300, 3600), (1_800, DAY), (DAY, LONGEST_DAYS * DAY)];

fn is_usual(whole: u64, unit: u64) -> bool {
    let reaches = |last: u64| whole <= last * unit;
    USUAL.iter().any(|(step, last)| reaches(*last) && is_short_of(whole, *step, unit))
}

/// Seconds that a server may take from when it began to count.
const SLACK: u64 = 5;

/// Whether this is a multiple of `step` seconds, counted in `unit`, or up to a slow answer less.
fn is_short_of(whole: u64, step: u64, unit: u64) -> bool {
    let over = whole % (step * unit);
    whole > 0 && (over == 0 || step * unit - over <= SLACK * unit)
}

/// A text with units.
fn written(text: &str) -> Read {
    let positive = text.strip_prefix('+').unwrap_or(text);
    let (text, is_negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (positive, false),
    };
    if text.is_empty() || !text.is_ascii() || text.len() > LONGEST_TEXT {
        return Read::Unreadable;
    }
    match iso(text).or_else(|| words(text)) {
        None => Read::Unreadable,
        Some((milliseconds, _)) if is_negative || milliseconds < 1000 => Read::Open(Open::Zero),
        Some((milliseconds, _)) if milliseconds / 1000 > TEN_YEARS => Read::Open(Open::Far),
        Some((milliseconds, notes)) => Read::Is(milliseconds / 1000, notes),
    }
}

/// Longer than anything that is read here.
const LONGEST_TEXT: usize = 64;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const WHOLE_DAY: u64 = 24 * HOUR;
const MONTH: u64 = 30 * WHOLE_DAY;
const YEAR: u64 = 365 * WHOLE_DAY;

/// Milliseconds, and whether a month or a year was among them.
type Length = (u64, Notes);

/// `PT1H`, `P1DT2H30M`.
fn iso(text: &str) -> Option<Length> {
    const DATE: &[(&str, u64)] =
        &[("y", YEAR), ("m", MONTH), ("w", 7 * WHOLE_DAY), ("d", WHOLE_DAY)];
    const TIME: &[(&str, u64)] = &[("h", HOUR), ("m", MINUTE), ("s", SECOND)];
    let text = text.strip_prefix(['P', 'p'])?;
    let (date, time) = match text.split_once(['T', 't']) {
        Some((_, "")) => return None,
        Some(both) => both,
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let (days, notes) = parts(date, DATE)?;
    let (seconds, _) = parts(time, TIME)?;
    Some((days.saturating_add(seconds), notes))
}

/// Numbers with letters, in the order of the table.
fn parts(text: &str, mut table: &[(&str, u64)]) -> Option<Length> {
    let (mut rest, mut sum, mut notes) = (text, 0_u64, Notes::default());
    while !rest.is_empty() {
        let (number, letters, tail) = part(rest)?;
        let at = table.iter().position(|(name, _)| name.eq_ignore_ascii_case(letters))?;
        let length = table.get(at)?.1;
        table = table.get(at + 1..)?;
        sum = sum.saturating_add(times(number, length));
        notes = noted(notes, length);
        rest = tail;
    }
    Some((sum, notes))
}

/// `1h30m`, `2 days`, `1 day, 0:00:00`, `01:00:00`.
fn words(text: &str) -> Option<Length> {
    let (mut rest, mut sum, mut notes) = (text, 0_u64, Notes::default());
    let mut last = u64::MAX;
    while !rest.is_empty() {
        if let Some(length) = clock(rest).filter(|_| last > HOUR) {
            return Some((sum.saturating_add(length), notes));
        }
        let (number, letters, tail) = part(rest)?;
        let length = unit(letters)?;
        // From large to small, so that nothing is said twice.
        if length >= last {
            return None;
        }
        last = length;
        sum = sum.saturating_add(times(number, length));
        notes = noted(notes, length);
        rest = tail.trim_start_matches([' ', ',']);
    }
    Some((sum, notes))
}

/// A number, the letters behind it, and the rest.
fn part(text: &str) -> Option<(Number, &str, &str)> {
    let is_number = |it: char| it.is_ascii_digit() || it == '.';
    let (number, rest) = text.split_at(text.find(|it| !is_number(it))?);
    let rest = rest.trim_start();
    let end = rest.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (letters, tail) = rest.split_at(end);
    Some((Number::parse(number)?, letters, tail))
}

/// How long a unit is. A large `M` alone is a month for some and a minute for others.
fn unit(letters: &str) -> Option<u64> {
    const NAMES: [(u64, &[&str]); 8] = [
        (1, &["ms", "msec", "milli", "millisecond"]),
        (SECOND, &["s", "sec", "second"]),
        (MINUTE, &["m", "min", "minute"]),
        (HOUR, &["h", "hr", "hour"]),
        (WHOLE_DAY, &["d", "day"]),
        (7 * WHOLE_DAY, &["w", "wk", "week"]),
        (MONTH, &["mo", "mon", "month"]),
        (YEAR, &["y", "yr", "year"]),
    ];
    if letters == "M" {
        return None;
    }
    let of = |name: &str| {
        let is_it = |it: &str| it.eq_ignore_ascii_case(name);
        NAMES.iter().find(|(_, names)| names.iter().any(|it| is_it(it))).map(|it| it.0)
    };
    of(letters).or_else(|| of(letters.strip_suffix(['s', 'S']).filter(|it| it.len() > 1)?))
}

/// `01:00:00`, with a fraction, and with days and a point before it as .NET writes them.
fn clock(text: &str) -> Option<u64> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (days, hours) = match hours.split_once('.') {
        Some((days, hours)) => (small(days, 4)?, small(hours, 2).filter(|it| *it < 24)?),
        None => (0, small(hours, 4)?),
    };
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|it| it.is_ascii_digit());
    let below_60 = |it: &str| small(it, 2).filter(|it| *it < 60 && is_fraction).map(u64::from);
    let (minutes, seconds) = (below_60(minutes)?, below_60(seconds)?);
    let whole = u64::from(days) * WHOLE_DAY + u64::from(hours) * HOUR;
    Some(whole + minutes * MINUTE + seconds * SECOND)
}

fn times(number: Number, length: u64) -> u64 {
    let part = number.thousandths * length / 1000;
    number.whole.saturating_mul(length).saturating_add(part)
}

fn noted(notes: Notes, length: u64) -> Notes {
    if matches!(length, MONTH | YEAR) { notes.and(Note::Months) } else { notes }
}
