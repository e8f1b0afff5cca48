//! How a problem looks on a terminal: the line, the place under it, the remedy. What must not be
//! shown of the line is shown as asterisks. No colours: the caller may add them.

use std::fmt::Write;

use crate::manifest::diagnostic::{Diagnostic, printable};
use crate::manifest::place::Place;

impl Diagnostic {
    /// The problem in the look of the Rust compiler. `source` is the text of the manifest; without
    /// its line only the place is named.
    pub fn render(&self, source: &str) -> String {
        let Place { line, column, .. } = self.place;
        let gutter = " ".repeat(line.to_string().len());
        let mut out = format!("error[{}]: {}\n", self.code, self.message);
        push(&mut out, format_args!("{gutter}--> {}:{line}:{column}", self.path()));
        if let Some(text) = source.lines().nth(line - 1) {
            push(&mut out, format_args!("{gutter} |"));
            push(&mut out, format_args!("{line} | {}", self.shown(text)));
            push(&mut out, format_args!("{gutter} | {}", self.underline()));
        }
        push(&mut out, format_args!("{gutter} |"));
        push(&mut out, format_args!("{gutter} = help: {}", self.help));
        out
    }

    fn path(&self) -> String {
        printable(&self.file.to_string_lossy())
    }

    fn underline(&self) -> String {
        let space = " ".repeat(self.place.column - 1);
        let carets = "^".repeat(self.place.width.max(1));
        format!("{space}{carets} {}", self.label)
    }

    fn shown(&self, text: &str) -> String {
        let text = printable(&text.trim_start_matches('\u{feff}').replace('\t', " "));
        let letters = text.chars().zip(1..);
        letters.map(|(it, column)| if self.hides(column) { '*' } else { it }).collect()
    }
}

fn push(out: &mut String, line: std::fmt::Arguments<'_>) {
    let text = line.to_string();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}", text.trim_end());
}
