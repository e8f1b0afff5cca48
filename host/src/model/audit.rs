//! Who did what, for the audit log. Actions that programs repeat all day are counted for each hour; each
//! other one is an entry of its own.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A program, with the API key of this id.
    Key(String),
    /// A user of this machine, at the command line or the local socket.
    User(u32),
    /// A person, logged in to the dashboard with the account of this name.
    Account(String),
    /// Somebody who is not known: who has tried to log in.
    Nobody,
}

impl fmt::Display for Actor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(out, "key:{id}"),
            Self::User(uid) => write!(out, "user:{uid}"),
            Self::Account(name) => write!(out, "account:{name}"),
            Self::Nobody => out.write_str("nobody"),
        }
    }
}

impl FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("key", id)) => Ok(Self::Key(id.to_owned())),
            Some(("user", uid)) => uid.parse().map(Self::User).map_err(|_| text.to_owned()),
            Some(("account", name)) => Ok(Self::Account(name.to_owned())),
            None if text == "nobody" => Ok(Self::Nobody),
            _ => Err(text.to_owned()),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Makes the closed set of actions with its words.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// What was done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word that SQL, commands and JSON have.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

actions! {
    /// A token was handed out.
    TokenRead = "token.read",
    /// A caller reported that a token was refused.
    TokenRejected = "token.rejected",
    /// A request was sent with a token, through the proxy.
    TokenUsed = "token.used",
    /// A token was stored by hand.
    TokenSet = "token.set",
    /// A token was deleted.
    TokenCleared = "token.cleared",
    /// A refresh was asked for.
    Refreshed = "connection.refreshed",
    /// A captured answer was read again.
    Replayed = "connection.replayed",
    /// Connections were added or changed.
    Enrolled = "connection.added",
    /// Connections were exported, with their tokens and secrets in clear.
    Exported = "connection.exported",
    /// A connection was removed.
    Removed = "connection.removed",
    /// A connection was paused.
    Paused = "connection.paused",
    /// A connection was resumed.
    Resumed = "connection.resumed",
    /// A link was made by which a person can connect an account.
    LinkCreated = "connection.link_created",
    /// A person connected an account.
    Connected = "connection.connected",
    /// A grant was ended.
    Disconnected = "connection.disconnected",
    /// A plugin was approved.
    Approved = "plugin.approved",
    /// A key was made.
    KeyCreated = "key.created",
    /// A key was revoked.
    KeyRevoked = "key.revoked",
    /// An account of the dashboard was made.
    AccountCreated = "account.created",
    /// Its role or its password was changed.
    AccountChanged = "account.changed",
    /// A link was made by which its person chooses a password.
    AccountLinked = "account.link_created",
    /// An account was removed.
    AccountRemoved = "account.removed",
    /// A person logged in to the dashboard.
    LoginSucceeded = "login.succeeded",
    /// Somebody tried to log in to the dashboard in vain.
    LoginFailed = "login.failed",
    /// A person typed the password again.
    SessionConfirmed = "session.confirmed",
    /// A login was ended, by its person or by another one.
    SessionEnded = "session.ended",
    /// A person was shown a token in clear.
    TokenRevealed = "token.revealed",
    /// A message was sent to test a channel.
    ChannelTested = "channel.tested",
    /// What is current was delivered by a sink because somebody asked.
    SinkRan = "sink.ran",
    /// Old attempts were deleted.
    Pruned = "log.pruned",
}

/// In the API's document it is one of its words.
impl PartialSchema for Action {
    fn schema() -> RefOr<Schema> {
        let words = Self::ALL.iter().map(|it| it.as_str());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
    }
}

impl ToSchema for Action {}

impl Action {
    /// Whether it is counted for each hour.
    pub fn is_counted(self) -> bool {
        matches!(
            self,
            Self::TokenRead
                | Self::TokenRejected
                | Self::TokenUsed
                | Self::Refreshed
                | Self::Exported
                | Self::LoginFailed
        )
    }

    /// The hour that it is counted for when it is done `at`, in milliseconds; `None` if it is not counted.
    pub fn hour(self, at: Timestamp) -> Option<i64> {
        let at = at.as_millisecond();
        self.is_counted().then(|| at - at.rem_euclid(HOUR_MS))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|it| it.as_str() == text);
        found.ok_or_else(|| {
            let all = Self::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ");
            format!("`{text}` is not in the audit log; it has: {all}")
        })
    }
}

/// Something that was done, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When; of those that are counted, when last.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// With what: a connection, a provider, a key, a plugin, an account. Never a secret.
    pub subject: String,
    /// More of it, in a few words.
    pub detail: Option<String>,
    /// How often.
    pub count: u64,
}

impl AuditRecord {
    /// The hour that it is counted for, in milliseconds; `None` for an entry of its own.
    pub fn hour(&self) -> Option<i64> {
        self.action.hour(self.at)
    }
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its number; later ones are larger.
    pub id: i64,
    /// When; of those that are counted, when last.
    pub at: Timestamp,
    /// By whom: `key:ID`, `user:UID`, `account:NAME`, `nobody`.
    pub actor: String,
    /// The name of that key.
    pub key_name: Option<String>,
    /// What: `token.read`, `connection.paused`.
    pub action: Action,
    /// With what.
    pub subject: String,
    /// More of it.
    pub detail: Option<String>,
    /// How often within the hour.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_audit_log_are_read_back() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
        let (key, person) = ("Ab3".to_owned(), "ann:2@example.com".to_owned());
        for actor in [Actor::Key(key), Actor::User(1000), Actor::Account(person), Actor::Nobody] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        assert!("token.raed".parse::<Action>().unwrap_err().contains("token.read"));
    }

    #[test]
    fn what_programs_repeat_is_counted_by_the_hour() {
        let at = "2026-03-04T05:59:59Z".parse().unwrap();
        let record = |action| AuditRecord {
            at,
            actor: Actor::User(0),
            action,
            subject: String::new(),
            detail: None,
            count: 1,
        };
        let hour = record(Action::TokenRead).hour().unwrap();
        assert_eq!(Timestamp::from_millisecond(hour).unwrap().to_string(), "2026-03-04T05:00:00Z");
        assert_eq!(record(Action::Paused).hour(), None);
    }
}
