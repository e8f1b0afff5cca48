//! Keys of programs that use the HTTP API: `kf_ID_SECRETCHECK`. The prefix lets secret scanners find them,
//! the check tells a mistyped key from a wrong one without a look at the database. What is kept of a key is
//! its id, its grant and a keyed digest; the key itself is shown once.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::id::ConnectionId;

/// What every key begins with.
pub const PREFIX: &str = "kf_";

/// Characters of an id: 71 bits, so that two are never the same.
const ID: usize = 12;

/// Characters of a secret: 256 bits.
const SECRET: usize = 43;

/// Characters of the check: a CRC-32 has 32 bits.
const CHECK: usize = 6;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a key allows.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Scope {
    /// Sending requests through the proxy, without getting a token.
    #[serde(rename = "proxy:use")]
    ProxyUse,
    /// Getting tokens, reporting one that was refused; the proxy as well.
    #[serde(rename = "token:read")]
    TokenRead,
    /// Looking at connections, attempts, plugins, schedules and statistics.
    #[serde(rename = "connection:read")]
    ConnectionRead,
    /// Refreshing, pausing, adding, removing and connecting; looking as well.
    #[serde(rename = "connection:write")]
    ConnectionWrite,
    /// Everything, the audit log as well.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// All of them, the smallest first.
    pub const ALL: [Self; 5] =
        [Self::ProxyUse, Self::TokenRead, Self::ConnectionRead, Self::ConnectionWrite, Self::Admin];

    /// The word that commands and JSON have.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProxyUse => "proxy:use",
            Self::TokenRead => "token:read",
            Self::ConnectionRead => "connection:read",
            Self::ConnectionWrite => "connection:write",
            Self::Admin => "admin",
        }
    }

    /// Whether it allows what `other` allows.
    fn covers(self, other: Self) -> bool {
        self == Self::Admin
            || self == other
            || (self == Self::ConnectionWrite && other == Self::ConnectionRead)
            // Whoever may have the token can do with it what the proxy does, and more.
            || (self == Self::TokenRead && other == Self::ProxyUse)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a scope; use one of: {all}")
        })
    }
}

/// What a key allows, and where. The digest of a key covers all of this: a row that was changed by hand
/// opens nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    /// What.
    pub scopes: BTreeSet<Scope>,
    /// Only connections of these providers; of all when none is named.
    pub providers: BTreeSet<String>,
    /// Only connections with one of these labels; with any when none is named.
    pub labels: BTreeSet<String>,
    /// Until when; for ever when not set.
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// Whether it allows `scope`.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|it| it.covers(scope))
    }

    /// Whether it is over at `now`.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|it| it <= now)
    }

    /// Whether it is for some connections only.
    pub fn is_bound(&self) -> bool {
        !self.providers.is_empty() || !self.labels.is_empty()
    }

    /// Whether it reaches the connection `id` with those labels.
    pub fn reaches(&self, id: &ConnectionId, labels: &[String]) -> bool {
        let provider = self.providers.is_empty() || self.providers.contains(id.provider());
        let label = self.labels.is_empty() || labels.iter().any(|it| self.labels.contains(it));
        provider && label
    }
}

/// A key as it is kept and shown: all but its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// To name it by; the part of the key between its underscores.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it allows.
    #[serde(flatten)]
    pub grant: Grant,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A key as a program presents it.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The id in it.
    pub id: String,
    /// The secret in it.
    pub secret: SecretString,
}

impl Presented {
    /// A new key, from bytes that nobody can guess. That some characters come a little more often than others
    /// costs it less than a bit.
    pub fn from_random(random: [u8; ID + SECRET]) -> Self {
        let text = random.map(|it| ALPHABET[usize::from(it) % ALPHABET.len()]);
        let text = String::from_utf8_lossy(&text);
        let (id, secret) = text.split_at(ID);
        Self { id: id.to_owned(), secret: secret.into() }
    }

    /// The key as a program writes it: `kf_`, id, `_`, secret, check.
    pub fn text(&self) -> SecretString {
        let body = format!("{PREFIX}{}_{}", self.id, self.secret.expose_secret());
        format!("{body}{}", String::from_utf8_lossy(&check_of(&body))).into()
    }
}

impl FromStr for Presented {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let rest = text.strip_prefix(PREFIX).ok_or(NotAKey::Malformed)?;
        let (id, rest) = rest.split_once('_').ok_or(NotAKey::Malformed)?;
        let is_ours = |it: &str| it.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if id.len() != ID || rest.len() != SECRET + CHECK || !is_ours(id) || !is_ours(rest) {
            return Err(NotAKey::Malformed);
        }
        let (body, check) = text.split_at(text.len() - CHECK);
        if check_of(body) != check.as_bytes() {
            return Err(NotAKey::Mistyped);
        }
        Ok(Self { id: id.to_owned(), secret: rest[..SECRET].into() })
    }
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// It does not look like one.
    #[error("it does not have the form of a key")]
    Malformed,
    /// It looks like one, and its check does not fit.
    #[error("its check does not fit: it was mistyped or cut off")]
    Mistyped,
}

fn check_of(body: &str) -> [u8; CHECK] {
    let mut left = crc32fast::hash(body.as_bytes()) as usize;
    let mut check = [b'0'; CHECK];
    for place in check.iter_mut().rev() {
        *place = ALPHABET[left % ALPHABET.len()];
        left /= ALPHABET.len();
    }
    check
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> Presented {
        Presented::from_random(std::array::from_fn(|it| u8::try_from(it * 5 % 256).unwrap()))
    }

    #[test]
    fn a_key_has_a_prefix_its_id_its_secret_and_a_check() {
        let text = key().text();
        let text = text.expose_secret();
        assert!(text.starts_with(&format!("kf_{}_", key().id)), "{text}");
        assert_eq!(text.len(), 3 + ID + 1 + SECRET + CHECK);
        let read: Presented = text.parse().unwrap();
        assert_eq!(read.id, key().id);
        assert_eq!(read.secret.expose_secret(), key().secret.expose_secret());
    }

    #[test]
    fn a_key_does_not_print_its_secret() {
        let printed = format!("{:?}", key());
        assert!(!printed.contains(key().secret.expose_secret()), "{printed}");
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_noticed(place in 0..65_usize, other in 0..62_usize) {
            let text = key().text();
            let mut bytes = text.expose_secret().as_bytes().to_vec();
            prop_assume!(bytes[place] != ALPHABET[other]);
            bytes[place] = ALPHABET[other];
            prop_assert!(String::from_utf8(bytes).unwrap().parse::<Presented>().is_err());
        }

        #[test]
        fn what_is_no_key_is_refused(text in "\\PC{0,80}") {
            prop_assert!(text.parse::<Presented>().is_err());
        }
    }

    #[test]
    fn a_scope_allows_itself_and_what_it_includes() {
        use Scope::{Admin, ConnectionRead, ConnectionWrite, ProxyUse, TokenRead};
        for (has, allowed) in [
            (ProxyUse, &[ProxyUse][..]),
            (TokenRead, &[ProxyUse, TokenRead]),
            (ConnectionRead, &[ConnectionRead]),
            (ConnectionWrite, &[ConnectionRead, ConnectionWrite]),
            (Admin, &Scope::ALL),
        ] {
            let grant = Grant { scopes: [has].into(), ..Grant::default() };
            for scope in Scope::ALL {
                assert_eq!(grant.allows(scope), allowed.contains(&scope), "{has} {scope}");
            }
        }
        assert!(Scope::ALL.iter().all(|it| !Grant::default().allows(*it)));
    }

    #[test]
    fn a_bound_key_reaches_only_what_it_is_bound_to() {
        let set = |it: &[&str]| it.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let reaches = |providers: &[&str], labels: &[&str]| {
            let (providers, labels) = (set(providers), set(labels));
            let grant = Grant { providers, labels, ..Grant::default() };
            grant.reaches(&"eskiz/a".parse().unwrap(), &["gold".to_owned()])
        };
        assert!(reaches(&[], &[]) && reaches(&["jibit", "eskiz"], &[]));
        assert!(reaches(&[], &["gold", "red"]) && reaches(&["eskiz"], &["gold"]));
        assert!(!reaches(&["jibit"], &[]) && !reaches(&[], &["red"]));
        assert!(!reaches(&["eskiz"], &["red"]) && !reaches(&["jibit"], &["gold"]));
    }
}
