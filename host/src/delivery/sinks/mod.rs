//! What is current of connections, delivered to places of the operator's: files, programs, addresses, tables. Each
//! sink works for itself. One that fails delays no refresh and no other sink, and a connection that cannot be
//! delivered holds up no other.

/// What templates are given.
mod facts;

/// What is delivered.
mod content;

/// To a file.
pub mod file;

/// To a program.
pub mod command;

/// To an address.
pub mod webhook;

/// To a row of a table.
pub mod sql;

/// One thing on its way to its place.
mod end;

/// One connection, looked at and delivered.
mod delivering;

/// Whether a sink as a whole can deliver.
mod health;

/// What all sinks work with.
mod kit;

/// Several in a row.
mod round;

/// One sink at work.
mod worker;

/// All of one sink, because somebody asks.
mod running;

use secrecy::SecretString;

pub use crate::model::template::Cell;
pub use kit::Kit;
pub use running::{Ran, run};
pub(super) use worker::Worker;

/// What is delivered of one connection.
#[derive(Clone, Debug)]
pub enum Content {
    /// What a file holds, a program reads or an address gets.
    Text(SecretString),
    /// Values of columns.
    Columns(Vec<(String, Cell)>),
}
