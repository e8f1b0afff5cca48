//! What is sealed of a connection, opened for whoever moves out. It is the only face that hands out refresh tokens
//! and secrets.

use crate::model::failure::Failure;
use crate::model::token::TokenSet;
use crate::refresher::secrets;
use crate::storage::Loaded;
use crate::vault::Vault;
use crate::vault::credentials::Credentials;

/// Opens what is sealed.
pub struct Exporting {
    vault: Vault,
}

impl Exporting {
    pub(super) fn new(vault: &Vault) -> Self {
        Self { vault: vault.clone() }
    }

    /// The current token set and the secrets of its own.
    pub fn open(&self, loaded: &Loaded) -> Result<(Option<TokenSet>, Credentials), Failure> {
        let own = secrets::own(&self.vault, loaded)?;
        Ok((secrets::current(&self.vault, loaded)?, own.secrets))
    }
}
