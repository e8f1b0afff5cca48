//! Sealing and opening: the only code that turns a secret into bytes for the database and back. A
//! value is bound to its place, and the master key stays outside the database. Knows nothing of
//! SQL.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::vault::envelope::Context;
use crate::vault::error::VaultError;
use crate::vault::key::Key;
use crate::vault::keyring::{DataKey, Keyring};
use crate::vault::place::{Place, Purpose};

/// Secrets of a connection as sealed values.
pub mod credentials;

/// What can go wrong, with stable codes.
pub mod error;

/// The master key.
pub mod key;

/// The data keys that it wraps.
pub mod keyring;

/// Where a sealed value lives, and what it is for.
pub mod place;

/// Passwords of people.
pub mod password;

/// Where secrets come from: environment, file, credential, command.
pub mod source;

/// Token sets as sealed values.
pub mod tokens;

mod envelope;

/// Seals and opens. A clone is cheap and shares the keys.
#[derive(Clone)]
pub struct Vault(Arc<Shared>);

struct Shared {
    keyring: Keyring,
    instance_id: String,
}

/// A sealed value: safe to store, to copy and to lose.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Vault {
    /// A vault for the database of this instance; values of another instance do not open.
    pub fn new(keyring: Keyring, instance_id: String) -> Self {
        Self(Arc::new(Shared { keyring, instance_id }))
    }

    /// Seals `plain` for one place, with the primary key.
    pub fn seal(
        &self,
        purpose: Purpose,
        place: &Place<'_>,
        plain: &[u8],
    ) -> Result<Sealed, VaultError> {
        let key = self.0.keyring.primary();
        let nonce = key::random_nonce()?;
        let context = self.context(key, place);
        envelope::seal(key.for_purpose(purpose), nonce, &context, plain).map(Sealed)
    }

    /// Opens what was sealed for the same purpose and place, with the key that it names.
    pub fn open(
        &self,
        purpose: Purpose,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self.0.keyring.find(envelope::key_id(&sealed.0)?)?;
        envelope::open(key.for_purpose(purpose), &self.context(key, place), &sealed.0)
    }

    /// The keyed digest that compiled code is stored under. It changes when keys rotate, and the
    /// code is then compiled again.
    pub fn mac(&self, data: &[u8]) -> [u8; 32] {
        self.keyed(data).finalize().into_bytes().into()
    }

    /// Whether `mac` is the keyed digest of `data`, compared in constant time.
    pub fn verify_mac(&self, data: &[u8], mac: &[u8]) -> bool {
        self.keyed(data).verify_slice(mac).is_ok()
    }

    /// The digest of what a sink has delivered. What it is a digest of begins with a word of its own, so that it is no
    /// digest of code.
    pub fn delivery_digest(&self, data: &[u8]) -> [u8; 32] {
        self.keyed(b"delivery\0").chain_update(data).finalize().into_bytes().into()
    }

    fn keyed(&self, data: &[u8]) -> Hmac<Sha256> {
        hmac(self.0.keyring.primary().code_cache(), &[data])
    }

    /// The digest that stands in the database for `data` of an API key, the pieces of which stand behind one
    /// another: the id of the data key, and 32 bytes.
    pub fn api_key_digest(&self, data: &[&[u8]]) -> Vec<u8> {
        named(self.0.keyring.primary(), DataKey::api_keys, data)
    }

    /// Whether `digest` is that of `data`, compared in constant time.
    pub fn is_api_key(&self, data: &[&[u8]], digest: &[u8]) -> bool {
        self.is_named(DataKey::api_keys, data, digest)
    }

    /// The digest that stands in the database for what a person logs in with; `what` keeps kinds of it apart.
    pub fn account_digest(&self, what: &str, data: &[u8]) -> Vec<u8> {
        named(self.0.keyring.primary(), DataKey::accounts, &[what.as_bytes(), b"\0", data])
    }

    /// Whether `digest` is that of `data`, compared in constant time.
    pub fn is_account(&self, what: &str, data: &[u8], digest: &[u8]) -> bool {
        self.is_named(DataKey::accounts, &[what.as_bytes(), b"\0", data], digest)
    }

    fn is_named(&self, purpose: fn(&DataKey) -> &Key, data: &[&[u8]], digest: &[u8]) -> bool {
        let Some((id, digest)) = digest.split_first_chunk::<4>() else { return false };
        let Ok(key) = self.0.keyring.find(u32::from_be_bytes(*id)) else { return false };
        hmac(purpose(key), data).verify_slice(digest).is_ok()
    }

    fn context<'a>(&'a self, key: &DataKey, place: &'a Place<'a>) -> Context<'a> {
        Context { key_id: key.id(), instance: &self.0.instance_id, place }
    }
}

/// A digest that names its key.
fn named(key: &DataKey, purpose: fn(&DataKey) -> &Key, data: &[&[u8]]) -> Vec<u8> {
    let mut digest = key.id().to_be_bytes().to_vec();
    digest.extend_from_slice(&hmac(purpose(key), data).finalize().into_bytes());
    digest
}

fn hmac(key: &Key, data: &[&[u8]]) -> Hmac<Sha256> {
    let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose_secret());
    let keyed = keyed.expect("HMAC takes a key of any length");
    data.iter().fold(keyed, Hmac::chain_update)
}

impl Sealed {
    /// Bytes as they were stored; nothing is checked before they are opened.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to store, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vault").field(&self.0.keyring).finish()
    }
}

#[cfg(test)]
fn test_folder() -> std::path::PathBuf {
    let name = format!("keepfresh-vault-{}", key::hex(&key::random_nonce().unwrap()[..8]));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

#[cfg(test)]
mod tests;
