//! From single TOML values to Rust values, or a fault that says what was expected. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use toml::de::DeValue;

use crate::manifest::problems::Fault;
use crate::model::code;
use crate::model::id;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The value has another type than `expected`.
pub(super) fn wrong_kind(expected: &str, found: &DeValue<'_>) -> Fault {
    let help = match expected {
        "a string" => "put it in quotes",
        "true or false" => "write `true` or `false`, without quotes",
        "a table" => "write `{ key = \"value\" }`, or give it a `[table]` of its own",
        ONE_VALUE => "a setting is one value: `\"text\"`, `42` or `true`",
        "an array" => "put it in brackets: `[\"one\", \"two\"]`",
        _ => "write digits, without quotes",
    };
    Fault::new(code::Manifest::Type, format!("expected {expected}, found {}", kind(found)), help)
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

pub(super) fn string<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Fault> {
    value.as_str().ok_or_else(|| wrong_kind("a string", value))
}

pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| wrong_kind("true or false", value))
}

/// An integer from `min` to `max`.
pub(super) fn integer(min: u32, max: u32) -> impl Fn(&DeValue<'_>) -> Result<u32, Fault> {
    move |value| {
        let number = value.as_integer().ok_or_else(|| wrong_kind("an integer", value))?;
        let number = u32::from_str_radix(number.as_str(), number.radix()).ok();
        number.filter(|it| (min..=max).contains(it)).ok_or_else(|| {
            let label = format!("it must be from {min} to {max}");
            Fault::new(code::Manifest::Range, label, format!("write a number from {min} to {max}"))
        })
    }
}

/// A setting of a plugin: what people write without quotes is text to the plugin.
pub(super) fn setting(value: &DeValue<'_>) -> Result<String, Fault> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Boolean(it) => Ok(it.to_string()),
        DeValue::Integer(it) => match i64::from_str_radix(it.as_str(), it.radix()) {
            Ok(number) => Ok(number.to_string()),
            Err(_) => {
                Err(Fault::new(code::Manifest::Range, "the number is too long", "put it in quotes"))
            }
        },
        other => Err(wrong_kind(ONE_VALUE, other)),
    }
}

const ONE_VALUE: &str = "a string, an integer or a boolean";

/// A name of a provider or a plugin: part of ids, paths and metrics.
pub(super) fn name(value: &DeValue<'_>) -> Result<String, Fault> {
    let text = string(value)?;
    check_name(text)?;
    Ok(text.to_owned())
}

pub(super) fn check_name(text: &str) -> Result<(), Fault> {
    const HELP: &str = "use lower-case letters, digits and . _ - @ + :, such as `eskiz`";
    let allowed = |it: char| it.is_ascii() && !it.is_ascii_uppercase();
    let starts_well = text.starts_with(|it: char| it.is_ascii_alphanumeric());
    match (id::check_name(text), text.chars().find(|it| !allowed(*it))) {
        (Ok(()), None) if starts_well => Ok(()),
        (Ok(()), None) => {
            Err(Fault::new(code::Manifest::Name, "it must start with a letter or a digit", HELP))
        }
        (Ok(()), Some(found)) => Err(Fault::new(
            code::Manifest::Name,
            format!("`{found}` is not lower-case ASCII"),
            HELP,
        )),
        (Err(error), _) => Err(Fault::new(code::Manifest::Name, error.to_string(), HELP)),
    }
}

/// A length of time such as "90s", "5m", "12h" or "2d", within bounds.
pub(super) fn duration(
    min: Duration,
    max: Duration,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, Fault> {
    move |value| {
        let text = match value {
            DeValue::Integer(number) => return Err(bare_number(number.as_str())),
            other => string(other)?,
        };
        let length = parse_duration(text)
            .ok_or_else(|| fault("not a duration", "write a number and a unit"))?;
        let (least, most) = (short(min), short(max));
        match length {
            it if it < min => {
                Err(fault(&format!("at least {least}"), &format!("try \"{least}\" or more")))
            }
            it if it > max => {
                Err(fault(&format!("at most {most}"), &format!("try \"{most}\" or less")))
            }
            it => Ok(it),
        }
    }
}

fn fault(label: &str, help: &str) -> Fault {
    Fault::new(
        code::Manifest::Duration,
        label,
        format!("{help}, as in \"90s\", \"5m\", \"12h\", \"2d\""),
    )
}

fn bare_number(number: &str) -> Fault {
    let help = format!("write it with a unit and in quotes: \"{number}s\"");
    Fault::new(code::Manifest::Duration, "a number without a unit", help)
}

/// A day is 24 hours: it is a length here, not a date. Months and years have no length.
fn parse_duration(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let length: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(length).ok()
}

/// The way a person would write it.
pub fn short(length: Duration) -> String {
    match length.as_secs() {
        it if it >= DAY && it % DAY == 0 => format!("{}d", it / DAY),
        it if it >= HOUR && it % HOUR == 0 => format!("{}h", it / HOUR),
        it if it > MINUTE && it % MINUTE == 0 => format!("{}m", it / MINUTE),
        it => format!("{it}s"),
    }
}
