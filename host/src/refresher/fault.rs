//! What keeps this host from an attempt, whatever the provider does: no such connection, a database or a vault
//! that fails, somebody else who is at it.

use std::sync::Arc;

use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::storage::{Begun, Loaded, Storage, StorageError};
use crate::vault::error::VaultError;

/// The row of `id`, which must be there.
pub(super) async fn load(storage: &Storage, id: &ConnectionId) -> Result<Loaded, Failure> {
    let loaded = storage.load(id).await.map_err(|it| host_fault(&it))?;
    loaded.ok_or_else(|| unknown(id))
}

/// The same, remembered where nothing has changed: for those who only hand it out.
pub(super) async fn recent(storage: &Storage, id: &ConnectionId) -> Result<Arc<Loaded>, Failure> {
    let loaded = storage.recent(id).await.map_err(|it| host_fault(&it))?;
    loaded.ok_or_else(|| unknown(id))
}

/// Whether the end of an attempt was written; it was not where somebody else has ended it.
pub(super) fn written(ended: Result<Begun, StorageError>) -> Result<(), Failure> {
    match ended.map_err(|it| host_fault(&it))? {
        Begun::Yes => Ok(()),
        Begun::Lost => Err(fenced()),
    }
}

/// There is no such connection.
pub fn unknown(id: &ConnectionId) -> Failure {
    let message = format!("there is no connection {id}; see: keepfresh connection list");
    Failure::new(Case::Misconfigured, code::Connection::Unknown, message)
}

/// The database failed.
pub fn host_fault(error: &StorageError) -> Failure {
    Failure::new(Case::HostFault, error.code(), error.to_string())
}

/// A value could not be sealed or opened.
pub(super) fn vault_fault(error: &VaultError) -> Failure {
    Failure::new(Case::HostFault, error.code(), error.to_string())
}

/// Somebody else is at it.
pub(super) fn busy(id: &ConnectionId) -> Failure {
    let message = format!("{id} is already being refreshed; try again in a moment");
    Failure::new(Case::HostFault, code::Refresh::Held, message)
}

/// Somebody else has ended this attempt.
fn fenced() -> Failure {
    let message = "another process took over this attempt; only its outcome counts";
    Failure::new(Case::HostFault, code::Refresh::Fenced, message)
}
