//! One set of credentials at one provider: the facts that storage keeps and every window shows. No
//! secrets are in here; they stay sealed beside it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::attempt::{Attempt, Trigger, text_enum};
use crate::model::ends::Ends;
use crate::model::failure::Failure;
use crate::model::id::ConnectionId;
use crate::model::scopes::missing;

/// What is known of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// `provider/name`.
    pub id: ConnectionId,
    /// How many token sets were stored; 0 is none.
    pub generation: u64,
    /// The current token, if there is one.
    pub token: Option<TokenFacts>,
    /// Tries that failed since the last success.
    pub failures: u32,
    /// Why only a person can help.
    pub problem: Option<Problem>,
    /// What the last failure said; cleared by a success.
    pub error: Option<Failure>,
    /// When the request was sent whose outcome is unknown.
    pub doubt_since: Option<Timestamp>,
    /// Set while a person has paused it.
    pub pause: Option<Pause>,
    /// When it is looked at next, and why.
    pub due: Option<Due>,
    /// The last try, finished or not.
    pub last_attempt: Option<Attempt>,
    /// What `profile` said last, as JSON.
    pub profile: Option<Value>,
    /// Who wants it to be there.
    pub origin: Origin,
    /// Settings of its own, over those of the manifest.
    pub settings: BTreeMap<String, String>,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// When a caller last asked for its token.
    pub active_at: Option<Timestamp>,
    /// What a person agreed to, if one did.
    pub agreed: Option<Agreed>,
}

impl Connection {
    /// Whether its token is the last one that comes without a person.
    pub fn is_last(&self) -> bool {
        self.agreed.as_ref().is_some_and(|it| !it.renewable)
    }

    /// Scopes that a person was asked for and the token does not have.
    pub fn missing_scopes(&self) -> Vec<String> {
        let asked = self.agreed.as_ref().map(|it| it.asked.as_slice()).unwrap_or_default();
        let granted = self.token.as_ref().map(|it| it.scopes.as_slice()).unwrap_or_default();
        missing(asked, granted)
    }
}

/// What a person agreed to when they last connected the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// The scopes that they were asked for.
    pub asked: Vec<String>,
    /// Whether the grant can be renewed without them.
    pub renewable: bool,
}

/// Who wants a connection to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The manifest.
    #[default]
    Manifest,
    /// A person, a caller or a file.
    Added,
}

/// What may be shown of the current token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenFacts {
    /// `Bearer`, `Basic`, `Token`.
    pub token_type: String,
    /// When it was stored.
    pub issued_at: Timestamp,
    /// When it stops working; `None` when it does not expire.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token stops working, if known.
    pub refresh_expires_at: Option<Timestamp>,
    /// First eight hex digits of its SHA-256.
    pub fingerprint: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Plain facts from the provider.
    pub metadata: Vec<(String, String)>,
    /// Keyed digests of the configuration that it came of, if they are known.
    pub config: Option<Vec<u8>>,
}

impl TokenFacts {
    /// Whether it works at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|it| it > now)
    }

    /// When it and its refresh token end.
    pub fn ends(&self) -> Ends {
        Ends { access: self.expires_at, refresh: self.refresh_expires_at }
    }

    /// From when on a refresh keeps the grant alive that would end with its refresh token; `None` when
    /// nobody says that it ends, or it has ended already.
    pub fn keep_alive_from(&self, now: Timestamp) -> Option<Timestamp> {
        let alive = self.refresh_expires_at.is_some_and(|it| it > now);
        self.ends().keep_alive_from(self.issued_at.min(now)).filter(|_| alive)
    }
}

/// Why only a person can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The grant is dead: connect again.
    Reconnect,
    /// A credential, setting or plugin is wrong: correct it.
    Misconfigured,
}

/// A pause by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// What the person said.
    pub reason: Option<String>,
}

/// The next time a connection is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub trigger: Trigger,
}

text_enum!(Origin { Manifest = "manifest", Added = "added" });
text_enum!(Problem { Reconnect = "reconnect", Misconfigured = "misconfigured" });
