//! A problem of the manifest: what, where, and what to do about it. It never carries the text of the
//! file, because a line may hold a secret that should not have been there.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::manifest::place::Place;
use crate::model::code::{self, Code};
use crate::model::plain::is_hidden;

/// One problem. Serialises to `{code, message, file, line, column, remedy}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// `area.cause`, for scripts.
    pub code: Code,
    /// What is wrong, and of what.
    pub message: String,
    /// The short reason that stands beside the place; may be empty.
    pub label: String,
    /// The manifest.
    pub file: PathBuf,
    /// Where in it.
    pub place: Place,
    /// What to do.
    pub help: String,
    /// What a rendering must not show of that line.
    hidden: Vec<Place>,
}

impl Diagnostic {
    /// A problem without a reason beside its place.
    pub fn new(
        code: impl Into<Code>,
        file: &Path,
        place: Place,
        message: &str,
        help: &str,
    ) -> Self {
        Self {
            code: code.into(),
            message: printable(message),
            label: String::new(),
            file: file.to_owned(),
            place,
            help: printable(help),
            hidden: Vec::new(),
        }
    }

    /// The file cannot be read at all.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let help = match error.kind() {
            io::ErrorKind::NotFound => {
                "write one with `keepfresh init`, or name it with `--config`"
            }
            io::ErrorKind::InvalidData => "save it as UTF-8",
            // Container engines make one where a file that is to be mounted is missing.
            io::ErrorKind::IsADirectory => {
                "it is a folder: name the file in it; if a container made it, the file that was to be mounted is missing on the host"
            }
            _ => "give this user permission to read it",
        };
        let message = format!("the manifest cannot be read: {error}");
        Self::new(code::Manifest::Unreadable, path, Place::START, &message, help)
    }

    pub(super) fn with_label(self, label: &str) -> Self {
        Self { label: printable(label), ..self }
    }

    /// Keeps the places that are on its line out of the rendering.
    pub(super) fn hiding(self, places: &[Place]) -> Self {
        let line = self.place.line;
        Self { hidden: places.iter().filter(|it| it.line == line).copied().collect(), ..self }
    }

    /// Whether a column of its line is not to be shown.
    pub(super) fn hides(&self, column: usize) -> bool {
        self.hidden.iter().any(|it| (it.column..it.column + it.width).contains(&column))
    }

    /// Message and reason in one sentence.
    pub fn sentence(&self) -> String {
        match self.label.as_str() {
            "" => self.message.clone(),
            label => format!("{}: {label}", self.message),
        }
    }
}

/// For logs: one line, as compilers write it.
impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column, .. } = self.place;
        write!(out, "{}:{line}:{column}: {}", self.file.display(), self.sentence())
    }
}

impl std::error::Error for Diagnostic {}

impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Diagnostic", 6)?;
        fields.serialize_field("code", &self.code)?;
        fields.serialize_field("message", &self.sentence())?;
        fields.serialize_field("file", &self.file.to_string_lossy())?;
        fields.serialize_field("line", &self.place.line)?;
        fields.serialize_field("column", &self.place.column)?;
        fields.serialize_field("remedy", &self.help)?;
        fields.end()
    }
}

/// Nothing that a terminal would obey and nothing that nobody sees: keys may hold any character. One
/// for one, so that columns stay where they are.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|it| if is_hidden(it) { '\u{fffd}' } else { it }).collect()
}
