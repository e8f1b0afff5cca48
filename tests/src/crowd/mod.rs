//! A provider for as many grants as a benchmark has: strict about used refresh tokens, in a process of its own, with
//! four bytes for each grant. [`provider`](crate::provider) is as strict and can do much more; for that it keeps a name
//! and an audit of each family, which a million times is more memory than what is measured.
//!
//! A token says itself what it is of. So whoever wants first tokens makes them, and the provider is told nothing.

/// What a token says.
mod token;

/// What becomes of a refresh token that is presented.
mod grants;

/// How requests are answered.
mod behaviour;

/// The server.
mod server;

/// The process, and the hand on it.
mod process;

/// Files of connections.
mod roster;

pub use behaviour::{Behaviour, Counts};
pub use process::{Provider, serves};
pub use roster::{Row, write};
pub use token::{Claim, share};
