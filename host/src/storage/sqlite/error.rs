//! What SQLite says, as an error of storage.

use crate::storage::StorageError;

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(failure) = &error else { return Self::Other(error.to_string()) };
        let code = failure.code().and_then(|it| it.parse().ok()).unwrap_or_default();
        of_code(code, failure.message())
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return Self::Other(error.to_string());
        };
        let text = failure.to_string();
        of_code(failure.extended_code, message.as_deref().unwrap_or(&text))
    }
}

/// The low byte is the primary result code: <https://www.sqlite.org/rescode.html>.
fn of_code(code: i32, message: &str) -> StorageError {
    match code & 0xff {
        5 | 6 => StorageError::Busy,
        8 => StorageError::ReadOnly,
        10 => StorageError::Io(message.to_owned()),
        11 | 26 => StorageError::Damaged(message.to_owned()),
        13 => StorageError::Full,
        _ => StorageError::Other(message.to_owned()),
    }
}
