//! Where a sealed value lives and what it is for. A value opens in its own place only, so a row, a
//! column or an older generation cannot be swapped in. Knows nothing of keys.

use crate::vault::error::VaultError;

/// The cell of the database that a value is sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The primary key of the row, as text.
    pub row: &'a str,
    /// The generation of the token set; 0 where there are none.
    pub generation: u64,
}

/// What a value is: each purpose has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Token sets.
    Tokens,
    /// What a provider answered, before anyone read it.
    Capture,
    /// Secrets of a connection that a person gave.
    Credential,
}

impl Place<'_> {
    pub(super) fn refused(&self) -> VaultError {
        VaultError::BadContext {
            table: self.table,
            column: self.column,
            row: self.row.to_owned(),
            generation: self.generation,
        }
    }
}
