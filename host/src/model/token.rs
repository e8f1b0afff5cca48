//! What a provider gave. The secrets in it do not print, do not serialise, and are wiped when dropped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Access token, refresh token, expiry, scopes, metadata.
#[derive(Clone, Debug)]
pub struct TokenSet {
    /// What callers present.
    pub access_token: SecretString,
    /// How they present it: `Bearer`, `Basic`, `Token`.
    pub token_type: String,
    /// When it stops working; `None` when it does not expire.
    pub expires_at: Option<Timestamp>,
    /// What the next refresh presents.
    pub refresh_token: Option<SecretString>,
    /// When the refresh token stops working, if the provider says.
    pub refresh_expires_at: Option<Timestamp>,
    /// What the token may do.
    pub scopes: Vec<String>,
    /// Further secrets by name, such as `id_token`.
    pub extra: Vec<(String, SecretString)>,
    /// Plain facts worth showing.
    pub metadata: Vec<(String, String)>,
    /// Of the tokens that a plugin made itself (HTTP Basic credentials, say), what they were made of:
    /// `access_token`, `refresh_token` or a name of `extra`, and names as [`Access`] has them. A token
    /// that is not here came from the provider whole.
    ///
    /// [`Access`]: crate::model::descriptor::Access
    pub made_of: BTreeMap<String, Vec<String>>,
}

/// The first eight hex digits of the SHA-256 of a secret: enough to tell two apart, safe to show.
pub fn fingerprint(secret: &SecretString) -> String {
    let digest = Sha256::digest(secret.expose_secret().as_bytes());
    hex(&digest[..4])
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_set_does_not_print_its_secrets() {
        let set = TokenSet {
            access_token: SecretString::from("CANARY_access"),
            token_type: "Bearer".to_owned(),
            expires_at: None,
            refresh_token: Some(SecretString::from("CANARY_refresh")),
            refresh_expires_at: None,
            scopes: Vec::new(),
            extra: vec![("id_token".to_owned(), SecretString::from("CANARY_id"))],
            metadata: Vec::new(),
            made_of: BTreeMap::new(),
        };
        assert!(!format!("{set:?}").contains("CANARY"));
    }
}
