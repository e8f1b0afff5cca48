//! Requests on their way out, and their answers as handles.

/// The host's side of `http`.
mod sending;

/// Judges a request and puts the plaintext in.
mod placing;
