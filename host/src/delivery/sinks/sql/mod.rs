//! A row of a table in a database of the operator's. What is written there, and when, is not known here. The database
//! is reached where the operator says, and not through the door of HTTP: it is the operator's own word, as the mail
//! server of a channel is.

/// Where the database is.
mod place;

/// Values as columns take them.
mod fitting;

/// Statements, of names and places for values.
mod statement;

/// Why a row was not written.
mod refusal;

/// What a database is asked for.
mod engine;

/// One row, in one transaction.
mod writer;

mod mysql;
mod postgres;
mod sqlite;

use secrecy::SecretString;

use crate::delivery::sinks::Cell;
use crate::delivery::undelivered::Undelivered;
use mysql::Mysql;
use place::Place;
use postgres::Postgres;
use sqlite::Sqlite;
use writer::Writer;

/// What is to be there.
#[derive(Clone, Debug)]
pub struct Row {
    /// The table: `users`, `app.users`, or with names in double quotes.
    pub table: String,
    /// Columns that say which row it is.
    pub key: Vec<(String, Cell)>,
    /// Its other columns, as far as they are written.
    pub columns: Vec<(String, Cell)>,
    /// How it comes there.
    pub how: How,
}

/// How a row comes to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The one row of that key is changed.
    Update,
    /// The same, or one is made.
    Upsert,
    /// One is made, unless one of that key is there.
    InsertOnce,
}

/// A database that rows are written to. It has one connection, which is kept for the next row.
pub struct Table(Kind);

enum Kind {
    Postgres(Writer<Postgres>),
    Mysql(Writer<Mysql>),
    Sqlite(Writer<Sqlite>),
}

impl Table {
    /// The database of this URL. Nothing is connected yet.
    pub fn open(url: &SecretString) -> Result<Self, Undelivered> {
        Ok(Self(match Place::of(url)? {
            Place::Postgres(way) => Kind::Postgres(Writer::new(way)),
            Place::Mysql(way) => Kind::Mysql(Writer::new(way)),
            Place::Sqlite(way) => Kind::Sqlite(Writer::new(way)),
        }))
    }

    /// Writes a row, entirely or not at all. It can be written again: there is still one.
    pub async fn write(&self, row: &Row) -> Result<(), Undelivered> {
        match &self.0 {
            Kind::Postgres(writer) => writer.write(row).await,
            Kind::Mysql(writer) => writer.write(row).await,
            Kind::Sqlite(writer) => writer.write(row).await,
        }
    }
}
