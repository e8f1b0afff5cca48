//! What providers sent and people imported in public reports, and what is read now; and the forms that
//! they are written in.

use times::{FIRST, LAST, Note, Open, Read, after, number, rfc3339, span, time, until};

/// 2023-11-14T22:13:20Z.
const NOW: u64 = 1_700_000_000;

/// A value, or the way in which there is no end.
fn said(read: Read) -> Result<u64, Option<Open>> {
    match read {
        Read::Is(value, _) => Ok(value),
        Read::Open(open) => Err(Some(open)),
        Read::Unreadable => Err(None),
    }
}

fn at(text: &str) -> String {
    match time(text) {
        Read::Is(seconds, _) => rfc3339(seconds),
        Read::Open(open) => format!("{open:?}"),
        Read::Unreadable => "?".to_owned(),
    }
}

fn notes(read: Read) -> Vec<Note> {
    read.notes().iter().collect()
}

#[test]
fn a_lifetime_is_what_was_meant() {
    for (text, seconds) in [
        ("3600.0", 3600),  // bluebutton-web-server
        ("3600000", 3600), // Zoho
        ("7200000", 7200), // Zoho
        ("3599000", 3599),
        ("3599983", 3599),
        ("86400000", 86_400),
        ("864000000", 864_000),
        ("2592000000", 2_592_000),
        ("31536000000", 31_536_000),
        ("3600000000000", 3600), // Go's Duration
        ("432060000", 432_060),
        ("3600", 3600),
        ("3599", 3599),
        (" +3600 ", 3600),
        ("\"3600\"", 3600),
        ("3.6e3", 3600),
        ("3600.9", 3600),
        ("1", 1),
        ("60000", 60_000),
        ("604800", 604_800),
        ("2592000", 2_592_000),
        ("31535999", 31_535_999),
        ("31536000", 31_536_000),
        ("31622400", 31_622_400),
        ("157680000", 157_680_000),
        ("315576000", 315_576_000),
    ] {
        assert_eq!(said(span(text)), Ok(seconds), "{text}");
        assert_eq!(said(after(text, NOW)), Ok(NOW + seconds), "{text}");
    }
}

#[test]
fn no_end_is_said_in_many_ways() {
    for (text, open) in [
        ("9223372036854775", Open::Far), // govway, LibreChat
        ("9223372036854775807", Open::Far),
        ("18446744073709551615", Open::Far),
        ("9e99", Open::Far),
        ("1e999999999999", Open::Far),
        ("2147483647", Open::Far),
        ("4294967295", Open::Far),
        ("999999999", Open::Far),
        ("9999999999", Open::Far),
        ("3153600000", Open::Far),
        ("P100Y", Open::Far),
        ("0", Open::Zero),
        ("-1", Open::Zero),
        ("0.0", Open::Zero),
        ("0e5", Open::Zero),
        ("-3600", Open::Zero),
        ("PT0S", Open::Zero),
        ("00:00:00", Open::Zero),
        ("", Open::Nothing),
        ("\"\"", Open::Nothing),
        ("null", Open::Nothing),
        ("NULL", Open::Nothing),
        ("false", Open::Nothing),
        ("never", Open::Never),
        ("Infinity", Open::Never),
    ] {
        assert_eq!(said(span(text)), Err(Some(open)), "{text}");
        assert_eq!(said(after(text, NOW)), Err(Some(open)), "{text}");
    }
}

#[test]
fn a_length_may_be_a_text() {
    for (text, seconds) in [
        ("PT1H", 3600),
        ("pt1h", 3600),
        ("P1D", 86_400),
        ("P1DT2H30M", 95_400),
        ("PT3600.5S", 3600),
        ("P2W", 1_209_600),
        ("P1M", 2_592_000),
        ("1h", 3600),
        ("3600s", 3600),
        ("1h30m", 5400),
        ("1h0m0s", 3600),
        ("1.5h", 5400),
        ("15 min", 900),
        ("60 Minutes", 3600),
        ("2 days", 172_800),
        ("30d", 2_592_000),
        ("3600000ms", 3600),
        ("1y", 31_536_000),
        ("01:00:00", 3600),
        ("1:00:00", 3600),
        ("36:00:00", 129_600),
        ("00:15:00.5000000", 900),
        ("1.00:00:00", 86_400),
        ("1 day, 0:00:00", 86_400),
        ("30 days, 1:00:00", 2_595_600),
    ] {
        assert_eq!(said(span(text)), Ok(seconds), "{text}");
    }
    for text in [
        "soon",
        "1M",
        "P",
        "PT",
        "P1",
        "PT1",
        "P1H",
        "PT1M1H",
        "1m1h",
        "1h1h",
        "01:00",
        "1,000",
        "0x10",
        "1_000",
        "1 2",
        "٣٦٠٠",
        "1:60:00",
        "1h 1:00:00",
        ".",
        "+",
        "-",
        "e5",
        "1e",
        "2030-01-31",
    ] {
        let is_open = matches!(span(text), Read::Open(Open::Nothing)) && text == "-";
        assert!(is_open || span(text) == Read::Unreadable, "{text}: {:?}", span(text));
    }
    assert_eq!(notes(span("P1M")), [Note::Months]);
    assert_eq!(notes(span("1 day")), []);
}

#[test]
fn an_imported_time_is_what_was_meant() {
    for (text, utc) in [
        // jwt-auth, superdesk-core and others
        ("253402300799", "Far"),
        ("9999-12-31 23:59:59", "Far"),
        ("20300131120000", "2030-01-31T12:00:00Z"),
        ("20300131", "2030-01-31T00:00:00Z"),
        ("3600", "?"),
        ("2030-01-31T12:00:00+01:00[Europe/Paris]", "2030-01-31T11:00:00Z"),
        ("2030-01-31T12:00:00[Europe/Paris]", "?"),
        // UFood, JWTDecode.swift
        ("1700000300000", "2023-11-14T22:18:20Z"),
        ("\"1700000300\"", "2023-11-14T22:18:20Z"),
        // numbers
        ("1700000300", "2023-11-14T22:18:20Z"),
        ("1700000300.75", "2023-11-14T22:18:20Z"),
        ("1.7000003e9", "2023-11-14T22:18:20Z"),
        ("1.7000003E+12", "2023-11-14T22:18:20Z"),
        ("1700000300000000", "2023-11-14T22:18:20Z"),
        ("1700000300000000000", "2023-11-14T22:18:20Z"),
        ("203001311200", "2030-01-31T12:00:00Z"),
        ("20300131120000123", "2030-01-31T12:00:00Z"),
        ("20300131.0", "2030-01-31T00:00:00Z"),
        ("20301331", "?"),
        ("99991231", "Far"),
        ("946684799", "?"),
        ("946684800", "2000-01-01T00:00:00Z"),
        ("7258118399", "2199-12-31T23:59:59Z"),
        ("7258118400", "Far"),
        ("8640000000000000", "Far"),
        ("0", "Zero"),
        ("-62135596800", "Zero"),
        // dates before and after
        ("0001-01-01T00:00:00Z", "Zero"),
        ("1970-01-01T00:00:00Z", "Zero"),
        ("0000-00-00 00:00:00", "Zero"),
        ("0000-00-00", "Zero"),
        ("-009999-01-02T01:59:59Z", "Zero"),
        ("-soon", "?"),
        ("+999999999-12-31T23:59:59.999999999Z", "Far"),
        ("infinity", "Never"),
        ("\\N", "Nothing"),
        ("NULL", "Nothing"),
    ] {
        assert_eq!(at(text), utc, "{text}");
    }
}

#[test]
fn a_date_is_read_in_every_usual_form() {
    for text in [
        "2030-01-31T12:00:00Z",
        "2030-01-31t12:00:00z",
        "2030-01-31 12:00:00Z",
        "2030-01-31 12:00:00",
        "2030-01-31  12:00:00.123456",
        "2030-01-31T12:00:00,123Z",
        "2030-01-31T12:00Z",
        "2030/01/31 12:00:00",
        "2030-1-31 12:00:00",
        "2030-01-31T13:00:00+01",
        "2030-01-31T13:00:00+0100",
        "2030-01-31T13:00:00+01:00",
        "2030-01-31 13:00:00 +0100 CET",
        "2030-01-31 12:00:00 +0000 UTC",
        "2030-01-31 12:00:00 UTC",
        "2030-01-31T08:30:00-03:30",
        "2030-01-31T11:59:60Z",
        "20300131T120000Z",
        "20300131T1200Z",
        "20300131120000Z",
        "20300131120000.5+0000",
        "'2030-01-31 12:00:00'",
        "Thu, 31 Jan 2030 12:00:00 GMT",
        "Thu, 31 Jan 2030 13:00:00 +0100",
        "Thu, 31 Jan 2030 12:00:00 +0000 (UTC)",
        "31 Jan 2030 12:00 UT",
        "Thursday, 31-Jan-30 12:00:00 GMT",
        "Thu, 31-Jan-2030 12:00:00 GMT",
        "Thu Jan 31 12:00:00 2030",
        "Thu Jan 31 12:00:00 UTC 2030",
        "Thu Jan 31 2030 13:00:00 GMT+0100 (Central European Standard Time)",
        "january 31 2030 12:00:00",
    ] {
        assert_eq!(at(text), "2030-01-31T12:00:00Z", "{text}");
    }
    assert_eq!(at("2030-01-31"), "2030-01-31T00:00:00Z");
    assert_eq!(at("2028-02-29"), "2028-02-29T00:00:00Z");
    assert_eq!(at("Sun Nov  6 08:49:37 2094"), "2094-11-06T08:49:37Z");
    assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), "Zero");
}

#[test]
fn what_is_no_date_is_none() {
    for text in [
        "tomorrow at five",
        "soon",
        "2030-02-29",
        "2030-13-01T00:00:00Z",
        "2030-01-32",
        "2030-01-31T24:00:00Z",
        "2030-01-31T12:60:00Z",
        "2030-01-31T12:00:00+é",
        "2030-01-31T12:00:00+24:00",
        "2030-01-31T12:00:00+1:00:0",
        "2030-01-31T12:00:00 PM",
        "2030-01-31T12:00:00 Europe/Paris",
        "2030-01-31T12:00:00.Z",
        "2030-01-31T12",
        "2030-01",
        "31.01.2030",
        "01/31/2030",
        "31/01/2030",
        "30-01-31",
        "2030-01-31[UTC]",
        "2030-01-31T12:00:00Z[UTC",
        "Thu, 31 Foo 2030 12:00:00 GMT",
        "Thu, 31 Jan 2030 12:00:00 CST",
        "12:00:00",
        "Bearer abc",
        "true",
        "{}",
        "[]",
    ] {
        assert_eq!(time(text), Read::Unreadable, "{text}");
    }
}

#[test]
fn a_member_may_hold_the_other_kind() {
    let hour = Ok(NOW + 3600);
    for text in
        ["3600", "3600000", "1h", "PT1H", "1700003600", "1700003600000", "2023-11-14T23:13:20Z"]
    {
        assert_eq!(said(until(text, NOW)), hour, "{text}");
        assert_eq!(said(after(text, NOW)), hour, "{text}");
    }
    assert_eq!(notes(until("3600", NOW)), [Note::Span]);
    assert_eq!(notes(until("3600000", NOW)), [Note::Span, Note::Milliseconds]);
    assert_eq!(notes(after("1700003600000", NOW)), [Note::Time, Note::Milliseconds]);
    assert_eq!(notes(after("3600", NOW)), []);
    assert_eq!(said(until("31536000", NOW)), Ok(NOW + 31_536_000));
    assert_eq!(said(until("1600000000", NOW)), Ok(1_600_000_000), "what is past is said as it is");
    assert_eq!(said(after("1600000000", NOW)), Err(Some(Open::Far)), "that is no end of anything");
    assert_eq!(said(until("12:00:00", NOW)), Err(None));
    assert_eq!(said(until("soon", NOW)), Err(None));
    assert_eq!(said(after("soon", NOW)), Err(None));
    assert_eq!(said(after("3600", u64::MAX)), Err(Some(Open::Far)));
}

#[test]
fn what_was_not_literal_is_told() {
    let told = |read: Read| read.notes().to_string();
    assert_eq!(told(time("2030-01-31T12:00:00Z")), "");
    assert_eq!(told(time("1700000300000")), "taken for milliseconds");
    assert_eq!(told(time("1700000300.5")), "the part of a second was left out");
    assert_eq!(told(time("1700000300.0")), "");
    assert_eq!(told(time("2030-01-31 12:00:00")), "without a time zone, so taken for UTC");
    assert_eq!(
        told(time("20300131")),
        "without a time zone, so taken for UTC; without a time, so the day's beginning counts; \
         taken for a date in digits"
    );
    let zoned = time("2030-01-31T12:00:00+01:00[Europe/Paris]");
    assert_eq!(told(zoned), "the offset counts and not the name of the zone");
    assert_eq!(Open::Far.to_string(), "it is further away than any token lives");
}

#[test]
fn a_number_is_its_whole_part() {
    for (text, value) in [
        ("5", Some(5)),
        ("5.9", Some(5)),
        ("+5", Some(5)),
        ("-0", Some(0)),
        ("-5", None),
        ("1e3", Some(1000)),
        ("1234e-2", Some(12)),
        ("0.0005e4", Some(5)),
        ("\"7200\"", Some(7200)),
        (" 7 ", Some(7)),
        (".5", Some(0)),
        ("5.", Some(5)),
        ("99999999999999999999", Some(u64::MAX)),
        ("0e99999999999999999999", Some(0)),
        ("1e-99999999999999999999", Some(0)),
        ("", None),
        ("null", None),
        ("5 5", None),
        ("1,5", None),
        ("5s", None),
        ("١", None),
    ] {
        assert_eq!(number(text), value, "{text}");
    }
}

#[test]
fn no_whole_days_are_lost_but_those_that_nobody_grants() {
    let is_other = |days: &u64| span(&(days * 86_400).to_string()).value() != Some(days * 86_400);
    assert_eq!((1..=400).filter(is_other).collect::<Vec<_>>(), [125, 250, 375]);
    // Half days too; of single hours some are, such as 83.
    let is_other = |half: &u64| span(&(half * 43_200).to_string()).value() != Some(half * 43_200);
    assert_eq!((1..=800).filter(is_other).collect::<Vec<_>>(), [125, 250, 375, 500, 625, 750]);
}

#[test]
fn the_window_is_what_the_calendar_says() {
    assert_eq!(rfc3339(FIRST), "2000-01-01T00:00:00Z");
    assert_eq!(rfc3339(LAST), "2200-01-01T00:00:00Z");
    assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59Z");
    for text in ["1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2000-02-29T12:00:00Z"] {
        let jiff: jiff::Timestamp = text.parse().unwrap();
        assert_eq!(rfc3339(u64::try_from(jiff.as_second()).unwrap()), text);
    }
}
