//! Connections in pages, by id: whoever lists them holds one page and no more. A page costs what is on
//! it, however many connections there are, and a row that cannot be read is on it like the others.

use jiff::Timestamp;

use crate::model::connection::Connection;
use crate::model::id::ConnectionId;
use crate::storage::StorageError;

/// Which connections to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these.
    pub ids: Vec<ConnectionId>,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only those whose last try failed.
    pub failed: bool,
    /// Only those with this label.
    pub label: Option<String>,
    /// Only those whose token a caller asked for since then.
    pub active_since: Option<Timestamp>,
}

/// Some of what was asked for, in order.
#[derive(Debug, Default)]
pub struct Page {
    /// Connections with their last attempts, unless those were not asked for.
    pub rows: Vec<Result<Connection, Unreadable>>,
    /// Last attempts that cannot be read. Their connections are none the worse for it.
    pub attempts: Vec<StorageError>,
    /// After which key the next page begins, if there is one.
    pub next: Option<String>,
}

/// A connection that cannot be read. It is left as it is, and the others go on.
#[derive(Debug)]
pub struct Unreadable {
    /// Its id, as it stands there.
    pub key: String,
    /// What cannot be read.
    pub error: StorageError,
}

/// How many connections a provider has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its name in the manifest.
    pub provider: String,
    /// All of them.
    pub connections: u64,
    /// Those that only a person can help.
    pub needing_a_person: u64,
}
