//! Where in the file something stands: the line that an editor shows, whatever ends the lines.

/// Counts lines of a text from its beginning to its end.
pub(super) struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line of the byte at `at`, which never goes back.
    pub(super) fn line_of(&mut self, at: usize) -> u64 {
        let bytes = self.text.as_bytes();
        let at = at.min(bytes.len());
        for index in self.at..at {
            // A line ends with CR alone, too, if LF does not follow it.
            let ends = match bytes[index] {
                b'\n' => true,
                b'\r' => bytes.get(index + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
        }
        self.at = self.at.max(at);
        self.line
    }

    /// The line of whatever is not white space, from `at` on.
    pub(super) fn line_after(&mut self, at: usize) -> u64 {
        let rest = self.text.get(at..).unwrap_or_default();
        self.line_of(at + rest.len() - rest.trim_start().len())
    }
}
