//! What people may be shown of what is sealed: names and digests, and never a value.

use crate::catalogue::{Catalogue, Configs};
use crate::model::failure::Failure;
use crate::refresher::secrets;
use crate::storage::Loaded;
use crate::vault::Vault;

/// Shows what is sealed without opening it to anybody. A clone is cheap.
#[derive(Clone)]
pub struct Showing {
    vault: Vault,
    catalogue: Catalogue,
}

impl Showing {
    pub(super) fn new(vault: &Vault, catalogue: &Catalogue) -> Self {
        Self { vault: vault.clone(), catalogue: catalogue.clone() }
    }

    /// What the connections are configured with now. No command is run for it.
    pub fn configs(&self) -> Configs {
        Configs::new(self.catalogue.shelf(), self.vault.clone(), false)
    }

    /// Names of the secrets that a connection brings of its own.
    pub fn own_secrets(&self, loaded: &Loaded) -> Result<Vec<String>, Failure> {
        let own = secrets::own(&self.vault, loaded)?;
        Ok(own.secrets.into_iter().map(|(name, _)| name).collect())
    }
}
