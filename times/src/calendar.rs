//! The Gregorian calendar from 1970 on: dates to days, and seconds back to a date. Knows no zone.

use alloc::format;
use alloc::string::String;

/// Seconds of a day.
pub(crate) const DAY: u64 = 86_400;

/// Days from 1970-01-01 to a date; none before 1970, after 9999, or when there is no such date.
pub fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let real = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=length(year, month)).contains(&day);
    real.then(|| {
        let months: u64 = (1..month).map(|month| length(year, month)).sum();
        years(year) - years(1970) + months + day - 1
    })
}

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// A time as RFC 3339 in UTC: `2026-03-01T05:00:00Z`; nothing is later than the year 9999.
pub fn rfc3339(seconds: u64) -> String {
    let seconds = seconds.min(LAST_SECOND);
    let (mut rest, second) = (seconds / DAY, seconds % DAY);
    let mut year = 1970 + rest / 366;
    while years(year + 1) - years(1970) <= rest {
        year += 1;
    }
    rest -= years(year) - years(1970);
    let mut month = 1;
    while rest >= length(year, month) {
        rest -= length(year, month);
        month += 1;
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{:02}Z", rest + 1, second % 60)
}

/// Days before a year, counted from year 0.
fn years(year: u64) -> u64 {
    let last = year - 1;
    year * 365 + last / 4 - last / 100 + last / 400
}

fn length(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
