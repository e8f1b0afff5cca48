//! What a person's consent came as, and what it must bring to be taken. Pure.

use secrecy::{ExposeSecret as _, SecretString};

use crate::model::code;
use crate::model::failure::{Case, Failure};
use crate::model::token::TokenSet;
use crate::sandbox::{Code, claim_of};

/// What a person's consent came as.
#[derive(Debug)]
pub enum Consent {
    /// A browser came back with a code.
    Code(Code, Brings),
    /// A poll found the tokens already.
    Granted(Box<TokenSet>),
}

/// What a code must bring to be taken.
#[derive(Debug)]
pub struct Brings {
    /// What an id token must repeat.
    pub nonce: Option<SecretString>,
    /// Whether a refresh token must come, because the person can be asked anew for one.
    pub refresh_token: bool,
}

impl Brings {
    /// An id token that was made for somebody else's visit is refused, and so is a grant that would end
    /// with its first token where the person can be asked for more.
    pub(super) fn check(&self, token: &TokenSet) -> Result<(), Failure> {
        let refuse = |code: code::Connect, message: &str| {
            Err(Failure::new(Case::Misconfigured, code, message))
        };
        let id_token = token.extra.iter().find(|(name, _)| name == "id_token");
        if let (Some(nonce), Some((_, id_token))) = (&self.nonce, id_token)
            && claim_of(id_token, "nonce").as_deref() != Some(nonce.expose_secret())
        {
            return refuse(
                code::Connect::NonceMismatch,
                "the provider's ID token belongs to another login (its nonce differs); nothing was saved, connect again",
            );
        }
        if self.refresh_token && token.refresh_token.is_none() {
            return refuse(
                code::Connect::NoRefreshToken,
                "the provider gave no refresh token, because the person had agreed before; they are asked for consent again",
            );
        }
        Ok(())
    }
}
