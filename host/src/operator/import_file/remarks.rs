//! Remarks about rows: what was not taken literally, and what a person should know of it. A remark that holds for
//! a hundred thousand rows is one remark.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Remarks by what they say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remarks(BTreeMap<String, Where>);

/// The rows that a remark is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Where {
    rows: u64,
    lines: Vec<u64>,
}

/// One remark, and the rows that it is about.
#[derive(Debug, Serialize)]
pub struct Remark<'r> {
    /// What it says.
    pub message: &'r str,
    /// Of how many rows.
    pub rows: u64,
    /// The lines of the first ones; none where there is no file.
    pub lines: &'r [u64],
}

/// Lines that are named of a remark.
const NAMED: usize = 5;

impl Remarks {
    /// Adds one about the row at `line`; a line 0 is none.
    pub fn add(&mut self, line: u64, message: impl Into<String>) {
        let it = self.0.entry(message.into()).or_default();
        it.rows += 1;
        if it.lines.len() < NAMED && line > 0 {
            it.lines.push(line);
        }
    }

    /// These and those.
    pub fn extend(&mut self, others: Self) {
        for (message, more) in others.0 {
            let it = self.0.entry(message).or_default();
            it.rows += more.rows;
            it.lines.extend(more.lines);
            it.lines.truncate(NAMED);
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Remark<'_>> {
        self.0.iter().map(|(message, it)| Remark { message, rows: it.rows, lines: &it.lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_about_many_rows_is_one_that_names_the_first() {
        let mut remarks = Remarks::default();
        (2..=100).for_each(|line| remarks.add(line, "a"));
        remarks.add(0, "b");
        let mut more = Remarks::default();
        more.add(101, "a");
        remarks.extend(more);
        let all = remarks.iter().map(|it| (it.message, it.rows, it.lines)).collect::<Vec<_>>();
        assert_eq!(all, [("a", 100, [2, 3, 4, 5, 6].as_slice()), ("b", 1, &[])]);
    }
}
