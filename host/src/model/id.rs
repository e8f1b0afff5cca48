//! Names that cannot be mixed up: a connection is `provider/name`, an attempt is a UUID that sorts by
//! time. `eskiz` is short for `eskiz/default`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest provider or connection name, in bytes. Long enough for an e-mail address or a UUID
/// with a prefix, short enough for a table.
const MAX_NAME: usize = 128;
const _: () = assert!(MAX_NAME <= u8::MAX as usize, "a provider's length has one byte");

/// One set of credentials at one provider. Displays as `provider/name`, and without the name when it
/// is `default`. A clone is cheap, and shares the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    /// `provider/name`. Neither has a slash in it, so no two ids have one text.
    full: Arc<str>,
    /// Bytes before the slash.
    provider: u8,
}

/// Why a text is not a connection id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdError {
    /// Nothing on one side of the slash.
    #[error("`{0}` is not a connection: write PROVIDER or PROVIDER/NAME")]
    Empty(String),
    /// A character that would need quoting somewhere.
    #[error(
        "`{text}` is not a connection: `{found}` is not allowed (letters, digits and . _ - @ + : are)"
    )]
    Character {
        /// The whole text.
        text: String,
        /// The first character that is refused.
        found: char,
    },
    /// Longer than a name may be.
    #[error("`{0}` is not a connection: a name has at most 128 bytes")]
    TooLong(String),
}

impl ConnectionId {
    /// The connection `provider/name`.
    pub fn new(provider: &str, name: &str) -> Result<Self, IdError> {
        check_name(provider)?;
        check_name(name)?;
        let full = [provider, "/", name].concat().into();
        #[expect(clippy::cast_possible_truncation, reason = "it has at most MAX_NAME bytes")]
        let provider = provider.len() as u8;
        Ok(Self { full, provider })
    }

    /// The provider's name in the manifest.
    pub fn provider(&self) -> &str {
        &self.full[..usize::from(self.provider)]
    }

    /// `provider/name`, also when the name is `default`: as JSON and logs have it.
    pub fn full(&self) -> &str {
        &self.full
    }

    /// The connection's name within its provider.
    pub fn name(&self) -> &str {
        &self.full[usize::from(self.provider) + 1..]
    }
}

/// By provider, then by name: a slash would not sort before every character of a name.
impl Ord for ConnectionId {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.provider(), self.name()).cmp(&(other.provider(), other.name()))
    }
}

impl PartialOrd for ConnectionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Checks one half of an id; the manifest uses it for provider names too.
pub fn check_name(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty(text.to_owned()));
    }
    if text.len() > MAX_NAME {
        return Err(IdError::TooLong(text.chars().take(40).collect()));
    }
    match text.chars().find(|it| !(it.is_alphanumeric() || "._-@+:".contains(*it))) {
        Some(found) => Err(IdError::Character { text: text.to_owned(), found }),
        None => Ok(()),
    }
}

impl FromStr for ConnectionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (provider, name) = text.split_once('/').unwrap_or((text, "default"));
        if provider.is_empty() || name.is_empty() {
            return Err(IdError::Empty(text.to_owned()));
        }
        Self::new(provider, name)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.name() {
            "default" => self.provider(),
            _ => self.full(),
        })
    }
}

impl Serialize for ConnectionId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.full())
    }
}

impl<'de> Deserialize<'de> for ConnectionId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One try to refresh. Sorts by the time it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(Uuid);

impl AttemptId {
    /// A new id.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for AttemptId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_provider_means_its_default_connection() {
        let id: ConnectionId = "eskiz".parse().unwrap();
        assert_eq!((id.provider(), id.name()), ("eskiz", "default"));
        assert_eq!(id.to_string(), "eskiz");
        assert_eq!("eskiz/default".parse(), Ok(id.clone()));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"eskiz/default\"", "scripts see one shape");
        assert_eq!(serde_json::from_str::<ConnectionId>(&json).unwrap(), id);
    }

    #[test]
    fn a_name_may_be_an_email_address() {
        let id: ConnectionId = "propelauth/ann@example.com".parse().unwrap();
        assert_eq!(id.to_string(), "propelauth/ann@example.com");
    }

    #[test]
    fn ids_sort_by_provider_and_then_by_name() {
        let ids = ["a/b", "a/z", "a-b/a", "b/a"].map(|it| it.parse::<ConnectionId>().unwrap());
        assert!(ids.is_sorted(), "as text, `a-b/a` would come before `a/b`");
        assert_eq!((ids[2].provider(), ids[2].name(), ids[2].full()), ("a-b", "a", "a-b/a"));
    }

    #[test]
    fn what_would_need_quoting_is_refused() {
        for text in ["", "/", "eskiz/", "/x", "a b", "a/b/c", "a/../b", "a/\u{202e}b", "a/\n"] {
            assert!(text.parse::<ConnectionId>().is_err(), "{text:?}");
        }
    }
}
