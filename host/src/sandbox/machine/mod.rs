//! The machine that guests run on, and what one call of it may cost. Knows nothing of secrets.

/// The engine that all plugins share.
pub(in crate::sandbox) mod engine;

/// The thread that ticks its epochs, and the places of calls.
pub(in crate::sandbox) mod ticker;

/// The numbers, each with its reason.
pub(in crate::sandbox) mod limits;

/// When a call is over.
pub(in crate::sandbox) mod deadline;

/// What one call has used of them.
pub(in crate::sandbox) mod budget;
