//! What a person's consent came as, and what it must bring to be taken. Pure.

use secrecy::{ExposeSecret as _, SecretString};

use crate::model::code;
use crate::model::connection::Agreed;
use crate::model::descriptor::{Access, Descriptor};
use crate::model::failure::{Case, Failure};
use crate::model::id::ConnectionId;
use crate::model::token::TokenSet;
use crate::refresher::consents::account::Whose;
use crate::sandbox::{Code, claim_of};

/// A person's consent.
#[derive(Debug)]
pub struct Consent {
    /// What it came as.
    pub came: Came,
    /// The scopes that the person was asked for.
    pub asked: Vec<String>,
    /// Whether it may be another account's than before.
    pub other_account: bool,
}

/// What a person's consent came as.
#[derive(Debug)]
pub enum Came {
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
    /// Whether the person can be asked anew for a refresh token.
    pub refresh_token: bool,
}

/// What is stored of a consent.
pub(in crate::refresher) struct Brought {
    pub(in crate::refresher) token: TokenSet,
    /// How it came about.
    pub(in crate::refresher) reason: String,
    pub(in crate::refresher) agreed: Agreed,
    pub(in crate::refresher) whose: Whose,
}

impl Brings {
    /// An id token that was made for somebody else's visit is refused.
    pub(super) fn check(&self, token: &TokenSet) -> Result<(), Failure> {
        let id_token = token.extra.iter().find(|(name, _)| name == "id_token");
        let (Some(nonce), Some((_, id_token))) = (&self.nonce, id_token) else { return Ok(()) };
        let message = match claim_of(id_token, "nonce") {
            Some(said) if said == nonce.expose_secret() => return Ok(()),
            Some(_) => {
                "the provider's ID token belongs to another login (its nonce differs); nothing was saved, connect again"
            }
            None => {
                "the provider's ID token has no nonce, so that nobody knows which login it belongs to; nothing was saved. If this provider never sends one, set nonce = \"none\" in the settings and connect again"
            }
        };
        Err(Failure::new(Case::Misconfigured, code::Connect::NonceMismatch, message))
    }
}

/// A grant that would end with its first token, where the person can be asked for more.
pub(super) fn no_refresh_token() -> Failure {
    let message = "the provider gave no refresh token, because the person had agreed before; they are asked for consent again";
    Failure::new(Case::Misconfigured, code::Connect::NoRefreshToken, message)
}

/// The person has another account than the one that is connected.
pub(super) fn other_account(id: &ConnectionId) -> Failure {
    let (provider, name) = (id.provider(), id.name());
    let message = format!(
        "the person logged in as another account than the one that {id} is connected to; nothing has changed. If the other account is right: keepfresh connect {id} --other-account; to have both, connect it under a name of its own: keepfresh connect {provider} --name NAME (not {name})"
    );
    Failure::new(Case::Misconfigured, code::Connect::OtherAccount, message)
}

/// Whether `token` can be renewed without a person: it has a refresh token, or its plugin uses none.
pub(super) fn is_renewable(token: &TokenSet, descriptor: &Descriptor) -> bool {
    let uses = |it: &Access| it.carries.iter().any(|carried| carried == "refresh-token");
    token.refresh_token.is_some() || !descriptor.access.iter().any(uses)
}
