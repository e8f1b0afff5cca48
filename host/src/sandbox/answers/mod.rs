//! Answers: read leniently, held by the host, and shown as far as a plugin declared.

/// One answer.
pub(in crate::sandbox) mod answer;

/// What a body is, read leniently.
mod body;

/// A provider's JSON within bounds.
pub(in crate::sandbox) mod document;

/// What may be seen of it.
pub(in crate::sandbox) mod sealing;
