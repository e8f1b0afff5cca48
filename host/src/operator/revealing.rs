//! Showing a token to a person, as it is stored: nothing is refreshed for that, and it is written down who saw it.

use std::time::Duration;

use secrecy::SecretString;

use crate::model::audit::{Action, Actor};
use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::operator::Operator;
use crate::refresher::stored_token;

impl Operator {
    /// The token of `id` that callers get now, for `actor` to look at.
    pub async fn reveal(&self, actor: &Actor, id: &ConnectionId) -> Result<SecretString, Failure> {
        let (storage, vault) = (&self.0.storage, &self.0.vault);
        let served = stored_token(storage, vault, id, Duration::ZERO, self.now()).await?;
        let Some(served) = served else {
            let message = format!("{id} has no token that works");
            return Err(Failure::new(Case::Misconfigured, code::Token::None, message));
        };
        self.note(actor, Action::TokenRevealed, id.full().to_owned(), None).await;
        Ok(served.token)
    }
}
