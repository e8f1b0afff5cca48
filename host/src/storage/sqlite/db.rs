//! The connection that changes are made with, and what an attempt that ends leaves behind in it besides its
//! row: its place in the order of ends, and a count of its hour.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Params, Row};

use crate::model::clock::millis;
use crate::storage::error::StorageError;
use crate::storage::sqlite::hours::{Counts, Ended};

/// The last place in the order of ends. One so far away that no time leads there is damaged, and nothing comes behind it.
pub(super) const LAST: &str =
    "select coalesce(max(ended), 0) from attempts where ended < 4611686018427387904";

/// The connection of the writer.
pub(super) struct Db {
    connection: Connection,
    /// What has ended in this transaction and is not counted yet.
    counts: RefCell<Counts>,
    /// The last place that was given, once it is known.
    last: Cell<Option<i64>>,
}

impl Db {
    pub(super) fn over(connection: Connection) -> Self {
        Self { connection, counts: RefCell::default(), last: Cell::new(None) }
    }

    pub(super) fn prepare_cached(&self, statement: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.connection.prepare_cached(statement)
    }

    pub(super) fn query_row<T>(
        &self,
        statement: &str,
        arguments: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.connection.query_row(statement, arguments, read)
    }

    pub(super) fn execute_batch(&self, statements: &str) -> rusqlite::Result<()> {
        self.connection.execute_batch(statements)
    }

    /// Begins a transaction, in which nothing has ended yet.
    pub(super) fn begin(&self) -> rusqlite::Result<()> {
        self.counts.borrow_mut().clear();
        self.connection.execute_batch("begin immediate")
    }

    /// Makes the transaction durable, with the counts of what has ended in it.
    pub(super) fn commit(&self) -> Result<(), StorageError> {
        self.counts.borrow_mut().write(&self.connection)?;
        Ok(self.connection.execute_batch("commit")?)
    }

    /// The place of an attempt that ends at `at`, behind all that have ended before. One that is given and not
    /// used after all is given to nobody.
    pub(super) fn place(&self, at: Timestamp) -> Result<i64, StorageError> {
        let last = match self.last.get() {
            Some(last) => last,
            None => self.last_there()?,
        };
        let place = (last + 1).max(millis(at).saturating_mul(1_000));
        self.last.set(Some(place));
        Ok(place)
    }

    fn last_there(&self) -> Result<i64, StorageError> {
        Ok(self.prepare_cached(LAST)?.query_row([], |row| row.get(0))?)
    }

    /// Counts an attempt whose row is written, when the transaction is committed.
    pub(super) fn count(&self, ended: &Ended<'_>) {
        self.counts.borrow_mut().add(ended);
    }
}
