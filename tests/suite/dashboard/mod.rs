//! The pages of the real daemon, over real sockets.

/// What they are asked with.
mod facts;

/// How all connections are.
mod overview;

/// One connection, and what its forms do.
mod connection;

/// One attempt.
mod attempt;
