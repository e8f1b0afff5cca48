//! When a provider's connections are refreshed, how often they are tried, and how fast.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::tz::TimeZone;
use toml::de::DeValue;

use crate::manifest::problems::Fault;
use crate::manifest::reference::Section;
use crate::manifest::suggest;
use crate::manifest::table::Table;
use crate::manifest::value::{duration, string};
use crate::model::code;
use crate::model::rotation::Rotation;
use crate::model::schedule::{Schedule, ScheduleError, time_zone};

/// How often a refresh is tried before the backup schedule takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Tries in a row, the first among them, from 0 to 20; it is tried once in any case.
    pub attempts: u32,
    /// The wait before the second; it doubles each time.
    pub backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 3, backoff: Duration::from_mins(1) }
    }
}

impl Retry {
    pub(super) fn read(table: Table<'_>) -> Self {
        let table = table.with(Section::Retry, "");
        let usual = Self::default();
        Self {
            attempts: table.count("attempts").unwrap_or(usual.attempts),
            backoff: table.time("backoff").unwrap_or(usual.backoff),
        }
    }
}

/// The most requests in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In what time.
    pub per: Duration,
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            0..=1 => "s",
            2..=60 => "m",
            _ => "h",
        };
        write!(out, "{}/{unit}", self.count)
    }
}

/// "10/s", "600/m" or "5000/h".
pub(super) fn rate(value: &DeValue<'_>) -> Result<Rate, Fault> {
    let (count, unit) = string(value)?.split_once('/').unwrap_or_default();
    let seconds = match unit.trim() {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(60 * 60),
        _ => None,
    };
    match (count.trim().parse().ok(), seconds) {
        (Some(count), Some(seconds)) => Ok(Rate { count, per: Duration::from_secs(seconds) }),
        _ => Err(Fault::new(
            code::Manifest::Rate,
            "not a rate",
            "write \"10/s\", \"600/m\" or \"5000/h\"",
        )),
    }
}

pub(super) fn zone(value: &DeValue<'_>) -> Result<TimeZone, Fault> {
    let name = string(value)?;
    time_zone(name).map_err(|error| {
        let fault = Fault::new(code::Manifest::Timezone, error.to_string(), error.help());
        match (error, suggest::nearest_zone(name)) {
            (ScheduleError::TimeZone(_), Some(near)) => {
                Fault { help: format!("did you mean `{near}`?"), ..fault }
            }
            _ => fault,
        }
    })
}

pub(super) fn schedule(zone: &TimeZone) -> impl Fn(&DeValue<'_>) -> Result<Schedule, Fault> {
    |value| {
        Schedule::new(string(value)?, zone.clone())
            .map_err(|error| Fault::new(code::Manifest::Schedule, error.to_string(), error.help()))
    }
}

/// "none", "strict", "until-used", "unknown" or `{ grace = "30s" }`.
pub(super) fn rotation(value: &DeValue<'_>) -> Result<Rotation, Fault> {
    let unknown = || {
        let help = "write \"none\", \"strict\", \"until-used\", \"unknown\" or { grace = \"30s\" }";
        Fault::new(code::Manifest::Rotation, "not a rotation rule", help)
    };
    match value {
        DeValue::String(text) => match text.as_ref() {
            "none" => Ok(Rotation::None),
            "strict" => Ok(Rotation::Strict),
            "until-used" => Ok(Rotation::UntilUsed),
            "unknown" => Ok(Rotation::Unknown),
            _ => Err(unknown()),
        },
        DeValue::Table(table) if table.len() == 1 => {
            let window = table.get("grace").ok_or_else(unknown)?;
            let second = Duration::from_secs(1);
            let window = duration(second, Duration::from_hours(24))(window.get_ref())?;
            Ok(Rotation::Grace(u32::try_from(window.as_secs()).map_err(|_| unknown())?))
        }
        _ => Err(unknown()),
    }
}
