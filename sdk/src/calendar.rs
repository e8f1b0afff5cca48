//! Times as providers write them, and as people read them: Unix seconds from RFC 3339 and back.
//! Knows no clock and no time zone but the offset that is written.

const DAY: u64 = 86_400;

/// Days from 1970-01-01 to a date of the Gregorian calendar; none before 1970, or when there is no
/// such date.
pub fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let real = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=length(year, month)).contains(&day);
    real.then(|| {
        let months: u64 = (1..month).map(|month| length(year, month)).sum();
        years(year) - years(1970) + months + day - 1
    })
}

/// Unix seconds of a time such as `2026-03-01T08:30:00+03:30`; one without an offset counts as UTC.
pub fn timestamp(text: &str) -> Option<u64> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let (time, offset) = match time.rfind(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let [year, month, day] = numbers(date, '-')?;
    let whole = time.split('.').next()?;
    let [hour, minute, second] = numbers(whole, ':')?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let local = days(year, month, day)? * DAY + hour * 3600 + minute * 60 + second;
    match offset.get(..1) {
        Some("+") => local.checked_sub(minutes(&offset[1..])? * 60),
        Some("-") => Some(local + minutes(&offset[1..])? * 60),
        _ => Some(local),
    }
}

/// A time as RFC 3339 in UTC: `2026-03-01T05:00:00Z`.
pub fn rfc3339(seconds: u64) -> String {
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

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let mut parts = text.split(between).map(|part| part.parse().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// `03:30`, `0330` or `03` as minutes.
fn minutes(offset: &str) -> Option<u64> {
    let digits: String = offset.chars().filter(|it| *it != ':').collect();
    let hours: u64 = digits.get(..2)?.parse().ok()?;
    let rest = digits.get(2..)?;
    let minutes: u64 = if rest.is_empty() { 0 } else { rest.parse().ok()? };
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_offset() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2023-11-14T22:13:20Z", Some(1_700_000_000)),
            ("2023-11-14 22:13:20.123456", Some(1_700_000_000)),
            ("2023-11-15T01:43:20+03:30", Some(1_700_000_000)),
            ("2023-11-14T17:13:20-0500", Some(1_700_000_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800)),
            ("2023-02-29T00:00:00Z", None),
            ("2023-11-14", None),
            ("2023-11-14T24:00:00Z", None),
            ("tomorrow at five", None),
            ("2023-11-14T22:13:20+é", None),
        ] {
            assert_eq!(timestamp(text), seconds, "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_was_read() {
        for text in [
            "1970-01-01T00:00:00Z",
            "1999-12-31T23:59:59Z",
            "2000-02-29T12:00:00Z",
            "2024-12-31T01:02:03Z",
        ] {
            assert_eq!(rfc3339(timestamp(text).unwrap()), text);
        }
        assert_eq!(rfc3339(1_700_000_000), "2023-11-14T22:13:20Z");
    }
}
