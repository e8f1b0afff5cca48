//! A connection's own secrets, as one sealed value: a JSON object of names and secrets, in buffers
//! that are wiped.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::vault::error::VaultError;
use crate::vault::place::{Place, Purpose};
use crate::vault::{Sealed, Vault};

/// Secrets by name.
pub type Credentials = Vec<(String, SecretString)>;

/// Seals the secrets of one row.
pub fn seal_credentials(
    vault: &Vault,
    row: &str,
    credentials: &Credentials,
) -> Result<Sealed, VaultError> {
    let texts = credentials.iter().map(|(name, it)| (name.as_str(), it.expose_secret()));
    let texts = texts.collect::<BTreeMap<_, _>>();
    // A character takes six bytes at most; a buffer that grows leaves copies behind.
    let length = texts.iter().map(|(name, it)| 6 * (name.len() + it.len()) + 8).sum::<usize>();
    let mut json = Zeroizing::new(Vec::with_capacity(length + 8));
    serde_json::to_writer(&mut *json, &texts)
        .map_err(|_| VaultError::Malformed("secrets do not fit their stored form"))?;
    vault.seal(Purpose::Credential, &place(row), &json)
}

/// Opens what [`seal_credentials`] sealed for the same row.
pub fn open_credentials(
    vault: &Vault,
    row: &str,
    sealed: &Sealed,
) -> Result<Credentials, VaultError> {
    let json = vault.open(Purpose::Credential, &place(row), sealed)?;
    let opened: BTreeMap<String, SecretString> = serde_json::from_slice(&json)
        .map_err(|_| VaultError::Malformed("sealed secrets are not in their stored form"))?;
    Ok(opened.into_iter().collect())
}

fn place(row: &str) -> Place<'_> {
    Place { table: "credentials", column: "sealed", row, generation: 0 }
}
