//! What can go wrong in the vault: which key, which place, and what to do about it. Never a byte of
//! what was sealed, and never a key.

use std::path::PathBuf;

use crate::model::code::{self, Code};
use crate::vault::source::error::SourceError;

/// Why sealing, opening or loading a key failed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The database belongs to another master key.
    #[error(
        "the database is sealed with master key {expected}, but the given key is {offered}; \
         point `vault.key` at the source that holds key {expected}"
    )]
    WrongKey {
        /// The id of the key that sealed the database.
        expected: String,
        /// The id of the key that `vault.key` gave.
        offered: String,
    },
    /// The value was changed, or belongs to another place.
    #[error(
        "the sealed value in {table}.{column} of row `{row}`, generation {generation}, cannot be \
         decrypted: it was changed, or moved from another row; restore the row from a backup"
    )]
    BadContext {
        /// The table it was read from.
        table: &'static str,
        /// The column it was read from.
        column: &'static str,
        /// The row it was read from.
        row: String,
        /// The generation it was read as.
        generation: u64,
    },
    /// The value names a data key that the keyring does not hold.
    #[error(
        "a sealed value names data key {id}, but the keyring holds {known:?}; \
         restore the keyring table from a backup of the same time as the value"
    )]
    UnknownKey {
        /// The data key that the value names.
        id: u32,
        /// The data keys that are there.
        known: Vec<u32>,
    },
    /// Bytes or rows that this version cannot have written.
    #[error("{0}; restore the row from a backup, or use the keepfresh version that wrote it")]
    Malformed(&'static str),
    /// The text of a master key is not one.
    #[error(
        "{origin} does not hold a master key: expected 32 bytes as 64 hex digits, as base64, or as \
         `keepfresh init` writes them"
    )]
    KeyInvalid {
        /// The source that gave the text.
        origin: String,
    },
    /// A key is never written over a file.
    #[error(
        "{} already exists and is not overwritten; choose another path",
        path.display()
    )]
    KeyExists {
        /// The file that is there.
        path: PathBuf,
    },
    /// The file of a new key could not be written.
    #[error("the key file {} could not be written: {cause}", path.display())]
    KeyUnwritable {
        /// The file that was to be made.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system returned no random bytes: {0}")]
    Random(getrandom::Error),
    /// The source of the master key could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl VaultError {
    /// `area.cause`, the same in CLI, API, log and attempts.
    pub fn code(&self) -> Code {
        let code = match self {
            Self::WrongKey { .. } => code::Vault::WrongKey,
            Self::BadContext { .. } => code::Vault::BadContext,
            Self::UnknownKey { .. } => code::Vault::UnknownKey,
            Self::Malformed(_) => code::Vault::Malformed,
            Self::KeyInvalid { .. } => code::Vault::KeyInvalid,
            Self::KeyExists { .. } => code::Vault::KeyExists,
            Self::KeyUnwritable { .. } => code::Vault::KeyUnwritable,
            Self::Random(_) => code::Vault::Random,
            Self::Source(error) => return error.code(),
        };
        code.into()
    }
}
