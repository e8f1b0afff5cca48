//! Which way a file is written: as its name says, and else as it begins.

use std::path::Path;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table with a heading, separated by commas, or by semicolons.
    Csv,
    /// The same, separated by tabs.
    Tsv,
    /// A list of objects, or objects one after the other.
    Json,
    /// An object on each line.
    JsonLines,
}

impl Format {
    /// Their names, as they are typed.
    pub const NAMES: [&str; 4] = ["csv", "tsv", "json", "jsonl"];

    /// The format of that name, which file names end with too.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::JsonLines,
            _ => return None,
        })
    }

    /// What a file of that name is that begins as `text` does. JSON begins with a bracket, and no heading does.
    pub(super) fn of(name: &str, text: &str) -> Self {
        let ending = Path::new(name).extension().and_then(|it| it.to_str());
        let said = ending.and_then(Self::named);
        match (said, text.trim_start().chars().next()) {
            (_, Some('[')) => Self::Json,
            (Some(Self::Csv | Self::Tsv) | None, Some('{')) => of_objects(text),
            (Some(said), _) => said,
            (None, _) => of_table(text),
        }
    }

    pub(super) fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv)
    }
}

/// An object on each line, if the first one ends on its line.
fn of_objects(text: &str) -> Format {
    let first = text.lines().find(|it| !it.trim().is_empty()).unwrap_or_default();
    let is_whole = serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok();
    if is_whole { Format::JsonLines } else { Format::Json }
}

fn of_table(text: &str) -> Format {
    let heading = text.lines().find(|it| !it.trim().is_empty()).unwrap_or_default();
    if heading.contains('\t') && !heading.contains(',') { Format::Tsv } else { Format::Csv }
}

/// What separates the fields of a table that begins with this line.
pub(super) fn delimiter(format: Format, heading: &str) -> u8 {
    let has = |it| heading.contains(it);
    match format {
        Format::Tsv => b'\t',
        // A spreadsheet of a country that writes 1,5 separates by semicolons.
        _ if !has(',') && has(';') => b';',
        _ if !has(',') && has('\t') => b'\t',
        _ => b',',
    }
}
