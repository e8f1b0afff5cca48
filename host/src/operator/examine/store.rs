//! The key, and the disk of the database.

use crate::lifecycle::disk;
use crate::model::code::{self, Code};
use crate::operator::examine::{Deployment, Examined, Fault};
use crate::vault::error::VaultError;
use crate::vault::key::MasterKey;
use crate::vault::keyring::Keyring;

/// The key, if it is missing, not valid, or not that of the database.
pub(super) async fn key(it: Deployment<'_>) -> Examined {
    let fault = |code: Code, message: &str, help: String| {
        let fault = Fault::new(&["vault", "key"], code, "key".to_owned(), message.to_owned());
        vec![fault.with_help(help)]
    };
    let faults = match MasterKey::load(&it.manifest.vault.key).await {
        Err(error) => fault(error.code(), "the vault key cannot be read", error.to_string()),
        Ok(master) => match opens(&master, it).await {
            Some(error) => {
                fault(error.code(), "the vault key is not that of the database", error.to_string())
            }
            None => Vec::new(),
        },
    };
    Examined { what: "key", fine: "opens the database".to_owned(), faults }
}

/// Why the key does not open the data keys of the database. One without data keys is anybody's.
async fn opens(master: &MasterKey, it: Deployment<'_>) -> Option<VaultError> {
    let rows = it.storage?.keyring().await.ok()?;
    if rows.is_empty() { None } else { Keyring::open(master, &rows).err() }
}

/// The disk, if it is full.
pub(super) fn disk(it: Deployment<'_>) -> Examined {
    let fault = |message| {
        let fault =
            Fault::new(&["storage", "url"], code::Storage::Full, "disk".to_owned(), message);
        fault.with_help("free some space: a token that cannot be stored is not requested")
    };
    let faults = disk::too_full(&it.manifest.storage.path).map(fault);
    Examined { what: "disk", fine: "has room".to_owned(), faults: faults.into_iter().collect() }
}
