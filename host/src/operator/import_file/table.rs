//! Tables: a heading that names the columns, and rows of as many fields.

use csv::{ReaderBuilder, StringRecord};
use zeroize::Zeroizing;

use crate::operator::import_file::Record;
use crate::operator::import_file::cell;
use crate::operator::import_file::columns::Columns;
use crate::operator::import_file::format::{Format, delimiter};
use crate::operator::import_file::lines::Lines;

/// Reads one row after the other. The heading is judged first, and without a good one no row is read.
pub(super) fn read<'a>(
    text: &str,
    format: Format,
    columns: &mut Columns<'a>,
    each: &mut dyn FnMut(&mut Columns<'a>, u64, Record),
) {
    let (said, start) = separator_line(text);
    let body = &text[start..];
    let first = body.lines().find(|it| !it.trim().is_empty()).unwrap_or_default();
    let delimiter = said.unwrap_or_else(|| delimiter(format, first));
    let mut lines = Lines::new(text);
    let mut records = Records::new(body, delimiter);
    let Some((_, heading)) = records.next() else { return columns.lack_heading() };
    let heading = heading.iter().map(|it| it.trim().to_owned()).collect::<Vec<_>>();
    if !columns.judge_heading(&heading) {
        return;
    }
    while let Some((at, record)) = records.next() {
        if record.iter().all(|it| it.trim().is_empty()) {
            continue;
        }
        let line = lines.line_after(start + at);
        let is_last = records.rest().is_empty();
        each(columns, line, fields(&heading, &record, is_last && is_open(&body[at..], delimiter)));
    }
}

/// A spreadsheet may say in a line of its own what separates the fields: that, and where the table begins.
fn separator_line(text: &str) -> (Option<u8>, usize) {
    let Some(rest) = text.strip_prefix("sep=") else { return (None, 0) };
    let end = rest.find('\n').map_or(text.len(), |it| "sep=".len() + it + 1);
    (rest.bytes().next(), end)
}

fn fields(heading: &[String], record: &StringRecord, is_open: bool) -> Record {
    if is_open {
        return Err("a quotation mark is not closed, from here to the end of the file".to_owned());
    }
    let (has, wanted) = (record.len(), heading.len());
    if has != wanted {
        return Err(format!("it has {has} fields, the heading has {wanted}"));
    }
    let fields = heading.iter().zip(record);
    Ok(fields.map(|(name, text)| (name.clone(), cell::of_table(text))).collect())
}

/// Whether the last row ends within quotation marks: then what follows it is part of it.
fn is_open(row: &str, delimiter: u8) -> bool {
    let more = Zeroizing::new([row.trim_end_matches(['\r', '\n']), "\nx"].concat());
    let mut records = Records::new(&more, delimiter);
    records.next();
    records.next().is_none()
}

/// The rows of a text, with where each begins.
struct Records<'t> {
    text: &'t str,
    reader: csv::Reader<&'t [u8]>,
}

impl<'t> Records<'t> {
    fn new(text: &'t str, delimiter: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        // Lengths are compared here, and nothing is trimmed: a secret may begin with a space.
        builder.has_headers(false).flexible(true).delimiter(delimiter);
        Self { text, reader: builder.from_reader(text.as_bytes()) }
    }

    fn next(&mut self) -> Option<(usize, StringRecord)> {
        let at = self.at();
        let mut record = StringRecord::new();
        let found = self.reader.read_record(&mut record).unwrap_or_default();
        found.then_some((at, record))
    }

    /// What was not read yet.
    fn rest(&self) -> &'t str {
        self.text.get(self.at()..).unwrap_or_default().trim()
    }

    fn at(&self) -> usize {
        usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX)
    }
}
