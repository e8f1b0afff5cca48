//! Values as a column of a certain kind takes them: a database that is given a time in a spelling that it does not
//! know refuses it, or keeps something else. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};

use crate::delivery::sinks::Cell;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Characters.
    Text,
    /// Whole numbers, where the database itself would take something else for one.
    Whole,
    /// Numbers.
    Number,
    /// Whether something is so.
    Flag,
    /// A time.
    Moment(Form),
    /// JSON.
    Json,
    /// Something whose text the database knows.
    Other,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `2026-01-02T03:04:05.678Z`
    Rfc,
    /// `2026-01-02 03:04:05`, with as many digits of a second at most as this. UTC.
    Spaced(u8),
    /// `2026-01-02`, in UTC.
    Day,
}

/// A value that a statement is given.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    Null,
    Int(i64),
    Float(f64),
    Text(SecretString),
}

/// The value as the column takes it, or nothing if it cannot be one of the column.
pub(super) fn fit(cell: &Cell, kind: Kind) -> Option<Bound> {
    Some(match cell {
        Cell::Null => Bound::Null,
        Cell::Bool(it) if matches!(kind, Kind::Whole | Kind::Number | Kind::Flag) => {
            Bound::Int(i64::from(*it))
        }
        Cell::Bool(it) => text(it.to_string()),
        Cell::Int(it) if kind == Kind::Text => text(it.to_string()),
        Cell::Int(it) => Bound::Int(*it),
        Cell::Float(it) if kind == Kind::Text => text(it.to_string()),
        Cell::Float(it) if kind == Kind::Whole => {
            return it.to_string().parse().ok().map(Bound::Int);
        }
        Cell::Float(it) => Bound::Float(*it),
        Cell::Time(it) => time(*it, kind),
        Cell::Text(it) => return of_text(it, kind),
    })
}

fn of_text(given: &SecretString, kind: Kind) -> Option<Bound> {
    let trimmed = given.expose_secret().trim();
    match (kind, trimmed) {
        (Kind::Flag, "true") => Some(Bound::Int(1)),
        (Kind::Flag, "false") => Some(Bound::Int(0)),
        // A database that compares a number with text takes `7 apples` for 7, and any other text for 0.
        (Kind::Flag | Kind::Whole, _) => trimmed.parse().ok().map(Bound::Int),
        (Kind::Moment(form), _) => {
            let moment = trimmed.parse::<Timestamp>();
            Some(moment.map_or_else(|_| Bound::Text(given.clone()), |it| text(written(it, form))))
        }
        _ => Some(Bound::Text(given.clone())),
    }
}

/// A column of numbers has seconds since 1970, as programs keep times in one.
fn time(at: Timestamp, kind: Kind) -> Bound {
    match kind {
        Kind::Whole | Kind::Number | Kind::Flag => Bound::Int(at.as_second()),
        Kind::Moment(form) => text(written(at, form)),
        Kind::Json => text(format!("\"{at}\"")),
        Kind::Text | Kind::Other => text(at.to_string()),
    }
}

/// What is finer than the column is cut off: a key of a time must be the same before and after it was stored.
fn written(at: Timestamp, form: Form) -> String {
    let utc = at.to_zoned(TimeZone::UTC);
    match form {
        Form::Rfc => at.to_string(),
        Form::Day => utc.strftime("%Y-%m-%d").to_string(),
        Form::Spaced(digits) => {
            let whole = utc.strftime("%Y-%m-%d %H:%M:%S").to_string();
            let fraction = format!("{:09}", utc.subsec_nanosecond());
            let fraction = fraction[..usize::from(digits.min(9))].trim_end_matches('0');
            if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") }
        }
    }
}

fn text(text: String) -> Bound {
    Bound::Text(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cell: &Cell, kind: Kind) -> String {
        match fit(cell, kind) {
            Some(Bound::Null) => "null".to_owned(),
            Some(Bound::Int(it)) => format!("int {it}"),
            Some(Bound::Float(it)) => format!("float {it}"),
            Some(Bound::Text(it)) => it.expose_secret().to_owned(),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn a_time_is_written_as_its_column_has_it() {
        let at = Cell::Time("2026-01-02T03:04:05.678Z".parse().unwrap());
        for (kind, expected) in [
            (Kind::Text, "2026-01-02T03:04:05.678Z"),
            (Kind::Other, "2026-01-02T03:04:05.678Z"),
            (Kind::Json, "\"2026-01-02T03:04:05.678Z\""),
            (Kind::Whole, "int 1767323045"),
            (Kind::Number, "int 1767323045"),
            (Kind::Moment(Form::Rfc), "2026-01-02T03:04:05.678Z"),
            (Kind::Moment(Form::Spaced(6)), "2026-01-02 03:04:05.678"),
            (Kind::Moment(Form::Spaced(0)), "2026-01-02 03:04:05"),
            (Kind::Moment(Form::Day), "2026-01-02"),
        ] {
            assert_eq!(check(&at, kind), expected, "{kind:?}");
        }
    }

    #[test]
    fn text_that_is_a_time_is_written_as_its_column_has_it_and_other_text_as_it_is() {
        let check = |it: &str| check(&Cell::Text(it.into()), Kind::Moment(Form::Spaced(3)));
        assert_eq!(check("2026-01-02T05:04:05.6789+02:00"), "2026-01-02 03:04:05.678");
        assert_eq!(check("2026-01-02 03:04:05"), "2026-01-02 03:04:05");
        assert_eq!(check("soon"), "soon");
    }

    #[test]
    fn text_that_is_no_number_is_none() {
        let check = |it: &str, kind| check(&Cell::Text(it.into()), kind);
        for (given, whole, flag) in [
            ("12", "int 12", "int 12"),
            (" -3 ", "int -3", "int -3"),
            ("true", "none", "int 1"),
            ("false", "none", "int 0"),
            ("7 apples", "none", "none"),
            ("", "none", "none"),
            ("9223372036854775808", "none", "none"),
        ] {
            assert_eq!(
                (check(given, Kind::Whole), check(given, Kind::Flag)),
                (whole.into(), flag.into()),
                "{given}"
            );
        }
        assert_eq!(check("7 apples", Kind::Text), "7 apples");
    }

    #[test]
    fn yes_and_no_are_words_in_text_and_numbers_in_numbers() {
        for (kind, expected) in [
            (Kind::Text, "true"),
            (Kind::Json, "true"),
            (Kind::Flag, "int 1"),
            (Kind::Whole, "int 1"),
        ] {
            assert_eq!(check(&Cell::Bool(true), kind), expected);
        }
        assert_eq!(check(&Cell::Int(7), Kind::Text), "7");
        assert_eq!(check(&Cell::Float(2.5), Kind::Number), "float 2.5");
        assert_eq!(check(&Cell::Float(2.5), Kind::Whole), "none");
        assert_eq!(check(&Cell::Float(2.0), Kind::Whole), "int 2");
        assert_eq!(check(&Cell::Null, Kind::Whole), "null");
    }
}
