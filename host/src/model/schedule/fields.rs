//! The five fields of crontab, and seconds before them: what each may hold, and a sentence where it holds
//! something else. The engine's own errors name no field, and in some fields that are empty it searches for
//! half a minute. Knows nothing of dates and times.

use crate::model::schedule::ScheduleError;

/// Refuses what is no crontab.
pub(super) fn check(crontab: &str) -> Result<(), ScheduleError> {
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
