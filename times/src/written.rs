//! Points in time that are written as a date: RFC 3339 and its relatives, SQL, HTTP, RFC 2822, and
//! what programs print. Names of zones are not known here: an offset decides, or nothing does.

use crate::calendar::{DAY, days};
use crate::note::{Note, Notes};
use crate::read::{Open, Read};
use crate::text::small;

/// Longer than anything that is read here; JavaScript writes the zone's name out.
const LONGEST: usize = 96;

/// A date with or without a time; none if it is not one.
pub(crate) fn stamp(text: &str) -> Option<Read> {
    if !text.is_ascii() || text.len() > LONGEST {
        return None;
    }
    if text.starts_with(|it: char| it.is_ascii_alphabetic()) || has_month(text) {
        return named(text);
    }
    match text.strip_prefix('-') {
        // Of a year before the first, all that matters is that it is one.
        Some(year_on) => numeric(year_on).map(|_| Read::Open(Open::Zero)),
        None => numeric(text),
    }
}

/// A calendar day.
#[derive(Clone, Copy)]
struct Date {
    year: u32,
    month: u32,
    day: u32,
}

/// `2030-01-31T12:00:00.5+01:00[Europe/Paris]` and everything between that and `20300131`.
fn numeric(text: &str) -> Option<Read> {
    let (text, name) = match text.split_once('[') {
        Some((text, name)) => (text, Some(name.strip_suffix(']')?)),
        None => (text, None),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    // Without a separator, the clock begins after eight digits.
    let (day, rest) = match text.find(['T', 't', ' ']) {
        _ if digits == 14 => text.split_at(8),
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.trim_start()),
        None => (text, ""),
    };
    let date = date(day)?;
    if rest.is_empty() {
        let notes = Notes::default().and(Note::DateAlone).and(Note::NoZone);
        return if name.is_none() { moment(date, 0, 0, notes) } else { None };
    }
    let end = rest.find(|it: char| !it.is_ascii_digit() && !":.,".contains(it));
    let (clock_text, zone_text) = rest.split_at(end.unwrap_or(rest.len()));
    let (offset, mut notes) = zone(zone_text.trim_start())?;
    if name.is_some() {
        // A name that stands alone would have to be known.
        if notes.has(Note::NoZone) {
            return None;
        }
        notes = notes.and(Note::ZoneName);
    }
    moment(date, clock(clock_text)?, offset, notes)
}

/// `2030-01-31`, `2030/1/31`, `20300131`, and years with a plus and more digits, as Java writes its last.
fn date(text: &str) -> Option<Date> {
    if text.len() == 8 && small(text, 8).is_some() {
        let part = |from: usize, to: usize| small(text.get(from..to)?, 4);
        return Some(Date { year: part(0, 4)?, month: part(4, 6)?, day: part(6, 8)? });
    }
    let between = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.strip_prefix('+').unwrap_or(text).split(between);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() < 4 {
        return None;
    }
    Some(Date { year: small(year, 9)?, month: small(month, 2)?, day: small(day, 2)? })
}

/// `12:00`, `12:00:00`, `12:00:00.123`, `120000`, `1200` as seconds of the day. Parts of a second are
/// passed over.
fn clock(text: &str) -> Option<u32> {
    let (text, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let two = |it: Option<&str>| small(it?, 2);
    let (hour, minute, second) = if text.contains(':') {
        let mut parts = text.split(':');
        let (hour, minute) = (two(parts.next())?, two(parts.next())?);
        let second = parts.next().map_or(Some(0), |it| small(it, 2))?;
        if parts.next().is_some() {
            return None;
        }
        (hour, minute, second)
    } else {
        let second = if text.len() == 4 { Some("0") } else { text.get(4..6) };
        if !matches!(text.len(), 4 | 6) {
            return None;
        }
        (two(text.get(..2))?, two(text.get(2..4))?, two(second)?)
    };
    // 60 is a leap second.
    (hour < 24 && minute < 60 && second < 61).then_some(hour * 3600 + minute * 60 + second)
}

/// Seconds ahead of UTC. Behind an offset, Go and others repeat the zone in letters.
fn zone(text: &str) -> Option<(i64, Notes)> {
    let mut words = text.split_ascii_whitespace();
    let Some(first) = words.next() else { return Some((0, Notes::default().and(Note::NoZone))) };
    let offset = offset(first)?;
    let name = words.next();
    if words.next().is_some() {
        return None;
    }
    let is_name = |it: &str| it.bytes().all(|it| it.is_ascii_alphabetic());
    match name {
        None => Some((offset, Notes::default())),
        Some("UTC" | "GMT" | "Z") if offset == 0 => Some((offset, Notes::default())),
        Some(name) => is_name(name).then_some((offset, Notes::default().and(Note::ZoneName))),
    }
}

/// `Z`, `UTC`, `+05`, `+0500`, `+05:00`, `GMT+0500`.
fn offset(text: &str) -> Option<i64> {
    let is_utc =
        |it: &str| ["Z", "UTC", "GMT", "UT"].iter().any(|utc| utc.eq_ignore_ascii_case(it));
    let at = text.find(['+', '-']).unwrap_or(text.len());
    let (name, signed) = text.split_at(at);
    if !name.is_empty() && (!is_utc(name) || (name.len() == 1 && !signed.is_empty())) {
        return None;
    }
    let Some(sign) = signed.get(..1) else { return (!name.is_empty()).then_some(0) };
    let digits = signed.get(1..)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(both) if both.1.len() == 2 => both,
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "0"),
    };
    let (hours, minutes) = (small(hours, 2)?, small(minutes, 2)?);
    let seconds = i64::from(hours * 3600 + minutes * 60);
    let fits = hours < 24 && minutes < 60;
    fits.then_some(if sign == "-" { -seconds } else { seconds })
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The place of a name in a list, of which three letters or more are enough.
fn place(names: &[&str], word: &str) -> Option<usize> {
    let starts = |it: &str| it.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
    if word.len() < 3 { None } else { names.iter().position(|it| starts(it)) }
}

fn month(word: &str) -> Option<u32> {
    u32::try_from(place(&MONTHS, word)? + 1).ok()
}

fn has_month(text: &str) -> bool {
    text.split(|it: char| !it.is_ascii_alphabetic()).any(|it| month(it).is_some())
}

/// Dates with the month's name, and perhaps the weekday's, which nobody needs.
fn named(text: &str) -> Option<Read> {
    const MOST: usize = 8;
    let mut words = [""; MOST];
    let mut count = 0;
    // What stands in parentheses is a comment, and the last that there is.
    let all = text.split([' ', ',', '\t']).filter(|it| !it.is_empty());
    for word in all.take_while(|it| !it.starts_with('(')) {
        *words.get_mut(count)? = word;
        count += 1;
    }
    let words = words.get(..count)?;
    let words = match words.split_first() {
        Some((first, rest)) if place(&WEEKDAYS, first).is_some() => rest,
        _ => words,
    };
    let (date, time, zone) = match *words {
        [day, month, year, time] if month_is(month) => (of(day, month, year)?, time, None),
        [day, month, year, time, zone] if month_is(month) => {
            (of(day, month, year)?, time, Some(zone))
        }
        [date, time] => (dashed(date)?, time, None),
        [date, time, zone] if date.contains('-') => (dashed(date)?, time, Some(zone)),
        // C writes this, and HTTP says that it is UTC.
        [month, day, time, year] if time.contains(':') => {
            (of(day, month, year)?, time, Some("UTC"))
        }
        [month, day, time, zone, year] if time.contains(':') => {
            (of(day, month, year)?, time, Some(zone))
        }
        [month, day, year, time] => (of(day, month, year)?, time, None),
        [month, day, year, time, zone] => (of(day, month, year)?, time, Some(zone)),
        _ => return None,
    };
    let (offset, notes) = self::zone(zone.unwrap_or_default())?;
    moment(date, clock(time)?, offset, notes)
}

fn month_is(word: &str) -> bool {
    month(word).is_some()
}

/// `06-Nov-94`.
fn dashed(text: &str) -> Option<Date> {
    let (day, rest) = text.split_once('-')?;
    let (month, year) = rest.split_once('-')?;
    of(day, month, year)
}

/// Two digits of a year are of this century up to 68, as POSIX has it.
fn of(day: &str, month: &str, year: &str) -> Option<Date> {
    let year = match (year.len(), small(year, 4)?) {
        (4, year) => year,
        (2, year @ 0..=68) => 2000 + year,
        (2, year) => 1900 + year,
        _ => return None,
    };
    Some(Date { year, month: self::month(month)?, day: small(day, 2)? })
}

/// Years that the calendar counts; before and after, one of the same length tells whether the day exists.
const COUNTED: core::ops::RangeInclusive<u32> = 1970..=9999;

fn moment(date: Date, seconds: u32, offset: i64, notes: Notes) -> Option<Read> {
    let Date { year, month, day } = date;
    // MySQL's way to leave a date out.
    if year == 0 && month == 0 && day == 0 {
        return Some(Read::Open(Open::Zero));
    }
    let alike = if COUNTED.contains(&year) { year } else { 2000 + year % 400 };
    let days = days(alike.into(), month.into(), day.into())?;
    if !COUNTED.contains(&year) {
        return Some(Read::Open(if year < alike { Open::Zero } else { Open::Far }));
    }
    let local = i64::try_from(days * DAY).ok()? + i64::from(seconds);
    Some(Read::at(local - offset, notes))
}
