//! The door to the terminal: everything that is printed for people is a line of this kind. What a
//! provider, a plugin, a row or a file says cannot move the cursor in it, turn it around, hide in it or
//! begin another line. Colours are made here alone.

use std::fmt;

use unicode_width::UnicodeWidthStr as _;

use crate::model::plain::escaped;

/// One line, fit to be printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Line(String);

impl Line {
    /// `text` in a colour.
    pub(super) fn painted(code: u8, text: &str) -> Self {
        Self(format!("\u{1b}[{code}m{}\u{1b}[0m", escaped(text)))
    }

    /// The line with `more` behind it.
    #[must_use]
    pub(in crate::cli) fn then(self, more: impl Into<Self>) -> Self {
        Self(self.0 + &more.into().0)
    }

    /// How many columns of a terminal it takes.
    pub(super) fn width(&self) -> usize {
        width(&self.0)
    }

    /// The line as lines of at most `columns`, broken between words; those after the first are indented by
    /// `indent`. A word that is too long for a line, such as an address, stays whole.
    pub(super) fn folded(self, columns: Option<usize>, indent: usize) -> Vec<Self> {
        let Some(columns) = columns.filter(|it| self.width() > *it && *it > indent) else {
            return vec![self];
        };
        let mut lines = vec![String::new()];
        for word in pieces(&self.0) {
            let begun = lines.last().is_some_and(|it| !it.trim().is_empty());
            let used = lines.last().map_or(0, |it| width(it));
            if begun && used + width(word.trim_end()) > columns {
                lines.push(" ".repeat(indent));
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(&word);
            }
        }
        lines.into_iter().map(|it| Self(it.trim_end().to_owned())).collect()
    }
}

/// Words with the spaces behind them. A command is one of them, to be copied as it is.
fn pieces(text: &str) -> Vec<String> {
    let (mut pieces, mut goes_on) = (Vec::<String>::new(), false);
    for word in text.split_inclusive(' ') {
        match pieces.last_mut() {
            Some(last) if goes_on => last.push_str(word),
            _ => pieces.push(word.to_owned()),
        }
        let begins = word.trim_end().trim_start_matches('`') == "keepfresh";
        goes_on = (goes_on || begins) && !word.trim_end().ends_with([',', ';', ')', '`', '.']);
    }
    pieces
}

/// Columns of a text in which nothing is left to obey but our own colours.
fn width(text: &str) -> usize {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().width();
    let rest = pieces.map(|it| it.split_once('m').map_or(it, |(_, rest)| rest).width());
    first + rest.sum::<usize>()
}

impl<T: AsRef<str>> From<T> for Line {
    fn from(text: T) -> Self {
        Self(escaped(text.as_ref()).into_owned())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_elsewhere_stays_on_its_line_and_takes_no_colour() {
        let line = Line::painted(31, "✕\u{1b}[0m").then(" a\nb\u{202e}").then("\u{7f}");
        let expected = "\u{1b}[31m✕\\u{1b}[0m\u{1b}[0m a\\nb\\u{202e}\\u{7f}";
        assert_eq!(line.to_string(), expected);
    }

    #[test]
    fn a_long_line_is_broken_between_words_and_colours_take_no_room() {
        let folded = |text: &str, columns| {
            let line = Line::painted(31, "✕").then(format!(" {text}"));
            let lines = line.folded(columns, 2);
            lines.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let cross = "\u{1b}[31m✕\u{1b}[0m";
        assert_eq!(folded("one two three", Some(15)), [format!("{cross} one two three")]);
        assert_eq!(folded("one two three", None), [format!("{cross} one two three")]);
        let three = [format!("{cross} one"), "  two".to_owned(), "  three".to_owned()];
        assert_eq!(folded("one two three", Some(8)), three);
        let command = [format!("{cross} see:"), "  keepfresh log".to_owned()];
        assert_eq!(folded("see: keepfresh log", Some(14)), command);
        let whole = [format!("{cross} see"), "  https://example.com/a".to_owned()];
        assert_eq!(folded("see https://example.com/a", Some(10)), whole);
        assert_eq!(
            folded("日本語 日本語", Some(10)),
            [format!("{cross} 日本語"), "  日本語".to_owned()]
        );
    }

    #[test]
    fn a_line_within_a_line_is_not_escaped_twice() {
        let line = Line::from("\t").then(Line::from(Line::from("\n").to_string()));
        assert_eq!(line.to_string(), "\\t\\n");
    }
}
