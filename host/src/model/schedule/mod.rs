//! When a cron expression fires in its time zone. The engine is asked for local times alone, in a calendar
//! without daylight saving; when they come is said here, so that each comes once (decision 0029). Pure: it is
//! told the time, and knows nothing of providers.

/// Checks the fields.
mod fields;

/// Says when a local time is shown.
mod wall;

use croner::Cron;
use croner::parser::{CronParser, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::schedule::wall::Showing;

/// A cron expression that fires, and the time zone it is read in.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    expression: String,
    cron: Cron,
    showings: &'static [Showing],
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
        fields::check(crontab)?;
        let cron = CronParser::builder()
            .year(Year::Disallowed)
            .dom_and_dow(has_starred_day(crontab))
            .build()
            .parse(crontab)
            .map_err(|_| ScheduleError::modifier(crontab))?;
        let showings = showings(&cron);
        let schedule = Self { expression: expression.to_owned(), cron, showings, zone };
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

    /// The first firing strictly after `time`. A local time that daylight saving repeats fires once, the
    /// first time, unless the schedule is for every hour; one that it skips fires when the clock has jumped.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let next = |showing: &Showing| {
            let local = self.local_after(wall::passed(&self.zone, time, *showing))?;
            wall::moment(&self.zone, local, *showing)
        };
        self.showings.iter().filter_map(next).min()
    }

    /// The last firing at `time` or before it.
    pub fn last_at_or_before(&self, time: Timestamp) -> Option<Timestamp> {
        let last = |showing: &Showing| {
            let local = self.local_by(wall::passed(&self.zone, time, *showing))?;
            wall::moment(&self.zone, local, *showing)
        };
        self.showings.iter().filter_map(last).max()
    }

    fn local_after(&self, local: DateTime) -> Option<DateTime> {
        let from = local.to_zoned(TimeZone::UTC).ok()?;
        Some(self.cron.find_next_occurrence(&from, false).ok()?.datetime())
    }

    fn local_by(&self, local: DateTime) -> Option<DateTime> {
        let from = local.to_zoned(TimeZone::UTC).ok()?;
        Some(self.cron.find_previous_occurrence(&from, true).ok()?.datetime())
    }
}

/// A schedule for every hour means the time that passes, and not what a clock shows: it goes on while the
/// clock shows an hour again.
fn showings(cron: &Cron) -> &'static [Showing] {
    let is_in = |hour| cron.pattern.hour_match(hour).unwrap_or(false);
    if (0..24).all(is_in) { &[Showing::First, Showing::Last] } else { &[Showing::First] }
}

/// Whether one of the days begins with a star. Then both must match, else either: so cronie has it, also for a
/// star with a step.
fn has_starred_day(crontab: &str) -> bool {
    let mut backwards = crontab.split_whitespace().rev();
    let week = backwards.next();
    [week, backwards.nth(1)].into_iter().flatten().any(|it| it.starts_with(['*', '?']))
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

    /// The engine only refuses what [`fields::check`] leaves to it: `L`, `W` and `#` in the days.
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

#[cfg(test)]
mod tests;

#[cfg(test)]
mod zones;
