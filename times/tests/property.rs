//! The reader against a slow and obvious one, written apart from it with another calendar; and against
//! rubbish, which it must survive and may not make a time of.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, fmt::rfc2822, fmt::strtime};
use proptest::prelude::*;
use times::{FIRST, LAST, Read, TEN_YEARS, after, number, rfc3339, span, time, until};

const DAY: u64 = 86_400;

fn moments() -> impl Strategy<Value = u64> {
    FIRST..LAST
}

/// Whole numbers of every length, and round ones.
fn numbers() -> impl Strategy<Value = u64> {
    let any_length = (0_u32..20, any::<u64>()).prop_map(|(zeros, it)| it / 10_u64.pow(zeros));
    let round = (1_u64..1000, 0_u32..17).prop_map(|(it, zeros)| it * 10_u64.pow(zeros));
    let usual = (1_u64..9_700, 0_u64..8_000, 0_usize..4).prop_map(|(steps, less, unit)| {
        let units = [1, 1_000, 1_000_000, 1_000_000_000];
        (steps * 300 * units[unit]).saturating_sub(less * units[unit] / 1000)
    });
    prop_oneof![any_length, round, usual]
}

/// The unit whose number is a time between 2000 and 2199, and dates in digits.
fn slow_time(whole: u64) -> Option<u64> {
    for unit in [1, 1_000, 1_000_000, 1_000_000_000] {
        let Ok(seconds) = i64::try_from(whole / unit) else { continue };
        let Ok(at) = Timestamp::from_second(seconds) else { continue };
        if (2000..2200).contains(&at.to_zoned(TimeZone::UTC).year()) {
            return u64::try_from(seconds).ok();
        }
    }
    let text = whole.to_string();
    let format = match text.len() {
        8 => "%Y%m%d",
        12 => "%Y%m%d%H%M",
        14 | 17 => "%Y%m%d%H%M%S",
        _ => return None,
    };
    let read = strtime::parse(format, &text[..text.len().min(14)]).ok()?;
    let date = read.to_date().ok().filter(|it| (2000..2200).contains(&it.year()))?;
    let at = read.to_datetime().unwrap_or_else(|_| date.to_datetime(jiff::civil::Time::midnight()));
    u64::try_from(at.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second()).ok()
}

/// Every lifetime that is usual, in seconds.
fn usual() -> Vec<u64> {
    let minutes = (1..=12).map(|it| it * 300);
    let hours = (1..=48).map(|it| it * 1800);
    minutes.chain(hours).chain((1..=400).map(|it| it * DAY)).collect()
}

fn slow_span(whole: u64) -> Option<u64> {
    for unit in [1_000, 1_000_000, 1_000_000_000] {
        let is_it = |it: u64| whole <= it * unit && whole >= (it - 5) * unit;
        if usual().into_iter().any(is_it) {
            return Some(whole / unit);
        }
    }
    if whole == 0 {
        return None;
    }
    if whole <= TEN_YEARS {
        return Some(whole);
    }
    let is_century = (whole..=whole + 5).any(|it| it.is_multiple_of(DAY));
    let in_minutes = whole.is_multiple_of(60_000) && whole / 1000 <= 400 * DAY;
    (in_minutes && !is_century).then_some(whole / 1000)
}

/// Moves the point one digit at a time.
fn slow_number(whole: &str, fraction: &str, exponent: i32) -> u64 {
    let (mut whole, mut fraction) = (whole.to_owned(), fraction.to_owned());
    for _ in 0..exponent {
        let next = if fraction.is_empty() { '0' } else { fraction.remove(0) };
        whole.push(next);
    }
    for _ in exponent..0 {
        let last = whole.pop().unwrap_or('0');
        fraction.insert(0, last);
    }
    let digits = whole.trim_start_matches('0');
    if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) }
}

/// Ways to write a time in UTC or as if it were.
const FORMATS: [&str; 22] = [
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dt%H:%M:%Sz",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.123456",
    "%Y-%m-%dT%H:%M:%S.9Z",
    "%Y-%m-%dT%H:%M:%S,9+00:00",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d %H:%M:%S +0000 UTC",
    "%Y-%m-%dT%H:%M:%S+00:00[UTC]",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%d%H%M%SZ",
    "%Y%m%d%H%M%S",
    "%Y%m%d%H%M%S.5",
    "%Y%m%d%H%M%S678",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a, %d-%b-%Y %H:%M:%S GMT",
    "%A, %d %B %Y %H:%M:%S +0000",
    "%d %b %Y %H:%M:%S UT",
    "%a %b %e %H:%M:%S %Y",
    "%a %b %e %H:%M:%S UTC %Y",
    "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)",
];

/// Ways to write a time with its offset.
const WITH_OFFSET: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%:z",
    "%Y-%m-%d %H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S %z CET",
    "%Y-%m-%dT%H:%M:%S.25%:z[Europe/Paris]",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %Y %H:%M:%S GMT%z",
];

fn stamp(seconds: u64) -> Timestamp {
    Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap()
}

/// Texts that are close to a time or a length.
fn nearly() -> impl Strategy<Value = String> {
    let written = (moments(), 0..FORMATS.len()).prop_map(|(at, format)| {
        stamp(at).to_zoned(TimeZone::UTC).strftime(FORMATS[format]).to_string()
    });
    let numbers = numbers().prop_map(|it| it.to_string());
    let spans = (0_u64..99, 0_u64..99).prop_map(|(a, b)| format!("P{a}DT{b}H {a}h{b}m {a}:{b}:0"));
    let text = prop_oneof![written, numbers, spans];
    (text, prop::collection::vec((any::<prop::sample::Index>(), "[ -~é]?"), 1..4)).prop_map(
        |(text, changes)| {
            let mut letters: Vec<String> = text.chars().map(String::from).collect();
            for (at, new) in changes {
                let at = at.index(letters.len());
                letters[at] = new;
            }
            letters.concat()
        },
    )
}

fn survives(text: &str, now: u64) {
    let in_window = |read: Read| read.value().is_none_or(|it| (FIRST..LAST).contains(&it));
    assert!(in_window(time(text)), "{text}");
    assert!(span(text).value().is_none_or(|it| (1..=TEN_YEARS).contains(&it)), "{text}");
    for read in [until(text, now), after(text, now)] {
        let from_now = |it| it > now && it - now <= TEN_YEARS;
        assert!(in_window(read) || read.value().is_some_and(from_now), "{text}");
        assert!(read.value().is_some() || read.notes().is_empty());
    }
    let _ = (number(text), time(text).notes().to_string(), rfc3339(now));
    if let (Some(ours), Ok(theirs)) = (time(text).value(), text.trim().parse::<Timestamp>()) {
        assert_eq!(i64::try_from(ours).unwrap(), floor(theirs), "{text}");
    }
    if let (Some(ours), Ok(theirs)) = (time(text).value(), text.trim().parse::<DateTime>()) {
        // A date that jiff reads without its offset is local; ours says so, or has one.
        let local = floor(theirs.to_zoned(TimeZone::UTC).unwrap().timestamp());
        let apart = i64::try_from(ours).unwrap().abs_diff(local);
        assert!(apart < DAY, "{text}");
    }
}

fn floor(at: Timestamp) -> i64 {
    at.as_nanosecond().div_euclid(1_000_000_000).try_into().unwrap()
}

/// Four thousand, or as many as `PROPTEST_CASES` wants beyond that.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(4_000), failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_number_is_the_time_that_the_slow_reader_finds(whole in numbers()) {
        prop_assert_eq!(time(&whole.to_string()).value(), slow_time(whole));
    }

    #[test]
    fn any_number_is_the_length_that_the_slow_reader_finds(whole in numbers()) {
        prop_assert_eq!(span(&whole.to_string()).value(), slow_span(whole));
    }

    #[test]
    fn a_number_has_its_point_where_it_was_put(
        whole in "[0-9]{1,12}", fraction in "[0-9]{0,12}", exponent in -15_i32..15,
    ) {
        let expected = slow_number(&whole, &fraction, exponent);
        prop_assert_eq!(number(&format!("{whole}.{fraction}e{exponent}")), Some(expected));
        prop_assert_eq!(number(&format!("\" +{whole}.{fraction}E{exponent:+} \"")), Some(expected));
    }

    #[test]
    fn a_time_is_the_same_in_every_unit(at in moments(), part in 0_u64..1_000_000_000) {
        let nanoseconds = at * 1_000_000_000 + part;
        for text in [
            at.to_string(),
            format!("{at}.{part:09}"),
            (nanoseconds / 1_000_000).to_string(),
            (nanoseconds / 1_000).to_string(),
            nanoseconds.to_string(),
            format!("\"{}.5\"", nanoseconds / 1_000_000),
        ] {
            prop_assert_eq!(time(&text).value(), Some(at), "{}", text);
            prop_assert_eq!(until(&text, 0).value(), Some(at), "{}", text);
        }
    }

    #[test]
    fn a_time_is_the_same_in_every_form(at in moments(), minutes in -1_439_i32..1_440) {
        let utc = stamp(at).to_zoned(TimeZone::UTC);
        for format in FORMATS {
            let text = utc.strftime(format).to_string();
            prop_assert_eq!(time(&text).value(), Some(at), "{}", text);
        }
        let offset = Offset::from_seconds(minutes * 60).unwrap();
        for format in WITH_OFFSET {
            let text = utc.with_time_zone(TimeZone::fixed(offset)).strftime(format).to_string();
            prop_assert_eq!(time(&text).value(), Some(at), "{}", text);
        }
        prop_assert_eq!(time(&rfc3339(at)).value(), Some(at));
        prop_assert_eq!(time(&stamp(at).to_string()).value(), Some(at));
        prop_assert_eq!(rfc3339(at), stamp(at).to_string());
        let mail = rfc2822::to_string(&utc).unwrap();
        prop_assert_eq!(time(&mail).value(), Some(at), "{}", mail);
    }

    #[test]
    fn what_lies_outside_of_the_window_has_no_end(
        year in prop_oneof![1_i16..2000, 2200_i16..9999], day in 1_i16..366,
    ) {
        let date = Date::new(year, 1, 1).unwrap().checked_add(jiff::Span::new().days(day - 1)).unwrap();
        prop_assume!(date.year() == year);
        for text in [format!("{date}"), format!("{date}T12:00:00Z"), format!("{date} 12:00:00")] {
            prop_assert!(matches!(time(&text), Read::Open(_)), "{}", text);
        }
    }

    #[test]
    fn a_length_is_the_same_in_every_form(
        days in 0_u64..400, hours in 0_u64..24, minutes in 0_u64..60, seconds in 1_u64..60,
    ) {
        let whole = days * DAY + hours * 3600 + minutes * 60 + seconds;
        for text in [
            format!("P{days}DT{hours}H{minutes}M{seconds}S"),
            format!("p{days}dt{hours}h{minutes}m{seconds}.75s"),
            format!("{days}d{hours}h{minutes}m{seconds}s"),
            format!("{days} days {hours} hours {minutes} min {seconds} seconds"),
            format!("{days}.{hours:02}:{minutes:02}:{seconds:02}"),
            format!("{days} days, {hours}:{minutes:02}:{seconds:02}.5"),
            format!("{}:{minutes:02}:{seconds:02}", days * 24 + hours),
            format!("{whole}s"),
            format!("{}ms", whole * 1000),
        ] {
            prop_assert_eq!(span(&text).value(), Some(whole), "{}", text);
            prop_assert_eq!(after(&text, FIRST).value(), Some(FIRST + whole), "{}", text);
        }
    }

    #[test]
    fn rubbish_is_survived(text in any::<String>(), now in any::<u64>()) {
        survives(&text, now);
    }

    #[test]
    fn rubbish_of_the_right_letters_is_survived(
        text in "[0-9TtZzPpeEhmsd:.,+\\-/ \\[\\]()]{0,40}", now in FIRST..LAST,
    ) {
        survives(&text, now);
    }

    #[test]
    fn what_is_nearly_a_time_is_read_as_others_do_or_not_at_all(text in nearly(), now in moments()) {
        survives(&text, now);
    }
}
