//! What the person and the server do that is not a rule of theirs: it may change from one login to the next.

use crate::provider::authorization::tokens::Grant;

/// How the next logins go.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Who agrees, if it is not the usual account.
    pub account: Option<String>,
    /// The error, and what is said of it, with which the person is sent back.
    pub refusal: Option<(String, String)>,
    /// What is granted at most.
    pub scopes: Option<Vec<String>>,
    /// Whether there are refresh tokens for it.
    pub refresh_tokens: bool,
    /// Whether ID tokens repeat the nonce.
    pub repeats_nonce: bool,
    /// Whether people are only sent back with a form.
    pub form_post_only: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            account: None,
            refusal: None,
            scopes: None,
            refresh_tokens: true,
            repeats_nonce: true,
            form_post_only: false,
        }
    }
}

impl Behaviour {
    /// What becomes of a grant.
    pub(crate) fn limit(&self, mut grant: Grant) -> Grant {
        if let Some(account) = &self.account {
            grant.subject.clone_from(account);
        }
        if let Some(most) = &self.scopes {
            grant.scope.retain(|it| most.contains(it));
        }
        if !self.repeats_nonce {
            grant.nonce = None;
        }
        grant.offline &= self.refresh_tokens;
        grant
    }
}
