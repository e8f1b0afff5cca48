//! Every provider behind one face. Knows what they share, and nothing of sockets or scripts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::provider::{
    answer::Answer,
    authorization::Authorization,
    call::Call,
    credentials::Credentials,
    google,
    ledger::{Handed, Ledger},
    options::flags::Flags,
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

/// One provider, as everybody here sees it. Most of it is for all; a hand that only some have does
/// nothing at the others.
pub(crate) trait Service: Send {
    /// Does what is asked. Whatever it changes is changed when this returns.
    fn act(&mut self, call: &Call, now: Timestamp) -> Reply;

    /// A login that nobody sent.
    fn issue(&mut self, name: &str, now: Timestamp) -> Pair;

    fn credentials(&mut self) -> &mut Credentials;

    /// Absent where there are no families.
    fn ledger(&mut self) -> Option<&mut Ledger> {
        None
    }

    /// Absent where nobody is asked for consent.
    fn authorization(&mut self) -> Option<&mut Authorization> {
        None
    }

    fn revoke_everything(&mut self) {
        self.ledger().into_iter().for_each(Ledger::revoke_everything);
    }

    fn fail_refreshes(&mut self, _: Option<google::Failure>) {}

    fn sent_messages(&self) -> u64 {
        0
    }

    fn wrong_logins(&self) -> u32 {
        0
    }

    fn lock(&mut self, _: bool) {}
}

/// The settings of a fake, which make it.
pub(crate) trait Fake: Default {
    /// Its flags, as people read them.
    const USAGE: &str;

    /// Its settings by flags.
    fn read(flags: &mut Flags) -> Result<Self, String>;

    /// A provider names itself by its `base`: in metadata, in tokens, in links for people.
    fn service(self, base: &str) -> Box<dyn Service>;
}
