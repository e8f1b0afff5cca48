//! The current token of a connection, for whoever delivers it: without its refresh token, and with no refresh before.

use secrecy::SecretString;

use crate::model::failure::Failure;
use crate::refresher::secrets;
use crate::storage::Loaded;
use crate::vault::Vault;

/// Opens current tokens.
pub struct Currents {
    vault: Vault,
}

impl Currents {
    pub(super) fn new(vault: &Vault) -> Self {
        Self { vault: vault.clone() }
    }

    /// The access token, if there is one.
    pub fn token(&self, loaded: &Loaded) -> Result<Option<SecretString>, Failure> {
        let current = secrets::current(&self.vault, loaded)?;
        Ok(current.filter(|it| !it.lacks_access_token()).map(|it| it.access_token))
    }

    /// A digest that says whether something is what it was, and nothing else: it is keyed.
    pub fn digest(&self, of: &[u8]) -> Vec<u8> {
        self.vault.delivery_digest(of).to_vec()
    }
}
