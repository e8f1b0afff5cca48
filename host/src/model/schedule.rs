//! When a cron expression fires in its time zone. Pure: it is told the time, and knows nothing of
//! providers. The five fields of crontab are checked here, because the engine's own errors name no
//! field and it searches for half a minute in some fields that are empty.

use croner::Cron;
use croner::parser::{CronParser, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A cron expression that fires, and the time zone it is read in.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    expression: String,
    cron: Cron,
    zone: TimeZone,
}

/// Why a text is not a schedule. [`ScheduleError::help`] says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Neither five fields nor six.
    #[error(
        "a schedule has five fields (minute, hour, day of the month, month, day of the week), this one has {0}"
    )]
    Fields(usize),
    /// One field cannot be read.
    #[error("{problem}")]
    Field {
        /// Which field, and what it may hold.
        problem: String,
        /// The same expression with that field put right.
        example: String,
    },
    /// No date matches, such as 30 February.
    #[error("it never fires: no date has this day and month")]
    NeverFires,
    /// Not in the time zone database.
    #[error("`{0}` is not a time zone")]
    TimeZone(String),
    /// There is no time zone database to look in.
    #[error("this system has no time zone database, so only UTC is known")]
    NoTimeZones,
}

impl Schedule {
    /// Reads a crontab expression in a time zone.
    pub fn new(expression: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        let expression = expression.trim();
        let crontab = nickname(expression).unwrap_or(expression);
        check_fields(crontab)?;
        let cron = CronParser::builder()
            .year(Year::Disallowed)
            .build()
            .parse(crontab)
            .map_err(|_| ScheduleError::modifier(crontab))?;
        let schedule = Self { expression: expression.to_owned(), cron, zone };
        // There is no field for the year, so what does not fire after 1970 never does.
        schedule.next_after(Timestamp::UNIX_EPOCH).ok_or(ScheduleError::NeverFires)?;
        Ok(schedule)
    }

    /// The expression as it was written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The time zone that the expression is read in.
    pub fn timezone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first firing strictly after `time`. A local time that daylight saving repeats fires once;
    /// one that it skips fires when the clock has jumped.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let from = time.to_zoned(self.zone.clone());
        Some(self.cron.find_next_occurrence(&from, false).ok()?.timestamp())
    }

    /// The last firing at `time` or before it.
    pub fn last_at_or_before(&self, time: Timestamp) -> Option<Timestamp> {
        let from = time.to_zoned(self.zone.clone());
        Some(self.cron.find_previous_occurrence(&from, true).ok()?.timestamp())
    }
}

impl ScheduleError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::Fields(_) => "try `0 2 * * *`, every day at 02:00".to_owned(),
            Self::Field { example, .. } => format!("try `{example}`"),
            Self::NeverFires => {
                "choose a day that the month has; for the last day of a month write `0 0 L * *`"
                    .to_owned()
            }
            Self::TimeZone(_) => "use a name such as `Asia/Tashkent` or `UTC`".to_owned(),
            Self::NoTimeZones => "install the package `tzdata`, or use `UTC`".to_owned(),
        }
    }

    /// The engine only refuses what [`check_fields`] leaves to it: `L`, `W` and `#` in the days.
    fn modifier(crontab: &str) -> Self {
        let mut fields: Vec<&str> = crontab.split_whitespace().collect();
        let first = fields.len() - 5;
        (fields[first + 2], fields[first + 4]) = ("L", "*");
        Self::Field {
            problem:
                "use `L`, `15W` or `LW` for days of the month, `5L` or `1#2` for days of the week"
                    .to_owned(),
            example: fields.join(" "),
        }
    }
}

/// The time zone of that name, such as `Asia/Tashkent`.
pub fn time_zone(name: &str) -> Result<TimeZone, ScheduleError> {
    match TimeZone::get(name) {
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ if jiff::tz::db().is_definitively_empty() => Err(ScheduleError::NoTimeZones),
        _ => Err(ScheduleError::TimeZone(name.to_owned())),
    }
}

/// The words that crontab knows for common expressions.
fn nickname(expression: &str) -> Option<&'static str> {
    Some(match expression.to_ascii_lowercase().as_str() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ => return None,
    })
}

fn check_fields(crontab: &str) -> Result<(), ScheduleError> {
    let texts: Vec<&str> = crontab.split_whitespace().collect();
    let fields = match texts.len() {
        5 => &FIELDS[1..],
        6 => &FIELDS[..],
        count => return Err(ScheduleError::Fields(count)),
    };
    for (at, (field, text)) in fields.iter().zip(&texts).enumerate() {
        field.check(text).map_err(|problem| {
            let mut texts = texts.clone();
            texts[at] = field.example;
            ScheduleError::Field { problem, example: texts.join(" ") }
        })?;
    }
    Ok(())
}

/// One field of crontab.
struct Field {
    /// In the plural, for sentences.
    name: &'static str,
    min: u16,
    max: u16,
    /// Names of the values, from `min` on.
    names: &'static [&'static str],
    /// A value that is always right.
    example: &'static str,
    /// Letters that the engine understands beyond values.
    modifiers: &'static [char],
}

const MONTHS: &[&str] =
    &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

#[rustfmt::skip]
const FIELDS: [Field; 6] = [
    Field { name: "seconds", min: 0, max: 59, names: &[], example: "0", modifiers: &[] },
    Field { name: "minutes", min: 0, max: 59, names: &[], example: "1", modifiers: &[] },
    Field { name: "hours", min: 0, max: 23, names: &[], example: "2", modifiers: &[] },
    Field { name: "days of the month", min: 1, max: 31, names: &[], example: "1", modifiers: &['L', 'W'] },
    Field { name: "months", min: 1, max: 12, names: MONTHS, example: "1", modifiers: &[] },
    Field { name: "days of the week", min: 0, max: 7, names: DAYS, example: "1", modifiers: &['L', '#'] },
];

impl Field {
    /// Refuses what is not crontab, with a sentence about it.
    fn check(&self, text: &str) -> Result<(), String> {
        if text == "?" && !self.modifiers.is_empty() {
            return Ok(());
        }
        text.split(',').try_for_each(|item| self.check_item(item))
    }

    fn check_item(&self, item: &str) -> Result<(), String> {
        if item.is_empty() {
            return Err(format!("{}: nothing before or after a comma", self.name));
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        step.map_or(Ok(()), |step| self.check_step(step))?;
        match (range, range.split_once('-'), step) {
            ("*", _, _) => Ok(()),
            (_, Some((start, end)), _) => self.check_range(range, start, end),
            (_, None, Some(step)) => Err(format!(
                "a step needs a range: `*/{step}` or `{range}-{}/{step}` in the {}",
                self.max, self.name
            )),
            (_, None, None) if item.to_uppercase().contains(self.modifiers) => Ok(()),
            (_, None, None) => self.value(range).map(|_| ()),
        }
    }

    fn check_step(&self, step: &str) -> Result<(), String> {
        let longest = self.max - self.min;
        match number(step) {
            Some(step) if (1..=longest).contains(&step) => Ok(()),
            _ => Err(format!("steps of {} run from 1 to {longest}", self.name)),
        }
    }

    fn check_range(&self, range: &str, start: &str, end: &str) -> Result<(), String> {
        let first = self.value(start)?;
        // Sunday is also the last day of the week, as in `sat-sun`.
        let last = if end.eq_ignore_ascii_case("sun") { 7 } else { self.value(end)? };
        if first > last {
            return Err(format!("the range `{range}` of {} runs backwards", self.name));
        }
        Ok(())
    }

    /// A number, or a name where the field has names.
    fn value(&self, text: &str) -> Result<u16, String> {
        let named = self.names.iter().zip(self.min..).find(|it| it.0.eq_ignore_ascii_case(text));
        named
            .map(|it| it.1)
            .or_else(|| number(text))
            .filter(|it| (self.min..=self.max).contains(it))
            .ok_or_else(|| self.sentence())
    }

    fn sentence(&self) -> String {
        let numbers = format!("{} run from {} to {}", self.name, self.min, self.max);
        match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => format!("{numbers}, or from `{first}` to `{last}`"),
            _ => numbers,
        }
    }
}

/// Digits alone: the standard parser would take a sign.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
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
}
