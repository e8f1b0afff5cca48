//! A token set as a sealed value. The stored form is a private JSON here, because a token set
//! itself must not serialise; buffers that held it are wiped. Knows nothing of where it is stored.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::clock::millis;
use crate::model::token::TokenSet;
use crate::vault::error::VaultError;
use crate::vault::place::{Place, Purpose};
use crate::vault::{Sealed, Vault};

/// Seals a token set for one row of one generation.
pub fn seal_tokens(
    vault: &Vault,
    place: &Place<'_>,
    tokens: &TokenSet,
) -> Result<Sealed, VaultError> {
    let stored = Stored::from(tokens);
    let mut json = Zeroizing::new(Vec::with_capacity(longest(&stored)));
    serde_json::to_writer(&mut *json, &stored)
        .map_err(|_| VaultError::Malformed("a token set does not fit its stored form"))?;
    vault.seal(Purpose::Tokens, place, &json)
}

/// Opens a token set that [`seal_tokens`] sealed for the same place.
pub fn open_tokens(
    vault: &Vault,
    place: &Place<'_>,
    sealed: &Sealed,
) -> Result<TokenSet, VaultError> {
    let json = vault.open(Purpose::Tokens, place, sealed)?;
    // The parser's own message may quote the value, so it is dropped.
    let opened: Opened = serde_json::from_slice(&json)
        .map_err(|_| VaultError::Malformed("a sealed token set is not in its stored form"))?;
    opened.try_into()
}

/// Borrowed on the way in, so that no second copy of a secret is made.
#[derive(Serialize)]
struct Stored<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_at: Option<i64>,
    refresh_token: Option<&'a str>,
    refresh_expires_at: Option<i64>,
    scopes: &'a [String],
    extra: Vec<(&'a str, &'a str)>,
    metadata: &'a [(String, String)],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    made_of: &'a BTreeMap<String, Vec<String>>,
}

/// Fields may be added by a later version; what is unknown here is left out.
#[derive(Deserialize)]
struct Opened {
    access_token: Secret,
    token_type: String,
    expires_at: Option<i64>,
    refresh_token: Option<Secret>,
    refresh_expires_at: Option<i64>,
    scopes: Vec<String>,
    extra: Vec<(String, Secret)>,
    metadata: Vec<(String, String)>,
    #[serde(default)]
    made_of: BTreeMap<String, Vec<String>>,
}

impl<'a> From<&'a TokenSet> for Stored<'a> {
    fn from(tokens: &'a TokenSet) -> Self {
        let extra = tokens.extra.iter().map(|(name, it)| (name.as_str(), it.expose_secret()));
        Self {
            access_token: tokens.access_token.expose_secret(),
            token_type: &tokens.token_type,
            expires_at: tokens.expires_at.map(millis),
            refresh_token: tokens.refresh_token.as_ref().map(ExposeSecret::expose_secret),
            refresh_expires_at: tokens.refresh_expires_at.map(millis),
            scopes: &tokens.scopes,
            extra: extra.collect(),
            metadata: &tokens.metadata,
            made_of: &tokens.made_of,
        }
    }
}

impl TryFrom<Opened> for TokenSet {
    type Error = VaultError;

    fn try_from(opened: Opened) -> Result<Self, VaultError> {
        Ok(Self {
            access_token: opened.access_token.0,
            token_type: opened.token_type,
            expires_at: opened.expires_at.map(time).transpose()?,
            refresh_token: opened.refresh_token.map(|it| it.0),
            refresh_expires_at: opened.refresh_expires_at.map(time).transpose()?,
            scopes: opened.scopes,
            extra: opened.extra.into_iter().map(|(name, it)| (name, it.0)).collect(),
            metadata: opened.metadata,
            made_of: opened.made_of,
        })
    }
}

fn time(milliseconds: i64) -> Result<Timestamp, VaultError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| VaultError::Malformed("a sealed token set has a time outside the calendar"))
}

/// An upper bound of the JSON's length: a buffer that grows leaves copies behind. A character takes
/// six bytes at most (`\u0000`), and a field less than 64 besides its text.
fn longest(stored: &Stored<'_>) -> usize {
    let pairs = stored.metadata.iter().map(|(name, it)| name.len() + it.len() + 16);
    let extra = stored.extra.iter().map(|(name, it)| name.len() + it.len() + 16);
    let scopes = stored.scopes.iter().map(|it| it.len() + 16);
    let single = [Some(stored.access_token), Some(stored.token_type), stored.refresh_token];
    let single = single.iter().flatten().map(|it| it.len());
    let made = stored.made_of.iter().flat_map(|(name, of)| [name].into_iter().chain(of));
    let made = made.map(|it| it.len() + 16);
    512 + 6 * pairs.chain(extra).chain(scopes).chain(single).chain(made).sum::<usize>()
}

/// Goes from the parser's buffer into a string that is wiped. Only a secret with an escape in it
/// passes through a buffer of the parser that is not.
struct Secret(SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SecretVisitor).map(Self)
    }
}

struct SecretVisitor;

impl Visitor<'_> for SecretVisitor {
    type Value = SecretString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretString, E> {
        Ok(SecretString::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::key::MasterKey;
    use crate::vault::keyring::Keyring;

    const PLACE: Place<'_> =
        Place { table: "generations", column: "tokens", row: "eskiz/default", generation: 7 };

    fn vault() -> Vault {
        let (keyring, _) = Keyring::create(&MasterKey::random().ok().unwrap()).unwrap();
        Vault::new(keyring, "instance".to_owned())
    }

    fn tokens() -> TokenSet {
        TokenSet {
            access_token: SecretString::from("CANARY_access \"quoted\" \u{1} \u{1f511}"),
            token_type: "Bearer".to_owned(),
            expires_at: Some(Timestamp::from_millisecond(1_790_000_000_123).unwrap()),
            refresh_token: Some(SecretString::from("CANARY_refresh")),
            refresh_expires_at: None,
            scopes: vec!["read".to_owned(), "write".to_owned()],
            extra: vec![("id_token".to_owned(), SecretString::from("CANARY_id"))],
            metadata: vec![("account".to_owned(), "42".to_owned())],
            made_of: BTreeMap::from([("id_token".to_owned(), vec!["key".to_owned()])]),
        }
    }

    fn exposed(tokens: &TokenSet) -> String {
        serde_json::to_string(&Stored::from(tokens)).unwrap()
    }

    #[test]
    fn a_token_set_comes_back_whole() {
        let vault = vault();
        let bare = TokenSet {
            expires_at: None,
            refresh_token: None,
            scopes: Vec::new(),
            extra: Vec::new(),
            metadata: Vec::new(),
            made_of: BTreeMap::new(),
            ..tokens()
        };
        for tokens in [tokens(), bare] {
            let sealed = seal_tokens(&vault, &PLACE, &tokens).unwrap();
            let opened = open_tokens(&vault, &PLACE, &sealed).unwrap();
            assert_eq!(exposed(&opened), exposed(&tokens));
            assert!(!sealed.as_bytes().windows(6).any(|it| it == b"CANARY"));
        }
    }

    #[test]
    fn the_buffer_never_grows() {
        let control = "\u{1}".repeat(5000);
        let worst = TokenSet { access_token: SecretString::from(control), ..tokens() };
        for tokens in [tokens(), worst] {
            assert!(exposed(&tokens).len() <= longest(&Stored::from(&tokens)));
        }
    }

    #[test]
    fn a_value_that_is_no_token_set_is_malformed_and_not_quoted() {
        let vault = vault();
        let sealed = vault.seal(Purpose::Tokens, &PLACE, br#"{"access_token":"CANARY"}"#).unwrap();
        let error = open_tokens(&vault, &PLACE, &sealed).unwrap_err();
        assert_eq!(error.code().text(), "vault.malformed");
        assert!(!format!("{error:?} {error}").contains("CANARY"));
    }
}
