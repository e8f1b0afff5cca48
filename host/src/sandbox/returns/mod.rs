//! What a plugin returns: the input of everything after it, so it is checked.

/// What it says about itself, and what went wrong.
pub(in crate::sandbox) mod convert;

/// Token sets, there and back.
pub(in crate::sandbox) mod tokens;

/// What the optional interfaces return.
pub(in crate::sandbox) mod returned;
