//! Secrets: what a handle is, what it is made of, where its value is known, and what may be done with it.

/// What an opaque handle stands for.
pub(in crate::sandbox) mod handle;

/// Which secrets are in it.
pub(in crate::sandbox) mod labels;

/// The secrets of a call, found in a text and struck out of it.
pub(in crate::sandbox) mod known;

/// Other spellings of a text, undone.
mod spelling;

/// JSON Web Tokens.
pub(in crate::sandbox) mod jwt;

/// The host's side of `secrets` and `reveal`.
mod operations;
