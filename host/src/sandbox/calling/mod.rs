//! One call: what it works on, what it may use, and how it ends.

/// One call of an export in a fresh store.
pub(in crate::sandbox) mod call;

/// One function for each export.
pub(in crate::sandbox) mod exports;

/// What a running call may touch.
pub(in crate::sandbox) mod state;

/// What follows from a descriptor for every call.
pub(in crate::sandbox) mod rules;

/// Names for what ends a call badly.
pub(in crate::sandbox) mod fault;

/// What the provider did meanwhile.
pub(in crate::sandbox) mod heard;

/// The seam to what makes answers durable.
pub(in crate::sandbox) mod journal;

/// The host's side of `log`.
mod log;
