//! The pages. Each asks for what it shows by a command, and gives it to its template.

/// How all connections are.
pub(super) mod overview;

/// One of them.
pub(super) mod connection;

/// All of a provider at once.
pub(super) mod provider;

/// What a form has queued.
pub(super) mod queued;

/// What was tried.
pub(super) mod attempts;

/// One try.
pub(super) mod attempt;

/// What runs when.
pub(super) mod schedules;

/// What is planned, beside it.
mod forecast;

/// What plugins do and may.
pub(super) mod plugins;

/// Sinks and channels.
pub(super) mod outlets;

/// What this installation runs on.
pub(super) mod system;

/// Who did what.
pub(super) mod audit;

/// Adding a connection.
pub(super) mod adding;

/// Connecting an account.
pub(super) mod connect;

/// What several of them say in the same words.
mod wording;
