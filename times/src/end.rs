//! When something ends: from a member that says when or one that says how long, whichever its name
//! promised.

use crate::calendar::DAY;
use crate::digits::Number;
use crate::note::Note;
use crate::read::{Open, Read};
use crate::span::{LONGEST_DAYS, TEN_YEARS, span, usual};
use crate::text::bare;
use crate::time::time;

/// The end that a member such as `expires_at` says, in Unix seconds. A number that is no time is a length
/// from now.
pub fn until(text: &str, now: u64) -> Read {
    match time(text) {
        // A time of day without a date is no length.
        Read::Unreadable if text.contains(':') => Read::Unreadable,
        Read::Unreadable => from(now, span(text)).and(Note::Span),
        read => read,
    }
}

/// The end that a member such as `expires_in` says, in Unix seconds. A time that is close to now, or written
/// as one, is no length.
pub fn after(text: &str, now: u64) -> Read {
    let length = span(text);
    let at = match Number::parse(bare(text)) {
        Some(number) if number.whole <= TEN_YEARS || usual(number.whole).is_some() => None,
        Some(_) => time(text).value().filter(|at| is_close(*at, now)),
        None if length == Read::Unreadable => return time(text).and(Note::Time),
        None => None,
    };
    match at {
        Some(_) => time(text).and(Note::Time),
        None => from(now, length),
    }
}

/// Whether a token that is issued now can end then, with a clock that is a day off.
fn is_close(at: u64, now: u64) -> bool {
    (now.saturating_sub(DAY)..=now.saturating_add(LONGEST_DAYS * DAY)).contains(&at)
}

fn from(now: u64, length: Read) -> Read {
    match length {
        Read::Is(seconds, notes) => match now.checked_add(seconds) {
            Some(end) => Read::Is(end, notes),
            None => Read::Open(Open::Far),
        },
        other => other,
    }
}
