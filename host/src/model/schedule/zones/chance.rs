//! Expressions by chance, each with the values that its fields stand for, which no parser had a hand in.

use jiff::civil::DateTime;

/// A sequence of numbers that its seed decides.
pub(super) struct Chance(u64);

/// An expression, and what it means.
pub(super) struct Expression {
    pub(super) text: String,
    /// Whether no hour of the day is left out.
    pub(super) every_hour: bool,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

struct Field {
    text: String,
    values: Vec<i8>,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Most are for few minutes of the hours in which clocks are changed, on all days.
    pub(super) fn expression(&mut self) -> Expression {
        let minutes = if self.one_in(40) { Field::star() } else { self.field(0, 59) };
        let hours = match self.below(4) {
            0 => Field::star(),
            1 => self.field(0, 3),
            _ => self.field(0, 23),
        };
        let days = if self.one_in(3) { self.field(1, 31) } else { Field::star() };
        let months = if self.one_in(9) { self.field(1, 12) } else { Field::star() };
        let weekdays = if self.one_in(3) { self.field(0, 7) } else { Field::star() };
        Expression::of(minutes, hours, days, months, weekdays)
    }

    /// `*/n` is spelled for the whole of a field, so it stays within `least` and `most` only where they are.
    fn field(&mut self, least: i8, most: i8) -> Field {
        let (one, other) = (self.between(least, most), self.between(least, most));
        let (low, high) = (one.min(other), one.max(other));
        let whole = most != 3;
        match self.below(6) {
            0 | 1 => Field { text: one.to_string(), values: vec![one] },
            2 => Field { text: format!("{high},{low}"), values: vec![low, high] },
            3 => Field { text: format!("{low}-{high}"), values: (low..=high).collect() },
            4 if whole => {
                let step = self.between(2, most - least);
                let values = (least..=most).step_by(usize::try_from(step).unwrap()).collect();
                Field { text: format!("*/{step}"), values }
            }
            _ => {
                let (step, more) = (self.between(1, most - least), self.between(least, most));
                let range = (low..=high).step_by(usize::try_from(step).unwrap());
                let values = range.chain([more]).collect();
                Field { text: format!("{low}-{high}/{step},{more}"), values }
            }
        }
    }

    fn between(&mut self, least: i8, most: i8) -> i8 {
        let count = u64::try_from(most - least + 1).unwrap();
        least + i8::try_from(self.below(count)).unwrap()
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// A step of a linear congruential generator; its high bits are even enough.
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

impl Expression {
    fn of(minutes: Field, hours: Field, days: Field, months: Field, weekdays: Field) -> Self {
        let fields = [&minutes, &hours, &days, &months, &weekdays];
        let text = fields.map(|it| it.text.as_str()).join(" ");
        let every_hour = (0..24).all(|it| hours.has(it));
        Self { text, every_hour, minutes, hours, days, months, weekdays }
    }

    /// The same days, at twelve.
    pub(super) fn at_noon(self) -> Self {
        let only = |value: i8| Field { text: value.to_string(), values: vec![value] };
        Self::of(only(0), only(12), self.days, self.months, self.weekdays)
    }

    /// Whether a clock that shows `local` fires it.
    pub(super) fn matches(&self, local: DateTime) -> bool {
        let weekday = local.weekday().to_sunday_zero_offset();
        let day = self.days.has(local.day());
        // Sunday has two numbers.
        let of_week = self.weekdays.has(weekday) || (weekday == 0 && self.weekdays.has(7));
        let starred = self.days.is_starred() || self.weekdays.is_starred();
        let on_day = if starred { day && of_week } else { day || of_week };
        let in_time = self.minutes.has(local.minute()) && self.hours.has(local.hour());
        in_time && on_day && self.months.has(local.month())
    }
}

impl Field {
    fn star() -> Self {
        Self { text: "*".to_owned(), values: (0..=59).collect() }
    }

    fn has(&self, value: i8) -> bool {
        self.values.contains(&value)
    }

    fn is_starred(&self) -> bool {
        self.text.starts_with('*')
    }
}
