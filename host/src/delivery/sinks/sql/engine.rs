//! What a database is asked for, whichever it is: its columns, and statements. When it is asked is not known here.

use std::error::Error;
use std::io;

use sqlx::error::DatabaseError;

use crate::delivery::sinks::sql::fitting::Kind;
use crate::delivery::sinks::sql::refusal::Refusal;
use crate::delivery::sinks::sql::statement::{Dialect, Name, Statement};

/// A column of a table.
#[derive(Debug)]
pub(super) struct Column {
    /// Its name, as the database has it.
    pub(super) name: String,
    /// What it holds.
    pub(super) kind: Kind,
    /// What the text of a value is turned into.
    pub(super) cast: Option<String>,
}

/// One connection to a database.
pub(super) trait Engine: Sized + Send {
    /// How it is reached.
    type Way: Send + Sync;

    /// How it wants to be spoken to.
    const DIALECT: Dialect;

    /// Whether names are the same in capitals.
    const IGNORES_CASE: bool;

    /// Reaches it.
    fn connect(way: &Self::Way) -> impl Future<Output = Result<Self, sqlx::Error>> + Send;

    /// The columns of a table; none if there is no such table.
    fn columns(
        &mut self,
        table: &Name,
    ) -> impl Future<Output = Result<Vec<Column>, sqlx::Error>> + Send;

    /// Runs a statement; how many rows it has found or made.
    fn execute(
        &mut self,
        statement: &Statement<'_>,
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Runs a statement without values.
    fn run(&mut self, sql: &'static str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// What an error of the database means.
    fn judge(error: &dyn DatabaseError) -> Refusal;
}

/// What went wrong, and whether the connection is still good for something.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection is gone.
    Lost(Refusal),
    /// The database has answered.
    Refused(Refusal),
}

impl Fault {
    pub(super) fn of<E: Engine>(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => match E::judge(error.as_ref()) {
                gone @ Refusal::Unreachable(_) => Self::Lost(gone),
                refused => Self::Refused(refused),
            },
            sqlx::Error::Io(error) => Self::Lost(of_io(error)),
            sqlx::Error::Tls(error) => Self::Lost(Refusal::Tls(of_tls(error.as_ref()))),
            // The rest is told by nothing but its kind: its text may hold anything.
            sqlx::Error::Configuration(_) => Self::Lost(Refusal::Unreachable(
                "a file that its URL names cannot be used, or its user is not complete".to_owned(),
            )),
            sqlx::Error::Protocol(_) => Self::Lost(Refusal::Unreachable(
                "what answers does not speak as such a database, or wants a login that is not known".to_owned(),
            )),
            _ => Self::Lost(Refusal::Unreachable("the connection was lost".to_owned())),
        }
    }

    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Lost(it) | Self::Refused(it) => it,
        }
    }
}

/// A handshake that fails is an error of TLS within one of the connection.
fn of_io(error: &io::Error) -> Refusal {
    match error.get_ref() {
        Some(cause) if cause.is::<rustls::Error>() => Refusal::Tls(of_tls(cause)),
        _ => Refusal::Unreachable(error.kind().to_string()),
    }
}

/// What the library of TLS says, which knows nothing of the URL but the host's name.
fn of_tls(error: &(dyn Error + 'static)) -> String {
    let cause = error.downcast_ref::<rustls::Error>();
    cause.map_or_else(|| "the server does not offer it".to_owned(), ToString::to_string)
}
