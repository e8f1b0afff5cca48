//! The door to the terminal: everything that is printed for people is a line of this kind. What a
//! provider, a plugin, a row or a file says cannot move the cursor in it, turn it around, hide in it or
//! begin another line. Colours are made here alone.

use std::fmt;

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

    /// Lines of a text whose line ends are our own layout.
    pub(super) fn each(text: &str) -> impl Iterator<Item = Self> + '_ {
        text.lines().map(Self::from)
    }
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
    fn a_line_within_a_line_is_not_escaped_twice() {
        let line = Line::from("\t").then(Line::from(Line::from("\n").to_string()));
        assert_eq!(line.to_string(), "\\t\\n");
    }
}
