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
    finnotech::Finnotech,
    google::Google,
    jibit::Jibit,
    ledger::{Handed, Ledger},
    login::Login,
    oauth::OAuth,
    playmobile::PlayMobile,
    propelauth::PropelAuth,
    rotor::Rotor,
};

/// The first tokens of a family, for a test to hand to a client. All empty at `PlayMobile`, which has no tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Good at once.
    pub access_token: String,
    /// Empty where there is none.
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
    Finnotech(Finnotech),
    Login(Login),
    PlayMobile(PlayMobile),
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
            Kind::Finnotech(settings) => Self::Finnotech(Finnotech::new(settings)),
            Kind::Login(settings) => Self::Login(Login::new(settings)),
            Kind::PlayMobile(settings) => Self::PlayMobile(PlayMobile::new(settings)),
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
            Self::Finnotech(finnotech) => finnotech.act(call, now),
            Self::Login(login) => login.act(call, now),
            Self::PlayMobile(playmobile) => playmobile.act(call).into(),
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
            Self::Finnotech(finnotech) => finnotech.issue(name, now),
            Self::Login(login) => login.issue(name, now),
            Self::PlayMobile(_) => Pair::default(),
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
            Self::Finnotech(finnotech) => &mut finnotech.credentials,
            Self::Login(login) => &mut login.credentials,
            Self::PlayMobile(playmobile) => &mut playmobile.credentials,
        }
    }

    pub(crate) fn revoke_everything(&mut self) {
        match self {
            Self::Eskiz(eskiz) => eskiz.revoke_everything(),
            Self::Google(google) => google.revoke_everything(),
            other => other.ledger().into_iter().for_each(Ledger::revoke_everything),
        }
    }

    /// Absent at Eskiz and `PlayMobile`, which have no families.
    pub(crate) fn ledger(&mut self) -> Option<&mut Ledger> {
        match self {
            Self::Eskiz(_) | Self::PlayMobile(_) => None,
            Self::Jibit(jibit) => Some(&mut jibit.ledger),
            Self::Rotor(rotor) => Some(&mut rotor.ledger),
            Self::OAuth(oauth) => Some(&mut oauth.core.tokens.ledger),
            Self::Google(google) => Some(&mut google.core.tokens.ledger),
            Self::PropelAuth(propelauth) => Some(&mut propelauth.core.tokens.ledger),
            Self::Finnotech(finnotech) => Some(&mut finnotech.ledger),
            Self::Login(login) => Some(login.ledger()),
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
