//! Who calls: a secret in the header or the body, a signed assertion, or only a name.

use jiff::Timestamp;

use crate::provider::{
    authorization::{
        Authorization,
        assertion::{self, Assertion},
        refused::Refused,
        rules::ClientAuth,
    },
    call::{Call, form_decoded},
};

/// A client that was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// It showed its secret or its signature.
    Confidential,
    /// It said a name.
    Public,
}

/// What a client shows.
enum Shown<'a> {
    Basic(String, String),
    Post(&'a str, &'a str),
    Assertion(Assertion<'a>),
    Name(&'a str),
    Nothing,
}

impl Authorization {
    /// RFC 6749, 2.3.
    pub(crate) fn recognise(&mut self, call: &Call, now: Timestamp) -> Result<Caller, Refused> {
        use ClientAuth::{Basic, BasicOrPost, Post, PrivateKeyJwt, Public, SecretOrPkce};
        let known = match (&self.rules.client_auth, show(call)?) {
            (Basic | BasicOrPost | SecretOrPkce, Shown::Basic(id, secret)) => {
                self.knows_secret(&id, &secret)
            }
            (Post | BasicOrPost | SecretOrPkce, Shown::Post(id, secret)) => {
                self.knows_secret(id, secret)
            }
            (PrivateKeyJwt(pem), Shown::Assertion(given)) => {
                let id = assertion::verify(pem, &given, &self.audiences(), now, &mut self.seen);
                id.is_some_and(|id| self.credentials.admit(&[("client_id", &id)]))
            }
            (Public | SecretOrPkce, Shown::Name(id)) => {
                let known = self.credentials.admit(&[("client_id", id)]);
                return if known { Ok(Caller::Public) } else { Err(Refused::InvalidClient) };
            }
            _ => false,
        };
        if known { Ok(Caller::Confidential) } else { Err(Refused::InvalidClient) }
    }

    /// The same for what a nameless client may not do.
    pub(crate) fn recognise_confidential(
        &mut self,
        call: &Call,
        now: Timestamp,
    ) -> Result<(), Refused> {
        match self.recognise(call, now)? {
            Caller::Confidential => Ok(()),
            Caller::Public => Err(Refused::UnauthorizedClient),
        }
    }

    fn knows_secret(&self, id: &str, secret: &str) -> bool {
        self.credentials.admit(&[("client_id", id), ("client_secret", secret)])
    }

    /// The issuer is what RFC 7523 is read as today; the token endpoint is what it says.
    fn audiences(&self) -> [String; 2] {
        let issuer = &self.rules.issuer;
        [issuer.clone(), format!("{issuer}{}", self.rules.token_path)]
    }
}

/// More than one way at once is an error (RFC 6749, 2.3), and so are two names.
fn show(call: &Call) -> Result<Shown<'_>, Refused> {
    let id = call.field("client_id");
    let secret = call.field("client_secret");
    let assertion = Assertion::read(call);
    let ways = [call.basic.is_some(), secret.is_some(), assertion.is_some()];
    if ways.into_iter().filter(|shown| *shown).count() > 1 {
        return Err(Refused::InvalidRequest("more than one way to authenticate"));
    }
    if let Some((user, password)) = &call.basic {
        // RFC 6749, 2.3.1: both are in the form encoding before they are in base64.
        let (user, password) = (form_decoded(user), form_decoded(password));
        return match id {
            Some(id) if id != user => Err(Refused::InvalidRequest("two client ids")),
            _ => Ok(Shown::Basic(user, password)),
        };
    }
    Ok(match (assertion, id, secret) {
        (Some(assertion), _, _) => Shown::Assertion(assertion),
        (None, Some(id), Some(secret)) => Shown::Post(id, secret),
        (None, Some(id), None) => Shown::Name(id),
        (None, None, _) => Shown::Nothing,
    })
}
