//! Rows in pieces that a command can carry: a piece is counted in bytes, because a token may have twelve kilobytes.

use std::io::{self, Write};

use crate::operator::import_file::Row;
use crate::operator::reply::Refusal;

/// Rows in one piece, at most: their writes share a commit.
pub(super) const MOST_ROWS: usize = 100;

/// Bytes in one piece, a quarter of what a command may have.
const MOST_BYTES: usize = 256 << 10;

/// The longest row, half of what a command may have.
const LONGEST_ROW: usize = 512 << 10;

/// The rows that a command can carry, and the others.
pub(super) fn fitting(rows: Vec<Row>) -> (Vec<Row>, Vec<Refusal>) {
    let (fitting, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|it| length(it) <= LONGEST_ROW);
    let refuse = |it: Row| {
        let (has, most) = (length(&it) >> 10, LONGEST_ROW >> 10);
        let message = format!("it has {has} KiB, and a row has at most {most} KiB");
        Refusal { line: it.line, name: it.name, message }
    };
    (fitting, others.into_iter().map(refuse).collect())
}

/// The rows in pieces, in their order.
pub(super) fn of(rows: Vec<Row>) -> impl Iterator<Item = Vec<Row>> {
    let mut rows = rows.into_iter().peekable();
    std::iter::from_fn(move || {
        let (mut piece, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next_if(|it| {
            bytes += length(it);
            piece.is_empty() || (bytes <= MOST_BYTES && piece.len() < MOST_ROWS)
        }) {
            piece.push(row);
        }
        (!piece.is_empty()).then_some(piece)
    })
}

/// How long it is as a command has it. Nothing is copied for it.
fn length(row: &Row) -> usize {
    let mut count = Count(0);
    // A count does not fail, and a row has nothing that JSON cannot say.
    let _ = serde_json::to_writer(&mut count, row);
    count.0
}

struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: usize, bytes: usize) -> Row {
        let secrets = [("key".to_owned(), "x".repeat(bytes).into())].into();
        Row { name: name.to_string(), secrets, ..Row::default() }
    }

    fn counts(rows: Vec<Row>) -> Vec<usize> {
        of(rows).map(|it| it.len()).collect()
    }

    #[test]
    fn a_piece_has_as_many_rows_and_bytes_as_a_command_can_carry() {
        assert_eq!(counts((0..250).map(|it| row(it, 10)).collect()), [100, 100, 50]);
        assert_eq!(counts((0..50).map(|it| row(it, 12_000)).collect()), [21, 21, 8]);
        assert_eq!(counts(vec![row(0, 1), row(1, 300_000), row(2, 1)]), [1, 1, 1]);
        assert!(counts(Vec::new()).is_empty());
    }

    #[test]
    fn a_row_that_no_command_can_carry_is_named() {
        let (fitting, refused) = fitting(vec![row(0, 1), row(1, 600_000)]);
        assert_eq!((fitting.len(), refused.len(), refused[0].name.as_str()), (1, 1, "1"));
        assert_eq!(refused[0].message, "it has 585 KiB, and a row has at most 512 KiB");
    }
}
