//! The three providers behind one face. Knows what they share, and nothing of sockets or scripts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::provider::{
    Kind,
    answer::Answer,
    call::Call,
    credentials::Credentials,
    eskiz::Eskiz,
    jibit::Jibit,
    ledger::{Handed, Ledger},
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
}

impl Service {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Eskiz(settings) => Self::Eskiz(Eskiz::new(settings)),
            Kind::Jibit(settings) => Self::Jibit(Jibit::new(settings)),
            Kind::Rotor(settings) => Self::Rotor(Rotor::new(settings)),
        }
    }

    /// Does what is asked. Whatever it changes is changed when this returns.
    pub(crate) fn act(&mut self, call: &Call, now: Timestamp) -> Reply {
        match self {
            Self::Eskiz(eskiz) => eskiz.act(call, now).into(),
            Self::Jibit(jibit) => jibit.act(call, now),
            Self::Rotor(rotor) => rotor.act(call, now),
        }
    }

    /// A login that nobody sent.
    pub(crate) fn issue(&mut self, name: &str, now: Timestamp) -> Pair {
        match self {
            Self::Eskiz(eskiz) => eskiz.issue(now),
            Self::Jibit(jibit) => jibit.issue(name, now),
            Self::Rotor(rotor) => rotor.issue(name, now),
        }
    }

    pub(crate) fn credentials(&mut self) -> &mut Credentials {
        match self {
            Self::Eskiz(eskiz) => &mut eskiz.credentials,
            Self::Jibit(jibit) => &mut jibit.credentials,
            Self::Rotor(rotor) => &mut rotor.credentials,
        }
    }

    pub(crate) fn revoke_everything(&mut self) {
        match self {
            Self::Eskiz(eskiz) => eskiz.revoke_everything(),
            Self::Jibit(jibit) => jibit.ledger.revoke_everything(),
            Self::Rotor(rotor) => rotor.ledger.revoke_everything(),
        }
    }

    /// Absent at Eskiz, which has no families.
    pub(crate) fn ledger(&mut self) -> Option<&mut Ledger> {
        match self {
            Self::Eskiz(_) => None,
            Self::Jibit(jibit) => Some(&mut jibit.ledger),
            Self::Rotor(rotor) => Some(&mut rotor.ledger),
        }
    }
}
