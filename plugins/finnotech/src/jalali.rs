//! Finnotech's dates: Jalali, fourteen digits, the clock of Tehran. Turned into Unix seconds with
//! the 33-year cycle, which agrees with the real calendar for every year that can occur here.

/// Unix seconds of `yyyyMMddHHmmss`; none when that is no date between 1370 and 1470.
pub(crate) fn timestamp(text: &str) -> Option<u64> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    let is_date = (1370..=1470).contains(&year)
        && (1..=12).contains(&month)
        && (1..=length(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(local - offset(year, month, day))
}

/// 1 Farvardin 1402 is 2023-03-21.
const ANCHOR_YEAR: u64 = 1402;
const ANCHOR_DAY: u64 = 19_437;

/// Days since 1970-01-01.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let months: u64 = (1..month).map(|month| length(year, month)).sum();
    ANCHOR_DAY + years(year) + months + day - 1 - years(ANCHOR_YEAR)
}

/// Days before a year, counted from year 0.
fn years(year: u64) -> u64 {
    let leap = (0..year % 33).filter(|it| is_leap(*it)).count();
    year * 365 + year / 33 * 8 + u64::try_from(leap).unwrap_or_default()
}

fn is_leap(year: u64) -> bool {
    matches!(year % 33, 1 | 5 | 9 | 13 | 17 | 22 | 26 | 30)
}

fn length(year: u64, month: u64) -> u64 {
    match month {
        1..=6 => 31,
        12 if !is_leap(year) => 29,
        _ => 30,
    }
}

/// Seconds that Tehran was ahead of UTC: 3:30, and an hour more in summer while Iran had summer time,
/// from the end of 1 Farvardin to the end of 30 Shahrivar. Iran left it out in 1385 and 1386, and ended
/// it in 1401. The hour that came twice on 30 Shahrivar counts as summer.
fn offset(year: u64, month: u64, day: u64) -> u64 {
    let had_summer_time = matches!(year, 1370..=1384 | 1387..=1401);
    let is_summer = (month, day) >= (1, 2) && (month, day) <= (6, 30);
    if had_summer_time && is_summer { 16_200 } else { 12_600 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdk::times::rfc3339;

    fn utc(text: &str) -> String {
        timestamp(text).map(rfc3339).unwrap_or_default()
    }

    #[test]
    fn known_days_are_the_same_in_both_calendars() {
        for (jalali, gregorian) in [
            ("13700101033000", "1991-03-21T00:00:00Z"),
            ("13990101033000", "2020-03-20T00:00:00Z"),
            ("13991230033000", "2021-03-20T00:00:00Z"),
            ("14000101033000", "2021-03-21T00:00:00Z"),
            ("14020101033000", "2023-03-21T00:00:00Z"),
            ("14021229033000", "2024-03-19T00:00:00Z"),
            ("14030101033000", "2024-03-20T00:00:00Z"),
            ("14031230033000", "2025-03-20T00:00:00Z"),
            ("14040101033000", "2025-03-21T00:00:00Z"),
            ("14081230033000", "2030-03-20T00:00:00Z"),
            ("14500101033000", "2071-03-21T00:00:00Z"),
        ] {
            assert_eq!(utc(jalali), gregorian, "{jalali}");
        }
    }

    #[test]
    fn only_a_leap_year_has_a_thirtieth_of_esfand() {
        for (year, leap) in [(1395, true), (1399, true), (1403, true), (1402, false), (1404, false)]
        {
            assert_eq!(timestamp(&format!("{year}1230000000")).is_some(), leap, "{year}");
        }
    }

    #[test]
    fn a_date_of_2019_agrees_with_the_jwt_that_came_with_it() {
        assert_eq!(utc("13980412134609"), "2019-07-03T09:16:09Z");
    }

    #[test]
    fn summer_time_ended_for_good_in_1401() {
        for (jalali, gregorian) in [
            ("14010101235959", "2022-03-21T20:29:59Z"),
            ("14010102010000", "2022-03-21T20:30:00Z"),
            ("14010630225959", "2022-09-21T18:29:59Z"),
            ("14010631000000", "2022-09-21T20:30:00Z"),
            ("14020401120000", "2023-06-22T08:30:00Z"),
            ("14040401120000", "2025-06-22T08:30:00Z"),
        ] {
            assert_eq!(utc(jalali), gregorian, "{jalali}");
        }
    }

    #[test]
    fn two_summers_before_had_none() {
        for (jalali, gregorian) in [
            ("13840401120000", "2005-06-22T07:30:00Z"),
            ("13850401120000", "2006-06-22T08:30:00Z"),
            ("13860401120000", "2007-06-22T08:30:00Z"),
            ("13870401120000", "2008-06-21T07:30:00Z"),
        ] {
            assert_eq!(utc(jalali), gregorian, "{jalali}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "1402",
            "14021301000000",
            "14020732000000",
            "14020101240000",
            "20230321000000",
            "+4020101000000",
            "۱۴۰۲۰۱۰",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }
}
