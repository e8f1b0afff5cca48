//! What a provider gave. The secrets in it do not print, do not serialise, and are wiped when dropped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::model::ends::Ends;
use crate::model::mistaken::mistaken;

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

impl TokenSet {
    /// Takes over the refresh token of `old`, and what is known of it.
    pub fn keep_refresh_token_of(&mut self, old: Self) {
        self.refresh_token = old.refresh_token;
        self.made_of.extend(old.made_of.into_iter().filter(|(of, _)| of == "refresh_token"));
        self.refresh_expires_at = self.refresh_expires_at.or(old.refresh_expires_at);
    }

    /// When its tokens end.
    pub fn ends(&self) -> Ends {
        Ends { access: self.expires_at, refresh: self.refresh_expires_at }
    }

    /// Whether there is a refresh token alone, which nobody has used yet.
    pub fn lacks_access_token(&self) -> bool {
        self.access_token.expose_secret().is_empty()
    }
}

/// How a token is presented by default.
pub const USUAL_TYPE: &str = "Bearer";

/// The longest name of a way to present a token.
const LONGEST_TYPE: usize = 64;

/// `text` if it can name the way in which a token is presented: a token of RFC 9110 5.6.2, because it is
/// the first word of a header.
pub fn token_type(text: &str) -> Option<&str> {
    let is_tchar = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
    let fits = (1..=LONGEST_TYPE).contains(&text.len()) && text.bytes().all(is_tchar);
    fits.then_some(text)
}

/// Whether a token can be put into a header as it is: something, and all of it visible ASCII.
pub fn is_presentable(token: &SecretString) -> bool {
    let text = token.expose_secret();
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic())
}

/// Checks what a person or a file gives as a token; the reason names the part and not its value.
pub fn check(
    access: Option<&SecretString>,
    refresh: Option<&SecretString>,
    kind: Option<&str>,
) -> Result<(), String> {
    for (name, token) in [("access_token", access), ("refresh_token", refresh)] {
        let Some(token) = token else { continue };
        if let Some(why) = mistaken(token.expose_secret()) {
            return Err(format!("its {name} {why}"));
        }
        if !is_presentable(token) {
            return Err(format!("its {name} is empty, or not one word of visible ASCII"));
        }
    }
    if kind.is_some_and(|it| token_type(it).is_none()) {
        return Err(
            "its token_type is not a word such as Bearer, of at most 64 characters".to_owned()
        );
    }
    Ok(())
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
    fn a_token_type_is_one_word_of_a_header() {
        let longest = "x".repeat(LONGEST_TYPE);
        for word in ["Bearer", "Basic", "DPoP", "token", "X-Own_1.0", &longest] {
            assert_eq!(token_type(word), Some(word));
        }
        let longer = "x".repeat(LONGEST_TYPE + 1);
        for other in
            ["", " ", "Bearer ", "Bearer\r\nX-Evil: 1", "a:b", "a/b", "\u{202e}", "é", &longer]
        {
            assert_eq!(token_type(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_token_is_presentable_as_one_visible_word() {
        let fits = |text: &str| is_presentable(&SecretString::from(text));
        assert!(fits("abc.DEF-1_2~3+4/5=="));
        for text in ["", " ", "a b", "a\r\nb", "a\u{1b}[31m", "a\u{7f}", "é", "a\tb", "a\0"] {
            assert!(!fits(text), "{text:?}");
        }
    }

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
