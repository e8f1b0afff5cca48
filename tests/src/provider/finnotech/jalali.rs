//! The Iranian calendar, for times as Finnotech writes them.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// `yyyyMMddHHmmss` of the local time in Tehran, which had a summer time until September 2022.
pub(super) fn local(time: Timestamp) -> String {
    let tehran = TimeZone::get("Asia/Tehran").expect("the zones are built in");
    let local = time.to_zoned(tehran).datetime();
    let (year, month, day) = convert(local.date());
    let (hour, minute, second) = (local.hour(), local.minute(), local.second());
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

/// Counts from the first day of 1402. Six months have 31 days, the others 30, the last one 29 but in leap years.
fn convert(date: Date) -> (i32, i32, i32) {
    let new_year = Date::constant(2023, 3, 21);
    let mut days = date.duration_since(new_year).as_hours() / 24;
    let mut year = 1402;
    while days < 0 {
        year -= 1;
        days += length(year);
    }
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let days = i32::try_from(days).expect("a year has 366 days at most");
    if days < 186 {
        return (year, days / 31 + 1, days % 31 + 1);
    }
    (year, (days - 186) / 30 + 7, (days - 186) % 30 + 1)
}

/// Eight leap years in each 33, which is what astronomy gives from 1244 to 1472.
fn length(year: i32) -> i64 {
    let leap = [1, 5, 9, 13, 17, 22, 26, 30].contains(&year.rem_euclid(33));
    if leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_are_what_they_were_in_iran() {
        for (date, expected) in [
            (Date::constant(2023, 3, 21), (1402, 1, 1)),
            (Date::constant(2023, 3, 20), (1401, 12, 29)),
            (Date::constant(2022, 9, 22), (1401, 6, 31)),
            (Date::constant(2022, 9, 23), (1401, 7, 1)),
            (Date::constant(2021, 3, 20), (1399, 12, 30)),
            (Date::constant(2021, 3, 21), (1400, 1, 1)),
            (Date::constant(2025, 3, 20), (1403, 12, 30)),
            (Date::constant(2025, 3, 21), (1404, 1, 1)),
            (Date::constant(1979, 2, 11), (1357, 11, 22)),
        ] {
            assert_eq!(convert(date), expected, "{date}");
        }
    }

    #[test]
    fn a_time_is_local_with_the_summer_time_of_its_year() {
        let at = |text: &str| local(text.parse().expect("a timestamp"));
        assert_eq!(at("2019-07-03T09:16:09Z"), "13980412134609");
        assert_eq!(at("2023-07-03T09:16:09Z"), "14020412124609");
        assert_eq!(at("2022-09-21T19:29:59Z"), "14010630235959");
        assert_eq!(at("2022-09-21T20:30:00Z"), "14010631000000");
    }
}
