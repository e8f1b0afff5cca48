//! What surrounds a value and what stands in its place: quotes, blanks, and the words for "no end".

use crate::read::Open;

/// The text without blanks and quotes around it: of JSON, of CSV, of JSON in JSON.
pub(crate) fn bare(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(inner) = ['"', '\''].iter().find_map(|it| {
        let inner = text.strip_prefix(*it)?.strip_suffix(*it)?;
        Some(inner.trim())
    }) {
        text = inner;
    }
    text
}

/// Languages, databases and spreadsheets say nothing in these words.
const NOTHING: [&str; 10] =
    ["", "-", "\\N", "null", "nil", "none", "undefined", "false", "n/a", "unknown"];

/// And these say that there is no end.
const NEVER: [&str; 13] = [
    "never",
    "infinity",
    "+infinity",
    "-infinity",
    "inf",
    "+inf",
    "nan",
    "infinite",
    "unlimited",
    "forever",
    "permanent",
    "no expiry",
    "never expires",
];

/// The words for "no end", from a text that is bare.
pub(crate) fn open(text: &str) -> Option<Open> {
    let is_in = |words: &[&str]| words.iter().any(|it| it.eq_ignore_ascii_case(text));
    if is_in(&NOTHING) {
        return Some(Open::Nothing);
    }
    is_in(&NEVER).then_some(Open::Never)
}

/// A whole number of at most `longest` digits and nothing else.
pub(crate) fn small(text: &str, longest: usize) -> Option<u32> {
    let fits = (1..=longest).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}
