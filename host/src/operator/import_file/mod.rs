//! The file that many connections are imported from, read row by row: a table with a heading, or JSON. What cannot
//! be read is named with its line in the file, and never with what stands in it. Pure.

/// Which way a file is written.
mod format;

/// Bytes to text.
mod encoding;

/// What stands in a field, whatever its column means.
mod cell;

/// Where in the file something stands.
mod lines;

/// Tables: a heading and rows.
mod table;

/// JSON: a list, or one object after the other.
mod json;

/// What columns mean, and which mean nothing.
mod columns;

/// Columns that Laravel has encrypted.
mod laravel;

/// What a row says: fields to a connection.
mod row;

/// Remarks about rows, few however many rows there are.
mod remarks;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

pub use cell::survives_a_table;
pub use columns::column;
pub use format::Format;
pub use laravel::Keys as LaravelKeys;
pub use remarks::{Remark, Remarks};
pub use row::{Row, RowToken};

use cell::Cell;
use columns::Columns;

/// What a person says about a file.
#[derive(Debug, Default)]
pub struct Rules {
    /// How it is written, if it does not say so itself.
    pub format: Option<Format>,
    /// Other names for columns: what the file says to what is meant here.
    pub map: HashMap<String, String>,
    /// Columns that are left out.
    pub ignore: BTreeSet<String>,
    /// What every row is called, whatever it says.
    pub name: Option<String>,
    /// Opens what Laravel has encrypted.
    pub laravel: Option<LaravelKeys>,
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Where it begins in the file, from 1; a heading has a line too.
    pub line: u64,
    /// What is wrong, without what stands there.
    pub message: String,
}

/// What came of reading a file.
#[derive(Debug, Default)]
pub struct Reading {
    /// What is wrong with the file as a whole, a sentence each; nothing of it was taken.
    pub faults: Vec<String>,
    /// Rows that cannot be read.
    pub trouble: Vec<Trouble>,
    /// What was not taken literally.
    pub remarks: Remarks,
}

/// A row as it stands in the file: names and fields in order, or why it has none.
type Record = Result<Vec<(String, Cell)>, String>;

/// Reads every row of a file into `take`. `hint` is the name of the file, which may say how it is written.
pub fn read(file: &[u8], hint: &str, rules: &Rules, mut take: impl FnMut(Row)) -> Reading {
    let mut reading = Reading::default();
    let text = match encoding::text(file) {
        Ok(text) => text,
        Err(fault) => return Reading { faults: vec![fault], ..reading },
    };
    let format = rules.format.unwrap_or_else(|| Format::of(hint, &text));
    let mut columns = Columns::new(rules, format.is_table());
    let mut seen = HashMap::new();
    let mut each = |columns: &mut Columns<'_>, line: u64, record: Record| {
        let fields = record.and_then(|it| columns.fields(it));
        let parsed = fields.and_then(|it| row::of(it, rules, line, &mut reading.remarks));
        match parsed.and_then(|it| first_of_its_name(&mut seen, it, line)) {
            Ok(row) => take(row),
            Err(message) => reading.trouble.push(Trouble { line, message }),
        }
    };
    match format {
        Format::Csv | Format::Tsv => table::read(&text, format, &mut columns, &mut each),
        Format::Json => json::read(&text, |line, record| each(&mut columns, line, record)),
        Format::JsonLines => {
            json::read_lines(&text, |line, record| each(&mut columns, line, record));
        }
    }
    reading.faults = columns.faults();
    reading
}

fn first_of_its_name(seen: &mut HashMap<String, u64>, row: Row, line: u64) -> Result<Row, String> {
    if let Some(first) = seen.get(&row.name) {
        return Err(format!("its name is in line {first} already"));
    }
    seen.insert(row.name.clone(), line);
    Ok(row)
}

#[cfg(test)]
mod tests;
