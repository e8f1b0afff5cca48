//! Attempts as a file has them, under the names that the API has: a table for people, a document for programs. A
//! spreadsheet runs a cell that looks like a formula, and parts of a cause come from elsewhere: such a cell is made a
//! text. Pure.

use serde_json::Value;

use crate::dashboard::words::Words;
use crate::model::attempt::Attempt;

/// Columns of a table: members of an attempt, and of the error in it.
const COLUMNS: [&str; 14] = [
    "id",
    "connection",
    "trigger",
    "outcome",
    "reason",
    "error.code",
    "error.case",
    "error.message",
    "error.remedy",
    "started_at",
    "duration_ms",
    "waited_ms",
    "provider_ms",
    "generation",
];

/// What a spreadsheet takes for the beginning of a formula, or leaves out before one.
const RUN: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A table.
    Csv,
    /// One document.
    Json,
}

/// What is told at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    /// How many there are.
    pub(super) rows: u32,
    /// How many others cannot be read.
    pub(super) left_out: u32,
    /// What older ones begin after, if there may be any.
    pub(super) next: Option<String>,
}

impl Format {
    /// As a header says it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// Of the file's name.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// What is before the first attempt.
    pub(super) fn beginning(self) -> String {
        match self {
            Self::Csv => table([COLUMNS.map(str::to_owned)]),
            Self::Json => "{\"attempts\":[\n".to_owned(),
        }
    }

    /// Some attempts; the first of all, or behind others.
    pub(super) fn rows(self, attempts: &[Attempt], first: bool) -> String {
        match self {
            Self::Csv => table(attempts.iter().map(record)),
            Self::Json => {
                let all = attempts.iter().map(|it| serde_json::to_string(it).unwrap_or_default());
                let all = all.collect::<Vec<_>>().join(",\n");
                if first || all.is_empty() { all } else { format!(",\n{all}") }
            }
        }
    }

    /// What is behind the last one.
    pub(super) fn end(self, end: &End) -> String {
        let End { rows, left_out, next } = end;
        match self {
            Self::Json => {
                let next = Value::from(next.clone());
                format!("\n],\"next\":{next},\"left_out\":{left_out}}}\n")
            }
            Self::Csv => {
                let words = Words::english();
                let count = left_out.to_string();
                let unread = words.with("download-left-out", &[("attempts", &count)]);
                let unread = Some(unread).filter(|_| *left_out > 0);
                let rows = rows.to_string();
                let cut =
                    |it: &String| words.with("download-cut", &[("attempts", &rows), ("next", it)]);
                table(unread.into_iter().chain(next.as_ref().map(cut)).map(remark))
            }
        }
    }
}

/// A line that is no attempt has its text where others have an id: nobody takes it for one.
fn remark(text: String) -> [String; COLUMNS.len()] {
    let mut cells = [const { String::new() }; COLUMNS.len()];
    cells[0] = text;
    cells
}

fn table(records: impl IntoIterator<Item = [String; COLUMNS.len()]>) -> String {
    let mut table = csv::Writer::from_writer(Vec::new());
    for record in records {
        // Memory takes whatever is written, and all records have as many cells.
        let _ = table.write_record(&record);
    }
    let bytes = table.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn record(attempt: &Attempt) -> [String; COLUMNS.len()] {
    let json = serde_json::to_value(attempt).unwrap_or_default();
    COLUMNS.map(|it| cell(&json, it))
}

fn cell(attempt: &Value, column: &str) -> String {
    let found = column.split('.').try_fold(attempt, |it, name| it.get(name));
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text),
        Some(other) => other.to_string(),
    }
}

/// With an apostrophe before what would be run, which spreadsheets take for the mark of a text.
fn harmless(text: &str) -> String {
    if text.starts_with(RUN) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::attempt::{Course, Spent, Trigger};
    use crate::model::code;
    use crate::model::failure::{Case, Failure};
    use crate::model::id::AttemptId;

    fn attempt(course: Course) -> Attempt {
        Attempt {
            id: AttemptId::generate(),
            connection: "jibit".parse().unwrap(),
            trigger: Trigger::Manual,
            course,
            started_at: Timestamp::UNIX_EPOCH,
            duration_ms: Some(5),
            spent: Spent { waited_ms: None, provider_ms: Some(3) },
            generation: 7,
        }
    }

    fn failed(message: &str) -> Attempt {
        let code = code::Refresh::OutcomeUnknown;
        attempt(Course::Failed(Failure::new(Case::InDoubt, code, message)))
    }

    #[test]
    fn a_table_has_everything_that_json_has_under_the_same_names() {
        let json = serde_json::to_value(failed("why")).unwrap();
        let names = |it: &Value, before: &str| {
            let members = it.as_object().unwrap().iter().filter(|(_, value)| !value.is_object());
            members.map(|(name, _)| format!("{before}{name}")).collect::<Vec<_>>()
        };
        let mut wanted = [names(&json, ""), names(&json["error"], "error.")].concat();
        let mut columns = COLUMNS.map(str::to_owned).to_vec();
        wanted.sort();
        columns.sort();
        assert_eq!(columns, wanted);
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_a_text() {
        let message = r#"=HYPERLINK("https://evil.example","a")"#;
        let line = Format::Csv.rows(&[failed(message)], true);
        let cell = r#","'=HYPERLINK(""https://evil.example"",""a"")","#;
        assert!(line.contains(cell), "{line}");
        for run in ["=1", "+1", "-1", "@x", "\t=1", "\r=1"] {
            assert_eq!(harmless(run), format!("'{run}"));
        }
        for plain in ["", "a=1", "1-2", "'=1", " =1"] {
            assert_eq!(harmless(plain), plain);
        }
    }

    #[test]
    fn what_has_commas_quotes_and_line_ends_is_one_cell() {
        let line = Format::Csv.rows(&[failed("a, \"b\"\nc")], true);
        assert!(line.contains(",\"a, \"\"b\"\"\nc\","), "{line}");
        let open = attempt(Course::Open);
        let id = open.id;
        let line = Format::Csv.rows(&[open], true);
        let wanted = format!("{id},jibit/default,manual,,,,,,,1970-01-01T00:00:00Z,5,,3,7\n");
        assert_eq!(line, wanted);
    }

    #[test]
    fn parts_of_a_document_make_one_document() {
        let (one, two) = (failed("=1"), attempt(Course::Open));
        let parts = [
            Format::Json.beginning(),
            Format::Json.rows(&[], true),
            Format::Json.rows(std::slice::from_ref(&one), true),
            Format::Json.rows(&[], false),
            Format::Json.rows(std::slice::from_ref(&two), false),
            Format::Json.end(&End { rows: 2, left_out: 1, next: Some("n".to_owned()) }),
        ];
        let read: Value = serde_json::from_str(&parts.concat()).unwrap();
        let attempts = serde_json::to_value([one, two]).unwrap();
        assert_eq!(read["attempts"], attempts);
        assert_eq!((&read["next"], &read["left_out"]), (&"n".into(), &1.into()));
        let none = Format::Json.beginning() + &Format::Json.end(&End::default());
        let read: Value = serde_json::from_str(&none).unwrap();
        assert_eq!(read, serde_json::json!({ "attempts": [], "next": null, "left_out": 0 }));
    }

    #[test]
    fn a_table_that_lacks_something_says_so_in_a_line_that_is_no_attempt() {
        assert_eq!(Format::Csv.end(&End { rows: 9, ..End::default() }), "");
        let cut = Format::Csv.end(&End { rows: 9, left_out: 2, next: Some("n".to_owned()) });
        let lines = cut.lines().collect::<Vec<_>>();
        assert!(lines[0].contains("cannot be read") && lines[0].contains('2'), "{cut}");
        assert!(lines[1].contains("Cut off after 9 attempts"), "{cut}");
        assert!(lines[1].contains("after=n"), "{cut}");
    }
}
