//! What is not TOML at all, told in words that say what to do.

use std::ops::Range;

use toml::de::Error;

use crate::manifest::place::tells_of_secret;
use crate::manifest::problems::{Fault, Problems};
use crate::model::code;

/// Reports the errors. True if the tree can still be trusted, so that the rest is worth reading.
pub(super) fn report(errors: &[Error], problems: &Problems<'_>) -> bool {
    let mut errors: Vec<_> = errors.iter().map(|it| (it.span().unwrap_or_default(), it)).collect();
    errors.sort_by_key(|it| it.0.start);
    for (span, error) in &errors {
        let (code, message, help) = explain(error.message());
        hide_values(span, problems);
        problems.report(span.clone(), message, &Fault::new(code, error.message(), help));
        if is_confusing(error.message()) {
            break;
        }
    }
    errors.iter().all(|it| it.1.message() == DUPLICATE)
}

const DUPLICATE: &str = "duplicate key";

/// Whether what follows is likely to be reported only because of this one.
fn is_confusing(message: &str) -> bool {
    ["unclosed", "missing", "string"].iter().any(|it| message.contains(it))
}

fn explain(message: &str) -> (code::Manifest, &'static str, &'static str) {
    const NOT_TOML: &str = "the manifest is not valid TOML";
    let help = match message {
        DUPLICATE => {
            let help = "remove one of them: a key, or a table such as `[providers.eskiz]`, may appear only once";
            return (code::Manifest::DuplicateKey, "a key appears twice", help);
        }
        it if it.contains("quoted") || it.contains("boolean") => {
            "put strings in quotes: `timezone = \"UTC\"`"
        }
        it if it.contains("string") => {
            "close the string on the same line with the quote that opened it"
        }
        it if it.contains("unclosed") || it.contains("comma") => {
            "close every `[` with `]` and every `{` with `}`, and put commas between the elements"
        }
        it if it.contains("no value") => "write `key = value`",
        it if it.contains("escape") => {
            "write `\\\\` for a backslash, or put the string in single quotes"
        }
        _ => "write `key = value`, one per line, under a table such as `[providers.eskiz]`",
    };
    (code::Manifest::Syntax, NOT_TOML, help)
}

/// A line that may hold a secret is shown without its values. There is no tree to look in, so the
/// words on the line have to tell.
fn hide_values(span: &Range<usize>, problems: &Problems<'_>) {
    let (start, line) = problems.lines().line_at(span.start);
    if tells_of_secret(line) {
        for text in quoted(line).into_iter().chain(bare(line)) {
            let range = start + text.start..start + text.end;
            problems.hide(&problems.lines().places(&range));
        }
    }
}

/// From the first value that has no quotes to the end of the line: where it would end is not known.
fn bare(line: &str) -> Option<Range<usize>> {
    let texts = quoted(line);
    let is_inside = |at: &usize| texts.iter().any(|it| it.contains(at));
    let mut value = false;
    for (at, letter) in line.char_indices().filter(|(at, _)| !is_inside(at)) {
        match letter {
            '=' => value = true,
            it if it.is_whitespace() => {}
            '[' if value => {}
            '{' | '"' | '\'' => value = false,
            _ if value => return Some(at..line.len()),
            _ => {}
        }
    }
    None
}

/// What is between quotes on a line; the last may be open.
fn quoted(line: &str) -> Vec<Range<usize>> {
    let mut texts = Vec::new();
    let mut open = None;
    for (at, letter) in line.char_indices() {
        open = match (open, letter) {
            (None, '"' | '\'') => Some((letter, at + 1)),
            (Some((quote, from)), it) if it == quote => {
                texts.push(from..at);
                None
            }
            (state, _) => state,
        };
    }
    texts.extend(open.map(|(_, from)| from..line.len()));
    texts
}
