//! Every provider behind one face. Knows what they share, and nothing of sockets or scripts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::provider::{
    Kind,
    answer::Answer,
    authorization::Authorization,
    call::Call,
    credentials::Credentials,
    eskiz::Eskiz,
    google::Google,
    jibit::Jibit,
    ledger::{Handed, Ledger},
    oauth::OAuth,
    propelauth::PropelAuth,
    rotor::Rotor,
};

/// The first tokens of a family, for a test to hand to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Good at once.
    pub access_token: String,
    /// Empty at Eskiz, which has none.
    pub refresh_token: String,
    /// Seconds until the access token expires.
    pub expires_in: u32,
}

/// What a provider did: an answer, and the generation that it hands out.
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) handed: Option<Handed>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, handed: None }
    }
}

pub(crate) enum Service {
    Eskiz(Eskiz),
    Jibit(Jibit),
    Rotor(Rotor),
    OAuth(OAuth),
    Google(Google),
    PropelAuth(PropelAuth),
}

impl Service {
    pub(crate) fn new(kind: Kind, base: &str) -> Self {
        match kind {
            Kind::Eskiz(settings) => Self::Eskiz(Eskiz::new(settings)),
            Kind::Jibit(settings) => Self::Jibit(Jibit::new(settings)),
            Kind::Rotor(settings) => Self::Rotor(Rotor::new(settings)),
            Kind::OAuth(settings) => Self::OAuth(OAuth::new(settings, base)),
            Kind::Google(settings) => Self::Google(Google::new(settings, base)),
            Kind::PropelAuth(settings) => Self::PropelAuth(PropelAuth::new(settings, base)),
        }
    }

    /// Does what is asked. Whatever it changes is changed when this returns.
    pub(crate) fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        match self {
            Self::Eskiz(eskiz) => eskiz.act(call, now).into(),
            Self::Jibit(jibit) => jibit.act(call, now),
            Self::Rotor(rotor) => rotor.act(call, now),
            Self::OAuth(oauth) => oauth.act(call, now),
            Self::Google(google) => google.act(call, now),
            Self::PropelAuth(propelauth) => propelauth.act(call, now),
        }
    }

    /// A login that nobody sent.
    pub(crate) fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        match self {
            Self::Eskiz(eskiz) => eskiz.issue(now),
            Self::Jibit(jibit) => jibit.issue(name, now),
            Self::Rotor(rotor) => rotor.issue(name, now),
            Self::OAuth(oauth) => oauth.core.issue(name, now),
            Self::Google(google) => google.issue(name, now),
            Self::PropelAuth(propelauth) => propelauth.core.issue(name, now),
        }
    }

    pub(crate) fn credentials(&mut self) -> &mut Credentials {
        match self {
            Self::Eskiz(eskiz) => &mut eskiz.credentials,
            Self::Jibit(jibit) => &mut jibit.credentials,
            Self::Rotor(rotor) => &mut rotor.credentials,
            Self::OAuth(oauth) => &mut oauth.core.credentials,
            Self::Google(google) => &mut google.core.credentials,
            Self::PropelAuth(propelauth) => &mut propelauth.core.credentials,
        }
    }

    pub(crate) fn revoke_everything(&mut self) {
        match self {
            Self::Eskiz(eskiz) => eskiz.revoke_everything(),
            Self::Jibit(jibit) => jibit.ledger.revoke_everything(),
            Self::Rotor(rotor) => rotor.ledger.revoke_everything(),
            Self::OAuth(oauth) => oauth.core.tokens.ledger.revoke_everything(),
            Self::Google(google) => google.revoke_everything(),
            Self::PropelAuth(propelauth) => propelauth.core.tokens.ledger.revoke_everything(),
        }
    }

    /// Absent at Eskiz, which has no families.
    pub(crate) fn ledger(&mut self) -> Option<&mut Ledger> {
        match self {
            Self::Eskiz(_) => None,
            Self::Jibit(jibit) => Some(&mut jibit.ledger),
            Self::Rotor(rotor) => Some(&mut rotor.ledger),
            Self::OAuth(oauth) => Some(&mut oauth.core.tokens.ledger),
            Self::Google(google) => Some(&mut google.core.tokens.ledger),
            Self::PropelAuth(propelauth) => Some(&mut propelauth.core.tokens.ledger),
        }
    }

    /// Absent where nobody is asked for consent.
    pub(crate) fn authorization(&mut self) -> Option<&mut Authorization> {
        match self {
            Self::OAuth(oauth) => Some(&mut oauth.core),
            Self::Google(google) => Some(&mut google.core),
            Self::PropelAuth(propelauth) => Some(&mut propelauth.core),
            _ => None,
        }
    }
}
