//! All eight plugins against their fakes, through the real program. Every plugin is put into every
//! situation; what one of them does and no other has a file of its own.

/// The eight plugins.
pub(crate) mod subject;

/// What is done to them, and what is seen of it.
mod situation;

/// What should be seen.
mod expected;

/// Plugin by situation.
mod table;

/// What ends by itself.
mod expiring;

/// All of them in one daemon.
mod together;

/// Where no request goes.
mod elsewhere;
