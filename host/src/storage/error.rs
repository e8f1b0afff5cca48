//! What can go wrong below: the disk, the database, a row. Texts name the file and the remedy.

use std::path::{Path, PathBuf};

use crate::lifecycle::{limits, owner};
use crate::model::code::{self, Code};

/// A failure of the database. Nothing was written that the caller does not know of.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// The file cannot be opened or created.
    #[error("the database {path} cannot be opened: {cause}; check the folder and its permissions")]
    Open {
        /// The file.
        path: PathBuf,
        /// What `SQLite` says.
        cause: String,
    },
    /// The file is no database, or no longer one.
    #[error("the database is damaged ({0}); restore it from a backup")]
    Damaged(String),
    /// A newer Keepfresh has changed the schema.
    #[error(
        "the database {path} was written by a newer Keepfresh; install that version, or restore a backup"
    )]
    SchemaNewer {
        /// The file.
        path: PathBuf,
    },
    /// A migration failed; it was rolled back.
    #[error("the database could not be migrated: {0}")]
    Migrate(String),
    /// No space is left.
    #[error("the disk is full; free some space")]
    Full,
    /// The file cannot be written.
    #[error("the database is read-only; check its permissions and the mount")]
    ReadOnly,
    /// Another process holds the write lock for too long.
    #[error("the database is locked: another process has held the write lock for over 5 s")]
    Busy,
    /// Reading or writing failed in hardware or the file system.
    #[error("the database could not be read or written ({0}); check the disk")]
    Io(String),
    /// One row cannot be understood; the others can.
    #[error(
        "row {row} of {table} cannot be read: {column} is damaged; it is left unchanged; restore it from a backup, or delete it"
    )]
    Row {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
    },
    /// What writes or reads has ended; nothing can be stored until keepfresh is started anew.
    #[error(
        "the database can no longer be used: one of its threads has stopped; restart keepfresh"
    )]
    WriterGone,
    /// Anything else that the driver reports.
    #[error("the database failed: {0}")]
    Other(String),
}

impl StorageError {
    /// Why the file at `path` could not be opened: what the driver says, and what that means.
    pub(super) fn opening(path: &Path, cause: String, meaning: Self) -> Self {
        match meaning {
            Self::Damaged(cause) => Self::Damaged(format!("{}: {cause}", path.display())),
            _ => Self::Open {
                path: path.to_owned(),
                cause: cause
                    + &owner::remedy(path).unwrap_or_default()
                    + &limits::too_few_files().map(|it| format!("; {it}")).unwrap_or_default(),
            },
        }
    }

    /// The stable code: `storage.cause`.
    pub fn code(&self) -> Code {
        let code = match self {
            Self::Open { .. } => code::Storage::Unavailable,
            Self::Damaged(_) => code::Storage::Damaged,
            Self::SchemaNewer { .. } => code::Storage::SchemaNewer,
            Self::Migrate(_) => code::Storage::MigrationFailed,
            Self::Full => code::Storage::Full,
            Self::ReadOnly => code::Storage::ReadOnly,
            Self::Busy => code::Storage::Busy,
            Self::Io(_) => code::Storage::IoError,
            Self::Row { .. } => code::Storage::RowUnreadable,
            Self::WriterGone => code::Storage::WriterGone,
            Self::Other(_) => code::Storage::Failed,
        };
        code.into()
    }
}
