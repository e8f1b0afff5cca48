//! Numbers as JSON, JavaScript and people write them: with a sign, a fraction, an exponent, in quotes.
//! Exact, because a float forgets digits of a number of nanoseconds.

use crate::text::bare;

/// The whole part of a number that is not negative. One that is too large for it is the largest.
pub fn number(text: &str) -> Option<u64> {
    let number = Number::parse(bare(text))?;
    (!number.negative || number.is_zero()).then_some(number.whole)
}

/// A decimal number.
#[derive(Clone, Copy)]
pub(crate) struct Number {
    pub(crate) negative: bool,
    /// Saturates.
    pub(crate) whole: u64,
    /// The first three digits behind the point.
    pub(crate) thousandths: u64,
    /// Whether anything stands behind the point but zeros.
    pub(crate) has_fraction: bool,
}

/// More places than any digits that fit into 64 bits.
const ENOUGH: i64 = 20;

impl Number {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, shift(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if digits().next().is_none() || !digits().all(|it| it.is_ascii_digit()) {
            return None;
        }
        let point = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
        Some(Self { negative, ..place(digits(), point) })
    }

    pub(crate) fn is_zero(self) -> bool {
        self.whole == 0 && !self.has_fraction
    }
}

/// The digits with the point before the one at this place.
fn place(digits: impl Iterator<Item = u8>, point: i64) -> Number {
    let mut number = Number { negative: false, whole: 0, thousandths: 0, has_fraction: false };
    let mut place = 0;
    for digit in digits.map(|it| u64::from(it - b'0')) {
        if place < point {
            number.whole = number.whole.saturating_mul(10).saturating_add(digit);
        } else {
            number.has_fraction |= digit != 0;
            number.thousandths += match place.saturating_sub(point) {
                0 => digit * 100,
                1 => digit * 10,
                2 => digit,
                _ => 0,
            };
        }
        place += 1;
    }
    for _ in place..point.min(place + ENOUGH) {
        number.whole = number.whole.saturating_mul(10);
    }
    number
}

/// An exponent. One with more digits than anybody needs is just a large one.
fn shift(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<u32>().unwrap_or(u32::MAX);
    Some(if text.starts_with('-') { -i64::from(size) } else { i64::from(size) })
}
