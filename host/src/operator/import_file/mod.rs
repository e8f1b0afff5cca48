//! The file that many connections are imported from, read row by row: CSV with a heading, a JSON list, or JSON
//! lines. What cannot be read is named with its row, and never with what stands in it. Pure.

/// How a file is written: bytes to fields.
mod formats;

/// What a row says: fields to a connection.
mod row;

use std::collections::HashMap;

use serde::Serialize;

pub use row::{Names, Row, RowToken};

use formats::Field;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, with a heading.
    Csv,
    /// A list of objects, or one object a line.
    Json,
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The line of a CSV file, or the place in a list, from 1.
    pub row: u64,
    /// What is wrong, without what stands there.
    pub message: String,
}

/// Reads every row of a file into `take`, and says which cannot be read.
pub fn read(file: &[u8], format: Format, names: &Names, mut take: impl FnMut(Row)) -> Vec<Trouble> {
    let mut seen = HashMap::new();
    let mut trouble = Vec::new();
    let mut each = |row: u64, fields: Result<Vec<Field>, String>| {
        let parsed = fields.and_then(|it| row::of(it, names));
        let unique = parsed.and_then(|parsed| match seen.insert(parsed.name.clone(), row) {
            Some(first) => Err(format!("the name is in row {first} already")),
            None => Ok(parsed),
        });
        match unique {
            Ok(parsed) => take(parsed),
            Err(message) => trouble.push(Trouble { row, message }),
        }
    };
    match format {
        Format::Csv => formats::read_csv(file, &mut each),
        Format::Json => formats::read_json(file, &mut each),
    }
    trouble
}

#[cfg(test)]
mod tests;
