//! The columns of a row by their names, whichever library has read it.

use rusqlite::types::ValueRef;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, ValueRef as _};

/// Something else stands in the column than was asked for, or there is no such column.
pub(super) struct Misfit;

/// A row.
pub(super) trait Cells {
    /// Whether nothing stands there.
    fn is_null(&self, column: &str) -> Result<bool, Misfit>;

    /// A text.
    fn text(&self, column: &str) -> Result<Option<String>, Misfit>;

    /// An integer.
    fn integer(&self, column: &str) -> Result<Option<i64>, Misfit>;

    /// Bytes.
    fn blob(&self, column: &str) -> Result<Option<Vec<u8>>, Misfit>;

    /// What can be read of a text that may be none.
    fn lossy(&self, column: &str) -> String;
}

impl Cells for SqliteRow {
    fn is_null(&self, column: &str) -> Result<bool, Misfit> {
        self.try_get_raw(column).map(|it| it.is_null()).map_err(|_| Misfit)
    }

    fn text(&self, column: &str) -> Result<Option<String>, Misfit> {
        self.try_get(column).map_err(|_| Misfit)
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, Misfit> {
        self.try_get(column).map_err(|_| Misfit)
    }

    fn blob(&self, column: &str) -> Result<Option<Vec<u8>>, Misfit> {
        self.try_get(column).map_err(|_| Misfit)
    }

    fn lossy(&self, column: &str) -> String {
        let bytes: Vec<u8> = self.try_get_unchecked(column).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Cells for rusqlite::Row<'_> {
    fn is_null(&self, column: &str) -> Result<bool, Misfit> {
        self.get_ref(column).map(|it| it == ValueRef::Null).map_err(|_| Misfit)
    }

    fn text(&self, column: &str) -> Result<Option<String>, Misfit> {
        match self.get_ref(column) {
            Ok(ValueRef::Null) => Ok(None),
            Ok(ValueRef::Text(it)) => {
                str::from_utf8(it).map(|it| Some(it.to_owned())).map_err(|_| Misfit)
            }
            _ => Err(Misfit),
        }
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, Misfit> {
        match self.get_ref(column) {
            Ok(ValueRef::Null) => Ok(None),
            Ok(ValueRef::Integer(it)) => Ok(Some(it)),
            _ => Err(Misfit),
        }
    }

    fn blob(&self, column: &str) -> Result<Option<Vec<u8>>, Misfit> {
        match self.get_ref(column) {
            Ok(ValueRef::Null) => Ok(None),
            Ok(ValueRef::Blob(it) | ValueRef::Text(it)) => Ok(Some(it.to_vec())),
            _ => Err(Misfit),
        }
    }

    fn lossy(&self, column: &str) -> String {
        match self.get_ref(column) {
            Ok(ValueRef::Blob(it) | ValueRef::Text(it)) => String::from_utf8_lossy(it).into_owned(),
            _ => String::new(),
        }
    }
}
