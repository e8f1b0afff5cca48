//! What is stored, for those who look without the right to work on the database and without loading a
//! plugin: they neither wait for whoever has that right nor change anything.

use std::time::Duration;

use crate::lifecycle::lock::InstanceLock;
use crate::manifest::Manifest;
use crate::model::audit::AuditRecord;
use crate::model::clock::Clock;
use crate::model::id::ConnectionId;
use crate::refresher::{Served, stored_token};
use crate::storage::Storage;
use crate::vault::Vault;
use crate::vault::key::MasterKey;
use crate::vault::keyring::Keyring;

/// The database with its keys as they are; `None` if it cannot be read so, for whatever reason.
pub async fn stored(manifest: &Manifest) -> Option<(Storage, Vault)> {
    let storage = Storage::open_as_it_is(&manifest.storage.path).await.ok()??;
    let vault = vault(manifest, &storage).await;
    if vault.is_none() {
        storage.close().await;
    }
    Some((storage, vault?))
}

/// Adds to the audit log where no daemon runs. False if there is no database yet, or somebody else works
/// on it.
pub async fn audit(manifest: &Manifest, record: AuditRecord) -> bool {
    let path = &manifest.storage.path;
    let Ok(_lock) = InstanceLock::acquire(path, "command", Duration::ZERO).await else {
        return false;
    };
    let Ok(Some(storage)) = Storage::open_as_it_is(path).await else { return false };
    let written = storage.audit(vec![record]).await.is_ok();
    storage.close().await;
    written
}

async fn vault(manifest: &Manifest, storage: &Storage) -> Option<Vault> {
    let master = MasterKey::load(&manifest.vault.key).await.ok()?;
    let keyring = Keyring::open(&master, &storage.keyring().await.ok()?).ok()?;
    Some(Vault::new(keyring, storage.instance_id().await.ok()?))
}

/// The stored token of `id`, if it lives for `min_ttl` or no new one would.
pub async fn token_at_hand(
    manifest: &Manifest,
    id: &ConnectionId,
    min_ttl: Duration,
) -> Option<Served> {
    let (storage, vault) = stored(manifest).await?;
    let found = stored_token(&storage, &vault, id, min_ttl, Clock::system().now()).await;
    storage.close().await;
    found.ok().flatten()
}
