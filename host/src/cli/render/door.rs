//! The one way to standard output and standard error, and what becomes of it: a reader that has gone away
//! (`| head`) ends the printing quietly, and a disk that is full does not go unnoticed.

use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::OnceLock;

use comfy_table::Table;

use crate::cli::render::line::Line;

/// Why standard output could not be written first.
static BROKEN: OnceLock<io::Error> = OnceLock::new();

/// A terminal that is narrower is none.
const NARROWEST: u16 = 20;

/// Prints to standard output.
pub(super) fn print(text: &[u8]) {
    if BROKEN.get().is_some() {
        return;
    }
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(text).and_then(|()| out.flush()) {
        let _ = BROKEN.set(error);
    }
}

/// Prints to standard error, where there is nobody to tell of a failure.
pub(super) fn tell(line: &Line) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether nothing more can be printed, so that there is no use in going on.
pub(in crate::cli) fn is_closed() -> bool {
    BROKEN.get().is_some()
}

/// Why the result was not printed, unless whoever read it had enough.
pub(in crate::cli) fn fault() -> Option<&'static io::Error> {
    BROKEN.get().filter(|it| it.kind() != ErrorKind::BrokenPipe)
}

/// Columns of the terminal behind standard output, if there is one.
pub(super) fn width() -> Option<usize> {
    wide(Table::new().width().filter(|_| io::stdout().is_terminal()))
}

/// Columns of the terminal behind standard error, if there is one.
pub(super) fn width_of_messages() -> Option<usize> {
    wide(Table::new().use_stderr().width().filter(|_| io::stderr().is_terminal()))
}

fn wide(columns: Option<u16>) -> Option<usize> {
    columns.filter(|it| *it >= NARROWEST).map(usize::from)
}
