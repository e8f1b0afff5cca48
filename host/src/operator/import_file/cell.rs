//! What stands in a field, whatever its column means. Nothing in a cell is nothing said, and each system has its
//! own way to write nothing.

use jiff::Timestamp;
use times::{Open, Read};

use crate::model::clock;
use crate::operator::import_file::encoding::REPLACEMENT;
use crate::operator::import_file::remarks::Remarks;

/// A field.
#[derive(Debug)]
pub(super) enum Cell {
    /// Nothing is said.
    Nothing,
    /// A text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
    /// Members with names of their own.
    Members(Vec<(String, Cell)>),
    /// Something that cannot be used, and why.
    Odd(&'static str),
}

/// How tables write that there is nothing: SQL's dumps, spreadsheets, and nothing at all.
const NOTHING: &[&str] = &["", "NULL", "\\N", "(NULL)", "<NULL>", "[NULL]", "#N/A"];

/// Whether a cell of a table says nothing.
fn is_nothing(text: &str) -> bool {
    NOTHING.iter().any(|it| text.trim().eq_ignore_ascii_case(it))
}

/// The cell of a table. A list is written like one of JSON where its items hold what usually separates them.
pub(super) fn of_table(text: &str) -> Cell {
    if is_nothing(text) {
        return Cell::Nothing;
    }
    let list = text.trim().starts_with("[\"").then(|| serde_json::from_str(text).ok()).flatten();
    list.map_or_else(|| Cell::Text(text.to_owned()), Cell::List)
}

/// Whether a text that is written into a table is read back the same.
pub fn survives_a_table(text: &str) -> bool {
    match of_table(text) {
        Cell::Text(_) => true,
        // A list that was written as one.
        Cell::List(items) => serde_json::to_string(&items).is_ok_and(|it| it == text),
        _ => false,
    }
}

impl Cell {
    /// The one text of column `name`, without what surrounds it.
    pub(super) fn word(self, name: &str) -> Result<Option<String>, String> {
        Ok(self.text(name)?.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()))
    }

    /// The one text of column `name`, as it is: white space is part of a secret.
    pub(super) fn text(self, name: &str) -> Result<Option<String>, String> {
        match self {
            Self::Nothing => Ok(None),
            Self::Text(text) if text.contains(REPLACEMENT) => Err(not_text(name)),
            Self::Text(text) => Ok(Some(text).filter(|it| !it.is_empty())),
            Self::List(items) => Self::Text(items.join(" ")).text(name),
            Self::Members(_) => Err(format!(
                "its {name} must not be an object; only settings, secrets, extra and metadata may be one"
            )),
            Self::Odd(why) => Err(format!("its {name} {why}")),
        }
    }

    /// The words of column `name`; a list that is empty says that there are none.
    pub(super) fn words(self, name: &str) -> Result<Option<Vec<String>>, String> {
        let Self::List(items) = self else {
            let text = self.text(name)?;
            return Ok(text.map(|it| split(&it)));
        };
        if items.iter().any(|it| it.contains(REPLACEMENT)) {
            return Err(not_text(name));
        }
        Ok(Some(items))
    }

    /// The time of column `name`; what was not literal is remarked.
    pub(super) fn time(
        self,
        name: &str,
        line: u64,
        remarks: &mut Remarks,
    ) -> Result<Option<Timestamp>, String> {
        let Some(text) = self.word(name)? else { return Ok(None) };
        let read = times::time(&text);
        match read {
            Read::Unreadable => {
                return Err(format!("its {name} is not a time; write 2030-01-31T12:00:00Z"));
            }
            Read::Is(_, notes) if notes.is_empty() => {}
            Read::Is(_, notes) => remarks.add(line, format!("{name}: {notes}")),
            Read::Open(Open::Nothing) => {}
            Read::Open(open) => {
                remarks.add(line, format!("{name} gives no expiry: {open}"));
            }
        }
        Ok(read.value().and_then(clock::at))
    }
}

fn not_text(name: &str) -> String {
    format!("its {name} is not UTF-8; save the file as UTF-8")
}

fn split(text: &str) -> Vec<String> {
    let parts = text.split([' ', ',', ';', '|', '\t', '\n', '\r']).filter(|it| !it.is_empty());
    parts.map(str::to_owned).collect()
}
