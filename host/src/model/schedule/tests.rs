//! When expressions fire, what is refused, and with which words.

use super::*;
use crate::model::fixture::schedule;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn runs(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(expression, zone).unwrap();
    std::iter::successors(schedule.next_after(time(after)), |it| schedule.next_after(*it))
        .take(count)
        .map(|it| it.to_zoned(schedule.timezone().clone()).strftime("%F %T%:z").to_string())
        .collect()
}

fn refusal(expression: &str) -> (String, String) {
    let error = schedule(expression, "UTC").unwrap_err();
    (error.to_string(), error.help())
}

#[test]
fn a_local_time_that_is_skipped_runs_once_after_the_jump() {
    assert_eq!(
        runs("30 1 * * *", "Europe/London", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29 02:00:00+01:00", "2026-03-30 01:30:00+01:00"]
    );
}

#[test]
fn a_local_time_that_is_repeated_runs_once() {
    assert_eq!(
        runs("30 1 * * *", "Europe/London", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25 01:30:00+01:00", "2026-10-26 01:30:00+00:00"]
    );
}

#[test]
fn zones_without_daylight_saving_are_flat() {
    assert_eq!(
        runs("0 2 */10 * *", "Asia/Tashkent", "2026-03-28T00:00:00Z", 3),
        ["2026-03-31 02:00:00+05:00", "2026-04-01 02:00:00+05:00", "2026-04-11 02:00:00+05:00"]
    );
    assert_eq!(
        runs("30 1 * * *", "Asia/Tehran", "2026-03-20T22:00:00Z", 2),
        ["2026-03-22 01:30:00+03:30", "2026-03-23 01:30:00+03:30"]
    );
}

#[test]
fn sunday_is_zero_and_seven_and_has_a_name() {
    let sunday = ["2026-01-04 00:00:00+00:00"];
    for expression in ["0 0 * * 0", "0 0 * * 7", "0 0 * * SUN", "0 0 * * sun", "@weekly"] {
        assert_eq!(runs(expression, "UTC", "2026-01-01T00:00:00Z", 1), sunday, "{expression}");
    }
    let weekend = ["2026-01-03 00:00:00+00:00", "2026-01-04 00:00:00+00:00"];
    assert_eq!(runs("0 0 * * sat-sun", "UTC", "2026-01-01T00:00:00Z", 2), weekend);
}

#[test]
fn a_sixth_leading_field_is_for_seconds() {
    assert_eq!(
        runs("*/20 0 12 * jan ?", "UTC", "2026-01-01T12:00:10Z", 2),
        ["2026-01-01 12:00:20+00:00", "2026-01-01 12:00:40+00:00"]
    );
}

#[test]
fn next_is_strictly_after_and_last_is_at_or_before() {
    let schedule = schedule("0 */12 * * *", "UTC").unwrap();
    let noon = time("2026-01-01T12:00:00Z");
    assert_eq!(schedule.next_after(noon), Some(time("2026-01-02T00:00:00Z")));
    assert_eq!(schedule.last_at_or_before(noon), Some(noon));
    let just_before = time("2026-01-01T11:59:59.999Z");
    assert_eq!(schedule.next_after(just_before), Some(noon));
    assert_eq!(schedule.last_at_or_before(just_before), Some(time("2026-01-01T00:00:00Z")));
}

#[test]
fn looking_back_finds_what_looking_ahead_found_across_clock_changes() {
    for start in ["2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z"] {
        for expression in ["30 1 * * *", "*/30 * * * *", "15 */2 * * *", "0 0,1,2 * * *"] {
            agree(&schedule(expression, "Europe/London").unwrap(), time(start));
        }
    }
}

fn agree(schedule: &Schedule, start: Timestamp) {
    let mut last = None;
    for minute in 0..(12 * 60) {
        let now = start + jiff::SignedDuration::from_mins(minute);
        let fired = schedule.next_after(now - jiff::SignedDuration::from_nanos(1)) == Some(now);
        last = if fired { Some(now) } else { last };
        if last.is_some() {
            let found = schedule.last_at_or_before(now);
            assert_eq!(found, last, "{} at {now}", schedule.expression());
        }
        assert!(schedule.next_after(now).is_some_and(|it| it > now));
    }
}

#[test]
fn a_refusal_names_the_field_and_shows_a_right_one() {
    let expected = [
        ("61 * * * *", "minutes run from 0 to 59", "try `1 * * * *`"),
        ("0 24 * * *", "hours run from 0 to 23", "try `0 2 * * *`"),
        ("0 0 0 * *", "days of the month run from 1 to 31", "try `0 0 1 * *`"),
        ("0 0 1 13 *", "months run from 1 to 12, or from `jan` to `dec`", "try `0 0 1 1 *`"),
        (
            "0 0 * * 8",
            "days of the week run from 0 to 7, or from `sun` to `sat`",
            "try `0 0 * * 1`",
        ),
        ("60 0 0 * * *", "seconds run from 0 to 59", "try `0 0 0 * * *`"),
        ("sun * * * *", "minutes run from 0 to 59", "try `1 * * * *`"),
        ("*/90 * * * *", "steps of minutes run from 1 to 59", "try `1 * * * *`"),
        ("*/0 * * * *", "steps of minutes run from 1 to 59", "try `1 * * * *`"),
        ("0 22-5 * * *", "the range `22-5` of hours runs backwards", "try `0 2 * * *`"),
        ("1,,2 * * * *", "minutes: nothing before or after a comma", "try `1 * * * *`"),
        (", * * * *", "minutes: nothing before or after a comma", "try `1 * * * *`"),
    ];
    for (expression, problem, help) in expected {
        assert_eq!(refusal(expression), (problem.to_owned(), help.to_owned()), "{expression}");
    }
}

#[test]
fn what_is_no_crontab_is_refused_with_help() {
    let texts = [
        "",
        "* * * *",
        "* * * * * * *",
        "0/15 * * * *",
        "@reboot",
        "+1 * * * *",
        "0 0 * * +1",
        "0 0 WL * *",
        "0 0 * * 1#9",
        "0 0 * * monday",
        "1-2-3 * * * *",
        "٣ * * * *",
    ];
    for text in texts {
        assert!(!refusal(text).1.is_empty(), "{text}");
    }
}

#[test]
fn what_never_fires_is_refused() {
    for expression in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "* * * 30 2 *", "0 0 31W feb *"] {
        let error = schedule(expression, "UTC").unwrap_err();
        assert_eq!(error, ScheduleError::NeverFires, "{expression}");
    }
    assert!(schedule("0 0 29 2 *", "UTC").is_ok());
    assert!(schedule("0 0 L * *", "UTC").is_ok());
}

#[test]
fn an_unknown_time_zone_is_refused() {
    for zone in ["Asia/Tashkentt", "", "Etc/Unknown", "../UTC"] {
        let error = schedule("0 0 * * *", zone).unwrap_err();
        assert_eq!(error, ScheduleError::TimeZone(zone.to_owned()));
    }
}

/// Firings in local time from the day before a change of the clocks on.
fn around(expression: &str, zone: &str, day: &str, count: usize) -> Vec<String> {
    let noon: jiff::civil::DateTime = format!("{day}T12:00").parse().unwrap();
    let before = noon - jiff::SignedDuration::from_hours(24);
    let before = before.to_zoned(time_zone(zone).unwrap()).unwrap();
    runs(expression, zone, &before.timestamp().to_string(), count)
}

#[test]
fn hours_in_lists_ranges_and_steps_come_once_each_when_clocks_go_forward() {
    #[rustfmt::skip]
    let cases: [(&str, &str, &str, &[&str]); 9] = [
        ("30 2,14 * * *", "America/New_York", "2026-03-08", &["03-07 14:30-05:00", "03-08 03:00-04:00", "03-08 14:30-04:00"]),
        ("30 2-3 * * *", "America/New_York", "2026-03-08", &["03-08 03:00-04:00", "03-08 03:30-04:00", "03-09 02:30-04:00"]),
        ("30 2-22/10 * * *", "America/New_York", "2026-03-08", &["03-07 12:30-05:00", "03-07 22:30-05:00", "03-08 03:00-04:00"]),
        ("30 */2 * * *", "America/New_York", "2026-03-08", &["03-07 12:30-05:00", "03-07 14:30-05:00", "03-07 16:30-05:00"]),
        ("0 0,12 * * *", "Africa/Cairo", "2026-04-24", &["04-24 01:00+03:00", "04-24 12:00+03:00", "04-25 00:00+03:00"]),
        ("0 0,12 * * *", "Asia/Beirut", "2026-03-29", &["03-29 01:00+03:00", "03-29 12:00+03:00", "03-30 00:00+03:00"]),
        ("0 2,3 * * *", "Australia/Lord_Howe", "2026-10-04", &["10-04 02:30+11:00", "10-04 03:00+11:00", "10-05 02:00+11:00"]),
        ("0,20,40 2 * * *", "America/New_York", "2026-03-08", &["03-08 03:00-04:00", "03-09 02:00-04:00", "03-09 02:20-04:00"]),
        ("15 2,3 8 3 *", "America/New_York", "2026-03-08", &["03-08 03:00-04:00", "03-08 03:15-04:00"]),
    ];
    for (expression, zone, day, expected) in cases {
        check_around(expression, zone, day, expected);
    }
}

#[test]
fn hours_in_lists_ranges_and_steps_come_once_each_when_clocks_go_back() {
    #[rustfmt::skip]
    let cases: [(&str, &str, &str, &[&str]); 7] = [
        ("30 1,13 * * *", "America/New_York", "2026-11-01", &["10-31 13:30-04:00", "11-01 01:30-04:00", "11-01 13:30-05:00"]),
        ("0 0,12 * * *", "America/Havana", "2026-11-01", &["11-01 00:00-04:00", "11-01 12:00-05:00", "11-02 00:00-05:00"]),
        ("30 0-2 * * *", "America/New_York", "2026-11-01", &["11-01 00:30-04:00", "11-01 01:30-04:00", "11-01 02:30-05:00"]),
        ("30 1-23/12 * * *", "America/New_York", "2026-11-01", &["10-31 13:30-04:00", "11-01 01:30-04:00", "11-01 13:30-05:00"]),
        ("*/30 1 * * *", "America/New_York", "2026-11-01", &["11-01 01:00-04:00", "11-01 01:30-04:00", "11-02 01:00-05:00"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-05", &["04-05 01:45+11:00", "04-06 01:45+10:30"]),
        ("30 0,23 * * *", "Africa/Cairo", "2026-10-30", &["10-29 23:30+03:00", "10-30 00:30+02:00", "10-30 23:30+02:00"]),
    ];
    for (expression, zone, day, expected) in cases {
        check_around(expression, zone, day, expected);
    }
}

fn check_around(expression: &str, zone: &str, day: &str, expected: &[&str]) {
    let found = around(expression, zone, day, expected.len());
    let short = |it: &String| {
        let (date, offset) = (&it[5..16], &it[19..]);
        format!("{date}{offset}")
    };
    let found: Vec<String> = found.iter().map(short).collect();
    assert_eq!(found, expected, "{expression} {zone}");
}

#[test]
fn a_schedule_for_every_hour_goes_on_while_the_clock_shows_an_hour_again() {
    let hours = ["01:00:00-04:00", "01:00:00-05:00", "02:00:00-05:00"];
    for every_hour in ["0 * * * *", "@hourly", "0 */1 * * *", "0 0-23 * * *"] {
        let found = runs(every_hour, "America/New_York", "2026-11-01T04:30:00Z", 3);
        let times: Vec<&str> = found.iter().map(|it| &it[11..]).collect();
        assert_eq!(times, hours, "{every_hour}");
    }
    let seconds = runs("30 59 1 * * *", "America/New_York", "2026-11-01T05:00:00Z", 2);
    assert_eq!(seconds, ["2026-11-01 01:59:30-04:00", "2026-11-02 01:59:30-05:00"]);
}

#[test]
fn a_day_that_begins_with_a_star_must_match_as_well_and_without_one_either_is_enough() {
    let first = |expression: &str| runs(expression, "UTC", "2026-05-31T12:00:00Z", 2);
    // June 2026 begins on a Monday.
    for (expression, expected) in [
        ("0 2 */10 * 1", ["06-01", "08-31"]),
        ("0 2 */10 * *", ["06-01", "06-11"]),
        ("0 2 * * 1", ["06-01", "06-08"]),
        ("0 2 ? * 1", ["06-01", "06-08"]),
        ("0 0 2 */10 * 1", ["06-01", "08-31"]),
        ("0 2 13 * */5", ["09-13", "11-13"]),
        ("0 2 1-31/10 * 1", ["06-01", "06-08"]),
        ("0 2 1,11 * 1", ["06-01", "06-08"]),
        ("0 2 13 * 1-5/5", ["06-01", "06-08"]),
    ] {
        let dates: Vec<String> = first(expression).iter().map(|it| it[5..10].to_owned()).collect();
        assert_eq!(dates, expected, "{expression}");
    }
    for never in ["0 0 */30 * 1#2", "0 0 15W * */6"] {
        assert_eq!(schedule(never, "UTC").unwrap_err(), ScheduleError::NeverFires, "{never}");
    }
}
