//! Rows that cannot be read. Each is told of once and left as it is: what cannot be understood cannot be
//! mended by a program, and the others have nothing to do with it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::error;

use crate::storage::error::StorageError;
use crate::storage::{Filter, Storage};

/// What was told already, in this process.
pub(super) type Told = Arc<Mutex<HashSet<String>>>;

/// Rows that are named; a damaged file may have any number of them.
const MOST: usize = 100;

/// Connections in one look.
const AT_ONCE: u32 = 500;

impl Storage {
    /// Logs that a row cannot be read, once for each.
    pub fn report(&self, unreadable: &StorageError) {
        let text = unreadable.to_string();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(text.clone()) {
            error!(error.code = unreadable.code().text(), "{text}");
        }
    }

    /// What cannot be read of connections, their open and last attempts, and their captured answers.
    pub async fn unreadable(&self) -> Result<Vec<StorageError>, StorageError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(&Filter::default(), after.as_deref(), AT_ONCE).await?;
            found.extend(page.rows.into_iter().filter_map(|it| Some(it.err()?.error)));
            found.extend(page.attempts);
            after = page.next;
            if after.is_none() || found.len() >= MOST {
                return Ok(found);
            }
        }
    }
}
