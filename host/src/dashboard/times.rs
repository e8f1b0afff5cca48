//! Moments and durations, as pages show them: how long from now, with the exact moment for whoever points at it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::dashboard::words::Words;

/// `<time>` with how far that is from `now`; the moment itself is its title.
pub(super) fn when(words: &Words, zone: &TimeZone, at: Timestamp, now: Timestamp) -> String {
    tag(at, &exact(zone, at), &distance(words, at, now))
}

/// `<time>` with the moment itself.
pub(super) fn moment(zone: &TimeZone, at: Timestamp) -> String {
    let exact = exact(zone, at);
    tag(at, &exact, &exact)
}

/// All of it is made of digits and of texts of ours.
fn tag(at: Timestamp, title: &str, text: &str) -> String {
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("<time datetime=\"{at}\" title=\"{title}\">{text}</time>")
}

/// With its zone beside it, because whoever reads it may be anywhere.
pub(super) fn exact(zone: &TimeZone, at: Timestamp) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// `in 2 h 10 min`, `5 min ago`, `now`.
pub(super) fn distance(words: &Words, at: Timestamp, now: Timestamp) -> String {
    let between = at.duration_since(now);
    if between.unsigned_abs().as_secs() < 1 {
        return words.say("time-now");
    }
    let span = span(words, between);
    if between.is_positive() {
        words.with("time-in", &[("span", &span)])
    } else {
        words.with("time-ago", &[("span", &span)])
    }
}

/// The two largest units: `26 d`, `2 h 10 min`, `40 s`.
pub(super) fn span(words: &Words, span: SignedDuration) -> String {
    let seconds = span.unsigned_abs().as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = match seconds {
        0..60 => vec![(seconds, "s")],
        60..3_600 => vec![(minutes, "min")],
        3_600..86_400 => vec![(hours, "h"), (minutes, "min")],
        86_400..259_200 => vec![(days, "d"), (hours, "h")],
        _ => vec![(days, "d")],
    };
    let parts = parts.into_iter().filter(|(count, _)| *count > 0 || seconds == 0);
    let said = parts.map(|(count, unit)| match unit {
        "d" => words.count("time-d", count),
        "h" => words.count("time-h", count),
        "min" => words.count("time-min", count),
        _ => words.count("time-s", count),
    });
    said.collect::<Vec<_>>().join(" ")
}

/// How long something took: three digits are enough.
pub(super) fn took(words: &Words, ms: u64) -> String {
    match ms {
        0..1_000 => words.count("time-ms", ms),
        1_000..60_000 => {
            let seconds = format!("{}.{}", ms / 1_000, ms % 1_000 / 100);
            words.with("time-seconds", &[("seconds", &seconds)])
        }
        _ => span(words, SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_distance_has_two_units_at_most() {
        let words = Words::english();
        for (seconds, said) in [
            (0, "now"),
            (40, "in 40 s"),
            (-300, "5 min ago"),
            (7_800, "in 2 h 10 min"),
            (7_200, "in 2 h"),
            (-100_000, "1 d 3 h ago"),
            (2_246_400, "in 26 d"),
        ] {
            assert_eq!(distance(&words, at(1_000_000 + seconds), at(1_000_000)), said);
        }
    }

    #[test]
    fn a_moment_keeps_its_zone() {
        let zone = TimeZone::get("Asia/Tashkent").unwrap();
        assert!(
            when(&Words::english(), &zone, at(1_700_000_000), at(0))
                .contains("2023-11-15 03:13:20 +05")
        );
        assert!(moment(&TimeZone::UTC, at(0)).contains("datetime=\"1970-01-01T00:00:00Z\""));
    }

    #[test]
    fn what_something_took_is_short() {
        let words = Words::english();
        for (ms, said) in [(0, "0 ms"), (999, "999 ms"), (1_250, "1.2 s"), (90_000, "1 min")] {
            assert_eq!(took(&words, ms), said);
        }
    }
}
