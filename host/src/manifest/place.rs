//! Positions: from byte ranges, which the TOML reader gives, to lines and columns, which
//! people count from one. Knows nothing of what the keys mean.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A stretch of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from one.
    pub line: usize,
    /// Column of the first character, from one.
    pub column: usize,
    /// How many characters of that line; zero where something is missing.
    pub width: usize,
}

impl Place {
    /// Where a file as a whole is meant.
    pub const START: Self = Self { line: 1, column: 1, width: 0 };
}

/// A text that is asked for lines.
pub(super) struct Lines<'t>(&'t str);

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self(text)
    }

    /// The part of `range` that is on the line it starts on.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        let before = self.0.get(..range.start).unwrap_or(self.0);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.0.get(range).unwrap_or_default();
        Place {
            line: before.matches('\n').count() + 1,
            column: visible(&before[line_start..]) + 1,
            width: visible(rest.lines().next().unwrap_or_default()),
        }
    }

    /// The parts of `range` on each line that it touches.
    pub(super) fn places(&self, range: &Range<usize>) -> Vec<Place> {
        let Some(inside) = self.0.get(range.clone()) else {
            return Vec::new();
        };
        let mut start = range.start;
        let parts = inside.split_inclusive('\n').map(|part| {
            let end = start + part.len();
            self.place(std::mem::replace(&mut start, end)..end)
        });
        parts.collect()
    }

    /// The whole line that holds a byte, and where it starts.
    pub(super) fn line_at(&self, at: usize) -> (usize, &'t str) {
        let start = self.0.get(..at).unwrap_or_default().rfind('\n').map_or(0, |it| it + 1);
        (start, self.0[start..].lines().next().unwrap_or_default())
    }
}

/// Characters, without the mark that some editors put before the first.
fn visible(text: &str) -> usize {
    text.trim_start_matches('\u{feff}').chars().count()
}

/// Whether a key, or a line without structure, is about a secret. Too often is better than too seldom:
/// the price is a line with asterisks in it.
pub(super) fn tells_of_secret(text: &str) -> bool {
    const WORDS: &[&str] = &["secret", "pass", "token", "key", "pin", "credential"];
    let text = text.to_lowercase();
    WORDS.iter().any(|it| text.contains(it))
}

/// The position of every key of a manifest, for problems that are found after it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Places {
    keys: BTreeMap<Vec<String>, Place>,
    /// Values that may be secrets in the wrong place, such as `settings = { password = ".." }`.
    hidden: Vec<Place>,
}

impl Places {
    pub(super) fn collect(root: &DeTable<'_>, lines: &Lines<'_>) -> Self {
        let mut places = Self::default();
        places.add_table(&[], root, lines);
        places
    }

    /// What no rendering may show.
    pub(super) fn hidden(&self) -> &[Place] {
        &self.hidden
    }

    pub(super) fn find(&self, path: &[&str]) -> Option<Place> {
        let path: Vec<String> = path.iter().copied().map(String::from).collect();
        self.keys.get(&path).copied()
    }

    /// The key's own place, or that of the nearest table around it.
    pub(super) fn nearest(&self, path: &[&str]) -> Place {
        let around = (1..=path.len()).rev().find_map(|length| self.find(&path[..length]));
        around.unwrap_or(Place::START)
    }

    fn add_table(&mut self, path: &[String], table: &DeTable<'_>, lines: &Lines<'_>) {
        for (key, value) in table {
            let path = [path, &[key.get_ref().to_string()]].concat();
            self.keys.insert(path.clone(), lines.place(key.span()));
            self.add_value(&path, value, lines);
            if tells_of_secret(key.get_ref()) && !holds_tables(value.get_ref()) {
                self.hidden.extend(lines.places(&value.span()));
            }
        }
    }

    fn add_value(&mut self, path: &[String], value: &Spanned<DeValue<'_>>, lines: &Lines<'_>) {
        match value.get_ref() {
            DeValue::Table(table) => self.add_table(path, table, lines),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = [path, &[index.to_string()]].concat();
                    self.keys.insert(path.clone(), lines.place(item.span()));
                    self.add_value(&path, item, lines);
                }
            }
            _ => {}
        }
    }
}

/// A table, or an array of tables: its own keys tell what to hide.
fn holds_tables(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(items) => items.iter().any(|it| matches!(it.get_ref(), DeValue::Table(_))),
        _ => false,
    }
}
